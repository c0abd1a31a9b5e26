"""Matches are counted right, the judge misses nothing, and the opponents are as strong as they should be."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from labhandbook.runs import HandbookError
from mhi_selfplay.game import Game, State
from mhi_selfplay.games import Floe, Nim, connect_four, tic_tac_toe
from mhi_selfplay.players import (
    Player,
    judge,
    match,
    mistakes,
    perfect_player,
    random_player,
    rollout_player,
    solve,
)


def first_legal(game: Game) -> Player:
    return lambda states: [game.legal(state)[0] for state in states]


def test_a_draw_is_half_a_point_and_no_loss() -> None:
    game = tic_tac_toe()
    tally = match(game, perfect_player(game, 0), perfect_player(game, 1), 40)
    assert (tally.won, tally.drawn, tally.lost, tally.points) == (0, 40, 0, 0.5)


def test_each_takes_each_seat_equally_often_from_the_same_opening() -> None:
    game = tic_tac_toe()
    seen: dict[int, list[State]] = {0: [], 1: []}

    def watching(states: Sequence[State]) -> list[int]:
        for state in states:
            seen[state.player].append(state)
        return [game.legal(state)[0] for state in states]

    tally = match(game, watching, first_legal(game), 10)
    # Who begins wins between two who take the first free cell: a fair match is even.
    assert (tally.won, tally.lost) == (5, 5)
    assert seen[0].count(game.start()) == 5 and len({*seen[0]}) == 4


def test_openings_make_the_games_differ() -> None:
    game = connect_four()
    tallies = {str(match(game, first_legal(game), rollout_player(game, 5, 0), 20, opening=opening, seed=2))
               for opening in (0, 4)}
    assert len(tallies) == 2


@pytest.mark.parametrize("games", [11, 1, 0, -2])
def test_odd_arena_is_refused(games: int) -> None:
    game = tic_tac_toe()
    with pytest.raises(HandbookError, match="shared fairly") as caught:
        match(game, first_legal(game), first_legal(game), games)
    assert ("10 or 12" if games == 11 else "2 or 4") in caught.value.todo


def lines_by_hand(game: Game, player: Player, seat: int, state: State) -> list[float]:
    """What the judge counts, the slow way: one line after the other."""
    end = game.outcome(state)
    if end is not None:
        return [end[seat]]
    actions = player([state]) if state.player == seat else game.legal(state)
    return [gain for action in actions for gain in lines_by_hand(game, player, seat, game.play(state, action))]


@pytest.mark.parametrize("game", [tic_tac_toe(), Floe("small", 3, 3)], ids=lambda game: game.name)
@pytest.mark.parametrize("seat", [0, 1])
def test_judge_counts_every_line(game: Game, seat: int) -> None:
    verdict = judge(game, first_legal(game), seat)
    slow = lines_by_hand(game, first_legal(game), seat, game.start())
    assert (verdict.won, verdict.drawn, verdict.lost) == (slow.count(1), slow.count(0), slow.count(-1))
    assert verdict.lost > 0 and verdict.example
    state = game.start()
    for action in verdict.example:
        assert state.player != seat or action == game.legal(state)[0]
        state = game.play(state, action)
    assert (game.outcome(state) or (0, 0))[seat] == -1


def test_perfect_player_loses_no_line() -> None:
    game, floe = tic_tac_toe(), Floe("small", 3, 3)
    best = perfect_player(game, 0)
    known: dict[State, int] = {}

    def steady(states: Sequence[State]) -> list[int]:
        return [known.setdefault(state, best([state])[0]) for state in states]

    for seat in (0, 1):
        verdict = judge(game, steady, seat)
        assert verdict.lost == 0 and verdict.example is None and verdict.won > 0
    verdict = judge(floe, perfect_player(floe, 0), 0)
    assert (verdict.drawn, verdict.lost) == (0, 0)


def test_perfect_play_agrees_with_the_value_it_says() -> None:
    game = Floe("small", 3, 3)
    worth = solve(game)
    for action in game.legal(game.start()):
        state = game.play(game.start(), action)
        assert worth(state)[0] <= worth(game.start())[0]


def test_rollouts_beat_random_play_and_take_a_win() -> None:
    game = tic_tac_toe()
    state = game.start()
    for action in [0, 3, 1, 4]:
        state = game.play(state, action)
    assert rollout_player(game, 100, 0)([state]) == [2]
    tally = match(game, rollout_player(game, 50, 0), random_player(game, 0), 40)
    assert tally.points > 0.8


@pytest.mark.parametrize("game", [tic_tac_toe(), Floe("small", 3, 3), Nim()], ids=lambda game: game.name)
def test_perfect_player_errs_in_no_position_and_random_play_in_many(game: Game) -> None:
    assert mistakes(game, perfect_player(game, 0))[0] == 0
    wrong, positions = mistakes(game, random_player(game, 0))
    assert 0.1 < wrong / positions < 0.9


def test_mistakes_by_hand() -> None:
    # Rows of 1 and 2: who takes the row of 2 leaves one coin to the next, who gets 1, and itself gets 0; who takes a
    # coin of it leaves 1 and 1, so that the one after the next takes the last and it gets -1.
    game = Nim("small", (1, 2))
    assert solve(game)(game.start()) == (0.0, 1.0, -1.0)

    def leaves_two(states: Sequence[State]) -> list[int]:
        return [3 if state.board == (1, 2) else game.legal(state)[0] for state in states]

    assert mistakes(game, leaves_two) == (1, 6)


def test_three_players_share_the_seats() -> None:
    game = Nim()
    tally = match(game, perfect_player(game, 0), random_player(game, 0), 42, opening=2)
    assert tally.games == 42 and tally.points > 0.6
    with pytest.raises(HandbookError, match="shared fairly") as caught:
        match(game, first_legal(game), first_legal(game), 40)
    assert "39 or 42" in caught.value.todo
