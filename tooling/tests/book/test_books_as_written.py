"""What other people's books do that no error may be made of: each was met in a public book, here in our own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from labhandbook.book.check_book import check_book
from labhandbook.core.errors import HandbookError
from tooling.tests.conftest import run

CONFIG = "project:\n  type: book\nbook:\n  title: Theirs\n  chapters:\n    - index.qmd\n    - page.qmd\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    """A book of two pages, with `files` in place of those it would have."""
    for name, text in ({"_quarto.yml": CONFIG, "index.qmd": "# Home {.unnumbered}\n\nWords.\n"} | files).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def said(book: Path) -> list[str]:
    """What the check says of a book."""
    return [f"{finding.file}:{finding.line} {finding.rule.code} {finding.message}"
            for finding in check_book(book).findings]


@pytest.mark.parametrize(("page", "more"), [
    ("# A\n\nThe `fpr` is FPR. We re-use it for the 2^nd^ time, in the **h**ue of BEAUti.\n\n"
     "```python\nfpr = 1\n```\n", {}),
    ("# Un exemple\n\nUne fonction par groupe.\n", {"_quarto.yml": f"{CONFIG}lang: fr\n"}),
    ("# A\n\nMention @TheFoundation.\n", {}),
    ("# A\n\nWrite `{{< name-of-one >}}`.\n\n```text\n{{< another >}}\n-{{< include x.qmd >}}\n```\n", {}),
    ("# A\n\n::: {.callout-note}\nProof.\n\n$$\nx\n$$ $\\blacksquare$\n:::\n\n::: {.x}\nWords.\n:::\n", {}),
    ("---\nbibliography: lists/own.bib\n---\n\n# A\n\nAs @one2020 says.\n",
     {"lists/own.bib": "@misc{one2020, title = {One}, year = {2020}}\n"}),
    ("# A\n\nAs @one2020 says.\n", {
        "_quarto.yml": f"{CONFIG}bibliography: [a.bib, b.bib]\n",
        "a.bib": "@misc{one2020, title = {One}, year = {2020}}\n",
        "b.bib": "@misc{one2020,\n  title = {One},\n  year = {2020}\n}\n"}),
    ("# A\n\nSee @fig-all, @fig-one and @fig-two.\n\n:::: {#fig-all}\n\n::: {.panel-tabset}\n\n## One\n\n"
     "```{r}\n#| label: fig-one\n#| fig-cap: First\nplot()\n```\n\n## Two\n\n::: {#fig-two}\n```text\nwords\n```\n\n"
     "Second\n:::\n\n:::\n\nBoth\n\n::::\n", {}),
], ids=["abbreviations", "french", "handle", "shortcodes-in-code", "closed-div", "bibliography-of-a-page",
        "exported-twice", "parts-in-tabs"])
def test_what_is_right_is_not_blamed(tmp_path: Path, page: str, more: dict[str, str]) -> None:
    assert said(write(tmp_path, {"page.qmd": page} | more)) == []


def test_what_is_wrong_is_still_found_beside_it(tmp_path: Path) -> None:
    page = "# A\n\nTeh **h**ue, [@gone2020].\n\n```{r}\n#| label: fig-x\nx\n```\n\n```{r}\n#| label: fig-x\nx\n```\n"
    assert [line.partition(" ")[2][:7] for line in said(write(tmp_path, {"page.qmd": page}))] == [
        "BOOK006", "BOOK018", "BOOK008"]
    page = "# A\n\nText\n::: {.x}\nWords.\n:::\n"
    assert any("BOOK016" in line for line in said(write(tmp_path, {"page.qmd": page})))


def test_a_target_in_a_submodule_that_is_not_there_is_not_verified(tmp_path: Path) -> None:
    write(tmp_path, {"page.qmd": "# A\n\nSee @sec-there.\n\n{{< include shared/there.qmd >}}\n",
                     ".gitmodules": '[submodule "shared"]\n\tpath = shared\n\turl = ../shared\n'})
    (tmp_path / "shared").mkdir()
    assert not check_book(tmp_path).findings.failed()


def test_ids_of_made_tables_count_only_where_a_link_leads_to_them(tmp_path: Path) -> None:
    table = '<table><th id="label">A</th></table><table><th id="label">B</th></table>'
    site = {f"_book/{name}.html": f'<main><a href="page.html#{to}">x</a>{table}</main>'
            for name, to in (("index", "top"), ("page", "top"))}
    slides = {"_book/slides/deck.html": "<main></main>"}
    write(tmp_path, {"page.qmd": "# A\n\nWords.\n"} | site | slides)
    assert [line for line in said(tmp_path) if "BOOK027" in line or "BOOK028" in line] == []
    write(tmp_path, {"page.qmd": "# A\n\nWords.\n"} | {
        name: html.replace("#top", "#label") for name, html in site.items()})
    assert [line.partition(" ")[0] for line in said(tmp_path) if "BOOK027" in line] == [
        "_book/index.html:1", "_book/page.html:1"]


def test_the_home_page_may_be_in_a_part(tmp_path: Path) -> None:
    listed = "    - part: First\n      chapters: [index.qmd]\n    - part: Second\n      chapters: [page.qmd]\n"
    config = f"{CONFIG.partition('    - ')[0]}{listed}"
    resources = "type: book\n  resources: [\"**.txt\", \"!**/private*\"]"
    write(tmp_path, {"_quarto.yml": config.replace("type: book", resources), "page.qmd": "# A\n\nBy @Them.\n",
                     "data/shown.txt": "", "data/private.txt": ""})
    done = run("render", "--book", tmp_path, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "_book/page.html").read_text(encoding="utf-8")
    assert "By @Them." in page.replace('<span class="citation" data-cites="Them">@Them</span>', "@Them")
    assert '<span class="chapter-number">1</span>' in page and "Second" in page
    assert [path.name for path in (tmp_path / "_book/data").iterdir()] == ["shown.txt"]


def test_chapters_of_a_profile_are_named(tmp_path: Path) -> None:
    write(tmp_path, {"_quarto.yml": CONFIG.partition("  chapters")[0], "_quarto-web.yml": "book: {}\n"})
    with pytest.raises(HandbookError) as caught:
        check_book(tmp_path)
    assert caught.value.why == "profiles such as _quarto-web.yml are not read here"


def test_symbols_that_typst_renamed_are_set(tmp_path: Path) -> None:
    page = ("# $A \\cap B$\n\n$a \\otimes b \\odot \\text{sect} \\bigcap \\llbracket x \\rrbracket$\n\n"
            "::: {.callout-info}\nWords.\n:::\n")
    write(tmp_path, {"page.qmd": page})
    done = run("render", "--book", tmp_path, "--engine", "pandoc", "--to", "pdf")
    assert done.returncode == 0, done.stderr
