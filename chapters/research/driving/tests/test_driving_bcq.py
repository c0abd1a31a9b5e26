"""Logs that are larger than memory, the three ways to learn from them, and the policy as a file."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
import tracemalloc
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from labhandbook.runs import HandbookError, Run
from mhi_driving import bcq, logs
from mhi_driving.__main__ import main
from mhi_driving.bcq import BCQ, Greedy, Settings, bcq_target
from mhi_driving.drive import evaluate
from mhi_driving.drivers import ACTIONS, number, skilled, sleepy
from mhi_driving.features import VAE, divergence, fit
from mhi_driving.lane import LENGTH, Floats, LaneVectorEnv
from mhi_driving.logs import Log, drive_lane, record_type, write_log
from mhi_driving.strip import draw, record

LANE = "mhi/Lane-v0"
PARAMS = {"env": LANE, "shards": 4, "rows": 300, "seed": 0}


def a_log(folder: Path, env_id: str = LANE, **changes: int) -> Log:
    write_log(folder, {**PARAMS, "env": env_id, **changes}, logs.DRIVES[env_id])
    return Log(folder)


def test_records_are_the_steps_that_were_driven() -> None:
    """Within a car's records, one observation follows on another, save where an episode ended."""
    records = drive_lane("state", 8 * 2_000, np.random.default_rng(0)).reshape(8, 2_000)
    follows = (records["before"][:, 1:] == records["after"][:, :-1]).all(axis=2)
    assert (follows | records["ended"][:, :-1]).mean() > 0.99 and records["ended"].sum() > 10
    assert not (follows & records["ended"][:, :-1]).any()
    assert np.abs(records["after"][..., 0][records["ended"]]).min() >= 1
    np.testing.assert_allclose(records["before"][:, 1:, 3][follows] - records["before"][:, :-1, 3][follows],
                               np.clip(ACTIONS[records["action"][:, :-1][follows]][:, 0]
                                       - records["before"][:, :-1, 3][follows], -0.4, 0.4), atol=1e-6)
    assert 0.1 < records["reward"].mean() < 1.3


def test_one_good_driver_among_the_others() -> None:
    def table(state: Floats) -> Floats:
        return ACTIONS[number(skilled(state))]

    assert evaluate(table, LANE).disengagements == 0
    assert evaluate(sleepy, LANE).disengagements == 20


def test_a_log_goes_on_with_the_shards_that_are_missing(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    before = [path.read_bytes() for path in log.paths]
    log.paths[1].unlink()
    (tmp_path / "result.json").unlink()
    asked: list[int] = []
    write_log(tmp_path, PARAMS, logs.DRIVES[LANE], asked.append)
    assert asked == [1] and [path.read_bytes() for path in log.paths] == before


@pytest.mark.parametrize("window", [1, 3, 9])
def test_a_pass_gives_each_record_once_in_batches(window: int, tmp_path: Path) -> None:
    log = a_log(tmp_path, shards=7, rows=101)
    batches = list(log.batches(64, np.random.default_rng(0), window))
    assert all(len(batch) == 64 for batch in batches[:-1]) and 0 < len(batches[-1]) <= 64
    got, expected = np.concatenate(batches), np.concatenate([log.shard(number) for number in range(7)])
    assert sorted(record.tobytes() for record in got) == sorted(record.tobytes() for record in expected)
    assert not np.array_equal(got, expected)
    other = next(iter(log.batches(64, np.random.default_rng(1), window)))
    assert not np.array_equal(batches[0], other)


def test_a_log_that_is_larger_than_what_is_held(tmp_path: Path) -> None:
    log = a_log(tmp_path, "mhi/LaneImage-v0", shards=16, rows=400)
    size = sum(path.stat().st_size for path in log.paths)
    tracemalloc.start()
    for _ in log.batches(64, np.random.default_rng(0), window=2):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < size / 4


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00v\x00{'descr': '|O'"])
def test_a_broken_shard_is_named(content: bytes, tmp_path: Path) -> None:
    log = a_log(tmp_path)
    log.paths[2].write_bytes(content)
    with pytest.raises(HandbookError) as caught:
        Log(tmp_path)
    assert caught.value.where.endswith("00002.npy") and caught.value.todo


class Says(nn.Module):
    """A network with the answers that it was given."""

    def __init__(self, said: list[list[float]]) -> None:
        super().__init__()
        self.said = torch.tensor(said)

    def forward(self, seen: Tensor) -> Tensor:
        return self.said


def policy(threshold: float) -> Greedy:
    """Q rises from one to the next; of 100 logged drivers 60 took the first, 30 the second, 7 and 3 the rest."""
    made = Greedy((1,), 4, 8, threshold)
    made.value = Says([[1.0, 2.0, 3.0, 4.0]])  # type: ignore[assignment]
    made.behaviour = Says([np.log([0.6, 0.3, 0.07, 0.03]).tolist()])  # type: ignore[assignment]
    return made


@pytest.mark.parametrize(("threshold", "action"), [(1.0, 0), (0.4, 1), (0.1, 2), (0.04, 3), (0.0, 3)])
def test_threshold_goes_from_cloning_to_plain_q_learning(threshold: float, action: int) -> None:
    assert policy(threshold)(torch.zeros(1, 1)).item() == action


def test_bcq_target_by_hand() -> None:
    """The fast network chooses among the likely actions, the slow one judges the choice."""
    slow = Says([[10.0, 20.0, 30.0, 40.0]])
    args = (slow, torch.tensor([1.0]), torch.zeros(1, 1))
    assert bcq_target(policy(0.4), *args, torch.tensor([0.5])).item() == 1 + 0.5 * 20
    assert bcq_target(policy(0.0), *args, torch.tensor([0.5])).item() == 1 + 0.5 * 40
    assert bcq_target(policy(0.0), *args, torch.tensor([0.0])).item() == 1


def test_a_disengagement_has_no_future() -> None:
    learner = BCQ(Settings(discount=0.9, calm=0.0, rate=0.0), "q", (10,), 10, 0)
    records = np.zeros(2, record_type("state"))
    records["reward"], records["ended"] = 3, (True, False)
    with torch.no_grad():
        said = learner.policy.value(torch.zeros(1, 10))[0]
        targets = torch.stack([torch.tensor(3.0), 3 + 0.9 * said.max()])
        expected = nn.functional.smooth_l1_loss(said[0].expand(2), targets)
    assert learner.update(records)["td"] == pytest.approx(expected.item(), rel=1e-5)


def test_divergence_of_the_autoencoder_is_torchs() -> None:
    mean, log_variance = torch.randn(5, 3), torch.randn(5, 3)
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mean, (log_variance / 2).exp()), normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(divergence(mean, log_variance), expected)


def test_features_tell_where_the_car_is() -> None:
    """A line from the features to the offset from the centre explains most of it, on images that trained nothing."""
    images, states = [], []
    envs = LaneVectorEnv(8, "image")
    rng = np.random.default_rng(0)
    seen, _ = envs.reset(seed=list(range(8)))
    for _ in range(150):
        images.append(seen)
        states.append(envs.cars.state()[:, 0])
        seen, *_ = envs.step(rng.uniform(-1, 1, (8, 2)).astype(np.float32))
    every, offset = np.concatenate(images), np.concatenate(states)
    vae: VAE = fit(every[:800], seed=0, rounds=300)
    with torch.no_grad():
        code = vae.encode(torch.from_numpy(every).float() / 255)[0].numpy()
    line = np.c_[code, np.ones(len(code))]
    weights = np.linalg.lstsq(line[:800], offset[:800])[0]
    assert np.corrcoef(line[800:] @ weights, offset[800:])[0, 1] > 0.9


@pytest.mark.parametrize("env_id", [LANE, "mhi/LaneImage-v0"])
def test_exported_policy_does_the_same(env_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                       caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder) -> None:
    monkeypatch.setattr(logging.getLogger("torch"), "handlers", [caplog.handler])
    onnxruntime = pytest.importorskip("onnxruntime")
    from mhi_driving.export import export
    log = a_log(tmp_path / "log", env_id)
    learner = BCQ(Settings(hidden=16), "bcq", log.type["before"].shape, len(ACTIONS), 0)
    for records in log.batches(64, np.random.default_rng(0)):
        learner.update(records)
    seen = np.ascontiguousarray(log.shard(1)["before"])
    assert export(learner.policy, seen, tmp_path / "policy.onnx") == 256
    assert "torchvision" not in caplog.text and "LeafSpec" not in "".join(str(one.message) for one in recwarn)
    session = onnxruntime.InferenceSession(tmp_path / "policy.onnx", providers=["CPUExecutionProvider"])
    for rows in (1, 7, 300):
        (got,) = session.run(["action"], {"observation": seen[:rows]})
        np.testing.assert_array_equal(got, learner.policy(torch.from_numpy(seen[:rows])).numpy())


def test_strip_shows_each_drive_and_is_the_same_each_time() -> None:
    drives = {"good & calm": record(skilled, 2_000), "sleepy": record(sleepy, 2_000)}
    assert drives["good & calm"].along[-1] == LENGTH and not drives["good & calm"].left and drives["sleepy"].left
    picture = draw(drives, "Road 2000")
    root = ElementTree.fromstring(picture)
    assert len(root.findall("{*}polyline")) == 2 and len(root.findall("{*}circle")) == 1
    assert picture == draw({name: record(drive, 2_000) for name, drive in
                            {"good & calm": skilled, "sleepy": sleepy}.items()}, "Road 2000")


def test_a_run_slows_down_to_nothing(tmp_path: Path) -> None:
    """The rate falls with each update, over all passes, whatever was stopped on the way."""
    log, rates = a_log(tmp_path, shards=1, rows=300), []

    class Noted(BCQ):
        def ease(self, left: float) -> None:
            rates.append(left)
            super().ease(left)

    with pytest.MonkeyPatch.context() as patch, Run.open(tmp_path / "run", {}) as run:
        patch.setattr(bcq, "BCQ", Noted)
        bcq.learn(run, log, LANE, "bc", Settings(epochs=2, fall=2, batch=100), 0)
    assert rates == pytest.approx([1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])


def test_no_driver_steers_fully_or_takes_the_highest_speed() -> None:
    taken = ACTIONS[np.unique(drive_lane("state", 8 * 500, np.random.default_rng(0))["action"])]
    assert len(taken) == 10 and np.abs(taken).max() < 1


def command(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "mhi_driving", *map(str, arguments)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_goes_on_to_the_same_result(number: signal.Signals, tmp_path: Path) -> None:
    a_log(tmp_path / "log", shards=3, rows=1_000)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    learn = ("offline", tmp_path / "log", "--epochs", "3", "--run-dir")
    assert main([*map(str, learn), str(whole)]) == 0
    first = command(*learn, parts)
    while not (parts / "checkpoints" / f"{1:010d}").exists():
        assert first.poll() is None
        time.sleep(0.01)
    os.kill(first.pid, number)
    assert first.wait() == (-9 if number == signal.SIGKILL else 128 + 15)
    assert not (parts / "result.json").exists()
    assert command(*learn, parts).wait() == 0
    assert (parts / "result.json").read_text() == (whole / "result.json").read_text()
    assert (parts / "metrics.jsonl").read_text() == (whole / "metrics.jsonl").read_text()


def test_command_from_log_to_strip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, run = str(tmp_path / "log"), str(tmp_path / "bcq")
    assert main(["log", log, "--shards", "2", "--rows", "300"]) == 0
    assert main(["offline", log, "--epochs", "1", "--run-dir", run]) == 0
    assert main(["evaluate", run, "--roads", "2"]) == 0
    assert "over 2;" in capsys.readouterr().out
    assert main(["strip", str(tmp_path / "s.svg"), run]) == 0 and (tmp_path / "s.svg").read_text().startswith("<svg")


def test_mistakes_are_shown_with_their_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["evaluate", str(tmp_path)], ["offline", str(tmp_path), "--run-dir", str(tmp_path / "run")]):
        assert main(arguments) == 2
        said = capsys.readouterr().err
        assert said.startswith("✗ ") and "#sec-" in said and "Traceback" not in said


def test_a_training_by_command_is_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "td3"
    assert main(["train", "--steps", "600", "--run-dir", str(run)]) == 0
    assert main(["evaluate", str(run), "--roads", "2", "--format", "json"]) == 0
    assert main(["export", str(run), str(tmp_path / "x.onnx")]) == 2
    assert (run / "result.json").exists()
