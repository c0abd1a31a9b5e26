"""`handbook check` as a user meets it: exit codes, formats, parts of a book, bad input, missing tools, its pace."""

from __future__ import annotations

import json
import os
import re
from datetime import date
from pathlib import Path

import pytest

from labhandbook.book.check_book import check_book
from labhandbook.book.engine.pandoc_engine import Engine
from labhandbook.book.facts import load_facts
from labhandbook.book.model import Book
from labhandbook.core import process
from labhandbook.core.rules import Severity
from labhandbook.core.section_addresses import address
from tooling.tests.conftest import ROOT, make_book, run

TODAY = date(2026, 11, 22)
HOME = "# Home {#sec-home}\n\nWords.\n"
BAD = "# A {#sec-a}\n\nSee @sec-gone.\n"


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A book with one bad reference in each of two chapters."""
    other = BAD.replace("-a}", "-b}")
    return make_book(tmp_path, {"index.qmd": HOME, "chapters/a.qmd": BAD, "chapters/b.qmd": other})


def test_the_handbook_is_clean() -> None:
    # As of the day it was last confirmed; on later days its facts fall due.
    today = max(fact.checked for fact in load_facts(ROOT) if fact.checked)
    found = check_book(ROOT, today=today, site=None).findings
    assert [f"{finding.place}: {finding.rule.code} {finding.message}" for finding in found
            if not finding.file.startswith("_book/")] == []


def test_a_fine_book_exits_with_0(tmp_path: Path) -> None:
    done = run("check", make_book(tmp_path, {"index.qmd": HOME}))
    assert (done.returncode, done.stdout) == (0, "")
    assert re.search(r"1 page, \d\d rules: no findings", done.stderr)


def test_findings_exit_with_1(bad: Path) -> None:
    done = run("check", bad, "--verbose")
    assert done.returncode == 1
    assert done.stdout.splitlines()[:3] == [
        "✗ chapters/a.qmd:3: BOOK005 @sec-gone refers to nothing in the book; did you mean @sec-home?",
        "    Use the id in the braces after the heading, figure, table or equation.",
        f"    {address('sec-contributing-rules')}"]
    assert "2 errors" in done.stderr.splitlines()[-1]


def test_warnings_alone_exit_with_0(tmp_path: Path) -> None:
    facts = 'source: "x"\nchecked: 2026-01-01\nreview-by: 2026-12-01\na: "1"\n'
    book = make_book(tmp_path, {"index.qmd": HOME, "chapters/f.yml": facts})
    done = run("check", book, "--today", "2026-11-22")
    assert (done.returncode, "BOOK025" in done.stdout) == (0, True)
    assert run("check", book, "--today", "2026-12-02").returncode == 1
    assert run("check", book, "--today", "soon").returncode == 2


@pytest.mark.parametrize("arguments", [["nowhere"], ["--site", "nowhere"], ["--format", "runes"],
                                       ["--output", "no/such/folder/report.txt"]])
def test_what_can_not_run_exits_with_2_and_says_why(arguments: list[str], bad: Path) -> None:
    done = run("check", *arguments, cwd=bad)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr and done.stderr.strip()


def test_no_book_exits_with_2(tmp_path: Path) -> None:
    done = run("check", tmp_path, cwd=tmp_path)
    assert done.returncode == 2
    assert "no book here" in done.stderr


def test_formats_and_output(bad: Path) -> None:
    assert len(json.loads(run("check", bad, "--format", "json").stdout)["findings"]) == 2
    assert run("check", bad, "--format", "markdown").stdout.startswith("## Handbook check: 2 errors\n")
    done = run("check", bad, "--format", "sarif", "--output", bad / "out.sarif")
    assert (done.returncode, done.stdout) == (1, "")
    (rule,) = json.loads((bad / "out.sarif").read_text())["runs"][0]["tool"]["driver"]["rules"]
    assert rule["id"] == "BOOK005"
    run("check", bad, "--output", bad / "out.txt")
    assert (bad / "out.txt").read_text().startswith("✗ chapters/a.qmd:3: BOOK005")


def test_one_chapter_or_folder_alone(bad: Path) -> None:
    (bad / "index.qmd").write_text(HOME + "\n@sec-lost\n")
    assert {finding.file for finding in check_book(bad / "chapters/a.qmd").findings} == {"chapters/a.qmd"}
    assert {finding.file for finding in check_book(bad / "chapters").findings} == {"chapters/a.qmd", "chapters/b.qmd"}
    assert "index.qmd" in run("check", cwd=bad / "chapters").stdout


def test_a_chapter_brings_its_includes(tmp_path: Path) -> None:
    make_book(tmp_path, {"index.qmd": HOME + "\n{{< include _part.qmd >}}\n"})
    (tmp_path / "_part.qmd").write_text("@sec-gone\n")
    assert [finding.place for finding in check_book(tmp_path / "index.qmd").findings] == ["_part.qmd:1"]


def test_the_books_folder_stays_as_it_is(bad: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in bad.rglob("*")}
    check_book(bad)
    assert {path: path.stat().st_mtime_ns for path in bad.rglob("*")} == before


def test_missing_tools_are_named_and_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_book(tmp_path, {"index.qmd": HOME + "\n```bash\nls\n```\n", "_book/index.html": "<main>Text</main>"})
    monkeypatch.setattr(process, "find_program", lambda name: None)
    found = check_book(tmp_path)
    codes = {finding.rule.code for finding in found.findings}
    assert codes == {"BOOK016", "BOOK017", "BOOK018", "BOOK019", "BOOK026"}
    assert {finding.weight for finding in found.findings} == {Severity.UNVERIFIED}
    assert all("could not be verified" in finding.message for finding in found.findings)
    assert not found.findings.failed()


@pytest.mark.parametrize("script", ["exit 3", "kill -9 $$", "echo nonsense"])
def test_a_tool_that_breaks_is_reported(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_book(tmp_path / "book", {"index.qmd": HOME, "_book/index.html": "<main>Text</main>"})
    broken = tmp_path / "broken"
    broken.write_text(f"#!/bin/sh\n{script}\n")
    broken.chmod(0o755)
    monkeypatch.setattr(process, "find_program", lambda name: str(broken) if name == "lychee" else None)
    answer = [finding.message for finding in check_book(tmp_path / "book").findings if finding.rule.code == "BOOK026"]
    assert len(answer) == 1 and "could not be verified: lychee" in answer[0]


def test_a_given_site_is_checked_with_one_chapter(bad: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    site = tmp_path_factory.mktemp("site")
    (site / "index.html").write_text('<main>Text <a href="index.html#x">x</a> <a href="/gone">y</a></main>')
    answer = {finding.message for finding in check_book(bad / "index.qmd", site=site).findings}
    assert answer == {"chapters/a.qmd has no page in the built site", "chapters/b.qmd has no page in the built site",
                    "index.html has no place #x", "gone is not there"}


def test_a_broken_link_in_every_menu_is_one_finding(tmp_path: Path) -> None:
    html = '<main>Text <a href="gone.pdf">x</a></main>'
    make_book(tmp_path, {"index.qmd": HOME, "a.qmd": "# A {#sec-a}\n\nWords.\n", "_book/index.html": html,
                         "_book/a.html": html})
    (answer,) = check_book(tmp_path).findings
    assert (answer.place, answer.message) == ("_book/a.html:1", "gone.pdf is not there (linked from 1 more page too)")


def test_a_binary_chapter_is_a_finding(tmp_path: Path) -> None:
    make_book(tmp_path, {"index.qmd": HOME, "a.qmd": ""})
    for content, place in ((b"\x89PNG\r\n\x1a\n\x00\xff", "a.qmd:1"), (b"# A\n\0\n", "a.qmd"),
                           ("# A\n\nÄ\n".encode("latin-1"), "a.qmd:3")):
        (tmp_path / "a.qmd").write_bytes(content)
        found = check_book(tmp_path).findings
        assert [(finding.place, finding.rule.code) for finding in found] == [(place, "BOOK001")]


def test_a_chapter_that_vanishes_while_it_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_book(tmp_path, {"index.qmd": HOME, "a.qmd": "# A {#sec-a}\n\nWords.\n"})

    def late(book: Book, **options: bool) -> Engine:
        (tmp_path / "a.qmd").unlink()
        return Engine(book, dated=options["dated"], results=options["results"])

    monkeypatch.setattr("labhandbook.book.check_book.Engine", late)
    assert {(finding.place, finding.rule.code) for finding in check_book(tmp_path).findings
            if finding.weight is Severity.ERROR} == {("a.qmd", "BOOK001")}


def test_symlink_loops_are_findings(tmp_path: Path) -> None:
    make_book(tmp_path, {"index.qmd": HOME + "\n{{< include _loop.qmd >}}\n\n[x](loop.txt)\n",
                         "chapters/a.qmd": "# A {#sec-a}\n\nWords.\n"})
    for name in ("_loop.qmd", "loop.txt", "chapters/stray.qmd"):
        (tmp_path / name).symlink_to(Path(name).name)
    (tmp_path / "chapters/again").symlink_to(tmp_path, target_is_directory=True)
    assert {(finding.place, finding.rule.code) for finding in check_book(tmp_path).findings} == {
        ("index.qmd:5", "BOOK002"), ("index.qmd:7", "BOOK007"), ("chapters/stray.qmd", "BOOK012")}
    assert run("check", tmp_path / "loop.txt").returncode == 2


def test_a_huge_chapter(tmp_path: Path) -> None:
    paragraph = "Words of `code`, [a link](a.qmd) and @sec-a" + (", " + "again" * 20) * 14 + ".\n\n"
    make_book(tmp_path, {"index.qmd": HOME, "a.qmd": f"# A {{#sec-a}}\n\n{paragraph * 3500}@sec-gone\n"})
    assert (tmp_path / "a.qmd").stat().st_size > 5_000_000
    found = check_book(tmp_path).findings
    assert [(finding.place, finding.rule.code) for finding in found] == [("a.qmd:7003", "BOOK005")]


@pytest.mark.parametrize("content", ["words", "a: [", "a: 2026-02-30", "a: &x [*x]", "? [a, b]\n: c"])
def test_facts_that_are_none_exit_with_2_or_are_findings(content: str, tmp_path: Path) -> None:
    done = run("check", make_book(tmp_path, {"index.qmd": HOME, "chapters/facts.yml": content}))
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr and "chapters/facts.yml" in done.stderr + done.stdout


def test_a_word_that_is_right_can_be_listed(tmp_path: Path) -> None:
    make_book(tmp_path, {"index.qmd": HOME + "\nWe recieve.\n"})
    assert [finding.place for finding in check_book(tmp_path).findings] == ["index.qmd:5"]
    (tmp_path / ".codespellrc").write_text("[codespell]\nignore-words-list = recieve\n")
    assert list(check_book(tmp_path).findings) == []


def test_names_with_spaces(tmp_path: Path) -> None:
    make_book(tmp_path, {"index.qmd": "# Home {#sec-home}\n\n[a](<a b.qmd>) and ![p](<p q.svg>) [c](<a c.qmd>)\n",
                         "p q.svg": "<svg/>", "a b.qmd": "# A {#sec-a}\n\n[x](index.qmd#zz)\n\nrecieve\n"})
    assert {(finding.place, finding.rule.code) for finding in check_book(tmp_path).findings} == {
        ("index.qmd:3", "BOOK007"), ("a b.qmd:3", "BOOK011"), ("a b.qmd:5", "BOOK018")}


@pytest.mark.skipif(os.geteuid() == 0, reason="this machine lacks an ordinary user")
def test_a_site_that_can_not_be_read(tmp_path: Path) -> None:
    make_book(tmp_path, {"index.qmd": HOME, "_book/index.html": ""})
    (tmp_path / "_book/index.html").chmod(0)
    assert run("check", tmp_path).returncode == 2
