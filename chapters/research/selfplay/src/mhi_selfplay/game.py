"""What a game has to offer so that it can be learnt: one small interface, for any number of players and phases.

A *phase* is a kind of decision with actions of its own, such as "step" and then "melt" in Floe. The network has one
policy head for each phase. The state says which player decides next, so one player may decide several times in a
row, and nothing in this package supposes that players alternate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

# Where the errors of this package send the reader.
SECTION = "sec-selfplay"

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


class State(NamedTuple):
    """A position: hashable, never changed. `board` is whatever the game needs, the same for equal positions."""

    player: int
    phase: int
    board: tuple[int, ...]


@dataclass(frozen=True)
class Symmetry:
    """A way to turn or mirror the board that leaves the rules as they are.

    `cells[i]` is the cell, and `actions[phase][j]` the action, that takes the place of `i` or `j`.
    """

    cells: Integers
    actions: tuple[Integers, ...]

    def of_planes(self, planes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Planes of shape (..., rows, columns) as they look on the turned board."""
        flat = planes.reshape(*planes.shape[:-2], len(self.cells))
        return flat[..., self.cells].reshape(planes.shape)

    def of_policy(self, policy: Floats, phase: int) -> Floats:
        """Probabilities of shape (..., actions of the phase) as they look on the turned board."""
        return policy[..., self.actions[phase]]


class Game(ABC):
    """The rules of a game in which everybody sees everything and chance plays no part.

    `actions` has the number of actions of each phase, `shape` is (planes, rows, columns) of what the network sees.
    `small` says that a computer can visit all its positions in a minute or so.
    """

    name: str
    players: int = 2
    small: bool = True
    actions: tuple[int, ...]
    shape: tuple[int, int, int]
    symmetries: Sequence[Symmetry]

    @abstractmethod
    def start(self) -> State:
        """The position that a game begins with."""

    @abstractmethod
    def legal(self, state: State) -> list[int]:
        """The actions that the rules allow in a position that isn't the end, in rising order; at least one."""

    @abstractmethod
    def play(self, state: State, action: int) -> State:
        """The position after a legal action."""

    @abstractmethod
    def outcome(self, state: State) -> tuple[float, ...] | None:
        """None while the game is not over; else what each player gets: -1 (lost), 0 (drawn), 1 (won) or between."""

    @abstractmethod
    def planes(self, state: State) -> Floats:
        """The canonical board, of `shape`: as the player who decides sees it, own pieces first."""

    @abstractmethod
    def show(self, state: State) -> str:
        """The position as text for a terminal, with the numbers of the actions where that helps."""


def relative(values: Sequence[float] | Floats, player: int) -> Floats:
    """Values by player number, turned so that `player` comes first, then those after. Shape (players,)."""
    return np.roll(np.asarray(values, dtype=np.float32), -player)


def absolute(values: Floats, player: int) -> Floats:
    """Values that begin with `player`, turned back to the order of the players' numbers. Shape (players,)."""
    return np.roll(values, player)


def grid_symmetries(rows: int, columns: int, moves: Sequence[str], *, turns: bool = True) -> list[Symmetry]:
    """The symmetries of a board, the one that changes nothing first.

    `moves` says for each phase what its actions are numbered by: "cell" or "column". Boards that are not square turn
    by 180 degrees only; with `turns=False` (there is an up and a down) the mirror image is all there is.
    """
    board = np.arange(rows * columns).reshape(rows, columns)
    quarters = (0,) if not turns else (0, 1, 2, 3) if rows == columns else (0, 2)
    found = []
    for quarter in quarters:
        for mirrored in (False, True):
            turned = np.rot90(board, quarter)
            turned = np.fliplr(turned) if mirrored else turned
            by = {"cell": turned.ravel().astype(np.int64), "column": (turned[0] % columns).astype(np.int64)}
            found.append(Symmetry(by["cell"], tuple(by[kind] for kind in moves)))
    return found
