"""Poster, title slide and attendance list: one page each, whatever the talk says, with all of its words."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pypdf
import pytest

from labhandbook.seminar.printed_sheets import SHEETS, sheets
from labhandbook.seminar.talk import PACKAGED, folder_of
from tooling.tests.conftest import ROOT, run
from tooling.tests.seminar.talks import TALK, write

LONG = "Simulation-based inference with Gaussian processes for models whose likelihood nobody can write down. "
# Eight scripts, each with a name and a title.
SCRIPTS = {"Latin": ("Nguyễn Thị Åström", "Đo băng biển"), "Cyrillic": ("Анна Ахматова", "Морской лёд"),
           "Greek": ("Υπατία Αλεξανδρινή", "Θαλάσσιος πάγος"), "Arabic": ("محمد الخوارزمي", "جليد البحر"),
           "Hebrew": ("רחל כהן", "קרח ים"), "Han": ("王小明", "海冰"), "Thai": ("ชัชชาติ", "น้ำแข็งทะเล"),
           "Devanagari": ("आर्यभट", "समुद्री बर्फ")}


def read(path: Path) -> tuple[dict[str, str], str]:
    """The words of each sheet of a talk, which is one page, and the letter that no font shows."""
    made, letter = sheets(*folder_of(path))
    found = {}
    for name, pdf in made.items():
        (page,) = pypdf.PdfReader(io.BytesIO(pdf)).pages
        width, height = float(page.mediabox.width), float(page.mediabox.height)
        assert {"poster.pdf": (842, 1191), "title-slide.pdf": (907, 510),
                "attendance.pdf": (595, 842)}[name] == (round(width), round(height))
        found[name.removesuffix(".pdf")] = " ".join(page.extract_text().replace("\u200b", "").split())
    assert set(found) == set(SHEETS)
    return found, letter


def letters(text: str) -> list[str]:
    """The letters of a text in alphabetical order: PDF readers order those from right to left in their own way."""
    return sorted(set(text) - set(" \u0000"))


def test_each_sheet_says_what_it_is_for(folder: Path) -> None:
    found, letter = read(write(folder))
    assert not letter
    for text in found.values():
        for field in ("speaker", "affiliation", "title", "room"):
            assert TALK[field] in text
        assert "Thursday 3 December 2026, 10:15–11:00" in text and "Machine Learning Coffee Seminar" in text
    assert "Sea ice moves. We fill the gaps." in found["poster"]
    assert "Name Affiliation 1 2 3" in found["attendance"] and "In the room:" in found["attendance"]
    assert TALK["zoom"] not in "".join(found.values()), "a link that lets anyone in is not for a wall"


@pytest.mark.parametrize("script", SCRIPTS)
def test_eight_scripts(folder: Path, script: str) -> None:
    name, title = SCRIPTS[script]
    found, letter = read(write(folder, speaker=name, title=title))
    if letter:
        assert letter in name + title
        print(f"no font here has {script}: the command says so")
        return
    for text in found.values():
        assert set(letters(name + title)) <= set(text)


@pytest.mark.parametrize("changed", [
    {"title": (LONG * 3)[:300], "speaker": "Maija Meikäläinen and " * 13, "affiliation": LONG[:99] * 3},
    {"title": "x" * 300, "speaker": "y" * 300, "affiliation": "z" * 300, "room": "r" * 300},
    {"abstract": (LONG * 100)[:10_000]}, {"abstract": "word\n\n" * 1600},
    {"abstract": None, "affiliation": None, "zoom": None}, {"status": "cancelled"},
    {"title": '#panic("x") $x$ *a* @b <c> \\ "', "abstract": "= Heading\n\n#set page(width: 1cm)\n\n- item"},
], ids=lambda changed: "-".join(changed))
def test_one_page_whatever_the_talk_says(folder: Path, changed: dict[str, Any]) -> None:
    found, _ = read(write(folder, **changed))
    words = {**TALK, **changed}
    for text in found.values():
        for field in ("speaker", "title"):
            assert "".join(str(words[field]).split()) in text.replace(" ", "")
    assert all(("CANCELLED" in found[sheet]) == ("status" in changed) for sheet in ("poster", "title-slide"))


def test_the_whole_abstract_is_on_the_poster(folder: Path) -> None:
    abstract = "".join(f"Sentence {number} of the abstract. " for number in range(330))[:10_000]
    found, _ = read(write(folder, abstract=abstract))
    assert "".join(abstract.split()) in found["poster"].replace(" ", "").replace("\u00ad", "")


def test_the_organisers_own_layout_and_logo_are_taken(folder: Path) -> None:
    own = folder / "templates"
    own.mkdir()
    (own / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    (own / "poster.typ").write_text('#import "style.typ": *\n#set page(width: 842pt, height: 1191pt)\n'
                                    '#image("logo.svg")\nOur own: #talk.SPEAKER')
    found, _ = read(write(folder))
    assert found["poster"] == f"Our own: {TALK['speaker']}"


@pytest.mark.parametrize(("text", "said"), [("\n#nothing", "unknown variable: nothing"),
                                            ('\n#read("../../2026-12-03-meikalainen.yml")', "poster.typ:2")])
def test_a_wrong_layout_is_named(folder: Path, text: str, said: str) -> None:
    (folder / "templates").mkdir()
    (folder / "templates/poster.typ").write_text(text)
    done = run("seminar", "make", write(folder))
    assert done.returncode == 2 and said in done.stderr and "poster.typ:2" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_letter_without_a_font_is_named(folder: Path) -> None:
    done = run("seminar", "make", write(folder, title="Not in any font: \U0010fffd"))
    assert done.returncode == 0 and "No font on this computer shows \\u{10fffd}" in done.stderr


def test_make_keeps_a_list_that_is_filled_in(folder: Path) -> None:
    path = write(folder)
    assert run("seminar", "make", path).returncode == 0
    filled = folder / "made" / path.stem / "attendance.csv"
    filled.write_text(filled.read_text() + "Maija Meikäläinen,,,\n")
    assert run("seminar", "make", path).returncode == 0 and "Maija" in filled.read_text()


def test_the_colours_are_those_of_the_book() -> None:
    tokens = dict(re.findall(r"--hb-([\w-]+): light-dark\((#\w+),",
                             (ROOT / "_extensions/handbook/tokens.css").read_text(encoding="utf-8")))
    style = (PACKAGED / "style.typ").read_text(encoding="utf-8")
    own = dict(re.findall(r'^#let ([\w-]+) = rgb\("(#\w+)"\)', style, re.MULTILINE))
    assert own == {name: tokens[name.removesuffix("-colour")] for name in own} and len(own) == 4
    assert {tokens["text"], tokens["warning"]} == set(re.findall(r'rgb\("(#\w+)"\)', style)) - set(own.values())
