"""The day of a chapter's last commit."""

from __future__ import annotations

from pathlib import Path

import pytest

from labhandbook.book.change_days import changed_days
from tooling.tests.book.conftest import git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "book").mkdir()
    for name, day in (("a.qmd", "2026-01-01"), ("über b.qmd", "2026-01-02"), ("c.txt", "2026-01-03")):
        (tmp_path / "book" / name).write_text("one\n", encoding="utf-8")
        git(tmp_path, "add", "--all")
        git(tmp_path, "commit", "--quiet", "--message", name, day=day)
    return tmp_path


def test_newest_commit_of_each_chapter(repository: Path) -> None:
    (repository / "book/a.qmd").write_text("two\n", encoding="utf-8")
    git(repository, "commit", "--quiet", "--all", "--message", "again", day="2026-02-01")
    assert changed_days(repository / "book") == {"a.qmd": "2026-02-01", "über b.qmd": "2026-01-02"}


def test_paths_are_relative_to_the_book(repository: Path) -> None:
    assert set(changed_days(repository)) == {"book/a.qmd", "book/über b.qmd"}


def test_edit_without_commit_changes_nothing(repository: Path) -> None:
    (repository / "book/a.qmd").write_text("edited\n", encoding="utf-8")
    (repository / "book/new.qmd").write_text("new\n", encoding="utf-8")
    assert changed_days(repository / "book")["a.qmd"] == "2026-01-01"
    assert "new.qmd" not in changed_days(repository / "book")


def test_outside_a_repository_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert changed_days(tmp_path) == {}


def test_repository_without_commits(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert changed_days(tmp_path) == {}


def test_without_git_nothing_is_known(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))
    assert changed_days(repository / "book") == {}
