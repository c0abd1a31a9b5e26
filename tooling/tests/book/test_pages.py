"""Every construct of a chapter, on the page that an engine makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tooling.tests.book.page_reader import Callout, Code, Heading, Link, Page, text_of

Pages = dict[str, Page]


@pytest.fixture
def one(everything: Pages) -> Page:
    return everything["chapters/alpha/one.html"]


@pytest.fixture
def two(everything: Pages) -> Page:
    return everything["chapters/alpha/two.html"]


# Titles, sections and their numbers


@pytest.mark.parametrize(("url", "number", "title", "name"), [
    ("chapters/alpha/index.html", "", "Part Alpha", "sec-alpha"),
    ("chapters/alpha/one.html", "1", "Chapter “One” with code", "sec-one"),
    ("chapters/alpha/two.html", "2", "Second chapter", "sec-two"),
    ("chapters/beta/aside.html", "", "An aside", "sec-aside"),
    ("chapters/beta/four.html", "4", "Chapter four", "sec-four"),
    ("references.html", "", "References", "sec-references"),
])
def test_title_carries_number_and_id(everything: Pages, url: str, number: str, title: str, name: str) -> None:
    page = everything[url]
    assert (page.number, page.title, page.title_id) == (number, title, name)


def test_first_page_is_titled_as_the_book(everything: Pages) -> None:
    home = everything["index.html"]
    assert (home.number, home.title, home.lead) == ("", "Test Book", "A book that uses every construct.")
    assert home.heading("sec-welcome") == Heading("sec-welcome", 1, "", "Welcome")


def test_title_can_be_in_the_front_matter(everything: Pages) -> None:
    page = everything["chapters/beta/three.html"]
    assert (page.number, page.title) == ("3", "Title from the front matter")
    assert page.text.count("Title from the front matter") == 1


def test_head_holds_title_and_description(one: Page) -> None:
    title = one.one("head > title")
    assert text_of(title).startswith("1 ") and text_of(title).endswith("– Test Book") and "One" in text_of(title)
    description = one.one("meta[name=description]")["content"]
    assert description == "The first chapter & its constructs."


def test_sections_are_numbered_to_level_four(one: Page) -> None:
    assert one.heading("sec-one-figures") == Heading("sec-one-figures", 2, "1.1", "Figures")
    assert one.heading("sec-one-three") == Heading("sec-one-three", 3, "1.5.1", "Level three")
    assert one.heading("sec-one-four") == Heading("sec-one-four", 4, "1.5.1.1", "Level four")
    assert one.heading("sec-one-three-again").number == "1.5.2"


def test_unnumbered_section_takes_no_number(one: Page) -> None:
    assert one.heading("sec-one-left-out").number == ""
    assert one.heading("sec-one-after").number == "1.5.3"


def test_sections_of_an_unnumbered_page_have_no_number(everything: Pages) -> None:
    for url in ("index.html", "chapters/alpha/index.html", "chapters/beta/aside.html"):
        assert everything[url].headings
        assert {heading.number for heading in everything[url].headings} == {""}


def test_unnumbered_page_is_passed_over_in_the_count(everything: Pages) -> None:
    assert everything["chapters/beta/four.html"].heading("sec-four-only").number == "4.1"


def test_heading_without_id_gets_one_of_its_words(one: Page) -> None:
    assert one.heading("a-heading-without-an-id").number == "1.6.1"


def test_section_keeps_its_class(one: Page) -> None:
    assert "step" in one.by_id("sec-one-step").get_attribute_list("class")


def test_quotes_dashes_and_dots_are_set(one: Page) -> None:
    assert one.heading("sec-one-quotes").text == "Maker’s “quotes” – and dashes…"
    assert "“Quoted” text – with a dash… and an ellipsis." in one.text


# Figures, tables, equations


def test_figures_are_numbered_with_their_captions(one: Page) -> None:
    assert [tuple(figure) for figure in one.figures] == [
        ("fig-one-plain", "Figure 1.1: A plain picture with code"),
        ("fig-one-other", "Figure 1.2: A second picture"),
    ]
    assert "No number here" in one.text


def test_tables_are_numbered_with_their_captions(one: Page) -> None:
    assert [tuple(table) for table in one.tables] == [
        ("tbl-one-first", "Table 1.1: The first table"),
        ("tbl-one-second", "Table 1.2: The second table"),
    ]


def test_table_rows_stay_whole(one: Page) -> None:
    table = one.by_id("tbl-one-first")
    assert [[text_of(cell) for cell in row.select("th, td")] for row in table.select("tr")] == [
        ["Name", "Value"], ["a", "1"], ["b", "2"]]
    assert len(one.main.select("table")) == 3


def test_equations_are_mathml_with_numbers(one: Page) -> None:
    assert one.equations == {"eq-one-energy": "1.1", "eq-one-force": "1.2"}
    assert one.by_id("eq-one-energy").select_one("math[display=block]")
    assert len(one.main.select("math[display=block]")) == 3
    assert len(one.main.select("math[display=inline]")) == 1
    assert "{#eq-" not in one.text


def test_numbers_outside_chapters_have_no_chapter_number(everything: Pages) -> None:
    aside = everything["chapters/beta/aside.html"]
    assert aside.figures[0].caption == "Figure 1: In no chapter"
    assert aside.tables[0].caption == "Table 1: A table in no chapter"
    assert aside.equations == {"eq-aside": "1"}
    assert [link.text for link in aside.references] == ["Figure 1", "Table 1", "Equation 1"]


# Cross-references


ONE, TWO = "chapters/alpha/one.html", "chapters/alpha/two.html"


@pytest.mark.parametrize(("lead", "expected"), [
    ("Within", [("Tables 1.2", f"{ONE}#sec-one-tables"), ("Figure 1.2", f"{ONE}#fig-one-other"),
                ("Table 1.2", f"{ONE}#tbl-one-second"), ("Equation 1.2", f"{ONE}#eq-one-force")]),
    ("Group", [("Figure 1.1", f"{ONE}#fig-one-plain"), ("Figure 1.2", f"{ONE}#fig-one-other")]),
    ("Suppressed", [("1.1", f"{ONE}#tbl-one-first")]),
    ("Prefix", [("Fig. 1.1", f"{ONE}#fig-one-plain"), ("Part 1.3", f"{ONE}#sec-one-equations")]),
    ("Capital", [("Tables 1.2", f"{ONE}#sec-one-tables")]),
    ("Across", [("Second chapter 2", TWO), ("Deep 2.8.1.1", f"{TWO}#sec-two-deep"),
                ("Figure 2.1", f"{TWO}#fig-two-first"), ("Table 2.1", f"{TWO}#tbl-two-only"),
                ("Equation 2.1", f"{TWO}#eq-two-last")]),
    ("Chapters", [("Chapter “One” with code 1", ONE), ("Second chapter 2", TWO)]),
    ("Many", [("Tables 1.2", f"{ONE}#sec-one-tables"), ("Equation 1.1", f"{ONE}#eq-one-energy"),
              ("Table 2.1", f"{TWO}#tbl-two-only")]),
])
def test_cross_reference(one: Page, lead: str, expected: list[tuple[str, str]]) -> None:
    start = [link.text for link in one.references]
    words = one.text.partition(f"{lead}: ")[2]
    for text, _ in expected:
        before, found, words = words.partition(text)
        assert found and len(before) < 15, f"{text!r} not where it should be in {one.text}"
    titles = (f"{ONE}#sec-one", f"{TWO}#sec-two")
    shown = {(link.text, link.target.partition("#")[0] if link.target in titles else link.target)
             for link in one.references}
    assert set(expected) <= shown, start


def test_cross_reference_group_is_joined_by_commas(one: Page) -> None:
    assert "Group: Figure 1.1, Figure 1.2. Suppressed: 1.1 only. Prefix: Fig. 1.1 and Part 1.3." in one.text


def test_cross_reference_from_another_folder(everything: Pages) -> None:
    page = everything["chapters/beta/three.html"]
    hrefs = [link["href"] for link in page.main.select("a.quarto-xref")]
    assert hrefs[1] == "../alpha/one.html#eq-one-energy"
    assert str(hrefs[0]).startswith("../alpha/one.html")


def test_page_without_number_names_the_sections_it_refers_to(everything: Pages) -> None:
    home = everything["index.html"]
    assert [link.text for link in home.references] == [
        "2 Second chapter", "Deep", "Figure 1.1", "Table 2.1", "Equation 1.1"]


# Citations


def test_citations_are_author_and_date(two: Page) -> None:
    assert two.citations == [
        "Knuth (1984)", "(Lovelace and Menabrea 1843; Knuth 1984)", "(see Knuth 1984, 97)", "(1843)",
        "(Turing 1950a, 1950b)", "Lovelace and Menabrea (1843)"]


def test_citations_lead_to_the_one_bibliography(everything: Pages, two: Page) -> None:
    assert two.cited[0] == Link("1984", "references.html#ref-knuth1984literate")
    assert {link.target for link in two.cited} == {
        f"references.html#ref-{key}" for key in
        ("knuth1984literate", "lovelace1843notes", "turing1950computing", "turing1950other")}
    assert [url for url, page in everything.items() if page.bibliography] == ["references.html"]


def test_bibliography_lists_what_the_book_cites(everything: Pages) -> None:
    entries = everything["references.html"].bibliography
    assert list(entries) == ["ref-knuth1984literate", "ref-lovelace1843notes", "ref-turing1950computing",
                             "ref-turing1950other"]
    assert entries["ref-knuth1984literate"] == (
        "Knuth, Donald E. 1984. “Literate Programming.” The Computer Journal 27 (2): 97–111. "
        "https://doi.org/10.1093/comjnl/27.2.97.")
    assert "Analytical Engine" in entries["ref-lovelace1843notes"]
    assert "1950a" in entries["ref-turing1950computing"] and "1950b" in entries["ref-turing1950other"]


# Callouts and tabs


@pytest.mark.parametrize(("place", "callout"), list(enumerate([
    Callout("note", "Note", "", "A note without title."),
    Callout("tip", "A tip with code & more", "", "Tip text."),
    Callout("important", "Titled by a heading", "", "Important text with Callouts 2.1 in it."),
    Callout("caution", "Folded", "closed", "Caution text."),
    Callout("warning", "Unfolded", "open", "Warning text. laptop echo in a callout"),
    Callout("note", "A long title that goes on and on so that a writer would wrap its line somewhere", "",
            "With an id."),
])))
def test_callout(two: Page, place: int, callout: Callout) -> None:
    assert len(two.callouts) == 6 and two.callouts[place] == callout


def test_callout_keeps_its_id(two: Page) -> None:
    assert "With an id." in text_of(two.by_id("callout-with-id"))


def test_callout_heading_is_no_section(two: Page) -> None:
    assert not [heading for heading in two.headings if heading.text == "Titled by a heading"]
    assert two.heading("sec-two-tabs").number == "2.2"


def test_tabs(two: Page) -> None:
    first, second, third = two.tabsets
    assert [(tab.id, tab.name, tab.shown) for tab in first.tabs] == [
        ("tabset-1-1", "Linux", True), ("tabset-1-2", "macOS", False)]
    assert first.tabs[0].text == "Text for Linux. terminal uname -a"
    assert first.tabs[1].text.startswith("Text for macOS, see Tabs 2.2.")
    assert third.tabs[1].text == "Again macOS."
    assert [(tab.id, tab.name, tab.text) for tab in second.tabs] == [
        ("tabset-2-1", "Apples", "Text on apples."), ("tabset-2-2", "Pears", "Text on pears.")]
    assert (first.group, second.group, third.group) == ("system", "", "system")


def test_tab_names_are_no_sections(two: Page) -> None:
    assert not {"Linux", "macOS", "Apples", "Pears"} & {heading.text for heading in two.headings}
    assert two.heading("sec-two-tab-heading").number == "2.2.1"


# Includes, variables, shortcodes


def test_includes(two: Page) -> None:
    assert "Text from a file beside, with Figure 2.1. Text from a nested file. Text from the root" in two.text


def test_include_inside_a_code_block(two: Page) -> None:
    script = next(code for code in two.code if code.filename == "run.sh")
    assert script.text == ('#!/bin/bash\n# The whole job, with the host in it.\necho "run on login.example.org"')


def test_part_of_a_file_inside_a_code_block(two: Page) -> None:
    whole, bent, loop = (code.text for code in two.code if code.filename == "tool.py" and "print" not in code.text)
    assert whole.startswith("@functools.cache\n@functools.wraps(\n    before,\n)\nclass Tool:\n    ")
    assert '"""A tool with *stars*, `ticks` and {braces}."""' in whole
    assert '\n\n        return """\n    \\\\t"""' in whole and whole.endswith("\n    rest = 1")
    assert bent.startswith("@staticmethod\ndef bend(\n    angle: float,\n) -> float:\n    \"\"\"Bend it.\n")
    assert bent.endswith("\n    return angle / 2")
    assert loop == "for angle in range(3):\n    total += Tool.bend(angle)"


def test_variables_in_text_links_and_code(two: Page, everything: Pages) -> None:
    assert "The host is login.example.org, and ssh login.example.org goes there." in two.text
    assert two.link("its page") == "https://example.org/hosts/guide.html"
    assert Code("laptop", "ssh login.example.org") in two.code
    assert "about login.example.org." in two.text
    assert "The score is -143.50 within 1e-05." in two.text
    assert "The book is called Test Book." in everything["index.html"].text


def test_escaped_shortcodes_are_shown(two: Page) -> None:
    assert "Escaped in text: {{< var things.host.name >}}." in two.text
    escaped = next(code for code in two.code if code.filename == "escaped")
    assert escaped.text == "{{< var things.host.name >}}\n{{< include jobs/run.sh >}}"


def test_reading_path_comes_from_the_bibliography(everything: Pages) -> None:
    page = everything["chapters/beta/three.html"]
    whole, rest = page.main.select("ol:not(.footnotes ol)")
    assert [text_of(item) for item in whole.select("li")] == [
        "Literate programming (intro article, 40 minutes). Knuth (1984) presents a program as a story, with code and "
        "x2; see its page.",
        "Note G: Notes on the Analytical Engine (advanced book, 4.5 hours). Lovelace and Menabrea (1843) hold the "
        "first program. Before: Literate; Turing (1950)."]
    assert [text_of(item) for item in rest.select("li")] == [
        "Note G: Notes on the Analytical Engine (advanced book, 4.5 hours)."]
    assert (whole.get("start", "1"), rest.get("start")) == ("1", "2")
    assert page.link("Literate programming") == "https://doi.org/10.1093/comjnl/27.2.97"
    assert page.link("Notes on the Analytical Engine") == "https://example.org/notes"
    assert "The path takes about 5 hours, its first work 40 minutes." in page.text
    assert {"ref-knuth1984literate", "ref-turing1950other"} <= set(everything["references.html"].bibliography)


def test_page_facts_show_the_day_of_the_last_commit(one: Page) -> None:
    facts = one.one(".page-facts")
    assert [text_of(item) for item in facts.select("li")] == [
        "For testers", "Takes 3 min", "On laptop, cluster", "Changed 2026-02-03", "Confirmed 2026-01-02"]


# Code, notes, pictures, links, small things


def test_code_keeps_text_and_shows_file_names(two: Page) -> None:
    assert Code("tool.py", "print(\"<b> & 'quotes'\")") in two.code
    assert Code("", "plain_block --no-name") in two.code
    assert Code("", "indented code") in two.code
    assert Code("in-a-list", "echo listed") in two.code
    assert Code("", "quoted code") in two.code


def test_code_is_coloured(two: Page) -> None:
    block = next(code for code in two.main.select("pre > code") if "print" in code.get_text())
    assert block.select_one("span.bu") and block.select_one("span.st")


def test_footnotes(two: Page) -> None:
    assert two.footnotes == ["An inline note with a link.",
                             "The long note, citing Lovelace and Menabrea (1843)."]
    assert [(text_of(mark), mark["href"]) for mark in two.main.select("a.footnote-ref")] == [
        ("1", "#fn1"), ("2", "#fn2")]
    assert {mark["href"] for mark in two.main.select("a.footnote-back")} == {"#fnref1", "#fnref2"}


def test_images_have_their_alternative_text(one: Page, everything: Pages) -> None:
    assert Link("A grey square", "chapters/alpha/pictures/plain.svg") in one.images
    assert Link("small", "shared/icon.svg") in one.images
    three = everything["chapters/beta/three.html"]
    assert three.images == [Link("A square again", "chapters/alpha/pictures/plain.svg")]


def test_shown_and_linked_files_are_copied(everything: Pages, everything_site: Path) -> None:
    for page in everything.values():
        for target in [image.target for image in page.images] + [link.target for link in page.links]:
            path = target.partition("#")[0]
            assert ":" in path or (everything_site / path).is_file(), f"{page.url} shows {target}"
    script = (everything_site / "chapters/alpha/jobs/run.sh").read_text(encoding="utf-8")
    assert script.startswith("#!/bin/bash\n")


@pytest.mark.parametrize(("text", "target"), [
    ("script", "chapters/alpha/jobs/run.sh"),
    ("same from the root", "chapters/alpha/jobs/run.sh"),
    ("a chapter", "chapters/alpha/one.html"),
    ("a section", "chapters/beta/three.html#sec-three-section"),
    ("home", "index.html"),
    ("here", "chapters/alpha/two.html#sec-two-code"),
    ("outside", "https://example.org/a?b=c&d=e#f"),
])
def test_link(two: Page, text: str, target: str) -> None:
    assert two.link(text) == target


def test_no_link_counts_on_the_server_root(everything: Pages) -> None:
    """A site may lie in a folder of its server, as on project pages."""
    for page in everything.values():
        for tag in page.html.select("[href^='/'], [src^='/']"):
            pytest.fail(f"{page.url}: {tag}")


def test_every_fragment_of_a_link_is_an_id(everything: Pages) -> None:
    for page in everything.values():
        for link in [*page.links, *page.cited]:
            path, _, fragment = link.target.partition("#")
            if fragment and path in everything:
                assert everything[path].html.find(id=fragment), f"{page.url} leads to {link.target}"


def test_ids_are_used_once_a_page(everything: Pages) -> None:
    for page in everything.values():
        names = [str(tag["id"]) for tag in page.main.find_all(id=True)]
        assert sorted(names) == sorted(set(names)), page.url


def test_checklist_has_boxes(everything: Pages) -> None:
    boxes = everything["index.html"].main.select("li input[type=checkbox]")
    assert [box.has_attr("checked") for box in boxes] == [False, True]


def test_inline_marks(two: Page) -> None:
    marks = {"del": "Struck", "sup": "up", "sub": "down", ".smallcaps": "small caps", "kbd": "Ctrl"}
    for tag, words in marks.items():
        assert words in [text_of(found) for found in two.main.select(tag)], tag
    assert text_of(two.main.select("dl dt")[0]) == "Definition"
    assert text_of(two.main.select("dl dd")[0]) == "of a term."
    assert two.main.select_one(".line-block")


def test_no_source_is_left_in_the_text(everything: Pages) -> None:
    for page in everything.values():
        words = page.text.replace("{{< var things.host.name >}}", "").replace("{{< include jobs/run.sh >}}", "")
        for mark in (":::", "{{<", "{#", "hbsc", "?sec", "?fig", "@sec", "@fig"):
            assert mark not in words, f"{page.url} shows {mark}"
