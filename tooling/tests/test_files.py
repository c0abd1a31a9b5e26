"""Files and folders are replaced whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from labhandbook.errors import HandbookError
from labhandbook.files import replacing_folder, write_atomic, write_if_changed


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
    """Between the two renames the old folder is away; when the second fails, it comes back."""
    target = tmp_path / "site"
    target.mkdir()
    (target / "old.html").touch()
    rename = Path.rename

    def fail_for_the_new(self: Path, other: Path) -> Path:
        if self.name == "new":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(self))
        return rename(self, other)

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
