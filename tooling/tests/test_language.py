"""Plain English: words that a tired reader stumbles over appear in no code and on no page."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from labhandbook.book.checks.plain_words import banned_words
from tooling.tests.conftest import ROOT

READ = {".py", ".qmd", ".md", ".lua", ".js", ".css", ".toml", ".yml", ".in", ".bib"}
# Files that name the words.
NAMES_THEM = {ROOT / "tooling/src/labhandbook/book/checks/plain_words.py", ROOT / "tooling/tests/book/check_cases.py",
              Path(__file__)}


def files() -> list[Path]:
    """The files that people read and git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if Path(name).suffix in READ and (ROOT / name).is_file()]


def test_no_file_has_a_banned_word() -> None:
    found = [f"{path.relative_to(ROOT)}:{number}: {word}: write {better}: {line.strip()[:120]}"
             for path in files() if path not in NAMES_THEM
             for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
             for word, better in banned_words(line)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("sentence", [
    "The page tells more.", "A mail will tell you.", "Go through the list.", "It still runs as before.",
    "Turso hasn't it.", "They haven't it.", "It stands in a table.", "The colours stand here.", "You were told.",
    "A box for who reads.",
])
def test_each_banned_word_is_found(sentence: str) -> None:
    assert list(banned_words(sentence))


@pytest.mark.parametrize("sentence", [
    "`@DAY@` stands for the day.", "It stands out.", "You understand it.", "It recommends a tool.",
    "Tell the organiser.", "A stand-in for the service.", "It can't go.", "Throughout the year.",
])
def test_plain_words_are_none(sentence: str) -> None:
    assert not list(banned_words(sentence))
