"""The command as a user types it."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mhi_selfplay.cli import main
from mhi_selfplay.games import tic_tac_toe
from mhi_selfplay.players import judge, random_player
from mhi_selfplay.study import DrawsLose, steady

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def trained(command: Start, tiny_words: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory that `train` has filled."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    process = command("train", "tic-tac-toe", *tiny_words, RUN_DIR=str(folder))
    said, _ = process.communicate()
    assert process.returncode == 0
    assert [line.split()[0] for line in said.splitlines()] == ["1", "2", "✓"] and "judge" in said
    return folder


def test_training_leaves_what_a_run_directory_holds(trained: Path) -> None:
    assert {"params.json", "metrics.jsonl", "result.json"} <= {path.name for path in trained.iterdir()}
    assert "iterations" not in json.loads((trained / "params.json").read_text())


def test_judge_finds_the_lines_that_a_weak_player_loses(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", str(trained), "--simulations", "0", "--format", "json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert not said["fine"] and sum(seat["lost"] for seat in said["seats"]) > 0
    assert main(["judge", str(trained), "--simulations", "0"]) == 1
    assert "lost: " in capsys.readouterr().out


def test_judge_does_not_ask_for_more_than_can_be_held(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", "perfect", "--game", "floe"]) == 0
    assert "a perfect opponent wins" in capsys.readouterr().out


def test_choices_are_judged_where_three_play(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", "perfect", "--game", "nim-three"]) == 0
    assert "in 0 the action" in capsys.readouterr().out
    assert main(["judge", "random", "--game", "nim-three", "--format", "json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert not said["fine"] and 0 < said["wrong"] < said["positions"]
    assert main(["arena", "perfect", "random", "--game", "nim-three"]) == 0


def test_arena_counts(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["arena", "perfect", str(trained), "--arena-games", "6", "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["won"] + said["drawn"] + said["lost"] == 6 and said["lost"] == 0
    assert said["points"] == pytest.approx((said["won"] + said["drawn"] / 2) / 6)
    assert main(["arena", "random", "rollout:5", "--game", "connect-four", "--arena-games", "4"]) == 0


@pytest.mark.parametrize(("option", "value"), [("--seed", "-1"), ("--opening", "-1"), ("--simulations", "many")])
def test_number_that_can_not_be(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["arena", "random", "random", "--game", "floe", option, value])
    assert ended.value.code == 2 and f"{option}: {value} is not a whole number" in capsys.readouterr().err


def test_a_person_can_play(trained: Path, command: Start, monkeypatch: pytest.MonkeyPatch,
                           capsys: pytest.CaptureFixture[str]) -> None:
    said, errors = command("play", trained, "--simulations", 5).communicate("99\nx\n" + "".join(f"{n}\n" for n in
                                                                                               [*range(9)] * 2))
    assert said.splitlines()[-1] in ("drawn", "you have won", "you have lost") and not errors
    monkeypatch.setattr("sys.stdin", io.StringIO())
    main(["play", "perfect", "--second", "--game", "tic-tac-toe"])
    assert capsys.readouterr().out.startswith("it plays ")


@pytest.mark.parametrize(("words", "says"), [
    (["train", "floe", "--run-dir", "{}/x", "--games", "0"], "games is 0"),
    (["train", "floe", "--run-dir", "{}/x", "--arena-games", "11"], "11 arena games"),
    (["judge", "{}"], "no checkpoint"), (["judge", "random"], "no game yet"),
    (["judge", "random", "--game", "connect-four"], "too large"),
    (["arena", "rollout:many", "random", "--game", "floe"], "how many simulations"),
    (["arena", "rollout:²", "random", "--game", "floe"], "how many simulations"),
    (["arena", "random", "random", "--game", "floe", "--arena-games", "3"], "3 arena games"),
    (["results", "everything"], "no part everything")])
def test_mistakes_are_shown_without_a_traceback(words: list[str], says: str, tmp_path: Path,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word.format(tmp_path) for word in words]) == 2
    said = capsys.readouterr().err
    assert says in said and "sec-selfplay" in said and said.startswith("✗")


def test_other_parameters_are_another_run(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "tic-tac-toe", "--run-dir", str(trained)]) == 2
    assert "channels was 8 and is 32" in capsys.readouterr().err


def test_the_mistake_of_the_page_is_the_one_it_says() -> None:
    game, wrong = tic_tac_toe(), DrawsLose()
    state = game.start()
    for action in [0, 1, 2, 4, 3, 5, 7, 6, 8]:
        state = game.play(state, action)
    assert (game.outcome(state), wrong.outcome(state)) == ((0.0, 0.0), (-1.0, -1.0))
    assert wrong.outcome(wrong.start()) is None


def test_steady_player_answers_equal_positions_equally() -> None:
    game = tic_tac_toe()
    player = steady(random_player(game, 0))
    assert judge(game, player, 0) == judge(game, player, 0)
