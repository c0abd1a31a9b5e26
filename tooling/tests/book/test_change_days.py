"""The day of a chapter's last commit, and the page that lists the newest ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from labhandbook.book.change_days import changed_days, commits
from tooling.tests.book.conftest import git
from tooling.tests.conftest import make_book, soup


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
    assert changed_days(commits(repository / "book")) == {"a.qmd": "2026-02-01", "über b.qmd": "2026-01-02"}


def test_paths_are_relative_to_the_book(repository: Path) -> None:
    assert set(changed_days(commits(repository))) == {"book/a.qmd", "book/über b.qmd"}


def test_edit_without_commit_changes_nothing(repository: Path) -> None:
    (repository / "book/a.qmd").write_text("edited\n", encoding="utf-8")
    (repository / "book/new.qmd").write_text("new\n", encoding="utf-8")
    assert changed_days(commits(repository / "book"))["a.qmd"] == "2026-01-01"
    assert "new.qmd" not in changed_days(commits(repository / "book"))


def test_outside_a_repository_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert changed_days(commits(tmp_path)) == {}


def test_repository_without_commits(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert changed_days(commits(tmp_path)) == {}


def test_without_git_nothing_is_known(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))
    assert changed_days(commits(repository / "book")) == {}


CHANGES = "# What changed {#sec-new}\n\n{{< changes pages >}}\n\n{{< changes log >}}\n"
LOG = "# Changelog\n\nAbout.\n\n## 1.1\n\n### Added\n\n- *One* <b>thing</b>.\n- Another.\n\n## 1.0\n\n- The first.\n"


def test_a_page_lists_the_newest_changes(rendered: Callable[[Path], Path], tmp_path: Path,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    book = make_book(tmp_path / "book", {"index.qmd": "# Home\n", "new.qmd": CHANGES, "CHANGELOG.md": LOG,
                                         **{f"{name}.qmd": f"# The *{name}* {{#sec-{name}}}\n" for name in "abcd"}})
    git(book, "init", "--quiet")
    git(book, "add", "--all")
    git(book, "commit", "--quiet", "--message", "All pages", day="2026-01-01")
    for name, day, subject in (("a", "2026-01-02", "Correct @it & more"), ("b", "2026-01-02", "Correct @it & more"),
                               ("unlisted", "2026-01-03", "A page outside the book"), ("c", "2026-01-04", "Add c")):
        with (book / f"{name}.qmd").open("a", encoding="utf-8") as file:
            file.write("\nMore.\n")
        git(book, "add", "--all")
        git(book, "commit", "--quiet", "--message", subject, day=day)
    page = soup(rendered(book) / "new.html").main
    assert page
    days = [(head.get_text(), " ".join(item.get_text().split()),
             [str(link["href"]).removeprefix("./") for link in item("a")])
            for item in page("li")
            if (head := item.find_previous("strong")) and not item.find_parent(class_=["change-log", "page-facts"])]
    assert days == [("2026-01-04", "The c: Add c", ["c.html"]),
                    ("2026-01-02", "The b, The a: Correct @it & more", ["b.html", "a.html"]),
                    ("2026-01-01", "6 pages: All pages", [])]
    lists = [(" ".join(each.summary.get_text().split()), [" ".join(item.get_text().split()) for item in each("li")])
             for each in page("details") if each.summary and not each.find_parent(class_="toc-column")]
    assert lists == [("1.1: Added (2)", ["One thing.", "Another."]), ("1.0 (1)", ["The first."])]
    shutil.rmtree(book / ".git")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "has no history in git" in (rendered(book) / "new.html").read_text(encoding="utf-8")
