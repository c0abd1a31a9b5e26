"""Everything that decides a run: one list of settings with their meaning, and what suits each game."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from labhandbook.runs import HandbookError
from mhi_selfplay.game import SECTION
from mhi_selfplay.games import GAMES
from mhi_selfplay.search import SearchSettings


def _option(default: Any, text: str, *, low: float = 0, high: float = 1e9) -> Any:
    return field(default=default, metadata={"text": text, "low": low, "high": high})


@dataclass(frozen=True)
class Settings:
    """Everything that decides a run, and how long it is. `PRESETS` has what suits each game on a laptop.

    Raises HandbookError when a value is of the wrong type or out of range.
    """

    game: str = _option("tic-tac-toe", "what to play")
    seed: int = _option(0, "of all random numbers")
    iterations: int = _option(20, "rounds of self-play, learning and arena", low=1)
    games: int = _option(30, "games of self-play an iteration", low=1)
    opening: int = _option(0, "most random actions that a self-play game begins with, to see what good play avoids")
    warm_games: int = _option(100, "games of random play that the network learns from before the first iteration")
    simulations: int = _option(30, "simulations of the search for each action", low=1)
    cpuct: float = _option(1.0, "c of PUCT: how much the prior counts against the mean value")
    depth: int = _option(0, "greatest length of a path of the search, 0 for no limit")
    noise_alpha: float = _option(1.0, "Dirichlet noise at the root, about 10 / legal actions", low=1e-6)
    noise_share: float = _option(0.25, "share of the noise in the root's prior", high=1)
    temperature_moves: int = _option(15, "so many actions are drawn by visits; later the most visited is played")
    learning_rate: float = _option(0.001, "of Adam", low=1e-9)
    weight_decay: float = _option(0.0001, "of Adam")
    dropout: float = _option(0.3, "share of units dropped in the heads", high=0.99)
    epochs: int = _option(10, "passes over the history an iteration", low=1)
    batch: int = _option(64, "positions a step of learning", low=2)
    channels: int = _option(512, "width of the network", low=1, high=4096)
    blocks: int = _option(2, "residual blocks", high=100)
    history: int = _option(30, "past iterations to learn from", low=1)
    queue: int = _option(200_000, "most positions to learn from, the newest", low=2)
    arena_games: int = _option(12, "games of the arena, a multiple of the players", low=2)
    arena_opening: int = _option(2, "most random actions that an arena game begins with")
    threshold: float = _option(0.5, "mean points (a draw is 1/2) that a new network needs to be accepted", high=1)

    def __post_init__(self) -> None:
        if self.game not in GAMES:
            raise HandbookError(f"there is no game {self.game}", section=SECTION,
                                todo=f"choose of {', '.join(GAMES)}")
        for each in fields(self):
            value, low, high = getattr(self, each.name), each.metadata["low"], each.metadata["high"]
            right = {"int": (int,), "float": (int, float), "str": (str,)}[str(each.type)]
            if not isinstance(value, right) or value is True or (each.type != "str" and not low <= value <= high):
                raise HandbookError(f"{each.name.replace('_', '-')} is {value!r}", section=SECTION,
                                    why=each.metadata["text"], todo=f"take a number from {low:g} to {high:g}")

    def search(self, *, noise: bool, simulations: int | None = None) -> SearchSettings:
        """How to search: in self-play with noise, else without; another number of simulations if one is given."""
        return SearchSettings(self.simulations if simulations is None else simulations, self.cpuct, self.depth,
                              self.noise_alpha, self.noise_share if noise else 0.0)


# What suits each game on one core of a laptop, where it differs from the defaults.
PRESETS: dict[str, dict[str, Any]] = {
    "tic-tac-toe": {"iterations": 12, "games": 50, "opening": 5, "simulations": 50, "temperature_moves": 3,
                    "dropout": 0.0, "channels": 32},
    "floe": {"iterations": 12, "games": 50, "opening": 6, "simulations": 50, "temperature_moves": 4, "dropout": 0.0,
             "channels": 32},
    "nim-three": {"iterations": 12, "games": 50, "opening": 6, "simulations": 50, "temperature_moves": 4,
                  "dropout": 0.0, "channels": 32},
    "connect-four": {"iterations": 20, "games": 60, "opening": 4, "simulations": 50, "cpuct": 1.5,
                     "temperature_moves": 8, "dropout": 0.0, "channels": 32, "history": 10, "epochs": 3, "batch": 128,
                     "arena_games": 20},
}


def preset(game: str, **given: Any) -> Settings:
    """The settings that suit a game, some of them replaced by what is given."""
    return Settings(**{**PRESETS.get(game, {}), "game": game, **given})
