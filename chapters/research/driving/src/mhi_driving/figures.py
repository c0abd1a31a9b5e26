"""The figures on the page, from the numbers in results.json."""

from __future__ import annotations

from typing import Any

from labhandbook.runs import Curve, Panel, line_chart
from mhi_driving.strip import Drive, draw

METHODS = {"bcq": "BCQ", "bc": "cloning", "q": "plain Q"}


def render(results: dict[str, Any]) -> dict[str, str]:
    """Each figure whose part of the results is there, as SVG, by the name of its file."""
    return {name: figure(results[part]) for name, part, figure in
            (("drive.svg", "offline", strips), ("curves.svg", "images", curves)) if part in results}


def strips(offline: dict[str, Any]) -> str:
    """The drives of three policies."""
    return draw({name: Drive(**offline["strip"][method]) for method, name in METHODS.items()},
                "Three policies from one log, on a road that none has seen")


def curves(images: dict[str, Any]) -> str:
    """Learning from images: what is driven, and how many actions are at their limits."""
    learnt = {"TD3": images["td3"], "DDPG": images["ddpg"], "D4PG": images["d4pg"],
              "param. noise": images["ddpg-parameter"], "TD3, the trap": images["trap"]}
    panels = [Panel(label, [Curve(title, one["curve"]["step"], one["curve"][name]) for title, one in learnt.items()],
                    ticks, number)
              for name, label, ticks, number in (
                  ("mean", "metres an episode, of 250", (0, 50, 100, 150, 200, 250), "{:g}".format),
                  ("saturated", "percent of actions beyond 0.99", (0, 0.25, 0.5, 0.75, 1),
                   lambda share: f"{100 * share:.0f}"))]
    return line_chart("Learning from images, on roads used to choose checkpoints", panels,
                      range(0, images["td3"]["steps"] + 1, 2_000), "steps")
