"""The rules of the games, against counts that others have published, and against each other."""

from __future__ import annotations

import numpy as np
import pytest

from mhi_selfplay.game import Game, State, Symmetry, absolute, relative
from mhi_selfplay.games import GAMES, Floe, Nim, connect_four, tic_tac_toe
from mhi_selfplay.players import solve


def after(game: Game, actions: list[int]) -> State:
    state = game.start()
    for action in actions:
        assert game.outcome(state) is None
        assert action in game.legal(state)
        state = game.play(state, action)
    return state


def random_actions(game: Game, rng: np.random.Generator) -> list[int]:
    """Of a game to its end."""
    state, actions = game.start(), []
    while game.outcome(state) is None:
        actions.append(int(rng.choice(game.legal(state))))
        state = game.play(state, actions[-1])
    return actions


def test_tic_tac_toe_has_the_5478_positions_that_are_known() -> None:
    game = tic_tac_toe()
    seen, fresh = {game.start()}, [game.start()]
    while fresh:
        state = fresh.pop()
        if game.outcome(state) is None:
            for action in game.legal(state):
                new = game.play(state, action)
                if new not in seen:
                    seen.add(new)
                    fresh.append(new)
    assert len(seen) == 5478


def test_connect_four_has_as_many_positions_as_are_published() -> None:
    """OEIS A212693: positions after 0, 1, 2, ... stones."""
    game, level = connect_four(), {connect_four().start()}
    for count in (1, 7, 49, 238, 1120, 4263):
        assert len(level) == count
        level = {game.play(state, action) for state in level if game.outcome(state) is None
                 for action in game.legal(state)}


@pytest.mark.parametrize("actions", [
    [0, 1, 0, 1, 0, 1, 0], [0, 0, 1, 1, 2, 2, 3], [0, 1, 1, 2, 2, 3, 2, 3, 3, 6, 3],
    [6, 5, 5, 4, 4, 3, 4, 3, 3, 0, 3]],
    ids=["upright", "level", "rising", "falling"])
def test_connect_four_is_won_in_each_direction_and_not_earlier(actions: list[int]) -> None:
    game = connect_four()
    assert game.outcome(after(game, actions)) == (1.0, -1.0)


def test_row_does_not_reach_round_the_edge() -> None:
    # Cells 2, 3, 4 follow each other in number but not on the board.
    game = tic_tac_toe()
    assert game.outcome(after(game, [2, 0, 3, 1, 4, 8])) is None


def test_full_board_is_a_draw_and_a_full_column_closed() -> None:
    game = tic_tac_toe()
    assert game.outcome(after(game, [0, 1, 2, 4, 3, 5, 7, 6, 8])) == (0.0, 0.0)
    four = connect_four()
    assert four.legal(after(four, [3] * 6)) == [0, 1, 2, 4, 5, 6]


def test_values_if_nobody_errs() -> None:
    assert solve(tic_tac_toe())(tic_tac_toe().start()) == (0.0, 0.0)
    small = Floe("small", 3, 3)
    assert solve(small)(small.start()) == (1.0, -1.0)


def test_floe_lets_one_player_do_two_things() -> None:
    game = Floe()
    start = game.start()
    assert (start.player, start.phase, game.legal(start)) == (0, Floe.STEP, [0, 2, 3, 4, 5])
    stepped = game.play(start, 4)
    assert (stepped.player, stepped.phase) == (0, Floe.MELT)
    assert 4 not in game.legal(stepped) and 10 not in game.legal(stepped) and 1 in game.legal(stepped)
    melted = game.play(stepped, 7)
    assert (melted.player, melted.phase, game.legal(melted)) == (1, Floe.STEP, [6, 8, 9, 11])


def test_who_cannot_step_has_lost() -> None:
    game = Floe()
    state = State(1, Floe.STEP, (4, 0, 1 << 1 | 1 << 3))
    assert game.legal(state) == [] and game.outcome(state) == (1.0, -1.0)
    assert game.outcome(State(1, Floe.STEP, (4, 0, 1 << 1))) is None


def test_nim_is_lost_where_li_says() -> None:
    """Li 1978: lost if and only if the binary digits of the rows sum to a multiple of the players in every place."""
    game = Nim("large", (6, 6, 6))
    worth = solve(game)
    for coins in np.ndindex(7, 7, 7):
        digits = [sum(count >> place & 1 for count in coins) % 3 for place in range(3)]
        assert (worth(State(0, 0, coins))[0] == -1) is not any(digits), coins


def test_coins_to_the_right_go_too_and_the_last_coin_ranks_all_three() -> None:
    game = Nim()
    left = after(game, [1, 5, 11])
    assert (left, game.legal(left)) == (State(0, 0, (1, 0, 1)), [0, 10])
    assert game.outcome(after(game, [1, 5, 11, 10, 0])) == (0.0, 1.0, -1.0)
    assert game.show(left).split() == ["0", *"." * 9, "10", *"." * 4]


@pytest.mark.parametrize("name", [name for name in GAMES if name != "nim-three"])
def test_canonical_board_puts_who_decides_first(name: str) -> None:
    game = GAMES[name]()
    rng = np.random.default_rng(0)
    state = after(game, random_actions(game, rng)[:5])
    planes = game.planes(state)
    assert planes.shape == game.shape and planes.dtype == np.float32
    swapped = State(1 - state.player, state.phase, (state.board[1], state.board[0], *state.board[2:]))
    assert np.array_equal(planes, game.planes(swapped)), "the same position with the colours exchanged"
    assert not np.array_equal(planes, game.planes(State(1 - state.player, *state[1:])))


def turned_start(game: Game, symmetry: Symmetry) -> State:
    """The start on the turned board: Floe's pawns and Nim's rows are elsewhere there, the other boards are empty."""
    start = game.start()
    if isinstance(game, Nim):
        return State(0, 0, tuple(start.board[int(cell) // game.width] for cell in symmetry.cells[::game.width]))
    if not isinstance(game, Floe):
        return start
    first, second = (int(np.flatnonzero(symmetry.cells == cell)[0]) for cell in start.board[:2])
    return State(start.player, start.phase, (first, second, start.board[2]))


@pytest.mark.parametrize(("name", "count"), [("tic-tac-toe", 8), ("connect-four", 2), ("floe", 4), ("nim-three", 6)])
def test_policy_permutes_with_the_board(name: str, count: int) -> None:
    """A game played in the mirror is the mirror image of the game, at every action."""
    game = GAMES[name]()
    assert len({tuple(symmetry.cells) for symmetry in game.symmetries}) == len(game.symmetries) == count
    rng = np.random.default_rng(1)
    for _ in range(20):
        actions = random_actions(game, rng)
        for symmetry in game.symmetries:
            state, turned = game.start(), turned_start(game, symmetry)
            for action in actions:
                chances = np.zeros(game.actions[state.phase], dtype=np.float32)
                chances[action] = 1
                other = int(symmetry.of_policy(chances, state.phase).argmax())
                assert other in game.legal(turned)
                state, turned = game.play(state, action), game.play(turned, other)
                assert np.array_equal(symmetry.of_planes(game.planes(state)), game.planes(turned))
                assert game.outcome(state) == game.outcome(turned)


def test_values_turn_to_who_decides_and_back() -> None:
    values = np.array([0.1, 0.2, 0.3], dtype=np.float32)
    assert relative(values, 1).tolist() == values[[1, 2, 0]].tolist()
    for player in range(3):
        assert np.array_equal(absolute(relative(values, player), player), values)


def test_positions_can_be_read() -> None:
    game = tic_tac_toe()
    assert game.show(after(game, [4, 0])).split() == ["o", "1", "2", "3", "x", "5", "6", "7", "8"]
    assert connect_four().show(after(connect_four(), [3])).splitlines()[-1].split() == [*"...x..."]
    floe = Floe()
    assert floe.show(after(floe, [4, 7])).split() == [*"0123", "x", *"568", "9", "o", "11", "step"]
