"""A run survives what happens to runs: kills, signals, a second process, a torn line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.runs import Run, read_metrics
from tooling.tests.conftest import ROOT

# Adds up random-looking numbers: the sum is right only if no step is left out or done twice. It prints each step,
# waits for a line to go on, and saves every fifth.
PROGRAM = """\
import json, sys
from pathlib import Path
from labhandbook.runs import Run

def write(folder):
    (folder / "state.json").write_text(json.dumps({"step": step, "sum": total}))

with Run.open(Path(sys.argv[1]), {"steps": 40}) as run:
    saved = run.latest()
    state = json.loads((saved.folder / "state.json").read_text()) if saved else {"step": 0, "sum": 0}
    step, total = state["step"], state["sum"]
    while step < 40 and not run.stopping:
        step += 1
        total += step * step % 7
        run.log(step, sum=total)
        if step % 5 == 0:
            run.save(step, write, best=step == 10)
        print(step, flush=True)
        sys.stdin.readline()
    if step < 40:
        run.save(step, write)
    else:
        run.finish({"sum": total})
sys.exit(run.exit_code)
"""
SUM = sum(step * step % 7 for step in range(1, 41))


class Program:
    """The program above in a process of its own, going step by step."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, folder], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def go(self, until: int) -> None:
        assert self.process.stdin and self.process.stdout
        for line in self.process.stdout:
            if int(line) == until:
                return
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        raise AssertionError(self.process.stderr.read() if self.process.stderr else "")

    def end(self) -> tuple[int, str]:
        _, errors = self.process.communicate("\n" * 100)
        return self.process.returncode, errors


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoints").iterdir())



def save(run: Run, step: int, *, best: bool = False) -> None:
    run.save(step, lambda folder: (folder / "state").write_text(str(step)), best=best)


def test_killed_run_goes_on_and_nothing_is_doubled(tmp_path: Path) -> None:
    for until in (3, 13, 28):
        program = Program(tmp_path / "run")
        program.go(until)
        program.process.kill()
        assert program.end()[0] == -signal.SIGKILL
        assert [line["step"] for line in read_metrics(tmp_path / "run")] == list(range(1, until + 1))
        assert not (tmp_path / "run/result.json").exists()
    assert Program(tmp_path / "run").end() == (0, "")
    lines = read_metrics(tmp_path / "run")
    assert [line["step"] for line in lines] == list(range(1, 41)) and lines[-1]["sum"] == SUM
    assert json.loads((tmp_path / "run/result.json").read_text()) == {"sum": SUM}
    assert names(tmp_path / "run") == ["0000000010", "0000000035", "0000000040"], "the last two, and the best"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_stopped_run_saves_and_says_so(number: signal.Signals, tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.go(18)
    program.process.send_signal(number)
    assert program.end() == (128 + number, "")
    with Run.open(tmp_path, {"steps": 40}) as run:
        latest = run.latest()
        assert latest and latest.step == 18 and not run.finished and run.result is None
    assert Program(tmp_path).end()[0] == 0
    with Run.open(tmp_path, {"steps": 40}) as run:
        assert run.finished and run.result == {"sum": SUM} and run.exit_code == 0
        assert len(run.metrics()) == 40


def test_second_process_gets_a_message_that_names_the_first(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.go(2)
    with pytest.raises(HandbookError, match=f"process {program.process.pid} on ") as caught:
        Run.open(tmp_path, {"steps": 40})
    assert caught.value.where == str(tmp_path) and caught.value.todo
    code, errors = Program(tmp_path).end()
    assert code == 1 and f"process {program.process.pid} on " in errors
    program.process.kill()
    program.end()
    Run.open(tmp_path, {"steps": 40}).close()


def test_other_parameters_are_refused_by_name(tmp_path: Path) -> None:
    Run.open(tmp_path, {"rate": 0.1, "seed": 0, "layers": (64, 64)}).close()
    with pytest.raises(HandbookError, match=r"rate was 0\.1 and is 0\.3; size was not set and is 3$"):
        Run.open(tmp_path, {"rate": 0.3, "seed": 0, "layers": [64, 64], "size": 3})
    with Run.open(tmp_path, {"seed": 0, "layers": [64, 64], "rate": 0.1}) as run:
        assert run.params == {"rate": 0.1, "seed": 0, "layers": [64, 64]}


@pytest.mark.parametrize("torn", [b'{"step": 3, "lo', b'{"step": 3}', b"\0\0\0"])
def test_torn_last_line_is_passed_over(torn: bytes, tmp_path: Path) -> None:
    with Run.open(tmp_path, {}) as run:
        run.log(1, loss=0.5)
        run.log(2, loss=0.25)
        save(run, 2)
    with (tmp_path / "metrics.jsonl").open("ab") as stream:
        stream.write(torn)
    assert [line["step"] for line in read_metrics(tmp_path)] == [1, 2]
    with Run.open(tmp_path, {}) as run:
        run.log(3, loss=0.1)
        assert run.metrics() == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}, {"step": 3, "loss": 0.1}]


def test_broken_line_before_the_last_is_named(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\nnonsense\n{"step": 3}\n')
    with pytest.raises(HandbookError) as caught:
        read_metrics(tmp_path)
    assert caught.value.where.endswith("metrics.jsonl:2")


def test_failed_or_killed_save_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    with Run.open(tmp_path, {}) as run:
        save(run, 5)
        with pytest.raises(ZeroDivisionError):
            run.save(6, lambda folder: 1 // 0)
        latest = run.latest()
        assert latest and latest.step == 5 and latest.folder == tmp_path / "checkpoints/0000000005"
    # Killed while the second checkpoint of one step took the place of the first.
    (tmp_path / "checkpoints/0000000005").rename(tmp_path / "checkpoints/.old-0000000005")
    with Run.open(tmp_path, {}) as run:
        latest = run.latest()
        assert latest and (latest.folder / "state").read_text() == "5"
        assert names(tmp_path) == ["0000000005"]
        run.save(5, lambda folder: (folder / "other").touch())
        assert sorted(path.name for path in latest.folder.iterdir()) == ["SHA256SUMS", "other"]


def test_the_best_is_kept_and_moves_on(tmp_path: Path) -> None:
    with Run.open(tmp_path, {}) as run:
        assert run.best() is None and run.latest() is None
        for step in range(1, 8):
            save(run, step, best=step in (2, 4))
        best = run.best()
        assert best and best.step == 4 and (best.folder / "state").read_text() == "4"
    assert names(tmp_path) == ["0000000004", "0000000006", "0000000007"]


def test_numbers_of_other_libraries_and_no_numbers(tmp_path: Path) -> None:
    class Scalar:
        def item(self) -> float:
            return 0.5

    with Run.open(tmp_path, {"rate": Scalar()}) as run:
        run.log(1, loss=Scalar(), gap=float("nan"), most=float("inf"), seeds=[1, 2], name="a")
        assert run.metrics() == [{"step": 1, "loss": 0.5, "gap": None, "most": None, "seeds": [1, 2], "name": "a"}]
        with pytest.raises(TypeError, match="object is no JSON value"):
            run.log(2, loss=object())
        run.finish({"score": Scalar()})
        assert run.params == {"rate": 0.5} and run.result == {"score": 0.5}


def test_signals_are_given_back(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)]
    with Run.open(tmp_path, {}) as run:
        os.kill(os.getpid(), signal.SIGINT)
        assert run.stopping and run.exit_code == 130
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)] == before


def test_bad_places_are_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HandbookError, match="can't be made"):
        Run.open(tmp_path / "file", {})
    (tmp_path / "params.json").write_text("{")
    with pytest.raises(HandbookError, match=r"params\.json can't be read"):
        Run.open(tmp_path, {})


@pytest.fixture
def pipes() -> Iterator[ExitStack]:
    """What is closed at the end of a test."""
    with ExitStack() as stack:
        yield stack


def test_program_of_the_chapter_ends_where_it_would_have_ended(tmp_path: Path, pipes: ExitStack) -> None:
    def walk(name: str, steps: int = 400) -> subprocess.Popen[str]:
        # Unbuffered, so that its first line comes when it is printed and not when it ends.
        words = [sys.executable, "-u", str(ROOT / "chapters/research/train.py"), str(tmp_path / name), "--seed", "3"]
        started = subprocess.Popen([*words, "--steps", str(steps)], stdout=subprocess.PIPE, text=True)
        assert started.stdout
        pipes.enter_context(started.stdout)
        return started

    whole, broken, short = walk("whole"), walk("broken"), walk("short", 100)
    while not list(tmp_path.glob("broken/checkpoints/0*50")):
        time.sleep(0.01)
    broken.kill()
    assert broken.wait() == -signal.SIGKILL
    stopped = walk("broken")
    assert stopped.stdout and stopped.stdout.readline().startswith("continues after step ")
    stopped.send_signal(signal.SIGINT)
    assert stopped.wait() == 130 and walk("broken").wait() == whole.wait() == short.wait() == 0
    assert walk("short").wait() == 0, "a finished run is prolonged"
    for name in ("result.json", "metrics.jsonl"):
        expected = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "short" / name).read_bytes() == expected


def test_standard_library_only() -> None:
    code = "import sys, labhandbook.runs; print([name for name in sys.modules if name in ('yaml', 'click')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_curves_that_can_not_be_written_are_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUN_TRACK", "paper")
    with pytest.raises(HandbookError, match="RUN_TRACK is paper"):
        Run.open(tmp_path, {})
    monkeypatch.setenv("RUN_TRACK", "tensorboard")
    monkeypatch.setitem(sys.modules, "tensorboard", None)  # as where it isn't installed
    with pytest.raises(HandbookError, match="TensorBoard isn't installed"):
        Run.open(tmp_path, {})
    monkeypatch.delenv("RUN_TRACK")
    Run.open(tmp_path, {}).close()
