"""Quarto and the embedded engine make the same pages of the same book.

What is compared is what a reader and a link meet: addresses, ids, numbers, words and targets. A failure prints the
differences page by page; `-` is what Quarto says, `+` what the embedded engine says.
"""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tooling.tests.book.conftest import Sites
from tooling.tests.book.page_reader import Page, addresses, attribute, pages, text_of
from tooling.tests.conftest import ROOT, need_quarto


def facts(page: Page, titles: dict[str, str]) -> Iterator[str]:
    """Everything of one page that both engines must agree on, a line each.

    `titles` are the pages' own ids: a link to one is a link to its page.
    """

    def target(link: str) -> str:
        path, _, fragment = link.partition("#")
        return path if fragment and fragment == titles.get(path) and path != page.url else link

    yield f"title {page.number} | {page.title} | #{page.title_id}"
    yield f"lead {page.lead}"
    for words in page.head:
        yield f"head {words}"
    for kind in ("grids", "lists", "marks", "link_attributes", "image_sizes"):
        for shape in getattr(page, kind):
            yield f"{kind} {shape}"
    for heading in page.headings:
        yield f"heading {heading.level} {heading.number} | {heading.text} | #{heading.id}"
    for name in ("figures", "tables"):
        for shown in getattr(page, name):
            yield f"{name} {shown.caption} | #{shown.id}"
    for words in page.captions:
        yield f"caption {words}"
    for name, number in page.equations.items():
        yield f"equation {number} | #{name}"
    for tabset in page.tabsets:
        for tab in tabset.tabs:
            yield f"tab {tabset.group} | {tab.name} | #{tab.id} | {tab.shown} | {tab.text}"
    for callout in page.callouts:
        yield f"callout {callout.kind} {callout.fold} | {callout.title} | {callout.text}"
    for code in page.code:
        yield f"code {code.filename} | {code.text!r}"
    for link in page.references:
        yield f"reference {link.text} | {target(link.target)}"
    for link in page.cited:
        yield f"cited {link.text} | {target(link.target)}"
    for link in page.links:
        if link not in {*page.references, *page.cited}:
            yield f"link {link.text} | {target(link.target)}"
    for image in page.images:
        yield f"image {image.text} | {image.target}"
    for words in page.citations:
        yield f"citation {words}"
    for name, words in page.bibliography.items():
        yield f"entry {words} | #{name}"
    for place, words in enumerate(page.footnotes, 1):
        yield f"footnote {place} | {words}"
    for entry in page.sidebar:
        yield f"sidebar {'  ' * entry.depth}{entry.text} | {entry.target} | {entry.current}"
    for link in page.contents:
        yield f"contents {link.text} | #{link.target}"
    for way in ("previous", "next"):
        yield f"{way} {page.step(way)}"
    for text, address in page.actions.items():
        yield f"action {text} | {address}"
    for paragraph in page.main.select("p:not(header p, td p, .code-filename, .callout-title, .tab-name), dt"):
        if words := text_of(paragraph):
            yield f"text {words}"
    for row in page.main.select("tr"):
        yield "row " + " | ".join(text_of(cell) for cell in row.select("th, td"))
    for item in page.main.select("li:not(:has(p))"):
        if attribute(item, "role") != "presentation":
            yield f"item {text_of(item)}"


def difference(quarto: Path, pandoc: Path) -> str:
    """The differences of two sites as text, page by page; nothing when they agree."""
    theirs, ours = pages(quarto), pages(pandoc)
    titles = {url: page.title_id for url, page in theirs.items()}
    answer = []
    for url in sorted({*theirs, *ours}):
        before = list(facts(theirs[url], titles)) if url in theirs else ["the page"]
        after = list(facts(ours[url], titles)) if url in ours else ["the page"] if url not in theirs else []
        lines = [line for line in difflib.unified_diff(before, after if url in theirs else [], n=0, lineterm="")
                 if not line.startswith(("---", "+++", "@@"))]
        if url not in theirs:
            lines = ["+the page"]
        if lines:
            answer.append("\n".join([f"{url}:", *(f"  {line}" for line in lines)]))
    return "\n".join(answer)


@pytest.mark.parametrize("book", ["everything", "constructs", "handbook"])
def test_both_engines_say_the_same(book: str, sites: Sites) -> None:
    need_quarto()
    differences = difference(sites(book, "quarto"), sites(book, "pandoc"))
    assert addresses(sites(book, "quarto")) == addresses(sites(book, "pandoc"))
    if differences:
        pytest.fail(f"the engines differ (- Quarto, + embedded):\n{differences}", pytrace=False)


SHAPES = """<html><head><title>1\xa0 One – Book</title><meta name="description" content="Words."></head><body><main>
<table><colgroup><col style="width: 33.4%"><col></colgroup><thead><tr><th></th>
<th style="text-align: right;">B</th></tr></thead>
<tbody><tr><td colspan="2">c</td></tr></tbody></table><ol type="a" start="3"><li>x <em>y</em></li></ol>
<figure><figcaption>Alone</figcaption></figure><div id="tbl-a"><figcaption>Table 1</figcaption></div>
<a href="a.html" title="T">z</a><img src="p.svg" style="width:50%"><img src="q.svg" width="20" height="10">
</main></body></html>"""


def test_shapes_are_read(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(SHAPES, encoding="utf-8")
    (tmp_path / "sitemap.xml").write_text("<urlset><url><loc>https://e.org/b</loc></url><url><loc>https://e.org/a"
                                          "</loc></url></urlset>", encoding="utf-8")
    page = Page(tmp_path, "index.html")
    assert page.head == ["1 One – Book", "Words."]
    assert page.grids == ["33% auto; td th:right; td:2x"]
    assert page.lists == ["ol a 3 1"] and page.marks == ["em y"]
    assert page.captions == ["Alone"]
    assert page.link_attributes == ["z: title=T"]
    assert page.image_sizes == ["p.svg [('width', '50%')]"]
    assert addresses(tmp_path) == ["https://e.org/a", "https://e.org/b"]


@pytest.mark.parametrize(("flag", "ended", "said"), [("1", 1, "no quarto on PATH"), ("", 0, "Quarto")])
def test_a_skipped_comparison_fails_where_quarto_must_be_there(flag: str, ended: int, said: str) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", "handbook and same", __file__]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
                          env={**os.environ, "HANDBOOK_NEEDS_QUARTO": flag, "PATH": os.defpath, "PYTEST_ADDOPTS": ""})
    assert done.returncode == ended and said in done.stdout, done.stdout
