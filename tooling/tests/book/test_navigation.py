"""What surrounds a page's text: where the reader is, and the ways on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tooling.tests.book.page_reader import Entry, Link, Page, text_of
from tooling.tests.conftest import make_book, run, soup

Pages = dict[str, Page]

BOOK = [
    (0, "Welcome", "index.html"),
    (0, "Part Alpha", "chapters/alpha/index.html"),
    (1, "1 Chapter “One” with code", "chapters/alpha/one.html"),
    (1, "2 Second chapter", "chapters/alpha/two.html"),
    (0, "Part Beta", ""),
    (1, "3 Title from the front matter", "chapters/beta/three.html"),
    (1, "An aside", "chapters/beta/aside.html"),
    (1, "4 Chapter four", "chapters/beta/four.html"),
    (0, "References", "references.html"),
]
ORDER = [target for _, _, target in BOOK if target]


def test_addresses_are_those_of_the_sources(everything: Pages) -> None:
    assert sorted(everything) == sorted(ORDER)


@pytest.mark.parametrize("url", ORDER)
def test_sidebar_shows_the_book_and_the_page(everything: Pages, url: str) -> None:
    assert everything[url].sidebar == [Entry(depth, text, target, target == url) for depth, text, target in BOOK]


@pytest.mark.parametrize("place", range(len(ORDER)))
def test_previous_and_next(everything: Pages, place: int) -> None:
    page = everything[ORDER[place]]
    before, after = page.step("previous"), page.step("next")
    titles = {target: text.lstrip("1234 ") for _, text, target in BOOK}
    assert before == (Link(titles[ORDER[place - 1]], ORDER[place - 1]) if place else None)
    assert after == (Link(titles[ORDER[place + 1]], ORDER[place + 1]) if place + 1 < len(ORDER) else None)


def test_contents_of_the_page_reach_level_three(everything: Pages) -> None:
    shown = everything["chapters/alpha/one.html"].contents
    assert shown[4:9] == [
        Link("1.5 Deeper", "sec-one-deeper"), Link("1.5.1 Level three", "sec-one-three"),
        Link("1.5.2 Level three again", "sec-one-three-again"), Link("Left out", "sec-one-left-out"),
        Link("1.5.3 After the one left out", "sec-one-after"),
    ]
    assert "sec-one-four" not in {link.target for link in shown}


def test_contents_of_the_page_leave_out_tabs_and_callouts(everything: Pages) -> None:
    shown = [link.target for link in everything["chapters/alpha/two.html"].contents]
    assert shown == ["sec-two-callouts", "sec-two-tabs", "sec-two-includes", "sec-two-variables", "sec-two-code",
                     "sec-two-notes", "sec-two-citations", "sec-two-links", "sec-two-three"]


@pytest.mark.parametrize("url", ORDER)
def test_edit_and_issue_links(everything: Pages, url: str) -> None:
    source = url.removesuffix("html") + "qmd"
    assert everything[url].actions == {
        "Edit this page": f"https://example.org/repo/edit/main/{source}",
        "Report an issue": "https://example.org/repo/issues/new",
    }


def test_book_title_leads_home(everything: Pages) -> None:
    page = everything["chapters/beta/four.html"]
    home = page.one("a.book-title, .sidebar-title > a")
    assert page.absolute(str(home["href"])) == "index.html" and home.get_text() == "Test Book"


def test_language_is_reported(everything: Pages) -> None:
    assert {str(page.one("html")["lang"]) for page in everything.values()} == {"en-GB"}


def test_a_chapter_shows_its_subtitle_authors_and_day(tmp_path: Path) -> None:
    """As under Quarto; the first page has those of the book."""
    front = "---\ntitle: A\nsubtitle: Two *words* & more\ndate: {}\nauthor:\n{}---\n\nText.\n"
    people = "  - Ada Lovelace\n  - name: Grace Hopper\n  - name: {given: Alan, family: Turing}\n"
    root = make_book(tmp_path, {
        "index.qmd": "---\nsubtitle: Not this\nauthor: Nobody\n---\n\n# Home {.unnumbered}\n",
        "a.qmd": front.format("2026-01-02", people), "b.qmd": front.format("last-modified", "  name: Ada\n")},
        subtitle="One book", author="The group")
    assert run("render", "--book", root, "--engine", "pandoc", "--to", "html").returncode == 0

    def shown(name: str) -> list[str]:
        return [text_of(one) for one in soup(root / "_book" / name).select(".title-block p:not(.breadcrumb)")]

    assert shown("index.html") == ["One book", "The group"]
    assert shown("a.html") == ["Two words & more", "Ada Lovelace, Grace Hopper, Alan Turing, 2026-01-02"]
    assert shown("b.html") == ["Two words & more", "Ada"]
