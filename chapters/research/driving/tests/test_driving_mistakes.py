"""Combinations that can't work and damaged checkpoints, one message each; and runs that are asked for more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mhi_driving import ddpg
from mhi_driving.__main__ import main

SMALL = ["--steps", "600"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short runs: TD3 on states, a log and BCQ on it."""
    place = tmp_path_factory.mktemp("runs")
    assert main(["train", *SMALL, "--run-dir", str(place / "td3")]) == 0
    assert main(["log", str(place / "log"), "--shards", "2", "--rows", "200"]) == 0
    assert main(["offline", str(place / "log"), "--epochs", "2", "--run-dir", str(place / "bcq")]) == 0
    return place


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    capsys.readouterr()
    assert main(list(map(str, arguments))) == 2
    said = capsys.readouterr().err
    assert said.startswith("✗ ") and "Traceback" not in said and said.count("✗") == 1 and "#sec-" in said
    return said


@pytest.mark.parametrize(("arguments", "expected"), [
    (["train", "--env", "mhi/Nowhere-v0"], "the environment mhi/Nowhere-v0 can't be made"),
    (["train", "--env", "Pendulum-v99"], "the environment Pendulum-v99 can't be made"),
    (["train", "--env", "no_such_module:Env-v0"], "the environment no_such_module:Env-v0 can't be made"),
    (["train", "--env", ""], "can't be made"),
    (["train", "--env", "CartPole-v1"], "CartPole-v1 has actions of the kind Discrete(2)"),
    (["train", "--env", "FrozenLake-v1"], "FrozenLake-v1 has observations of the kind Discrete(16)"),
    (["train", "--env", "CarRacing-v3"], "images of 96 by 3 pixels"),
    (["train", "--vae"], "the autoencoder takes images of the lane"),
    (["train", "--processes"], "td3 has one actor and needs no processes"),
])
def test_training_that_can_not_work(arguments: list[str], expected: str, tmp_path: Path,
                                    capsys: pytest.CaptureFixture[str]) -> None:
    if "CarRacing-v3" in arguments:
        pytest.importorskip("Box2D", reason="Box2D isn't installed (extra carracing)")
    assert expected in refused(capsys, *arguments, "--run-dir", tmp_path / "run")
    assert not (tmp_path / "run").exists(), "nothing was begun"


@pytest.mark.parametrize(("name", "env", "expected"), [
    ("td3", "mhi/LaneImage-v0", "its observations have the shape (10,), not (1, 24, 24)"),
    ("td3", "Pendulum-v1", "its observations have the shape (10,), not (3,)"),
    ("bcq", "mhi/LaneImage-v0", "its observations have the shape (10,), not (1, 24, 24)"),
    ("td3", "mhi/Nowhere-v0", "can't be made"),
])
def test_policy_in_another_environment(name: str, env: str, expected: str, runs: Path,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    assert expected in refused(capsys, "evaluate", runs / name, "--env", env)


def test_policy_with_another_action_space(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Observations of ten numbers, actions of one: the policy of a lane gives two."""
    import gymnasium
    from gymnasium.envs.registration import register

    class Ten(gymnasium.Env[np.ndarray, np.ndarray]):
        observation_space = gymnasium.spaces.Box(-1, 1, (10,), np.float32)
        action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)

    if "TenNumbers-v0" not in gymnasium.registry:
        register("TenNumbers-v0", lambda **_: Ten())
    assert "its actions have the shape (2,), not (1,)" in refused(capsys, "evaluate", runs / "td3", "--env",
                                                                  "TenNumbers-v0")


def test_log_of_another_environment(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(runs / "log", tmp_path / "log")
    known = json.loads((tmp_path / "log/params.json").read_text())
    (tmp_path / "log/params.json").write_text(json.dumps({**known, "env": "mhi/LaneImage-v0"}))
    learn = ("offline", tmp_path / "log", "--run-dir", tmp_path / "run")
    assert "observations of (10,) and mhi/LaneImage-v0 has (1, 24, 24)" in refused(capsys, *learn)
    (tmp_path / "log/params.json").write_text("{")
    assert "does not say in which environment" in refused(capsys, *learn)


@pytest.mark.parametrize("arguments", [
    ["train", "--run-dir", "run", "--steps", "0"], ["train", "--run-dir", "run", "--seed", "-1"],
    ["log", "log", "--shards", "-1"], ["log", "log", "--rows", "0"], ["evaluate", "run", "--roads", "0"],
    ["offline", "log", "--run-dir", "run", "--epochs", "many"], ["strip", "x.svg", "run", "--road", "-1"]])
def test_number_that_can_not_be(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    option, value = arguments[-2:]
    assert ended.value.code == 2 and f"{option}: {value} is not a whole number from" in capsys.readouterr().err
    assert not list(tmp_path.iterdir()), "nothing was begun"


def not_finite(records: np.ndarray) -> np.ndarray:
    records["before"][0] = np.nan
    return records


def unknown_action(records: np.ndarray) -> np.ndarray:
    records["action"][0] = 200
    return records


@pytest.mark.parametrize("change", [not_finite, unknown_action, lambda records: np.zeros(5),
                                    lambda records: records[:0], lambda records: records["reward"]])
def test_shards_that_nothing_can_be_learnt_from(change: Callable[[np.ndarray], np.ndarray], runs: Path,
                                                tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(runs / "log", tmp_path / "log")
    for shard in (tmp_path / "log/shards").iterdir():
        np.save(shard, change(np.load(shard)))
    refused(capsys, "offline", tmp_path / "log", "--run-dir", tmp_path / "run", "--epochs", "1")


def test_a_log_of_one_transition_is_learnt_from(tmp_path: Path) -> None:
    assert main(["log", str(tmp_path / "log"), "--shards", "1", "--rows", "1"]) == 0
    assert main(["offline", str(tmp_path / "log"), "--run-dir", str(tmp_path / "run"), "--epochs", "1"]) == 0


def test_what_is_no_run_or_no_policy(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in (tmp_path, tmp_path / "nothing", runs / "log"):
        assert "there is no saved policy here" in refused(capsys, "evaluate", place)
    assert "holds no policy of a log" in refused(capsys, "export", runs / "td3", tmp_path / "x.onnx")
    shutil.copytree(runs / "td3", tmp_path / "td3")
    known = json.loads((tmp_path / "td3/params.json").read_text())
    for change in ({"hidden": "wide"}, {"task": ["bcq"]}, {"env": "mhi/Nowhere-v0"}, {"seed": None}, {"hidden": 64}):
        (tmp_path / "td3/params.json").write_text(json.dumps({**known, **change}))
        refused(capsys, "evaluate", tmp_path / "td3")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def other(path: Path) -> None:
    path.write_text("another file")


def gone(path: Path) -> None:
    path.unlink()


@pytest.fixture(scope="module")
def prolonged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with the checkpoints of step 100 and step 200."""
    run = tmp_path_factory.mktemp("prolonged") / "run"
    for steps in ("100", "200"):
        assert main(["train", "--steps", steps, "--run-dir", str(run)]) == 0
    return run


@pytest.mark.parametrize("harm", [cut, emptied, other, gone])
@pytest.mark.parametrize("sums", [True, False], ids=["with checksums", "without"])
def test_damaged_checkpoint(harm: Callable[[Path], None], sums: bool, prolonged: Path, tmp_path: Path,
                            capsys: pytest.CaptureFixture[str]) -> None:
    """With checksums the run goes on from the one before; without them, or with none whole, there is one message."""
    run = shutil.copytree(prolonged, tmp_path / "run")
    newest = run / "checkpoints/0000000200"
    harm(newest / "learner.pt")
    again = ["train", "--steps", "300", "--run-dir", str(run)]
    if not sums:
        (newest / "SHA256SUMS").unlink()
        assert "the checkpoint of step 200 can't be used" in refused(capsys, *again)
        return
    capsys.readouterr()
    assert main(["evaluate", str(run), "--roads", "1"]) == 0
    assert "is damaged (learner.pt is" in capsys.readouterr().err
    assert main(again) == 0
    assert "continues from step 100" in capsys.readouterr().err and (run / "checkpoints/damaged-0000000200").exists()
    for place in (run / "checkpoints").glob("0*"):
        harm(place / "learner.pt")
    for arguments in (["train", "--steps", "400", "--run-dir", str(run)], ["evaluate", str(run)]):
        assert "no checkpoint of this run is whole" in refused(capsys, *arguments)


def test_whole_checkpoint_of_other_settings(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(runs / "bcq", tmp_path / "bcq")
    for place in (tmp_path / "bcq/checkpoints").iterdir():
        shutil.rmtree(place)
    last = max((runs / "td3/checkpoints").iterdir())
    shutil.copytree(last, tmp_path / "bcq/checkpoints" / last.name)
    assert "can't be used" in refused(capsys, "evaluate", tmp_path / "bcq")


def test_more_passes_and_more_shards_prolong(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("log", "bcq"):
        shutil.copytree(runs / name, tmp_path / name)
    known = json.loads((tmp_path / "bcq/params.json").read_text())
    (tmp_path / "bcq/params.json").write_text(json.dumps({**known, "log": str((tmp_path / "log").resolve())}))
    first = (tmp_path / "log/shards/00000.npy").read_bytes()
    assert main(["log", str(tmp_path / "log"), "--shards", "3", "--rows", "200"]) == 0
    assert len(list((tmp_path / "log/shards").iterdir())) == 3
    assert (tmp_path / "log/shards/00000.npy").read_bytes() == first
    learn = ["offline", str(tmp_path / "log"), "--run-dir", str(tmp_path / "bcq"), "--epochs"]
    assert main([*learn, "3"]) == 0 and "pass 3 of 3" in capsys.readouterr().out
    assert json.loads((tmp_path / "bcq/result.json").read_text())["steps"] == 3
    assert main([*learn, "2"]) == 0 and "ended well" in capsys.readouterr().out, "three passes hold two"


def test_policy_that_sees_images_is_drawn_from_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, picture = tmp_path / "image", tmp_path / "strip.svg"
    assert main(["train", "--env", "mhi/LaneImage-v0", "--steps", "40", "--run-dir", str(run)]) == 0
    assert main(["evaluate", str(run), "--env", "mhi/LaneImage-v0", "--roads", "1"]) == 0
    assert main(["strip", str(picture), str(run)]) == 0 and picture.read_text().startswith("<svg")
    pendulum = tmp_path / "pendulum"
    assert main(["train", "--env", "Pendulum-v1", "--preset", "ddpg", "--steps", "20", "--run-dir",
                 str(pendulum)]) == 0
    assert "a policy of Pendulum-v1 can't drive on a lane" in refused(capsys, "strip", picture, pendulum)


@pytest.mark.parametrize(("name", "value"), [("hidden", -5), ("last", "wide"), ("vae", True), ("seed", "one")])
def test_policy_of_changed_parameters(name: str, value: object, runs: Path, tmp_path: Path,
                                      capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(runs / "td3", tmp_path / "td3")
    said = json.loads((runs / "td3/params.json").read_text())
    (tmp_path / "td3/params.json").write_text(json.dumps({**said, name: value}))
    refused(capsys, "evaluate", tmp_path / "td3")


def test_a_noise_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="paramter"):
        ddpg.DDPG("mhi/Lane-v0", ddpg.settings_for("mhi/Lane-v0", noise="paramter"), 0)


@pytest.mark.parametrize("schedule", ["abc", 0, None])
def test_schedule_that_no_run_has(schedule: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that was begun with a schedule keeps it; one that says it was begun with nonsense is refused."""
    run, train = tmp_path / "run", ["train", "--env", "Pendulum-v1", "--preset", "d4pg", "--run-dir"]
    assert main([*train, str(run), "--steps", "40"]) == 0
    assert main([*train, str(run), "--steps", "61"]) == 0
    said = json.loads((run / "params.json").read_text())
    assert said["beta_steps"] == 40 and json.loads((run / "result.json").read_text())["steps"] == 61
    (run / "result.json").unlink()
    assert main([*train, str(run), "--steps", "61"]) == 0, "four actors end at a step that four doesn't divide"
    (run / "params.json").write_text(json.dumps({**said, "beta_steps": schedule}))
    assert "beta_steps" in refused(capsys, *train, run, "--steps", "61")


@pytest.mark.parametrize("text", ["{", "[1]", '{"images": {}}', '{"offline": 3}'])
def test_results_that_can_not_be_used_are_refused_before_any_run(text: str, tmp_path: Path,
                                                                 capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "results.json").write_text(text)
    for file in (tmp_path / "results.json", tmp_path / "nowhere/results.json", tmp_path):
        assert "these results can't be used" in refused(capsys, "results", "--part", "pendulum", "--runs",
                                                        tmp_path / "runs", "--file", file)
    assert not (tmp_path / "runs").exists() and (tmp_path / "results.json").read_text() == text
