"""The network: a residual trunk, a policy head for each phase, one value head with a value for each player.

Weights are saved as plain arrays (`.npz`), never as a pickle: a file from somebody else can hold wrong numbers, but
it can't run a program.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from labhandbook.runs import HandbookError
from mhi_selfplay.game import SECTION, Floats, Game, State, absolute
from mhi_selfplay.search import Evaluate, masked

Arrays = dict[str, npt.NDArray[Any]]


class Block(nn.Module):
    """Two convolutions around which the input is passed on (Silver et al. 2017, "Neural network architecture")."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Shape (batch, channels, rows, columns) to the same."""
        return torch.relu(x + self.body(x))


class Network(nn.Module):
    """From the canonical board to logits for each phase and values relative to who decides."""

    def __init__(self, game: Game, channels: int, blocks: int, dropout: float) -> None:
        super().__init__()
        planes, rows, columns = game.shape
        self.trunk = nn.Sequential(
            nn.Conv2d(planes, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
            *(Block(channels) for _ in range(blocks)))

        def head(outputs: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(channels, 16, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(),
                                 nn.Linear(16 * rows * columns, 64), nn.ReLU(), nn.Dropout(dropout),
                                 nn.Linear(64, outputs))
        self.policies = nn.ModuleList(head(actions) for actions in game.actions)
        self.value = head(game.players)

    def forward(self, planes: Tensor) -> tuple[list[Tensor], Tensor]:
        """Planes (batch, planes, rows, columns) to logits (batch, actions) a phase and values (batch, players).

        Values lie in (-1, 1); the first is that of the player who decides, then those after.
        """
        features = self.trunk(planes)
        return [head(features) for head in self.policies], torch.tanh(self.value(features))


def evaluator(game: Game, network: Network) -> Evaluate:
    """Ask `network` about positions. It remembers its answers: make a new one when the network has changed."""
    known: dict[State, tuple[Floats, Floats]] = {}
    network.eval()

    @torch.inference_mode()
    def ask(states: list[State]) -> None:
        logits, values = network(torch.from_numpy(np.stack([game.planes(state) for state in states])))
        chances = [torch.softmax(each, dim=1).numpy() for each in logits]
        for row, state in enumerate(states):
            known[state] = (masked(chances[state.phase][row], game.legal(state)),
                            absolute(values[row].numpy(), state.player))

    def evaluate(states: Sequence[State]) -> list[tuple[Floats, Floats]]:
        if fresh := [state for state in dict.fromkeys(states) if state not in known]:
            ask(fresh)
        return [known[state] for state in states]

    return evaluate


def weights_of(network: Network) -> Arrays:
    """All parameters and running statistics, by name."""
    return {name: tensor.detach().numpy().copy() for name, tensor in network.state_dict().items()}


def put_weights(network: Network, weights: Mapping[str, npt.NDArray[Any]], where: Path) -> None:
    """Give a network the weights that were read from `where`.

    Raises HandbookError when one is missing, is too many, or has another shape or type, or isn't a number.
    """
    own = weights_of(network)
    wrong = sorted(own.keys() ^ weights.keys()) or sorted(
        name for name, array in own.items()
        if array.shape != weights[name].shape or array.dtype != weights[name].dtype
        or not np.isfinite(weights[name]).all())
    if wrong:
        raise HandbookError(f"these are not the weights of this network: {wrong[0]} differs", where=str(where),
                            why="the network was another one, or the file is damaged", section=SECTION,
                            todo="load it with the settings that it was saved with, or take an earlier checkpoint")
    network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})


def digest(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """A sha256 of names, types, shapes and contents: the same for equal arrays, wherever they were computed."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def read_arrays(path: Path, limit: int) -> Arrays:
    """The arrays of an `.npz`, which may come from anybody.

    Raises HandbookError when it is no such file, holds Python objects (loading those would run code), is damaged, or
    says that it unpacks to more than `limit` bytes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > limit:
            raise ValueError(f"it unpacks to {size} bytes, more than the {limit} that belong here")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        # What is in the archive and no array comes back as bytes.
        if strange := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
            raise ValueError(f"{strange[0]} in it is no array")
        return arrays
    except (OSError, ValueError, EOFError, KeyError, MemoryError, zipfile.BadZipFile, NotImplementedError,
            SyntaxError, zlib.error) as error:
        raise HandbookError(f"this checkpoint can't be read: {error}", where=str(path), section=SECTION,
                            why="a checkpoint holds plain arrays and nothing that runs",
                            todo="take an earlier checkpoint, or one whose origin you know") from None
