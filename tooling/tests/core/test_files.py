"""Files and folders are replaced whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from labhandbook.core import files
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import replacing_folder, write_atomic, write_if_changed


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_file_is_written_and_replaced(tmp_path: Path) -> None:
    target = tmp_path / "file"
    write_atomic(target, "é\n")
    assert target.read_bytes() == "é\n".encode()
    write_atomic(target, b"\0bytes")
    assert target.read_bytes() == b"\0bytes" and names(tmp_path) == ["file"]


def test_file_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "run.sh"
    write_atomic(target, "one")
    assert target.stat().st_mode & 0o777 == 0o644
    target.chmod(0o750)
    write_atomic(target, "two")
    assert target.stat().st_mode & 0o777 == 0o750


def test_file_that_can_not_be_finished_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file"
    target.write_text("old", encoding="utf-8")

    def full(self: Path, _: object) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(target, "new")
    assert target.read_text(encoding="utf-8") == "old" and names(tmp_path) == ["file"]


def test_reader_of_the_old_file_keeps_it_whole(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old", encoding="utf-8")
    with target.open(encoding="utf-8") as reader:
        write_atomic(target, "new")
        assert reader.read() == "old"


def test_unchanged_file_is_not_touched(tmp_path: Path) -> None:
    target = tmp_path / "file"
    assert write_if_changed(target, "text")
    os.utime(target, ns=(1, 1))
    assert not write_if_changed(target, "text") and target.stat().st_mtime_ns == 1
    assert write_if_changed(target, "other") and target.read_text(encoding="utf-8") == "other"


def test_file_that_is_no_text_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"\xff\xfe")
    assert write_if_changed(target, "text") and target.read_text(encoding="utf-8") == "text"


def test_folder_takes_the_place_of_the_old(tmp_path: Path) -> None:
    target = tmp_path / "site"
    target.mkdir()
    (target / "gone.html").touch()
    with replacing_folder(target) as fresh:
        assert names(fresh) == [] and (target / "gone.html").exists()
        (fresh / "new.html").touch()
    assert names(target) == ["new.html"] and names(tmp_path) == ["site"]


def test_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    with replacing_folder(tmp_path / "a" / "b") as fresh:
        (fresh / "file").touch()
    assert names(tmp_path / "a" / "b") == ["file"] and names(tmp_path / "a") == ["b"]
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), HandbookError("no")])
def test_folder_stays_after_an_exception(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "site"
    target.mkdir()
    (target / "old.html").write_text("old", encoding="utf-8")
    with pytest.raises(type(error)), replacing_folder(target) as fresh:
        (fresh / "half.html").touch()
        raise error
    assert names(target) == ["old.html"] and names(tmp_path) == ["site"]


def test_folder_that_was_not_there_is_not_left_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), replacing_folder(tmp_path / "site"):
        raise ValueError("no")
    assert names(tmp_path) == []


def test_folder_that_can_not_be_exchanged_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system can't exchange two folders, there are two renames; when the second fails, the old is back."""
    target = tmp_path / "site"
    target.mkdir()
    (target / "old.html").touch()
    rename = Path.rename

    def fail_for_the_new(self: Path, other: Path) -> Path:
        if self.name == "new":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(self))
        return rename(self, other)

    monkeypatch.setattr(files, "exchange", lambda one, other: False)
    monkeypatch.setattr(Path, "rename", fail_for_the_new)
    with pytest.raises(HandbookError), replacing_folder(target) as fresh:
        (fresh / "new.html").touch()
    assert names(target) == ["old.html"] and names(tmp_path) == ["site"]


def test_full_disk_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    target = tmp_path / "site"
    with pytest.raises(HandbookError) as caught, replacing_folder(target) as fresh:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(fresh / "x"))
    assert "No space left" in caught.value.what and "--output" in caught.value.todo
    assert names(tmp_path) == []


def test_file_is_never_replaced_by_a_folder(tmp_path: Path) -> None:
    target = tmp_path / "notes"
    target.write_text("precious", encoding="utf-8")
    with pytest.raises(HandbookError, match="Not a directory"), replacing_folder(target) as fresh:
        (fresh / "x").touch()
    assert target.read_text(encoding="utf-8") == "precious" and names(tmp_path) == ["notes"]


# Kills

REPLACE = """
import os, signal, sys
from pathlib import Path
from labhandbook.core import files
target, last, exchanges = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "exchange"
if not exchanges:
    files.exchange = lambda one, other: False
steps = 0
def step(event, arguments):
    global steps
    watched = event in ("os.mkdir", "os.rename", "os.rmdir", "os.remove", "os.chmod", "shutil.rmtree", "os.scandir")
    # Inside rmtree, names are relative to an open folder.
    if watched and (isinstance(arguments[0], int) or str(target.parent) in str(arguments[0])):
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(step)
exchange = files.exchange
def counted(one, other):
    step("os.rename", [str(one)])
    done = exchange(one, other)
    step("os.rename", [str(one)])
    return done
files.exchange = counted
with files.replacing_folder(target) as fresh:
    (fresh / "index.html").write_text("new")
    (fresh / "other.html").write_text("new")
"""


def replace_killed(target: Path, step: int, way: str) -> int:
    """The exit code of a process that replaces `target` and is killed at step number `step`."""
    return subprocess.run([sys.executable, "-c", REPLACE, target, str(step), way], check=False).returncode


@pytest.mark.parametrize("way", ["exchange", "renames"])
def test_a_kill_at_any_step_loses_nothing_and_the_next_run_cleans_up(tmp_path: Path, way: str) -> None:
    target = tmp_path / "site"
    gaps = []
    for step in range(1, 100):
        target.mkdir()
        (target / "index.html").write_text("old", encoding="utf-8")
        (target / "gone.html").write_text("old", encoding="utf-8")
        code = replace_killed(target, step, way)
        if target.exists():
            texts = {path.name: path.read_text(encoding="utf-8") for path in target.iterdir()}
            assert texts in ({"index.html": "old", "gone.html": "old"}, {"index.html": "new", "other.html": "new"})
        else:
            gaps.append(step)
        for left in tmp_path.iterdir():
            os.utime(left, (1, 1))
        files.remove_leftovers(target)
        assert names(tmp_path) == ["site"]
        assert names(target) in (["gone.html", "index.html"], ["index.html", "other.html"])
        for path in target.iterdir():
            path.unlink()
        target.rmdir()
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert step > 5 and code == 0
    assert len(gaps) == (0 if way == "exchange" and sys.platform in ("linux", "darwin") else 1)


def test_leftovers_of_a_living_process_and_of_others_stay(tmp_path: Path) -> None:
    target = tmp_path / "site"
    foreign = tmp_path / ".site.abcdefgh"
    (foreign / "new").mkdir(parents=True)
    (foreign / "notes.txt").touch()
    with files.replacing_folder(target) as fresh:
        files.remove_leftovers(target)
        assert fresh.is_dir()
    assert names(tmp_path) == [".site.abcdefgh", "site"]


def test_a_device_is_written_to_and_stays_a_device() -> None:
    # A terminal, where nothing can be renamed: if this broke, a test with /dev/null would take it from the machine.
    master, slave = os.openpty()
    try:
        path = Path(os.ttyname(slave))
        write_atomic(path, "report")
        assert os.read(master, 100) == b"report"
        assert stat.S_ISCHR(path.lstat().st_mode)
    finally:
        os.close(master)
        os.close(slave)


def test_a_pipe_without_a_reader_is_refused_and_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device"):
        write_atomic(tmp_path / "pipe", "report")
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
    assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)


def test_a_link_is_replaced_and_what_it_leads_to_is_kept(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "outside")
    write_atomic(tmp_path / "link", "report")
    assert (tmp_path / "outside").read_text() == "kept"
    assert not (tmp_path / "link").is_symlink() and (tmp_path / "link").read_text() == "report"
