"""A Gaussian process before and after three observations: the numbers of the page's own program."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

from tooling.figures.drawing import SMALL, WIDTH, Picture
from tooling.figures.gaussian_process import Posterior, draws

# From gp.py on the page: where it looks, how noisy that is, and where it predicts.
INPUTS, NOISE, NEW = (-2.0, 0.0, 1.0), 0.01, (0.5, 6.0)
FROM, TO, LOW, HIGH = -4.0, 7.0, -2.6, 2.6
GRID = [FROM + (TO - FROM) * place / 88 for place in range(89)]
SEED, FUNCTIONS = 11, 3
LEFT, RIGHT, PANEL = 34, WIDTH - 8, 170
SEEN = (
    "Two charts of functions over the same inputs, from -4 to 7. Above, before any data: the mean is zero "
    "everywhere, the band of two standard deviations has the same width everywhere, and three drawn functions "
    "wander freely in it. Below, after observations of the sine at -2, 0 and 1: mean, band and drawn functions "
    "pass close to the three points. At 0.5, between two points, the mean is {near} and the standard deviation "
    "{near_sd}. At 6, far from all of them, the band is as wide as above: mean {far}, standard deviation "
    "{far_sd}."
)


def x_of(value: float) -> float:
    """An input's place on the picture."""
    return LEFT + (RIGHT - LEFT) * (value - FROM) / (TO - FROM)


def y_of(value: float, top: float) -> float:
    """A value's place in the panel that begins at `top`."""
    return top + PANEL * (HIGH - max(LOW, min(HIGH, value))) / (HIGH - LOW)


def panel(picture: Picture, top: float, heading: str, mean: Sequence[float], sd: Sequence[float],
          functions: Sequence[Sequence[float]]) -> None:
    """Band, mean and drawn functions."""
    picture.text(LEFT, top - 10, heading, bold=True)
    for value in (-2, 0, 2):
        picture.line([(LEFT, y_of(value, top)), (RIGHT, y_of(value, top))], colour="line", thick=1)
        picture.text(LEFT - 8, y_of(value, top) + 5, str(value), size=SMALL, colour="muted", anchor="end")
    upper = [(x_of(x), y_of(m + 2 * s, top)) for x, m, s in zip(GRID, mean, sd, strict=True)]
    lower = [(x_of(x), y_of(m - 2 * s, top)) for x, m, s in zip(GRID, mean, sd, strict=True)]
    picture.area([*upper, *reversed(lower)], opacity=0.16)
    for function in functions:
        picture.line([(x_of(x), y_of(y, top)) for x, y in zip(GRID, function, strict=True)], thick=1.2)
    picture.line([(x_of(x), y_of(m, top)) for x, m in zip(GRID, mean, strict=True)], colour="accent", thick=3)


def key(picture: Picture, y: float) -> None:
    """What the lines mean."""
    x = float(LEFT)
    for name, wide in (("mean", 76), ("2 standard deviations", 196), ("drawn functions", 150), ("data", 60)):
        if name == "data":
            picture.circle(x + 8, y - 5, 5, fill="caution")
        elif name.startswith("2"):
            picture.rect(x, y - 11, 20, 12, fill="bg", line="none")
            picture.area([(x, y - 11), (x + 20, y - 11), (x + 20, y + 1), (x, y + 1)], opacity=0.16)
        else:
            mean = name == "mean"
            picture.line([(x, y - 5), (x + 20, y - 5)], colour="accent" if mean else "muted",
                         thick=3 if mean else 1.2)
        picture.text(x + (20 if name == "data" else 26), y, name, size=SMALL, colour="muted")
        x += wide


def pictures() -> Iterator[Picture]:
    """The one picture."""
    posterior = Posterior(INPUTS, [math.sin(x) for x in INPUTS], noise=NOISE)
    prior = Posterior((), (), noise=NOISE)
    (near, near_sd), (far, far_sd) = ((f"{abs(posterior.mean(x)):.2f}", f"{posterior.sd(x):.2f}") for x in NEW)
    picture = Picture("chapters/research/gp-posterior.svg", "A Gaussian process before and after three observations",
                      SEEN.format(near=near, near_sd=near_sd, far=far, far_sd=far_sd), 2 * PANEL + 144)
    dice = random.Random(SEED)
    normals = [[dice.gauss(0, 1) for _ in GRID] for _ in range(FUNCTIONS)]
    top = 34.0
    for heading, process in (("Before any data", prior), ("After three observations", posterior)):
        mean, sd = [process.mean(x) for x in GRID], [process.sd(x) for x in GRID]
        panel(picture, top, heading, mean, sd, draws(mean, process.covariance(GRID), normals))
        top += PANEL + 52
    top -= PANEL + 52
    for x in INPUTS:
        picture.circle(x_of(x), y_of(math.sin(x), top), 5.5, fill="caution", line="bg", thick=1.5)
    for x, words, away, height in ((NEW[0], f"{near} ± {near_sd}", 6, 1.5), (NEW[1], f"{far} ± {far_sd}", -10, -1.6)):
        ends = (posterior.mean(x) + sign * 2 * posterior.sd(x) for sign in (-1, 1))
        picture.line([(x_of(x), y_of(end, top)) for end in ends], colour="text", thick=2)
        picture.text(x_of(x) + away, y_of(height, top), words, size=SMALL, bold=True,
                     anchor="end")
    for value in range(-4, 8, 2):
        picture.text(x_of(value), top + PANEL + 18, str(value), size=SMALL, colour="muted", anchor="middle")
    key(picture, top + PANEL + 46)
    yield picture
