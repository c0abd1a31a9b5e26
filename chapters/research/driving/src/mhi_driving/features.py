"""Images as a few numbers: a variational autoencoder (Kingma and Welling 2014) that is trained once and then stays.

Kendall et al. (2019) drove from such features with fewer episodes than from pixels. What the lane image shows in 576
bytes, 16 numbers hold; the dashboard in its last rows goes with them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from mhi_driving.drive import Features
from mhi_driving.lane import SIDE
from mhi_driving.logs import drive_lane
from mhi_driving.replay import as_input

LATENT, IMAGES, ROUNDS, BATCH = 16, 6_000, 1_500, 64


class VAE(nn.Module):
    """Encoder to mean and log variance of `LATENT` numbers, decoder back to (B, 1, 24, 24) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 16, 4, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2), nn.ReLU(),
                                     nn.Flatten(), nn.Linear(32 * 5 * 5, 2 * LATENT))
        self.decoder = nn.Sequential(nn.Linear(LATENT, 128), nn.ReLU(), nn.Linear(128, SIDE * SIDE),
                                     nn.Unflatten(1, (1, SIDE, SIDE)))

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance: two of (B, LATENT)."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance

    def loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The negative evidence lower bound of an image, in nats (Kingma and Welling 2014, equation 10)."""
        mean, log_variance = self.encode(images)
        code = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=generator)
        wrong = functional.binary_cross_entropy_with_logits(self.decoder(code), images, reduction="none")
        return (wrong.sum((1, 2, 3)) + divergence(mean, log_variance)).mean()


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of N(mean, variance) from N(0, 1), summed over the last axis (its appendix B)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=-1)


def fit(images: NDArray[np.uint8], seed: int, rounds: int = ROUNDS) -> VAE:
    """An autoencoder of logged images (N, 1, 24, 24)."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        vae = VAE()
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(vae.parameters(), 1e-3, fused=True)
    for _ in range(rounds):
        loss = vae.loss(as_input(images[rng.integers(len(images), size=BATCH)]), generator)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return vae


def features_for(folder: Path, seed: int) -> Features:
    """What turns images into features in a run: the autoencoder in its directory, trained there the first time.

    The features are the mean of the code, (B, 16) floats.
    """
    path = folder / "vae.pt"
    if path.exists():
        vae = VAE()
        vae.load_state_dict(torch.load(path, weights_only=True))
    else:
        vae = fit(drive_lane("image", IMAGES, np.random.default_rng(seed))["before"], seed)
        fresh = path.with_suffix(".new")
        torch.save(vae.state_dict(), fresh)
        fresh.replace(path)

    @torch.no_grad()
    def features(seen: NDArray[Any]) -> NDArray[Any]:
        means: NDArray[Any] = vae.encode(as_input(seen))[0].numpy()
        return means

    return features
