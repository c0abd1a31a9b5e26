"""CarRacing behind the lane's interface: a short log, and a policy that learns from it."""

from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from mhi_driving import carracing, drive, experiments, logs
from mhi_driving.__main__ import main
from mhi_driving.bcq import BCQ, Settings
from mhi_driving.drivers import ACTIONS, number, skilled
from mhi_driving.logs import Log, write_log

pytest.importorskip("Box2D", reason="Box2D isn't installed (extra carracing)")
RACING = "mhi/CarRacing-v0"


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short log, to be read only."""
    folder = tmp_path_factory.mktemp("driven")
    write_log(folder, {"env": RACING, "shards": 1, "rows": 80, "seed": 0}, logs.DRIVES[RACING])
    return folder


def test_gymnasium_accepts_it_and_a_log_teaches(driven: Path) -> None:
    check_env(gymnasium.make(RACING, disable_env_checker=True).unwrapped, skip_render_check=True)
    log = Log(driven)
    learner = BCQ(Settings(hidden=16), "bcq", log.type["before"].shape, len(ACTIONS), 0)
    first, *_ = [learner.update(records)["imitation"] for _ in range(20)
                 for records in log.batches(40, np.random.default_rng(0))]
    last = learner.update(log.shard(0))["imitation"]
    assert last < first


def test_the_good_driver_gets_along() -> None:
    """60 actions from the start bring several tiles; a car that does not move loses a tenth of a point each frame."""
    from mhi_driving.carracing import Racing
    env, total = Racing(), 0.0
    env.reset(seed=1)
    for _ in range(60):
        _, reward, *_ = env.step(ACTIONS[number(skilled(env.state()))[0]])
        total += reward
    assert total > 20


def test_a_car_that_does_not_move_is_cut() -> None:
    """The tiles under the car count at the start; after them each action costs, and the drive is cut."""
    from mhi_driving.carracing import PATIENCE, Racing
    env, rewards, cut = Racing(), list[float](), False
    env.reset(seed=1)
    while not cut:
        _, reward, ended, cut, _ = env.step(np.zeros(2, np.float32))
        rewards.append(reward)
        assert not ended and len(rewards) < PATIENCE + 20
    assert max(rewards[-PATIENCE:]) <= 0 < rewards[-PATIENCE - 1]


def test_finished_runs_are_read_and_not_learnt_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One seed on a short log and one track; the second time the numbers are the same."""
    monkeypatch.setitem(experiments.SEEDS, "racing", range(1))
    monkeypatch.setitem(drive.EPISODES, RACING, 1)
    monkeypatch.setattr(carracing, "PATIENCE", 20)
    monkeypatch.setattr(experiments, "RACING_LOG", {"env": RACING, "shards": 1, "rows": 80, "seed": 0})
    lines: list[str] = []
    found = experiments.racing(tmp_path, lines.append, Settings(hidden=16, epochs=1))
    assert found["transitions"] == 80 and found["bc"]["count"] == len(found["bcq"]["seeds"]) == found["tracks"] == 1
    assert len(lines) == 2
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    assert experiments.racing(tmp_path, lines.append, Settings(hidden=16, epochs=1)) == found
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == written


def test_a_run_is_filmed_scored_and_exported(driven: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    """The video has the pictures of the drive, the sheet six of them, and a score has no metres."""
    monkeypatch.setitem(drive.EPISODES, RACING, 1)
    run, video, sheet = (tmp_path / name for name in ("run", "drive.webp", "drive.png"))
    assert main(["offline", str(driven), "--epochs", "1", "--run-dir", str(run)]) == 0
    assert main(["film", str(run), str(video)]) == main(["film", str(run), str(sheet)]) == 0
    image = pytest.importorskip("PIL.Image")
    with image.open(video) as film, image.open(sheet) as shown:
        assert film.n_frames > 20 and film.size == (300, 200)  # equal pictures are one
        assert shown.size == (3 * 300 + 2 * 4, 2 * 200 + 4)
    capsys.readouterr()
    assert main(["evaluate", str(run), "--roads", "1"]) == 0
    assert "disengagement" not in capsys.readouterr().out
    for file, problem in (("drive.avi", "drive.avi is no kind of film"), ("no/drive.gif", "No such file")):
        assert main(["film", str(run), str(tmp_path / file)]) == 2
        assert problem in capsys.readouterr().err
    pytest.importorskip("onnxruntime")
    assert main(["export", str(run), str(tmp_path / "policy.onnx")]) == 0
    assert "16 observations" in capsys.readouterr().out
