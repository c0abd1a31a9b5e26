"""Four games: tic-tac-toe, connect four, Floe, which has two phases, and Nim for three players.

Boards are sets of cells, and a set of cells is one integer: bit `i` stands for cell `i`. That makes positions small,
hashable and quick to compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np

from mhi_selfplay.game import Floats, Game, State, Symmetry, grid_symmetries


def cells_of(bits: int) -> Iterator[int]:
    """The cells of a set, in rising order."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def plane_of(bits: int, cells: int) -> Floats:
    """A set of cells as zeros and ones. Shape (cells,)."""
    packed = np.frombuffer(bits.to_bytes((cells + 7) // 8, "little"), dtype=np.uint8)
    return np.unpackbits(packed, count=cells, bitorder="little").astype(np.float32)


class InARow(Game):
    """Two players put stones on a board in turn; a row of `length`, also a slanting one, wins.

    With `falls` an action is a column and the stone falls to its lowest free cell; otherwise it is a free cell. Cells
    are numbered row by row from the top left, actions likewise. The board is (stones of player 0, of player 1, 1 if
    the last stone made a row and 0 if not).
    """

    def __init__(self, name: str, rows: int, columns: int, length: int, *, falls: bool = False,
                 small: bool = True) -> None:
        self.small = small
        self.name, self.rows, self.columns, self.falls = name, rows, columns, falls
        self.actions = (columns if falls else rows * columns,)
        self.shape = (2, rows, columns)
        self.symmetries = grid_symmetries(rows, columns, ["column" if falls else "cell"], turns=not falls)
        self._full = (1 << rows * columns) - 1
        lines = list(self._all_lines(length))
        self._through = [[line for line in lines if line >> cell & 1] for cell in range(rows * columns)]

    def _all_lines(self, length: int) -> Iterator[int]:
        for row in range(self.rows):
            for column in range(self.columns):
                for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
                    last = (row + down * (length - 1), column + right * (length - 1))
                    if last[0] < self.rows and 0 <= last[1] < self.columns:
                        yield sum(1 << (row + down * step) * self.columns + column + right * step
                                  for step in range(length))

    def start(self) -> State:
        """An empty board; player 0 begins."""
        return State(0, 0, (0, 0, 0))

    def legal(self, state: State) -> list[int]:
        """Free cells, or columns with a free cell."""
        free = self._full & ~(state.board[0] | state.board[1])
        return list(cells_of(free & ((1 << self.columns) - 1 if self.falls else free)))

    def play(self, state: State, action: int) -> State:
        """Put a stone."""
        cell = action
        if self.falls:
            taken = state.board[0] | state.board[1]
            cell = max(below for below in range(action, self.rows * self.columns, self.columns)
                       if not taken >> below & 1)
        stones = [state.board[0], state.board[1]]
        stones[state.player] |= 1 << cell
        # Only a row through the new stone can be new.
        won = any(line & stones[state.player] == line for line in self._through[cell])
        return State(1 - state.player, 0, (stones[0], stones[1], int(won)))

    def outcome(self, state: State) -> tuple[float, ...] | None:
        """Who put the last stone of a row has won; a full board without one is a draw."""
        if state.board[2]:
            return (1.0, -1.0) if state.player == 1 else (-1.0, 1.0)
        return (0.0, 0.0) if state.board[0] | state.board[1] == self._full else None

    def planes(self, state: State) -> Floats:
        """Own stones, the other's stones."""
        cells = self.rows * self.columns
        own, other = state.board[state.player], state.board[1 - state.player]
        return np.stack([plane_of(own, cells), plane_of(other, cells)]).reshape(self.shape)

    def show(self, state: State) -> str:
        """`x` is player 0, `o` is player 1."""
        def cell(number: int) -> str:
            mark = "x" if state.board[0] >> number & 1 else "o" if state.board[1] >> number & 1 else ""
            return mark or ("." if self.falls else str(number))
        lines = _grid(self.rows, self.columns, cell)
        return (_grid(1, self.columns, str) + "\n" if self.falls else "") + lines


class Floe(Game):
    """Two pawns on melting ice. On each turn a player does two things, and the rules for them differ.

    Phase 0, *step*: to one of the eight cells around that is ice and not taken. Phase 1, *melt*: take any empty cell
    of ice away. Who can't step has lost; there is no draw. The board is (pawn of player 0, pawn of player 1, set of
    melted cells).
    """

    STEP, MELT = 0, 1

    def __init__(self, name: str = "floe", rows: int = 4, columns: int = 3) -> None:
        self.name, self.rows, self.columns = name, rows, columns
        cells = rows * columns
        self.actions = (cells, cells)
        self.shape = (4, rows, columns)
        self.symmetries = grid_symmetries(rows, columns, ["cell", "cell"])
        self._all = (1 << cells) - 1
        self._around = [sum(1 << other for other in range(cells) if other != cell
                            and abs(other // columns - cell // columns) <= 1
                            and abs(other % columns - cell % columns) <= 1) for cell in range(cells)]

    def start(self) -> State:
        """The pawns are in the middle of the upper and of the lower edge."""
        middle = self.columns // 2
        return State(0, self.STEP, (middle, (self.rows - 1) * self.columns + middle, 0))

    def legal(self, state: State) -> list[int]:
        """Cells to step on, or cells to melt."""
        taken = 1 << state.board[0] | 1 << state.board[1] | state.board[2]
        reach = self._around[state.board[state.player]] if state.phase == self.STEP else self._all
        return list(cells_of(reach & ~taken))

    def play(self, state: State, action: int) -> State:
        """Step, and go on as the same player; or melt, and the other player steps."""
        if state.phase == self.STEP:
            pawns = [state.board[0], state.board[1]]
            pawns[state.player] = action
            return State(state.player, self.MELT, (*pawns, state.board[2]))
        return State(1 - state.player, self.STEP, (*state.board[:2], state.board[2] | 1 << action))

    def outcome(self, state: State) -> tuple[float, ...] | None:
        """Lost by who can't step. There is always a cell to melt: the one that the pawn has just left."""
        if self.legal(state):
            return None
        return (-1.0, 1.0) if state.player == 0 else (1.0, -1.0)

    def planes(self, state: State) -> Floats:
        """Own pawn, the other's pawn, melted cells, and which phase it is."""
        cells = self.rows * self.columns
        own, other = state.board[state.player], state.board[1 - state.player]
        phase = np.full(cells, state.phase, dtype=np.float32)
        return np.stack([plane_of(1 << own, cells), plane_of(1 << other, cells),
                         plane_of(state.board[2], cells), phase]).reshape(self.shape)

    def show(self, state: State) -> str:
        """`x` is player 0, `o` is player 1, blank is water."""
        marks = {state.board[0]: "x", state.board[1]: "o"}
        grid = _grid(self.rows, self.columns,
                     lambda cell: marks.get(cell) or (" " if state.board[2] >> cell & 1 else str(cell)))
        return f"{grid}\n{'step' if state.phase == self.STEP else 'melt'}"


class Nim(Game):
    """Three players take coins from rows. Who takes the last coin gets 1, who took before that 0, the next -1.

    So each player wants the last coin, and else wants the player after it to take it: the order of preference of Li,
    "N-person Nim" (1978), who also says which positions are lost. The others' gains follow from one's own, so that it
    never matters which of equally good actions somebody takes. An action is a coin: it goes, with all to its right.
    The board is the number of coins in each row.
    """

    players = 3

    def __init__(self, name: str = "nim-three", coins: tuple[int, ...] = (3, 4, 5)) -> None:
        self.name, self.coins, self.width = name, coins, max(coins)
        cells = np.arange(len(coins) * self.width).reshape(len(coins), self.width)
        self.actions = (cells.size,)
        self.shape = (1, *cells.shape)
        # Rows may trade places; a row has a left and a right.
        self.symmetries = [Symmetry(turned, (turned,)) for order in permutations(range(len(coins)))
                           for turned in [cells[list(order)].ravel()]]

    def start(self) -> State:
        """All rows are full; player 0 begins."""
        return State(0, 0, self.coins)

    def legal(self, state: State) -> list[int]:
        """Every coin."""
        return [row * self.width + coin for row, count in enumerate(state.board) for coin in range(count)]

    def play(self, state: State, action: int) -> State:
        """Leave the coins to the left of the one that is named."""
        row, left = divmod(action, self.width)
        return State((state.player + 1) % self.players, 0, (*state.board[:row], left, *state.board[row + 1:]))

    def outcome(self, state: State) -> tuple[float, ...] | None:
        """Over when no coin is left."""
        if any(state.board):
            return None
        return tuple((-1.0, 0.0, 1.0)[(seat - state.player) % self.players] for seat in range(self.players))

    def planes(self, state: State) -> Floats:
        """Where coins lie. They belong to nobody, so the board looks the same to each player."""
        return (np.arange(self.width) < np.array(state.board)[:, None]).astype(np.float32)[None]

    def show(self, state: State) -> str:
        """The numbers of the coins."""
        return _grid(len(self.coins), self.width,
                     lambda cell: str(cell) if cell % self.width < state.board[cell // self.width] else ".")


def _grid(rows: int, columns: int, cell: Callable[[int], str]) -> str:
    return "\n".join(" ".join(f"{cell(row * columns + column):>2}" for column in range(columns))
                     for row in range(rows))


def tic_tac_toe() -> Game:
    """Three in a row on 3 x 3 cells: a draw if nobody errs."""
    return InARow("tic-tac-toe", 3, 3, 3)


def connect_four() -> Game:
    """Four in a row on 6 x 7 cells, stones fall: won by who begins, if nobody errs."""
    return InARow("connect-four", 6, 7, 4, falls=True, small=False)


GAMES: dict[str, Callable[[], Game]] = {"tic-tac-toe": tic_tac_toe, "connect-four": connect_four, "floe": Floe,
                                     "nim-three": Nim}
