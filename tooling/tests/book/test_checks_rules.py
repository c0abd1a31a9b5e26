"""Every rule of the book catches its seeded defect, at its place, and lets the near miss pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from labhandbook.book.check_book import Checked, check_book
from labhandbook.book.checks import BOOK
from labhandbook.book.engine.pandoc_engine import Engine
from labhandbook.book.load import load_book
from labhandbook.core.rules import REGISTRY, Finding, Severity
from tooling.tests.book.check_cases import NEAR, SEEDED, Case, entry, works
from tooling.tests.conftest import make_book

TODAY = date(2026, 11, 22)
PIXEL = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
STAMPS = 'source: "a page"\nchecked: 2026-11-01\nreview-by: 2027-11-01\n'
BOOK_RULES = [REGISTRY[code] for code in BOOK.checks]
BASE = {
    "index.qmd": "# Home {#sec-home}\n\nSee @sec-basis and @adams2020.\n\n{{< reading-path things >}}\n",
    "chapters/basis.qmd": "# Basis {#sec-basis}\n\nWords.\n",
    "references.qmd": "# References {#sec-references .unnumbered}\n\n::: {#refs}\n:::\n",
    "references.bib": entry("adams2020", "doi = {10.1/adams}"),
    "chapters/pixel.svg": PIXEL,
    "chapters/things.yml": STAMPS + 'host:\n  name: "tower"\n',
}


def build(folder: Path, cases: dict[str, Case]) -> Path:
    """One book of many cases, with a built site of its pages."""
    files = dict(BASE)
    for case in cases.values():
        for name, text in case.files.items():
            files[name] = files.get(name, "") + text if name == "references.bib" else text
    listed: list[object] = [name for name in files if name.endswith(".qmd") and not name.startswith("elsewhere")
                            and "/_" not in name and "stray" not in name]
    make_book(folder, files, listed)
    site = {str(Path(str(name)).with_suffix(".html")): "<main><p>Text</p></main>" for name in listed}
    for case in cases.values():
        site |= case.site
    for name, text in site.items():
        path = folder / "_book" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Checked]:
    folder = build(tmp_path_factory.mktemp("seeded"), SEEDED)
    return folder, check_book(folder, today=TODAY)


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    return check_book(build(tmp_path_factory.mktemp("near"), NEAR), today=TODAY)


def place(case: Case, folder: Path) -> str:
    """The place of a case; in the bibliography it is the line of its last entry, or of the one it names."""
    file, _, line = case.place.partition(":")
    if not line.startswith("{"):
        return case.place
    key = line[1:-1].partition(":")[2] or case.files[file].rpartition("@article{")[2].partition(",")[0]
    lines = (folder / file).read_text().splitlines()
    return f"{file}:{1 + next(number for number, text in enumerate(lines) if key in text)}"


def test_every_rule_is_checked_and_has_both_cases() -> None:
    codes = {rule.code for rule in BOOK_RULES}
    assert codes == set(BOOK.checks) == set(SEEDED) == set(NEAR)


@pytest.mark.parametrize("code", SEEDED)
def test_seeded_defect_is_caught(code: str, seeded: tuple[Path, Checked]) -> None:
    folder, checked = seeded
    case = SEEDED[code]
    answer = [finding for finding in checked.findings if finding.rule.code == code]
    assert any(finding.place == place(case, folder) and case.says in finding.message for finding in answer), answer
    assert all(finding.weight is Severity.ERROR for finding in answer)


@pytest.mark.parametrize("code", NEAR)
def test_near_miss_passes(code: str, near: Checked) -> None:
    assert [finding for finding in near.findings if finding.rule.code == code] == []


@pytest.mark.parametrize("code", [code for code in SEEDED if code not in ("BOOK001", "BOOK016")])
def test_a_defect_is_named_by_one_rule(code: str, seeded: tuple[Path, Checked]) -> None:
    file = SEEDED[code].place.partition(":")[0]
    if file != "references.bib":
        assert {finding.rule.code for finding in seeded[1].findings if finding.file == file} == {code}


def test_whatever_stops_a_render_is_named_by_the_check(seeded: tuple[Path, Checked]) -> None:
    folder, checked = seeded
    book = load_book(folder)
    with Engine(book) as engine:
        engine.read(book.pages)
        engine.prepare()
        written = {(finding.file, finding.rule.code)
                   for page in engine.write(book.pages) for finding in page.findings}
    assert written
    assert written <= {(finding.file, finding.rule.code) for finding in checked.findings}


Read = Callable[[dict[str, str]], list[Finding]]


@pytest.fixture
def found(tmp_path: Path) -> Read:
    """The findings in a book with the given files beside a first page."""

    def read(files: dict[str, str]) -> list[Finding]:
        index = {"index.qmd": "# Home {#sec-home}\n\nWords.\n"} if "index.qmd" not in files else {}
        listed: list[object] = [name for name in {**index, **files} if name.endswith(".qmd") and "_" not in name]
        return list(check_book(make_book(tmp_path, {**index, **files}, listed), today=TODAY).findings)

    return read


def test_lines_are_right_behind_and_inside_includes(found: Read) -> None:
    answer = found({
        "a.qmd": "---\ndescription: Words.\n---\n\n# A {#sec-a}\n\n{{< include _b.qmd >}}\n\nSee @sec-gone.\n",
        "_b.qmd": "Three\nlines of @sec-lost.\n\n```{.bash}\n{{< include _run.sh >}}\n```\n",
        "_run.sh": "ls\nif true; then\nls <name> x\nls\n",
    })
    assert {(finding.place, finding.rule.code) for finding in answer} == {
        ("a.qmd:9", "BOOK005"), ("_b.qmd:2", "BOOK005"), ("_run.sh:3", "BOOK020"), ("_run.sh:4", "BOOK019")}


def test_each_of_two_equal_defects_has_its_line(found: Read) -> None:
    answer = found({"a.qmd": "# A {#sec-a}\n\n[x](gone.txt)\n\n`gone.txt` [x](gone.txt)\n\n"
                           "@sec-z\n\n@sec-zz, @sec-z\n"})
    assert [(finding.line, finding.rule.code) for finding in answer] == [
        (3, "BOOK007"), (5, "BOOK007"), (7, "BOOK005"), (9, "BOOK005"), (9, "BOOK005")]


def test_a_part_that_is_not_there(found: Read) -> None:
    answer = found({"a.qmd": "# A {#sec-a}\n\n```{.python}\n{{< part /tool.py bend >}}\n```\n\n"
                           "```{.python}\n{{< part /tool.py bent >}}\n```\n\n{{< part /tol.py bend >}}\n",
                  "tool.py": "def bend():\n    pass\n"})
    assert [(finding.place, finding.rule.code, finding.message) for finding in answer] == [
        ("a.qmd:8", "BOOK003", "tool.py has no part, function or class named bent"),
        ("a.qmd:11", "BOOK003", "tol.py does not exist in the book")]


def test_a_label_on_two_pages_is_named_at_the_second(found: Read) -> None:
    answer = found({"a.qmd": "# A {#sec-a}\n\n## B {#sec-b}\n",
                  "c.qmd": "# C {#sec-c}\n\n[b](#sec-b)\n\n## B {#sec-b}\n"})
    assert [(finding.place, finding.rule.code, finding.message) for finding in answer] == [
        ("c.qmd:5", "BOOK008", "#sec-b is used in a.qmd too")]


@pytest.mark.parametrize(("target", "says"), [
    ("old.qmd", "has moved: write a.qmd"),
    ("old.html#x", "has moved: write a.qmd"),
    ("a.html", "is a built page: write a.qmd"),
    ("https://example.org/book/aa.html", "did you mean a.html?"),
    ("_draft.qmd", "is not a chapter that _quarto.yml lists"),
    ("../outside.txt", "leads to no file of the book"),
    ("data%20fiel.csv", "did you mean data file.csv?"),
    ("part.qmd#sec-part", "is a part's title"),
])
def test_a_wrong_link_says_what_to_write(target: str, says: str, tmp_path: Path) -> None:
    make_book(tmp_path, {
        "index.qmd": f"# Home {{#sec-home}}\n\n[x]({target})\n", "data file.csv": "1", "_draft.qmd": "Words.\n",
        "part.qmd": "# Part {#sec-part .unnumbered}\n\nWords.\n",
        "a.qmd": "---\naliases: [old.html]\n---\n\n# A {#sec-a}\n\nWords.\n",
    }, ["index.qmd", {"part": "part.qmd", "chapters": ["a.qmd"]}])
    (answer,) = check_book(tmp_path, today=TODAY).findings
    assert (answer.place, answer.rule.code) == ("index.qmd:3", "BOOK007")
    assert says in answer.message


@pytest.mark.parametrize(("body", "line"), [
    ("```bash\nls\n\nText.", 3),
    ("```bash\nls\n\n```bash\nls\n```", 6),
    ("::: {.callout-note}\n\nText.", 3),
    ("Text.\n\n:::", 5),
    ("Text.\n:::", 4),
])
def test_what_is_not_closed(body: str, line: int, found: Read) -> None:
    answer = found({"a.qmd": f"# A {{#sec-a}}\n\n{body}\n"})
    assert ("BOOK016", line) in [(finding.rule.code, finding.line) for finding in answer]


@pytest.mark.parametrize("body", [
    "![]()", "![](pixel.svg)", "![Caption](pixel.svg)", "Text ![](pixel.svg)", '<img src="pixel.svg">',
    '![Caption](pixel.svg){fig-alt=""}', "![Caption](pixel.svg){#fig-a}",
])
def test_pictures_without_words(body: str, found: Read) -> None:
    answer = found({"a.qmd": f"# A {{#sec-a}}\n\n{body}\n", "pixel.svg": PIXEL})
    assert ("BOOK013", 3) in [(finding.rule.code, finding.line) for finding in answer]


@pytest.mark.parametrize(("line", "bare"), [
    ("ssh <user>@lumi", True), ('ssh "<user>@lumi"', True), ("cd <your project>", True), ("kill <PID>", True),
    ("sort <in >out", False), ("echo '<b>'", False), ("ls # <name>", False), ("cat <<EOF", False),
    ("diff <(ls) b", False), ("[[ a < b ]]", False), ("x<3 && y>2", False), ("ls 2>&1 >log", False),
])
def test_placeholders(line: str, bare: bool, found: Read) -> None:
    answer = found({"a.qmd": f"# A {{#sec-a}}\n\n```bash\n{line}\nEOF\n```\n"})
    assert (("BOOK020", 4) in [(finding.rule.code, finding.line) for finding in answer]) is bare
    assert not bare or "BOOK019" not in [finding.rule.code for finding in answer]


def test_variables_are_filled_in_before_bash_reads(found: Read) -> None:
    assert found({"index.qmd": "# Home {#sec-home}\n\n```bash\nssh {{< var things.host >}}\n```\n",
                  "chapters/things.yml": STAMPS + 'host: "tower"\n'}) == []


@pytest.mark.parametrize(("day", "weight", "says"), [
    ("2026-11-21", Severity.ERROR, "which is past"), ("2026-11-22", Severity.WARNING, "today"),
    ("2026-11-23", Severity.WARNING, "tomorrow"), ("2026-12-22", Severity.WARNING, "in 30 days"),
    ("2026-12-23", None, ""),
])
def test_review_days(day: str, weight: Severity | None, says: str, found: Read) -> None:
    facts = f'source: "x"\nchecked: 2026-01-01\na:\n  review-by: {day}\n  b: "1"\n  c: "2"\n'
    answer = found({"chapters/facts.yml": facts})
    places = [(finding.place, finding.weight) for finding in answer]
    assert places == [("chapters/facts.yml:4", weight)] * bool(weight)
    assert not answer or ("facts.a.b and 1 more" in answer[0].message and says in answer[0].message)


@pytest.mark.parametrize(("stamps", "says"), [
    ("checked: 2026-01-01\nreview-by: 2027-01-01\n", "no source"),
    ('source: "x"\n', "no checked and no review-by"),
    ('source: "x"\nchecked: "2026-02-30"\nreview-by: 2027-01-01\n', "no checked"),
    ('source: "x"\nchecked: [2026-02-03]\nreview-by: 2027-01-01\n', "no checked"),
    ('source: "x"\nchecked: 2026-12-01\nreview-by: 2027-01-01\n', "still to come"),
    ('source: "x"\nchecked: 2026-10-01\nreview-by: 2026-10-01\n', "not after the checked day"),
])
def test_stamps(stamps: str, says: str, found: Read) -> None:
    answer = [finding for finding in found({"chapters/facts.yml": stamps + 'a: "1"\nb: "2"\n'})
            if finding.rule.code == "BOOK024"]
    assert [finding.line for finding in answer] == [stamps.count("\n") + 1]
    assert says in answer[0].message


def test_every_rule_is_whole_sentences() -> None:
    for rule in BOOK_RULES:
        assert not rule.title.endswith(".")
        assert rule.why.endswith(".") and rule.fix.endswith("."), rule.code
        assert rule.section.startswith("sec-")


PATH = {"index.qmd": "# Home {#sec-home}\n\n{{< reading-path a >}}\n\n{{< reading-path b level=\"intro\" >}}\n\n"
                     "::: {#refs}\n:::\n"}
A, B = "topic:a, level:core, minutes:30, kind:article", "topic:b, level:intro, minutes:30, kind:article"


@pytest.mark.parametrize(("entries", "says"), [
    ([("one", A), ("two", f"{A}, after:one")], set()),
    ([("one", f"{A}, after:one")], {"one is after itself"}),
    ([("one", f"{A}, after:onee"), ("two", A)],
     {"one is to be read after onee, which is not in the bibliography; did you mean one?"}),
    ([("one", f"{A}, after:two"), ("two", f"{B}, after:one")],
     {"no work can be read first: one is to be read after two is to be read after one"}),
    ([("one", A), ("two", f"{B}, after:one"), ("three", f"{A}, after:two")], set()),
    ([("one", A), ("two", B.replace("intro", "core"))], {"no page shows two in the path b"}),
    ([("one", A), ("two", f"{A}, topic:b")], {"two has 2 keywords topic:"}),
    ([("one", A), ("two", "level:core, minutes:half, kind:song")],
     {"two has no keyword topic:", "two has half minutes, which is no whole number",
      "two has the kind song, which is none of article, book, course, video"}),
])
def test_reading_paths(entries: list[tuple[str, str]], says: set[str], found: Read) -> None:
    paths = {"BOOK030", "BOOK031", "BOOK032"}
    answer = {finding.message for finding in found({**PATH, **works(*entries)}) if finding.rule.code in paths}
    assert answer == says


def test_work_without_reason(found: Read) -> None:
    answer = found({**PATH, "references.bib": entry("one", "doi = {10.1/one}", words=A, why="note = {A note}")})
    assert [finding.message for finding in answer if finding.rule.code == "BOOK030"] == [
        "one has no annotation, which says why to read it"]


def test_unknown_path_names_the_known_ones(found: Read) -> None:
    answer = found({"index.qmd": "# Home {#sec-home}\n\n{{< reading-path c >}}\n", **works(("one", A), ("two", B))})
    assert ("index.qmd:3", "no work of references.bib has the keyword topic:c; there are a, b") in [
        (finding.place, finding.message) for finding in answer]
