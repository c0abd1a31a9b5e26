"""Runs in directories that went wrong: damaged checkpoints, hostile values, something else in place of a file."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.runs import Run, read_checkpoint, read_metrics

SUMS = "SHA256SUMS"


def save(run: Run, step: int, *, best: bool = False) -> None:
    run.save(step, lambda folder: (folder / "state").write_text(f"state {step}"), best=best)


def filled(folder: Path, *steps: int, best: int = 0) -> Path:
    with Run.open(folder, {}) as run:
        for step in steps:
            run.log(step)
            save(run, step, best=step == best)
    return folder / "checkpoints"


def cut(place: Path) -> None:
    (place / "state").write_text("sta")


def other(place: Path) -> None:
    (place / "state").write_text("stale 7")


def no_sums(place: Path) -> None:
    (place / SUMS).write_text("")


def half_sums(place: Path) -> None:
    (place / SUMS).write_text((place / SUMS).read_text()[:70])


def empty_folder(place: Path) -> None:
    for path in place.iterdir():
        path.unlink()


def dangling(place: Path) -> None:
    (place / "state").unlink()
    (place / "state").symlink_to("nowhere")


def folder_instead(place: Path) -> None:
    (place / "state").unlink()
    (place / "state").mkdir()


DAMAGES: dict[Callable[[Path], object], str] = {
    cut: "state is not the file that was saved",
    other: "state is not the file that was saved",
    lambda place: (place / "state").write_text(""): "state is not the file that was saved",
    lambda place: (place / "state").unlink(): "state is missing",
    no_sums: f"{SUMS} is empty",
    half_sums: f"{SUMS} is cut short",
    empty_folder: "its folder is empty",
    dangling: "state is not the file that was saved",
    folder_instead: "state is not the file that was saved",
}


@pytest.mark.parametrize(("harm", "said"), DAMAGES.items(), ids=range(len(DAMAGES)))
def test_run_goes_on_from_the_newest_whole_checkpoint(harm: Callable[[Path], object], said: str, tmp_path: Path,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    place = filled(tmp_path, 3, 5, 7)
    harm(place / "0000000007")
    found = read_checkpoint(tmp_path)
    assert found and found.step == 5
    assert f"step 7 is damaged ({said}); step 5 is used instead" in capsys.readouterr().err
    assert (place / "0000000007").exists(), "a reader changes nothing"
    with Run.open(tmp_path, {}) as run:
        latest = run.latest()
        assert latest and latest.step == 5 and [line["step"] for line in run.metrics()] == [3, 5]
        shown = capsys.readouterr().err
        assert shown == (f"warning: the checkpoint of step 7 is damaged ({said}) and is now "
                        f"{place / 'damaged-0000000007'}; this run continues from step 5\n")
        save(run, 6)
        save(run, 7)
    assert sorted(path.name for path in place.iterdir()) == ["0000000006", "0000000007", "damaged-0000000007"]


@pytest.mark.parametrize("harm", DAMAGES, ids=range(len(DAMAGES)))
def test_without_a_whole_checkpoint_there_is_one_message(harm: Callable[[Path], object], tmp_path: Path) -> None:
    place = filled(tmp_path, 5, 7)
    for folder in place.iterdir():
        harm(folder)
    for read in (lambda: read_checkpoint(tmp_path), lambda: Run.open(tmp_path, {})):
        with pytest.raises(HandbookError, match=r"no checkpoint of .* is whole: step 7: .*; step 5: ") as caught:
            read()
        assert caught.value.where == str(place) and "remove that folder" in caught.value.todo
    assert len(read_metrics(tmp_path)) == 2, "what was logged is still there"


def test_damaged_best_gives_the_newest_whole_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = filled(tmp_path, 1, 2, 3, 4, best=1)
    cut(place / "0000000001")
    with Run.open(tmp_path, {}) as run:
        best = run.best()
    assert best and best.step == 4
    assert "the best checkpoint, of step 1, is damaged" in capsys.readouterr().err
    best = read_checkpoint(tmp_path, best=True)
    assert best and best.step == 4


def test_best_before_the_last_checkpoint_stays(tmp_path: Path) -> None:
    with Run.open(tmp_path, {}) as run:
        for step in range(1, 6):
            save(run, step, best=step in (1, 5))
    cut(tmp_path / "checkpoints/0000000005")
    with Run.open(tmp_path, {}) as run:
        latest, best = run.latest(), run.best()
        assert latest and latest.step == 4 and best and best.step == 1


def test_checksums_are_those_of_sha256sum(tmp_path: Path) -> None:
    names = ["state", "a b", "back\\slash", "new\nline", "sub/état"]

    def write(folder: Path) -> None:
        (folder / "sub").mkdir()
        (folder / "link").symlink_to("nowhere")
        for name in names:
            (folder / name).write_text(name)

    with Run.open(tmp_path, {}) as run:
        place = run.save(1, write).folder
        assert run.latest() is not None
    checked = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=place, capture_output=True, text=True)
    assert checked.returncode == 0 and checked.stdout.count(": OK\n") == len(names), checked
    (place / "notes.txt").write_text("a file of my own is no damage")
    assert read_checkpoint(tmp_path) is not None


def test_checkpoint_without_checksums_is_taken(tmp_path: Path) -> None:
    place = filled(tmp_path, 5)
    (place / "0000000005" / SUMS).unlink()
    with Run.open(tmp_path, {}) as run:
        latest = run.latest()
        assert latest and latest.step == 5


@pytest.mark.parametrize("step", [-1, True, 1.5, float("inf"), float("nan"), "3", None, [1], 10**16, -(10**5000)],
                         ids=lambda step: str(step)[:9] if not isinstance(step, int) or step > -2 else "long")
def test_no_step_is_refused(step: Any, tmp_path: Path) -> None:
    with Run.open(tmp_path, {}) as run:
        with pytest.raises(HandbookError, match="is not a whole number"):
            save(run, step)
        with pytest.raises(HandbookError, match="is not a whole number"):
            run.log(step)
        assert run.latest() is None and run.metrics() == []
        run.log(3.0)  # type: ignore[arg-type]  # numbers of NumPy's kind
        assert run.metrics() == [{"step": 3}]


def test_steps_that_go_down_are_refused(tmp_path: Path) -> None:
    with Run.open(tmp_path, {}) as run:
        save(run, 10)
        with pytest.raises(HandbookError, match="step 5 can't be saved: step 10 is saved already"):
            save(run, 5)
        save(run, 10)
        latest = run.latest()
        assert latest and latest.step == 10


@pytest.mark.parametrize("line", ['{"step": 1e999}', '{"step": -1}', '{"step": "3"}', '{"step": true}', "[1]", "7",
                                  '{"step": 1.5}', '{"step": NaN}', '{"step": ' + "9" * 5000 + "}", "[" * 100_000,
                                  '{"step": null}', '{"stop": 1}', "", "\x00"], ids=range(14))
def test_line_without_a_step_is_named(line: str, tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text(f'{{"step": 1, "loss": 1e999}}\n{line}\n')
    for read in (lambda: read_metrics(tmp_path), lambda: Run.open(tmp_path, {})):
        with pytest.raises(HandbookError) as caught:
            read()
        assert caught.value.where.endswith("metrics.jsonl:2")


@pytest.mark.parametrize("name", ["params.json", "result.json"])
@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, "\xff", '{"a": ' + "9" * 5000 + "}"], ids=range(6))
def test_unreadable_file_is_one_message(name: str, text: str, tmp_path: Path) -> None:
    Run.open(tmp_path, {}).close()
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(HandbookError, match=f"{name} can't be read"):
        Run.open(tmp_path, {}, steps=3)


@pytest.mark.parametrize("name", ["params.json", "metrics.jsonl", "result.json", "checkpoints", ".lock"])
@pytest.mark.parametrize("make", [lambda path: path.symlink_to("nowhere"), os.mkfifo, Path.mkdir],
                         ids=["link", "pipe", "folder"])
def test_something_else_in_place_of_a_file_is_one_message(name: str, make: Callable[[Path], object],
                                                          tmp_path: Path) -> None:
    make(tmp_path / name)
    if name == "checkpoints" and make is Path.mkdir:
        Run.open(tmp_path, {}).close()
        return
    with pytest.raises(HandbookError) as caught:
        Run.open(tmp_path, {})
    assert caught.value.todo


@pytest.mark.parametrize("name", ["²", "٣", "0000000003", "00000000007", "-000000001", ".new-²", ".old-0000000009"])
def test_stray_names_beside_checkpoints_are_passed_over(name: str, tmp_path: Path) -> None:
    place = filled(tmp_path, 5)
    (place / name).symlink_to("nowhere")
    for _ in range(2):
        with Run.open(tmp_path, {}) as run:
            latest = run.latest()
            assert latest and latest.step == 5
            save(run, 9)
            run._checkpoints.latest()
        (place / "0000000009").rename(tmp_path / "gone")
        subprocess.run(["rm", "-r", tmp_path / "gone"], check=True)
    save_over = place / "0000000007"
    save_over.symlink_to("nowhere")
    with Run.open(tmp_path, {}) as run:
        save(run, 7)
        latest = run.latest()
        assert latest and latest.step == 7 and not save_over.is_symlink()


def test_full_disk_is_one_message(tmp_path: Path) -> None:
    def full(folder: Path) -> None:
        Path("/dev/full").write_text("state")

    with Run.open(tmp_path, {}) as run:
        save(run, 1)
        with pytest.raises(HandbookError, match="the checkpoint of step 2 can't be written: No space left on device"):
            run.save(2, full)
        latest = run.latest()
        assert latest and latest.step == 1
