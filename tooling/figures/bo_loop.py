"""The loop of Bayesian optimisation, and three of its rounds as they come out for one function."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tooling.figures.drawing import SMALL, WIDTH, Picture
from tooling.figures.gaussian_process import Posterior

FROM, TO = 2.7, 7.5
GRID = [FROM + (TO - FROM) * place / 240 for place in range(241)]
SHOWN = GRID[::2]
START, LENGTH, NOISE = (3.0, 4.4, 7.0), 0.6, 1e-4
ROUNDS, LAST = (1, 2, 5), 5
LEFT, RIGHT = 14, WIDTH - 8
LOW, HIGH, PANEL, WORTH, STEP = -2.1, 2.1, 112, 34, 200  # the values shown; the heights of the two charts of a round
SEEN = (
    "Above, three boxes in a loop: fit a Gaussian process to all evaluations, maximise the acquisition function, "
    "evaluate the function there, and again. Below, rounds 1, 2 and 5 of minimising a wavy function from three "
    "evaluations. Each round shows the evaluations as dots, the mean and the band of the Gaussian process, the true "
    "function dashed, and under them expected improvement, with a line at its maximum, where the next evaluation "
    "is made: at {first} and {second} in rounds 1 and 2, where little is known, and in round {last} at {third}, next "
    "to the true minimum at {best}."
)


def function(x: float) -> float:
    """What is minimised: two sines, so that there are several valleys."""
    return 0.6 * (math.sin(x) + math.sin(10 * x / 3))


def improvement(known: Posterior, x: float, best: float) -> float:
    """Expected improvement over the smallest value seen, as the page defines it."""
    mean, sd = known.mean(x), known.sd(x)
    if sd < 1e-6:
        return max(best - mean, 0.0)
    z = (best - mean) / sd
    return (best - mean) * 0.5 * (1 + math.erf(z / math.sqrt(2))) + sd * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def run() -> list[tuple[list[float], Posterior, float]]:
    """For each round the inputs so far, the Gaussian process that is fitted to them, and where to evaluate next."""
    inputs, found = list(START), []
    for _ in range(LAST):
        values = [function(x) for x in inputs]
        known = Posterior(inputs, values, noise=NOISE, length=LENGTH)
        best = min(values)
        gains = {x: improvement(known, x, best) for x in GRID}
        following = max(GRID, key=gains.__getitem__)
        found.append((list(inputs), known, following))
        inputs.append(following)
    return found


def x_of(value: float) -> float:
    """An input's place on the picture."""
    return LEFT + (RIGHT - LEFT) * (value - FROM) / (TO - FROM)


def loop(picture: Picture) -> None:
    """The three actions and the way back."""
    wide, gap = 163, 20
    actions = (("1. Fit", ("a Gaussian process", "to all evaluations")),
               ("2. Choose", ("where the expected", "gain is largest")),
               ("3. Evaluate", ("the function there,", "add it to the data")))
    for place, (heading, words) in enumerate(actions):
        x = 5 + place * (wide + gap)
        picture.box(x, 8, wide, 76, heading, words, line="accent" if place == 2 else "line",
                    thick=2 if place == 2 else 1)
        if place:
            picture.arrow([(x - gap + 2, 46), (x - 3, 46)], colour="accent")
    first, last = 5 + wide / 2, 5 + 2 * (wide + gap) + wide / 2
    picture.arrow([(last, 86), (last, 108), (first, 108), (first, 87)], colour="accent")
    picture.text(WIDTH / 2, 126, "until the budget is spent", size=SMALL, colour="accent", bold=True, anchor="middle")


def one_round(picture: Picture, top: float, number: int, inputs: list[float], known: Posterior,
              following: float) -> None:
    """The Gaussian process of a round, expected improvement below it, and the line where both lead."""
    def y_of(value: float) -> float:
        return top + PANEL * (HIGH - max(LOW, min(HIGH, value))) / (HIGH - LOW)

    best = min(map(function, inputs))
    foot = top + PANEL + WORTH + 10
    picture.text(LEFT, top - 10, f"Round {number}", bold=True)
    picture.text(RIGHT, top - 10, f"next: x = {following:.2f}", size=SMALL, colour="caution", bold=True, anchor="end")
    mean, sd = [known.mean(x) for x in SHOWN], [known.sd(x) for x in SHOWN]
    upper = [(x_of(x), y_of(m + 2 * s)) for x, m, s in zip(SHOWN, mean, sd, strict=True)]
    lower = [(x_of(x), y_of(m - 2 * s)) for x, m, s in zip(SHOWN, mean, sd, strict=True)]
    picture.area([*upper, *reversed(lower)], opacity=0.16)
    picture.line([(x_of(x), y_of(function(x))) for x in SHOWN], thick=1.3, dashes="5 4")
    picture.line([(x_of(x), y_of(m)) for x, m in zip(SHOWN, mean, strict=True)], colour="accent", thick=2.5)
    worth = [improvement(known, x, best) for x in SHOWN]
    picture.area([(x_of(FROM), foot), *((x_of(x), foot - WORTH * w / max(worth)) for x, w in
                                        zip(SHOWN, worth, strict=True)), (x_of(TO), foot)], colour="tip", opacity=0.5)
    picture.line([(LEFT, foot), (RIGHT, foot)], colour="line", thick=1)
    picture.line([(x_of(following), top), (x_of(following), foot)], colour="caution", thick=2)
    for x in inputs:
        picture.circle(x_of(x), y_of(function(x)), 5, fill="caution", line="bg", thick=1.5)


def key(picture: Picture, y: float) -> None:
    """What the colours mean."""
    x = float(LEFT)
    for name, wide in (("mean", 74), ("2 sd", 68), ("true function", 128), ("evaluations", 114), ("worth", 0)):
        if name == "evaluations":
            picture.circle(x + 10, y - 5, 5, fill="caution")
        elif name in {"2 sd", "worth"}:
            colour, opacity = ("accent", 0.16) if name == "2 sd" else ("tip", 0.5)
            picture.area([(x, y - 11), (x + 20, y - 11), (x + 20, y + 1), (x, y + 1)], colour=colour, opacity=opacity)
        else:
            mean = name == "mean"
            picture.line([(x, y - 5), (x + 20, y - 5)], colour="accent" if mean else "muted",
                         thick=2.5 if mean else 1.3, dashes="" if mean else "5 4")
        words = "expected gain" if name == "worth" else name
        picture.text(x + (20 if name == "evaluations" else 26), y, words, size=SMALL, colour="muted")
        x += wide


def pictures() -> Iterator[Picture]:
    """The one picture."""
    rounds = run()
    first, second, third = (f"{rounds[number - 1][2]:.2f}" for number in ROUNDS)
    seen = SEEN.format(first=first, second=second, third=third, last=LAST, best=f"{min(GRID, key=function):.2f}")
    picture = Picture("chapters/research/bo-loop.svg", "The loop of Bayesian optimisation", seen,
                      172 + len(ROUNDS) * STEP)
    loop(picture)
    for place, number in enumerate(ROUNDS):
        one_round(picture, 172 + place * STEP, number, *rounds[number - 1])
    key(picture, 172 + len(ROUNDS) * STEP - 10)
    yield picture
