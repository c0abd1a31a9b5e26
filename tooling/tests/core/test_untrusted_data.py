"""Foreign files and data: limits hold, and each refusal names the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.terminal import show_error


@pytest.mark.parametrize("text", ["a = " + "[" * 20_000, "a = 1\na = 2", "x" * (5 << 20)])
def test_toml_that_is_none_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(HandbookError):
        untrusted_data.toml(text, "pyproject.toml")


def test_a_file_that_can_not_be_read_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    for text, shown in (("a = 1\nb = ?\n", "✗ pyproject.toml:2: is not valid TOML: "),
                        ("name = [", "✗ pyproject.toml is not valid TOML: ")):
        with pytest.raises(HandbookError) as caught:
            untrusted_data.toml(text, "pyproject.toml")
        show_error(caught.value)
        said = capsys.readouterr().err
        assert said.startswith(shown) and said.count("pyproject.toml") == 1, said


@pytest.mark.parametrize("text", ["[" * 200_000, "{", '{"a": ' + "9" * 6000 + "}"])
def test_json_that_is_none_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(HandbookError):
        untrusted_data.json_data(text, "a.json")


def test_a_named_pipe_and_a_folder_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero"), tmp_path / "none", Path("a\0b")):
        with pytest.raises(HandbookError):
            untrusted_data.content(path)


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\n\xff\n")
    with pytest.raises(HandbookError) as caught:
        untrusted_data.text(tmp_path / "a.txt", "a.txt")
    assert caught.value.where == "a.txt:2"


def test_a_pattern_that_needs_years_is_stopped() -> None:
    with pytest.raises(HandbookError, match="takes longer"):
        untrusted_data.search(r"(a+)+$", "a" * 64 + "!", "pyproject.toml")
    assert untrusted_data.search(r"v(?P<version>\d+)", "v12", "pyproject.toml") == {
        "groups": ["v12", "12"], "names": {"version": "12"}, "start": 0}
    assert untrusted_data.search("b", "a", "pyproject.toml") is None
