"""What the embedded engine does not render as Quarto does, it names with file and line, and writes nothing.

One book holds every such construct, each in a chapter of its own and once more in a file that a chapter includes.
The arrow marks the line that must be result.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tooling.tests.conftest import make_book, run

ARROW = "→"

# What is wrong: the code of the rule, a part of the message, the text.
CASES: dict[str, tuple[str, str, str]] = {
    "an executed cell": ("BOOK009", "executed cell {python}", "Text.\n\n→```{python}\nprint(1)\n```\n"),
    "an executed cell with options": ("BOOK009", "executed cell {r}", "→```{r, echo=FALSE}\n1\n```\n"),
    "an executed cell in a list": ("BOOK009", "cell {python}", "- item\n\n→  ```{python}\n  1\n  ```\n"),
    "a mermaid cell": ("BOOK009", "mermaid", "Text.\n\n→```{mermaid}\nflowchart LR\n```\n"),
    "a mermaid block": ("BOOK009", "mermaid", "Text.\n\n→```mermaid\nflowchart LR\n```\n"),
    "a layout of divs": ("BOOK009", "layout-ncol", "Text.\n\n→::: {layout-ncol=2}\nA\n\nB\n:::\n"),
    "a margin column": ("BOOK009", "column-margin", "Text.\n\n→::: {.column-margin}\nA\n:::\n"),
    "an unknown callout": ("BOOK010", "callout-hint", "Text.\n\n→::: {.callout-hint}\nA\n:::\n"),
    "a second title": ("BOOK009", "level-1 heading", "Text.\n\n→# Again a title\n\nText.\n"),
    "a code annotation": ("BOOK009", "code annotation", "Text.\n\n```python\n→x = 1  # <1>\n```\n\n1. One.\n"),
    "a listing": ("BOOK009", "lst-", "Text.\n\n→```{.python #lst-x lst-cap=\"A listing\"}\nx = 1\n```\n"),
    "a theorem": ("BOOK009", "#thm-x", "Text.\n\n→::: {#thm-x}\nA.\n:::\n"),
    "a reference to a theorem": ("BOOK009", "@thm-", "Text.\n\n→See @thm-line.\n"),
    "an unknown shortcode": ("BOOK003", "{{< vidoe x.mp4 >}}", "Text.\n\n→{{< vidoe x.mp4 >}}\n"),
    "a shortcode of Quarto alone": ("BOOK009", "{{< video x.mp4 >}}", "Text.\n\n→{{< video x.mp4 >}}\n"),
    "an unknown shortcode in code": ("BOOK003", "{{< nope >}}", "Text.\n\n```text\n→{{< nope >}}\n```\n"),
    "an unknown variable": ("BOOK004", "things.nobody", "Text.\n\n→It is {{< var things.nobody >}}.\n"),
    "a variable that is a list of others": ("BOOK004", "things.host", "Text.\n\n→It is {{< var things.host >}}.\n"),
    "a missing include": ("BOOK002", "chapters/_nowhere.qmd", "Text.\n\n→{{< include _nowhere.qmd >}}\n"),
    "an include inside a line": ("BOOK003", "include _x.qmd", "Text.\n\n→See {{< include _x.qmd >}} here.\n"),
    "an include from outside the book": ("BOOK002", "does not exist in the book",
                                         "Text.\n\n→{{< include ../../outside.txt >}}\n"),
    "an unresolved reference": ("BOOK005", "@sec-nowhere", "Text.\n\n→See @sec-nowhere.\n"),
    "an unresolved figure": ("BOOK005", "@fig-nowhere", "Text.\n\n→See [-@fig-nowhere].\n"),
    "a reference whose name begins another": ("BOOK005", "@sec-li", "See @sec-line.\n\n→See @sec-li here.\n"),
    "a reference shown in code before": ("BOOK005", "@sec-shown", "Write `@sec-shown`:\n\n```text\n@sec-shown\n"
                                         "```\n\n→See @sec-shown.\n"),
    "a reference without number": ("BOOK005", "@sec-bare", "Text.\n\n→See @sec-bare.\n"),
    "a missing citation": ("BOOK006", "@nobody2000", "Text.\n\n→As @nobody2000 says.\n"),
    "a missing citation in a group": ("BOOK006", "@nobody2001", "Text.\n\n→As said [@knuth1984; @nobody2001].\n"),
    "a link to an unlisted page": ("BOOK007", "unlisted.qmd", "Text.\n\n→A [page](unlisted.qmd).\n"),
    "a link to a missing page": ("BOOK007", "nowhere.qmd", "Text.\n\n→A [page](nowhere.qmd#sec-line).\n"),
    "a link to a missing file": ("BOOK007", "nowhere.sh", "Text.\n\n→A [file](nowhere.sh).\n"),
    "a link out of the book": ("BOOK007", "outside.txt", "Text.\n\n→A [file](../../outside.txt).\n"),
    "a missing image": ("BOOK007", "nowhere.svg", "Text.\n\n→![A picture](nowhere.svg){fig-alt=\"A\"}\n"),
    "an id used twice on a page": ("BOOK008", "#sec-twice", "## A {#sec-twice-as-well}\n\n## B {#sec-twice}\n\n"
                                   "→## C {#sec-twice}\n"),
}
SINGLE = {"an id used twice on a page"}


def cases(*without: str) -> list[str]:
    """The names of the cases."""
    return [name for name in CASES if name not in without]


class Outcome(NamedTuple):
    """The refusal: exit code, standard error and the findings as JSON."""

    code: int
    text: str
    findings: list[dict[str, object]]


def slug(name: str) -> str:
    return re.sub(r"\W+", "-", name)


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(ARROW))


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {
        "index.qmd": "# Home {#sec-home .unnumbered}\n\n## Bare {#sec-bare}\n\nText.\n",
        "references.qmd": "# References {.unnumbered}\n\n::: {#refs}\n:::\n",
        "references.bib": "@book{knuth1984, author = {Knuth, D.}, title = {T}, year = {1984}}\n",
        "chapters/good.qmd": "# Good {#sec-good}\n\n## Line {#sec-line}\n\nText.\n",
        "chapters/things.yml": "host:\n  name: x\n",
    }
    listed = [name for name in files if name.endswith(".qmd")]
    for name, (_, _, text) in CASES.items():
        path = f"chapters/{slug(name)}.qmd"
        files[path] = f"# Case\n\n{text.replace(ARROW, '')}"
        listed.append(path)
        if name not in SINGLE:
            path = f"chapters/{slug(name)}-included.qmd"
            files[path] = f"# Included\n\nBefore.\n\n{{{{< include _{slug(name)}.qmd >}}}}\n\nAfter.\n"
            files[f"chapters/_{slug(name)}.qmd"] = text.replace(ARROW, "")
            listed.append(path)
    folder = make_book(tmp_path_factory.mktemp("bad") / "book", files, list(listed))
    (folder / "chapters/unlisted.qmd").write_text("# Unlisted\n", encoding="utf-8")
    (folder.parent / "outside.txt").write_text("secret\n", encoding="utf-8")
    (folder / "_book").mkdir()
    (folder / "_book/index.html").write_text("old", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def result(book: Path) -> Outcome:
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    answer = run("render", "--book", book, "--engine", "pandoc", "--to", "html", "--format", "json")
    assert answer.returncode == done.returncode
    return Outcome(done.returncode, done.stderr, json.loads(answer.stdout)["findings"])


def test_findings_are_exit_code_1_and_no_traceback(result: Outcome) -> None:
    assert result.code == 1
    assert "Traceback" not in result.text
    assert "nothing was written to" in result.text.splitlines()[-1]


def test_old_output_stays(book: Path, result: Outcome) -> None:
    assert [path.name for path in (book / "_book").iterdir()] == ["index.html"]
    assert (book / "_book/index.html").read_text(encoding="utf-8") == "old"
    assert not [path for path in book.iterdir() if path.name.startswith("._book")]


@pytest.mark.parametrize("name", cases())
def test_refused_at_its_line(result: Outcome, name: str) -> None:
    code, message, text = CASES[name]
    place = f"chapters/{slug(name)}.qmd:{line_of(text) + 2}: {code} "
    lines = [line for line in result.text.splitlines() if f"chapters/{slug(name)}.qmd" in line]
    assert any(place in line and message in line for line in lines), lines


@pytest.mark.parametrize("name", cases(*SINGLE))
def test_refused_at_its_line_of_an_included_file(result: Outcome, name: str) -> None:
    code, message, text = CASES[name]
    place = f"chapters/_{slug(name)}.qmd:{line_of(text)}: {code} "
    lines = [line for line in result.text.splitlines() if f"chapters/_{slug(name)}.qmd" in line]
    assert any(place in line and message in line for line in lines), lines


def test_nothing_else_is_refused(result: Outcome) -> None:
    known = {f"chapters/{prefix}{slug(name)}.qmd" for name in CASES for prefix in ("", "_")}
    assert {finding["file"] for finding in result.findings} <= known
    for name in CASES:
        codes = {finding["code"] for finding in result.findings if finding["file"] == f"chapters/{slug(name)}.qmd"}
        # What is no cross-reference of the engine refers to nothing, too.
        assert codes - {"BOOK005"} == {CASES[name][0]} - {"BOOK005"} and codes, name


def test_every_finding_says_how_to_fix_it(result: Outcome) -> None:
    for finding in result.findings:
        assert str(finding["fix"]) in result.text and f"#{finding['section']}\n" in result.text


def test_json_holds_the_same_findings(result: Outcome) -> None:
    shown = re.findall(r"^\S+ (\S+?)(?::(\d+))?: (BOOK\d+) (.*)$", result.text, re.MULTILINE)
    assert [(file, int(line or 0), code, message) for file, line, code, message in shown] == [
        (finding["file"], finding["line"], finding["code"], finding["message"]) for finding in result.findings]


def refuse(folder: Path, files: dict[str, str]) -> str:
    """The standard error of a render that must end with findings."""
    book = make_book(folder, {"index.qmd": "# Home\n", **files}, ["index.qmd", *(n for n in files if n[0] != "_")])
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 1 and not (book / "_book").exists(), done.stderr
    return done.stderr


def test_an_include_of_itself_ends(tmp_path: Path) -> None:
    result = refuse(tmp_path, {"a.qmd": "# A\n\n{{< include _round.qmd >}}\n",
                             "_round.qmd": "Round.\n\n{{< include _trip.qmd >}}\n",
                             "_trip.qmd": "{{< include _round.qmd >}}\n"})
    assert "_trip.qmd:1: BOOK002 _round.qmd includes itself" in result


def test_an_id_of_two_pages(tmp_path: Path) -> None:
    result = refuse(tmp_path, {"a.qmd": "# A\n\n## One {#sec-same}\n",
                               "b.qmd": "# B\n\nText.\n\n## Two {#sec-same}\n"})
    assert "b.qmd:5: BOOK008 #sec-same" in result and "a.qmd" in result


def test_a_binary_file(tmp_path: Path) -> None:
    book = make_book(tmp_path, {"index.qmd": "# Home\n", "a.qmd": "# A\n"})
    (book / "a.qmd").write_bytes(b"# A\n\n\xff\xfe\x00binary\n")
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 1 and "a.qmd:3: BOOK001" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(("front", "line"), [("---\ntitle: [a\nb: }\n---\n", 3), ("---\ntitle: A\n\n# A\n", 1)])
def test_broken_front_matter(tmp_path: Path, front: str, line: int) -> None:
    assert f"a.qmd:{line}: BOOK001" in refuse(tmp_path, {"a.qmd": front})


def test_a_corrected_book_renders(tmp_path: Path) -> None:
    """The refusals are not a general failure: the same book without its bad chapters renders."""
    book = make_book(tmp_path, {"index.qmd": "# Home\n\nSee [A](a.qmd).\n", "a.qmd": "# A\n\nText.\n"})
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 0 and (book / "_book/a.html").is_file(), done.stderr
