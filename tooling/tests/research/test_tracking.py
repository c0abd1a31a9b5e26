"""RUN_TRACK=tensorboard: the points that TensorBoard itself reads, also of a run that went on."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from labhandbook.runs import Run
from tooling.tests.conftest import LACKS


def test_points_of_what_is_done_again_are_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                 research: Path) -> None:
    if not find_spec("tensorboard"):
        pytest.skip(LACKS + "tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setenv("RUN_TRACK", "tensorboard")
    with Run.open(tmp_path, {}, steps=6) as run:
        for step in (1, 2):
            run.log(step, loss=1 / step, name="a text", good=True)
        run.save(2, lambda folder: (folder / "state").touch())
        run.log(3, loss=99.0)
    with Run.open(tmp_path, {}, steps=6) as run:
        for step in (3, 4):
            run.log(step, loss=1 / step)
        run.finish({})
    found = EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert found.Tags()["scalars"] == ["loss"]
    assert [(point.step, round(point.value, 4)) for point in found.Scalars("loss")] == [
        (1, 1.0), (2, 0.5), (3, 0.3333), (4, 0.25)]
    Run.open(tmp_path, {}, steps=4).close()
    assert len(list((tmp_path / "tensorboard").iterdir())) == 2, "a run with nothing to do writes no file"
