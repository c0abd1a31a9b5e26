"""Self-play, learning, the gate, checkpoints: what is kept is what was found, and nothing that runs is ever read."""

from __future__ import annotations

import json
import pickle
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from labhandbook.runs import HandbookError, Run, read_metrics
from mhi_selfplay import learn
from mhi_selfplay.cli import main
from mhi_selfplay.games import GAMES, Floe, tic_tac_toe
from mhi_selfplay.learn import (
    HISTORY,
    WEIGHTS,
    load,
    load_history,
    new_network,
    newest,
    read_about,
    save,
    self_play,
    train,
)
from mhi_selfplay.network import Arrays, digest, evaluator, weights_of
from mhi_selfplay.settings import PRESETS, Settings, preset

Tiny = Callable[..., Settings]
Start = Callable[[Path], "subprocess.Popen[str]"]


def rng(number: int = 0) -> np.random.Generator:
    return np.random.default_rng(number)


# Self-play


def test_examples_say_what_the_search_found_and_how_the_game_ended(tiny: Tiny) -> None:
    game, settings = tic_tac_toe(), tiny(opening=0)
    examples = self_play(game, evaluator(game, new_network(game, settings)), settings, 5, rng())
    planes, values = examples["planes"], examples["values"]
    count = len(planes)
    assert 25 <= count <= 45
    assert planes.shape == (count, 2, 3, 3) and planes.dtype == np.int8
    assert examples["policy"].shape == (count, 9) and values.shape == (count, 2)
    assert examples["policy"].sum(axis=1) == pytest.approx(np.ones(count))
    # What is taken is never learnt as an action.
    assert (examples["policy"].reshape(count, 3, 3)[planes.any(axis=1)] == 0).all()
    # Zero sum, seen in turn by the one and by the other.
    assert (values.sum(axis=1) == 0).all()
    starts = np.flatnonzero(~planes.any(axis=(1, 2, 3)))
    assert len(starts) == 5
    for start, end in zip(starts, [*starts[1:], count], strict=True):
        signs = np.where(np.arange(end - start) % 2 == 0, 1, -1)
        assert (values[start:end, 0] == values[start, 0] * signs).all()


def test_phases_are_in_the_history_and_pad_their_policies(tiny: Tiny) -> None:
    game, settings = Floe(), tiny("floe")
    examples = self_play(game, evaluator(game, new_network(game, settings)), settings, 4, rng())
    assert set(examples["phase"]) == {0, 1}
    assert (examples["planes"][:, 3] == examples["phase"][:, None, None]).all()
    assert (abs(examples["values"]) == 1).all()


def test_random_play_teaches_what_is_legal(tiny: Tiny) -> None:
    game = tic_tac_toe()
    examples = self_play(game, None, tiny(), 3, rng())
    free = ~examples["planes"].any(axis=1).reshape(-1, 9)
    assert examples["policy"] == pytest.approx(free / free.sum(axis=1, keepdims=True))


def test_after_the_threshold_the_most_visited_action_is_played(tiny: Tiny) -> None:
    game, settings = tic_tac_toe(), tiny(temperature_moves=0, noise_share=0.0, opening=0)
    evaluate = evaluator(game, new_network(game, settings))
    greedy = [digest(self_play(game, evaluate, settings, 1, rng(number))) for number in range(4)]
    assert len(set(greedy)) == 1, "without noise and at temperature 0 every game is the same"
    warm = tiny(temperature_moves=9, noise_share=0.0, opening=0)
    assert len({digest(self_play(game, evaluate, warm, 1, rng(number))) for number in range(4)}) > 1


def test_games_begin_after_random_actions_that_are_not_learnt(tiny: Tiny) -> None:
    game, settings = tic_tac_toe(), tiny(opening=4)
    examples = self_play(game, evaluator(game, new_network(game, settings)), settings, 40, rng())
    stones = examples["planes"].sum(axis=(1, 2, 3))
    first = stones[[0, *(np.flatnonzero(np.diff(stones) <= 0) + 1)]]
    assert len(first) == 40 and set(first) == {0, 1, 2, 3, 4}


def test_queue_keeps_the_newest() -> None:
    parts: list[Arrays] = [{"phase": np.array([1, 2])}, {"phase": np.array([3, 4])}]
    assert learn.join(parts, 3)["phase"].tolist() == [2, 3, 4]


# Learning


def test_network_learns_what_it_is_shown_in_every_phase(tiny: Tiny) -> None:
    game = Floe()
    settings = tiny("floe", epochs=30, channels=16, learning_rate=0.003)
    examples = self_play(game, None, settings, 8, rng())
    network = new_network(game, settings)
    before = learn.fit(game, new_network(game, settings), examples, tiny("floe", epochs=1, channels=16), rng())
    after = learn.fit(game, network, examples, settings, rng())
    assert after["policy_loss"] < before["policy_loss"] - 0.2 and after["value_loss"] < before["value_loss"]
    # Both heads moved: each phase's own legal actions became likely.
    evaluate = evaluator(game, network)
    for state in (game.start(), game.play(game.start(), 4)):
        planes = torch.from_numpy(game.planes(state))[None]
        chances = torch.softmax(network(planes)[0][state.phase], dim=1)[0]
        assert float(chances[game.legal(state)].sum().detach()) > 0.9
        assert evaluate([state])[0][0].sum() == pytest.approx(1)


def test_few_examples_can_be_learnt_from(tiny: Tiny) -> None:
    """So few that most symmetries are drawn for none of them."""
    game, settings = tic_tac_toe(), tiny(epochs=5)
    examples = {name: array[:2] for name, array in self_play(game, None, settings, 1, rng()).items()}
    assert np.isfinite(learn.fit(game, new_network(game, settings), examples, settings, rng())["policy_loss"])


def test_values_are_answered_by_player_number(tiny: Tiny) -> None:
    game, settings = tic_tac_toe(), tiny()
    network = new_network(game, settings)
    first = game.play(game.start(), 4)
    with torch.inference_mode():
        said = network.eval()(torch.from_numpy(game.planes(first))[None])[1][0].numpy()
    assert evaluator(game, network)([first])[0][1].tolist() == said[::-1].tolist()


def test_a_candidate_that_is_not_good_enough_is_thrown_away(run: Run, tiny: Tiny) -> None:
    settings = tiny(threshold=1.0, warm_games=0, arena_games=20)
    network = train(run, settings)
    assert [line["accepted"] for line in run.metrics()] == [False, False]
    assert digest(weights_of(network)) == digest(weights_of(new_network(tic_tac_toe(), settings)))
    assert run.best() is None


def test_a_candidate_that_is_good_enough_is_the_best(run: Run, tiny: Tiny) -> None:
    settings, game = tiny(threshold=0.0, warm_games=0), tic_tac_toe()
    network = train(run, settings)
    best = run.best()
    assert [line["accepted"] for line in run.metrics()] == [True, True] and best and best.step == 2
    kept = digest(weights_of(load(best.folder, game, settings)))
    assert kept == digest(weights_of(network)) != digest(weights_of(new_network(game, settings)))


def test_training_begins_with_games_of_random_play(run: Run, tiny: Tiny) -> None:
    settings, game = tiny(iterations=1), tic_tac_toe()
    train(run, settings)
    saved = run.latest()
    assert saved
    warm, _ = load_history(saved.folder, game)
    assert digest(warm) == digest(self_play(game, None, settings, settings.warm_games, np.random.default_rng([0, 0])))


def test_history_is_of_30_iterations_unless_a_run_says_otherwise() -> None:
    assert Settings().history == preset("tic-tac-toe").history == 30


def test_history_forgets_old_iterations(run: Run, tiny: Tiny) -> None:
    train(run, tiny(iterations=3, history=2))
    saved = run.latest()
    assert saved and len(load_history(saved.folder, tic_tac_toe())) == 2
    counts = [len(part["phase"]) for part in load_history(saved.folder, tic_tac_toe())]
    assert run.metrics()[-1]["positions"] == sum(counts)


def test_odd_arena_is_refused_before_anything_is_played(run: Run, tiny: Tiny) -> None:
    with pytest.raises(HandbookError, match="11 arena games"):
        train(run, tiny(arena_games=11))
    assert run.metrics() == []


@pytest.mark.parametrize("given", [
    {"game": "chess"}, {"games": 0}, {"dropout": 1.0}, {"epochs": 2.5}, {"simulations": "9"}, {"cpuct": float("nan")},
    {"channels": 10**9}, {"noise_alpha": 0.0}, {"learning_rate": -1.0}, {"seed": True}])
def test_settings_that_cannot_work_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(HandbookError):
        Settings(**given)


def test_every_game_has_a_preset_that_is_one() -> None:
    assert set(PRESETS) == set(GAMES)
    for name in GAMES:
        assert preset(name).game == name


# Resume


@pytest.fixture(scope="module")
def words(tiny_words: list[str]) -> list[str]:
    """A run of five small iterations, but for its directory."""
    return ["train", "tic-tac-toe", *tiny_words, "--iterations", "5", "--format", "json", "--run-dir"]


@pytest.fixture(scope="module")
def start(command: Callable[..., subprocess.Popen[str]],
          words: list[str]) -> Callable[[Path], subprocess.Popen[str]]:
    """Start, or go on with, that run in a process of its own."""
    return lambda folder: command(*words, folder)


def wait_for_lines(folder: Path, count: int) -> None:
    while len(read_metrics(folder)) < count:
        time.sleep(0.002)


def state_of(folder: Path) -> tuple[Any, ...]:
    """All that a run has come to: its numbers but the seconds, its result, the arrays of its checkpoint."""
    checkpoint = newest(folder)
    arrays = [dict(np.load(checkpoint / name, allow_pickle=False)) for name in (WEIGHTS, HISTORY)]
    metrics = [{name: value for name, value in line.items() if name != "seconds"} for line in read_metrics(folder)]
    return metrics, json.loads((folder / "result.json").read_text()), *map(digest, arrays)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> tuple[Any, ...]:
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert main([*words, str(folder)]) == 0
    return state_of(folder)


def test_killed_run_goes_on_bit_by_bit(uninterrupted: tuple[Any, ...], tmp_path: Path, start: Start) -> None:
    """SIGKILL right after a line is logged, before or in the saving of its checkpoint, and again later."""
    folder = tmp_path / "run"
    for lines in (2, 4):
        process = start(folder)
        wait_for_lines(folder, lines)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert not (folder / "result.json").exists()
    assert start(folder).wait() == 0
    assert state_of(folder) == uninterrupted


def test_stopped_run_leaves_at_once_and_goes_on_bit_by_bit(uninterrupted: tuple[Any, ...], tmp_path: Path,
                                                           start: Start) -> None:
    folder = tmp_path / "run"
    process = start(folder)
    wait_for_lines(folder, 1)
    process.terminate()
    assert process.wait() == 128 + signal.SIGTERM
    assert len(read_metrics(folder)) < 5
    assert start(folder).wait() == 0
    assert state_of(folder) == uninterrupted


def test_another_seed_is_another_run(uninterrupted: tuple[Any, ...], run: Run, tiny: Tiny) -> None:
    train(run, tiny(iterations=5, seed=1))
    assert run.metrics()[-1]["weights"] != uninterrupted[0][-1]["weights"]


# Checkpoints from others


class Payload:
    """Unpickled, it writes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


@pytest.fixture
def checkpoint(tmp_path: Path, tiny: Tiny) -> Path:
    game, settings = tic_tac_toe(), tiny()
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    save(folder, game, settings, new_network(game, settings), [self_play(game, None, settings, 2, rng())], 1)
    return folder


def test_checkpoint_gives_back_what_was_saved(checkpoint: Path, tiny: Tiny) -> None:
    game, settings = tic_tac_toe(), read_about(checkpoint)
    assert asdict(settings) == asdict(tiny())
    assert digest(weights_of(load(checkpoint, game, settings))) == digest(weights_of(new_network(game, settings)))
    (part,) = load_history(checkpoint, game)
    assert digest(part) == digest(self_play(game, None, settings, 2, rng()))


@pytest.mark.parametrize("name", [WEIGHTS, HISTORY])
@pytest.mark.parametrize("kind", ["objects", "torch", "pickle"])
def test_hostile_checkpoint_runs_nothing(checkpoint: Path, tmp_path: Path, name: str, kind: str, tiny: Tiny) -> None:
    victim, payload = tmp_path / "ran", Payload(tmp_path / "ran")
    stored = dict(np.load(checkpoint / name))
    if kind == "objects":
        first = next(iter(stored))
        np.savez(checkpoint / name, **{**stored, first: np.array([payload], dtype=object)})
    elif kind == "torch":
        torch.save({"weights": payload}, checkpoint / name)
    else:
        (checkpoint / name).write_bytes(pickle.dumps(payload))
    read(checkpoint, name, tiny())
    assert not victim.exists()
    pickle.loads(pickle.dumps(payload))
    assert victim.exists(), "the payload would have run"


def read(checkpoint: Path, name: str, settings: Settings) -> None:
    """Reading the damaged file is refused with a message for people."""
    game = tic_tac_toe()
    with pytest.raises(HandbookError) as caught:
        if name == WEIGHTS:
            load(checkpoint, game, settings)
        else:
            load_history(checkpoint, game)
    assert caught.value.where == str(checkpoint / name) and caught.value.todo


def changed(arrays: Arrays, how: str) -> dict[str, Any]:
    first = next(iter(arrays))
    if how == "missing":
        return {name: array for name, array in arrays.items() if name != first}
    change: dict[str, Callable[[], Any]] = {"shape": lambda: np.concatenate([arrays[first], arrays[first]], axis=-1),
                                            "type": lambda: arrays[first].astype(np.float64),
                                            "not a number": lambda: np.full_like(arrays[first], np.nan),
                                            "more": lambda: arrays[first]}
    return {**arrays, ("another" if how == "more" else first): change[how]()}


@pytest.mark.parametrize("how", ["missing", "shape", "type", "not a number", "more"])
def test_wrong_weights_are_refused(checkpoint: Path, how: str, tiny: Tiny) -> None:
    np.savez(checkpoint / WEIGHTS, **changed(dict(np.load(checkpoint / WEIGHTS)), how))
    read(checkpoint, WEIGHTS, tiny())


@pytest.mark.parametrize("how", ["missing", "shape", "type", "more"])
def test_wrong_history_is_refused(checkpoint: Path, how: str, tiny: Tiny) -> None:
    np.savez(checkpoint / HISTORY, **changed(dict(np.load(checkpoint / HISTORY)), how))
    read(checkpoint, HISTORY, tiny())


def test_file_that_unpacks_to_too_much_is_not_unpacked(checkpoint: Path, tiny: Tiny) -> None:
    stored = dict(np.load(checkpoint / WEIGHTS))
    first = next(iter(stored))
    np.savez_compressed(checkpoint / WEIGHTS, **{**stored, first: np.zeros(50_000_000)})
    assert (checkpoint / WEIGHTS).stat().st_size < 2_000_000
    read(checkpoint, WEIGHTS, tiny())


@pytest.mark.parametrize("name", [WEIGHTS, HISTORY])
def test_damage_is_noticed_or_did_nothing(checkpoint: Path, name: str, tiny: Tiny) -> None:
    """A byte flipped anywhere, or the end torn off: the same arrays, or an error for people."""
    whole = (checkpoint / name).read_bytes()
    game, settings = tic_tac_toe(), tiny()

    def content() -> str:
        return (digest(weights_of(load(checkpoint, game, settings))) if name == WEIGHTS
                else digest(load_history(checkpoint, game)[0]))

    right, refused, pick = content(), 0, rng()
    for number in range(120):
        damaged = bytearray(whole)
        if number % 6 == 0:
            del damaged[int(pick.integers(len(whole))):]
        else:
            damaged[int(pick.integers(len(whole)))] ^= 1 << int(pick.integers(8))
        (checkpoint / name).write_bytes(damaged)
        try:
            assert content() == right
        except HandbookError:
            refused += 1
    assert refused > 60


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"settings": {"channels": "many"}}', '{"settings": {"no": 1}}',
                                  '{"settings": {"channels": 1000000000}}'])
def test_wrong_description_is_refused(checkpoint: Path, text: str) -> None:
    (checkpoint / "about.json").write_text(text)
    with pytest.raises(HandbookError):
        read_about(checkpoint)


def test_place_without_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(HandbookError, match="no checkpoint"):
        newest(tmp_path)


def test_run_with_damaged_checkpoints_goes_back_or_says_so(tmp_path: Path, tiny: Tiny,
                                                           capsys: pytest.CaptureFixture[str]) -> None:
    """Damaged after two iterations, the second is learnt again, to the same bits; with none whole nothing changes."""
    folder = tmp_path / "run"
    with Run.open(folder, {}, steps=2) as run:
        train(run, tiny(iterations=2))
        whole = run.result
    (folder / "result.json").unlink()
    last = newest(folder)
    shutil.copy(last / HISTORY, last / WEIGHTS)
    assert newest(folder).name == "0000000001" and "step 1 is used instead" in capsys.readouterr().err
    with Run.open(folder, {}, steps=2) as run:
        train(run, tiny(iterations=2))
        assert run.result == whole and "continues from step 1" in capsys.readouterr().err
    for place in (folder / "checkpoints").glob("0*"):
        shutil.copy(place / HISTORY, place / WEIGHTS)
    for read in (lambda: Run.open(folder, {}, steps=3), lambda: newest(folder)):
        with pytest.raises(HandbookError, match="no checkpoint of this run is whole"):
            read()
    assert len(read_metrics(folder)) == 2


def test_checkpoint_of_another_program_is_refused(tmp_path: Path, tiny: Tiny) -> None:
    """Its checksums are right, and what it holds is not."""
    with Run.open(tmp_path / "run", {}) as run:
        run.save(1, lambda folder: (folder / WEIGHTS).write_text("other"))
    with Run.open(tmp_path / "run", {}) as run, pytest.raises(HandbookError):
        train(run, tiny(iterations=2))


def test_finished_run_is_prolonged_to_the_same_bits(tmp_path: Path, tiny: Tiny) -> None:
    def go(name: str, iterations: int) -> dict[str, Any]:
        with Run.open(tmp_path / name, {}, steps=iterations) as run:
            train(run, tiny(iterations=iterations))
            assert run.result is not None
            return run.result

    assert go("longer", 1)["iterations"] == 1
    assert go("longer", 3) == go("whole", 3) and len(read_metrics(tmp_path / "longer")) == 3
