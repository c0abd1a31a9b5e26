"""A drive on CarRacing to look at: as a short video, or as a strip of pictures. It needs the extra `carracing`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from mhi_driving.carracing import REPEAT, Racing
from mhi_driving.drive import Policy

SIZE = (300, 200)  # pixels of a picture
EVERY = 2  # actions from one picture to the next
SHOWN, GAP = 6, 4  # pictures in a strip, and pixels between them


def record(policy: Policy, seed: int) -> list[Image.Image]:
    """The pictures of one episode, from the start of the track of a seed to its end."""
    env = Racing("rgb_array")
    seen, _ = env.reset(seed=seed)
    pictures, over, actions = [picture(env)], False, 0
    while not over:
        seen, _, ended, cut, _ = env.step(policy(seen[None])[0])
        over, actions = ended or cut, actions + 1
        if over or actions % EVERY == 0:
            pictures.append(picture(env))
    env.close()
    return pictures


def picture(env: Racing) -> Image.Image:
    """What CarRacing shows to a person now."""
    return Image.fromarray(env.render()).resize(SIZE)


def save(pictures: Sequence[Image.Image], file: Path) -> None:
    """Write a video as fast as the drive (`.webp`, `.gif`), or six of the pictures side by side (`.png`)."""
    if file.suffix != ".png":
        pictures[0].save(file, save_all=True, append_images=pictures[1:], loop=0,
                         duration=EVERY * REPEAT * 1000 // Racing.metadata["render_fps"])
        return
    width, height = SIZE
    strip = Image.new("RGB", (SHOWN * (width + GAP) - GAP, height), "white")
    for number, at in enumerate(np.linspace(0, len(pictures) - 1, SHOWN).astype(int)):
        strip.paste(pictures[at], (number * (width + GAP), 0))
    strip.quantize(64).save(file, optimize=True)
