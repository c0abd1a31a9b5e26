"""What a user has taught: two processes at once, crashes, hostile files."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from labhandbook.runs import HandbookError
from mhi_phrases import Phrase, Store
from mhi_phrases.cli import main
from mhi_phrases.store import dump, load

ODD = Phrase("the coffee machine hums", "room", "correction")


def program(home: Path, *words: str, wait: bool = True) -> subprocess.Popen[str]:
    """Start the command of this environment on the directory `home`."""
    process = subprocess.Popen([sys.executable, "-m", "mhi_phrases", *words], text=True,
                               env={**os.environ, "MHI_PHRASES_HOME": str(home)},
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if wait:
        process.wait(120)
    return process


def said(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, err = process.communicate(timeout=1800)
    return out, err


def test_a_correction_outlives_the_process(tmp_path: Path) -> None:
    assert program(tmp_path, "correct", ODD.label, ODD.text).returncode == 0
    out, _ = said(program(tmp_path, "classify", ODD.text, "my job on the node is pending"))
    assert [line.split("\t")[0] for line in out.splitlines()] == ["room", "cluster"]


def test_nothing_is_written_into_the_package(tmp_path: Path) -> None:
    import mhi_phrases

    place = Path(mhi_phrases.__file__).parent
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*") if "__pycache__" not in path.parts}
    Store(tmp_path).correct([ODD])
    after = {path: path.stat().st_mtime_ns for path in place.rglob("*") if "__pycache__" not in path.parts}
    assert before == after and {path.name for path in tmp_path.iterdir()} >= {"corrections.jsonl", "model.skops"}


def test_a_lock_that_stays_is_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mhi_phrases.store.WAIT", 0.1)
    with FileLock(tmp_path / "lock"), pytest.raises(HandbookError, match="another process"):
        Store(tmp_path).model()


def test_processes_at_once_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are forks of one that has imported the libraries, so that they get to the files at the same time."""
    Store(tmp_path).model()
    every = [(label, f"note number {number} on {label}") for number in range(3)
             for label in ("room", "travel")]
    code = ("import os, sys; from mhi_phrases import Store; from mhi_phrases.cli import main; import skops.io\n"
            f"for label, text in {every}:\n"
            "    if not os.fork(): os._exit(main(['correct', label, text]))\n"
            f"sys.exit(sum(os.wait()[1] != 0 for _ in range({len(every)})))")
    monkeypatch.setenv("MHI_PHRASES_HOME", str(tmp_path))
    assert subprocess.run([sys.executable, "-c", code], timeout=1800, check=False).returncode == 0
    kept = {(phrase.label, phrase.text) for phrase in Store(tmp_path).corrections()}
    assert kept == set(every)
    assert load(tmp_path / "model.skops")[1] == len(every)


def test_a_kill_loses_no_confirmed_correction(tmp_path: Path) -> None:
    """The log is on the disk before anything is learnt: the next process learns what is missing."""
    code = ("import os, signal; from pathlib import Path; from mhi_phrases import Phrase, Store\n"
            f"store = Store(Path({str(tmp_path)!r})); store.model()\n"
            "store._write = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
            f"store.correct([Phrase({ODD.text!r}, {ODD.label!r}, 'correction')])")
    done = subprocess.run([sys.executable, "-c", code], timeout=1800, check=False)
    assert done.returncode == -signal.SIGKILL
    assert load(tmp_path / "model.skops")[1] == 0
    assert Store(tmp_path).classify([ODD.text])[0][0] == ODD.label
    assert load(tmp_path / "model.skops")[1] == 1


def test_a_torn_line_is_passed_over_and_cut_off_by_the_next_correction(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.correct([ODD])
    with (tmp_path / "corrections.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"text": "half a li')
    assert store.corrections() == [ODD]
    store.correct([Phrase("zebra lanes", "travel", "correction")])
    assert [phrase.label for phrase in store.corrections()] == ["room", "travel"]


class Evil:
    """Unpickled, it makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


def test_a_hostile_model_runs_nothing_and_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                       capsys: pytest.CaptureFixture[str]) -> None:
    mark = tmp_path / "ran"
    store = Store(tmp_path / "home")
    store.correct([ODD])
    file = store.home / "model.skops"
    file.write_bytes(pickle.dumps(Evil(mark)))
    with pytest.raises(HandbookError, match="no model of ours"):
        store.classify(["x"])
    assert not mark.exists()
    assert pickle.loads(file.read_bytes()) is not None and mark.exists(), "the file was hostile indeed"
    monkeypatch.setenv("MHI_PHRASES_HOME", str(store.home))
    assert main(["classify", "x"]) == 2 and "no model of ours" in capsys.readouterr().err
    assert main(["rebuild"]) == 0
    assert store.classify([ODD.text])[0][0] == ODD.label


def test_a_model_of_an_unknown_type_is_refused(tmp_path: Path) -> None:
    from skops.io import dumps

    path = tmp_path / "model.skops"
    path.write_bytes(dumps({"linear": Path("x"), "labels": ["a"], "seen": 0, "more": Phrase("a", "b", "c")}))
    with pytest.raises(HandbookError, match=r"it holds .*Phrase"):
        load(path)


def test_a_stored_model_says_the_same(tmp_path: Path) -> None:
    model = Store(tmp_path).model()
    data = dump(model, 7)
    (tmp_path / "copy.skops").write_bytes(data)
    again, seen = load(tmp_path / "copy.skops")
    texts = ["my job is pending", "a train to Oulu", "xyzzy"]
    assert seen == 7 and again.predict(texts) == model.predict(texts)
    assert again.confidence(texts) == model.confidence(texts)
    assert len(data) < 1_000_000


def test_an_unknown_label_and_a_closed_place_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                       capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MHI_PHRASES_HOME", str(tmp_path))
    assert main(["correct", "cafeteria", "lunch"]) == 2
    assert "take one of absence, cluster" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MHI_PHRASES_HOME", str(tmp_path / "file"))
    assert main(["classify", "x"]) == 2
    assert "set MHI_PHRASES_HOME" in capsys.readouterr().err


def test_what_is_no_correction_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MHI_PHRASES_HOME", str(tmp_path))
    for label, text, says in (("", "lunch", "no label is called (empty)"), ("room", " ", "a correction has no text")):
        assert main(["correct", label, text]) == 2
        assert says in capsys.readouterr().err
    assert Store(tmp_path).corrections() == []
    for line, says in (("no json", "can't be read"), ('{"text": 1, "label": "room", "group": "x"}', "no text"),
                       ('{"text": "a", "label": "cafeteria", "group": "x"}', "has the label cafeteria")):
        (tmp_path / "corrections.jsonl").write_text(line + "\n")
        assert main(["classify", "x"]) == 2
        assert says in capsys.readouterr().err


def test_a_killed_study_goes_on_and_ends_as_if_nothing_had_been(tmp_path: Path,
                                                                capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "--seed", "3", "--run-dir", str(tmp_path / "whole")]) == 0
    whole = capsys.readouterr().out
    half = program(tmp_path, "study", "--seed", "3", "--run-dir", str(tmp_path / "half"), wait=False)
    metrics = tmp_path / "half/metrics.jsonl"
    for _ in range(600):
        if metrics.exists() and metrics.read_text().count("\n") >= 3:
            break
        time.sleep(0.05)
    half.kill()
    said(half)
    assert not (tmp_path / "half/result.json").exists()
    assert program(tmp_path, "study", "--seed", "3", "--run-dir", str(tmp_path / "half")).returncode == 0
    assert json.loads((tmp_path / "half/result.json").read_text()) == json.loads(whole)
    steps = [json.loads(line)["step"] for line in metrics.read_text().splitlines()]
    assert steps == list(range(1, 21))


def test_a_stopped_study_says_so_by_its_exit_code(tmp_path: Path) -> None:
    process = program(tmp_path, "study", "--run-dir", str(tmp_path / "run"), wait=False)
    for _ in range(600):
        if (tmp_path / "run/checkpoints").exists():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 128 + signal.SIGTERM
    said(process)
    assert (tmp_path / "run/checkpoints").exists() and not (tmp_path / "run/result.json").exists()
