"""A drive on CarRacing to look at: as a short video, or as six pictures. It needs the extra `carracing`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from mhi_driving.carracing import REPEAT, Racing
from mhi_driving.drive import Policy

SIZE = (300, 200)  # pixels of a picture
EVERY = 2  # actions from one picture to the next
ROWS, COLUMNS, GAP = 2, 3, 4  # of the six pictures, and the pixels between them


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
    """Write a video as fast as the drive (`.webp`, `.gif`), or six of the pictures (`.png`)."""
    if file.suffix != ".png":
        pictures[0].save(file, save_all=True, append_images=pictures[1:], loop=0,
                         duration=EVERY * REPEAT * 1000 // Racing.metadata["render_fps"])
        return
    width, height = SIZE[0] + GAP, SIZE[1] + GAP
    sheet = Image.new("RGB", (COLUMNS * width - GAP, ROWS * height - GAP), "white")
    shown = ROWS * COLUMNS
    # Not the first: at the start CarRacing shows the whole track.
    for number, at in enumerate(np.linspace(len(pictures) / (shown + 1), len(pictures) - 1, shown).astype(int)):
        sheet.paste(pictures[at], (number % COLUMNS * width, number // COLUMNS * height))
    sheet.quantize(64).save(file, optimize=True)
