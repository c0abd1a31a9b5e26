"""Bytecode goes from one environment to the next with the very file that it was compiled from, and with no other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from labhandbook.release.bytecode import Bytecode

LOOK = "import sys, tool; print(tool.ANSWER, tool.__spec__.cached, tool.answer.__code__.co_filename)"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A file as it lies in an installer's cache."""
    path = tmp_path / "cache.py"
    path.write_text("ANSWER = 42\n\n\ndef answer():\n    return ANSWER\n")
    return path


def site(folder: Path, cache: Path) -> Path:
    """A folder of packages with that file in it."""
    folder.mkdir()
    os.link(cache, folder / "tool.py")
    return folder


def look(folder: Path) -> list[str]:
    """Import it in a process of its own."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run([sys.executable, "-c", LOOK], cwd=folder, capture_output=True, text=True, check=True,
                          env=env).stdout.split()


@pytest.fixture
def store(tmp_path: Path, cache: Path) -> Bytecode:
    """A store that knows what one environment compiled."""
    made = Bytecode(tmp_path / "store")
    made.folder.mkdir()
    first = site(tmp_path / "first", cache)
    look(first)
    made.take(first)
    return made


def compiled(folder: Path) -> list[Path]:
    return sorted(folder.glob("__pycache__/*"))


def test_the_same_file_is_compiled_once(store: Bytecode, tmp_path: Path, cache: Path) -> None:
    second = site(tmp_path / "second", cache)
    store.lend(second)
    (lent,) = compiled(second)
    before = lent.stat()
    answer, used, where = look(second)
    assert (answer, used, where) == ("42", str(lent), str(second / "tool.py")), "a traceback names this environment"
    assert lent.stat().st_ino == before.st_ino, "Python used it and wrote no other"


def test_another_file_gets_none(store: Bytecode, tmp_path: Path, cache: Path) -> None:
    copied = tmp_path / "copied"
    copied.mkdir()
    (copied / "tool.py").write_bytes(cache.read_bytes())
    store.lend(copied)
    assert not compiled(copied), "a copy may be changed"
    other = tmp_path / "other.py"
    other.write_text(cache.read_text().replace("42", "43"))
    os.utime(other, ns=(cache.stat().st_atime_ns, cache.stat().st_mtime_ns))
    third = site(tmp_path / "third", other)
    store.lend(third)
    assert not compiled(third) and look(third)[0] == "43", "the same size and time are not the same file"


def test_a_file_that_changed_gets_none(store: Bytecode, tmp_path: Path, cache: Path) -> None:
    cache.write_text(cache.read_text().replace("42", "420"))
    second = site(tmp_path / "second", cache)
    store.lend(second)
    assert not compiled(second) and look(second)[0] == "420"


def test_what_pytest_rewrote_stays_where_it_is(tmp_path: Path, cache: Path) -> None:
    store = Bytecode(tmp_path)
    first, second = site(tmp_path / "first", cache), site(tmp_path / "second", cache)
    (first / "__pycache__").mkdir()
    (first / "__pycache__" / "tool.cpython-311-pytest-9.0.0.pyc").write_bytes(b"rewritten")
    store.take(first)
    store.lend(second)
    assert not compiled(second)
