"""What is learnt is what the page says: one seed here, five seeds and the longer run where tests may take an hour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labhandbook.runs import Run
from mhi_selfplay.game import Game
from mhi_selfplay.games import Floe, Nim, tic_tac_toe
from mhi_selfplay.learn import new_network, train
from mhi_selfplay.players import judge, match, mistakes, perfect_player
from mhi_selfplay.settings import preset
from mhi_selfplay.study import PARTS, TOLERANCES, lines, player_of, results


def test_tic_tac_toe_is_learnt_until_no_line_is_lost(run: Run) -> None:
    game: Game = tic_tac_toe()
    settings = preset("tic-tac-toe")
    player = player_of(game, train(run, settings), settings, 100)
    for seat in (0, 1):
        verdict = judge(game, player, seat)
        assert verdict.lost == 0, verdict.example
        assert verdict.won > 40
    tally = match(game, player, perfect_player(game, 0), 40, opening=0)
    assert (tally.won, tally.drawn, tally.lost) == (0, 40, 0)


def test_floe_is_learnt_with_a_head_for_each_phase(run: Run) -> None:
    """So short a run loses far fewer lines than an untrained network; how many fewer differs between processors."""
    game = Floe()
    settings = preset("floe", iterations=3, games=30)
    player = player_of(game, train(run, settings), settings, 50)
    found = lines(game, player, [0])
    before = lines(game, player_of(game, new_network(game, settings), settings, 50), [0])
    assert found["lines"] > 1000
    assert found["lost"] / found["lines"] < 0.6 * before["lost"] / before["lines"], (found, before)


def test_three_players_are_learnt_until_few_choices_are_wrong(run: Run) -> None:
    """A short run, held against the exhaustive solver in every position; see `Nim` for why its values are unique."""
    game = Nim()
    settings = preset("nim-three", iterations=2, games=30)
    network = train(run, settings)
    before, positions = mistakes(game, player_of(game, new_network(game, settings), settings, 0))
    alone, _ = mistakes(game, player_of(game, network, settings, 0))
    searching, _ = mistakes(game, player_of(game, network, settings, 100))
    assert positions == 329
    assert alone < 0.7 * before and searching < 0.5 * alone, (before, alone, searching)


def leaf(numbers: dict[str, Any], path: str) -> float:
    """A number by the names that lead to it."""
    for name in path.split("."):
        numbers = numbers[name]
    return numbers  # type: ignore[return-value]


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_numbers_of_the_page_are_made_again(part: str, tmp_path: Path) -> None:
    committed = json.loads((Path(__file__).parents[1] / "results.json").read_text(encoding="utf-8"))[part]
    results(tmp_path / "results.json", [part], tmp_path / "runs")
    made = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))[part]
    assert committed["tolerance"] == TOLERANCES[part]
    for path, tolerance in committed["tolerance"].items():
        assert leaf(made, path) == pytest.approx(leaf(committed, path), abs=tolerance), path
