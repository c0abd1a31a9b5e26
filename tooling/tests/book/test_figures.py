"""The drawn pictures: what is committed is what the scripts draw, text fits, colours are the tokens', words agree."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from labhandbook.book.engine.pandoc_worker import pandoc_program
from labhandbook.core.process import run
from tooling.figures import card
from tooling.figures.drawing import COLOURS, ROOT, Picture
from tooling.figures.gallery import gallery
from tooling.figures.letters import letters

PICTURES = {Path(picture.file).name: picture for picture in gallery()}
FILES = sorted((ROOT / "chapters").rglob("*.svg"))
LIGHT = {light for light, _ in COLOURS.values()}
SVG = "{http://www.w3.org/2000/svg}"
LARGEST = 30_000
each_picture = pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


class Area(NamedTuple):
    """A rectangle on the picture, and the words in it if it is text."""

    left: float
    top: float
    right: float
    bottom: float
    words: str = ""

    def meets(self, other: Area) -> bool:
        return (min(self.right, other.right) - max(self.left, other.left) > 0.5
                and min(self.bottom, other.bottom) - max(self.top, other.top) > 0.5)

    def inside(self, other: Area) -> bool:
        return (self.left >= other.left - 0.5 and self.right <= other.right + 0.5
                and self.top >= other.top - 0.5 and self.bottom <= other.bottom + 0.5)


def texts(root: ElementTree.Element) -> list[Area]:
    """Where each line of text is, from its baseline's descenders to its capitals."""
    found = []
    for tag in root.iter(f"{SVG}text"):
        size = float(tag.get("font-size") or root.get("font-size") or 16)
        words = "".join(tag.itertext())
        wide = letters(words, size, tag.get("font-weight") == "600", "mono" in tag.get("font-family", ""))
        start = float(tag.get("x", 0)) - {"middle": wide / 2, "end": wide}.get(tag.get("text-anchor", ""), 0)
        foot = float(tag.get("y", 0))
        found.append(Area(start, foot - 0.74 * size, start + wide, foot + 0.2 * size, words))
    return found


def boxes(root: ElementTree.Element) -> list[Area]:
    """The rectangles."""
    found = []
    for tag in root.iter(f"{SVG}rect"):
        x, y, wide, high = (float(tag.get(name, 0)) for name in ("x", "y", "width", "height"))
        found.append(Area(x, y, x + wide, y + high))
    return found


@each_picture
def test_the_committed_picture_is_what_its_script_draws(picture: Picture) -> None:
    assert (ROOT / picture.file).read_text(encoding="utf-8") == str(picture), "run: python -m tooling.figures"


def test_drawing_twice_gives_the_same_bytes() -> None:
    assert {picture.file: str(picture) for picture in gallery()} == {p.file: str(p) for p in PICTURES.values()}


@each_file
def test_a_picture_is_small(file: Path) -> None:
    assert file.stat().st_size < LARGEST


@each_file
def test_text_fits_its_box_and_the_picture(file: Path) -> None:
    root = ElementTree.parse(file).getroot()
    panel, *rest = boxes(root)
    for text in texts(root):
        assert text.inside(panel), f"{text.words!r} leaves the picture"
        for box in rest:
            assert not text.meets(box) or text.inside(box), f"{text.words!r} crosses the edge of a box"


@each_file
def test_no_two_texts_overlap(file: Path) -> None:
    for one, other in combinations(texts(ElementTree.parse(file).getroot()), 2):
        assert not one.meets(other), f"{one.words!r} and {other.words!r}"


@each_file
def test_a_picture_is_drawn_in_the_colours_of_the_tokens(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="picture"' in text
    style = re.search("<style>.*</style>", text)
    body = text.replace(style[0], "") if style else text
    assert set(re.findall('(?:fill|stroke)="([^"]+)"', body)) - {"none"} <= LIGHT
    assert not re.search(r'#\w{6}"', re.sub(r'(fill|stroke)="#\w{6}"', "", body))


@each_file
def test_a_picture_asks_for_nothing(file: Path) -> None:
    root = ElementTree.parse(file).getroot()
    for tag in root.iter():
        assert tag.tag.removeprefix(SVG) not in {"image", "script", "foreignObject", "use", "a"}
        assert "id" not in tag.attrib or file.name not in PICTURES, "two pictures of a page may share an id"
        assert not any(name.endswith("href") for name in tag.attrib)
    assert "url(" not in file.read_text(encoding="utf-8") and "@import" not in file.read_text(encoding="utf-8")


def alternative(file: str) -> list[str]:
    """The alternative texts that chapters give to a picture."""
    found = []
    for chapter in (ROOT / "chapters").rglob("*.qmd"):
        for target, words in re.findall(r'\]\(([^()\s]+\.svg)\)\{[^}]*fig-alt="([^"]+)"', chapter.read_text("utf-8")):
            if (chapter.parent / target).resolve() == ROOT / file:
                found.append(words)
    return found


@each_picture
def test_the_chapter_says_what_is_seen(picture: Picture) -> None:
    """The script knows the numbers on the picture, so the chapter's words are the script's."""
    assert alternative(picture.file) == [picture.seen]


def test_text_that_does_not_fit_is_refused() -> None:
    picture = Picture("x.svg", "A title", "What is seen", 100)
    with pytest.raises(ValueError, match="far too long' is 264 px wide"):
        picture.box(0, 0, 80, 60, "a heading that is far too long")
    with pytest.raises(ValueError, match="is 40 px high"):
        picture.box(0, 0, 300, 40, "Heading", ("one", "two", "three"))


# The card of a shared link


def test_the_committed_card_is_what_its_script_draws() -> None:
    """The file holds its source. Its bytes are compared under the Typst that drew it: others may round otherwise."""
    kept, stamp = (ROOT / card.FILE).read_bytes(), card.stamp()
    assert card.chunk("Source", stamp["Source"]) in kept, "run: python -m tooling.figures card.png"
    if card.chunk("Software", stamp["Software"]) in kept:
        assert kept == card.draw()
    assert len(kept) < 60_000


# How a page and a PDF get them: pictures.lua in plain pandoc


def written(tmp_path: Path, text: str, to: str) -> str:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    filters = ROOT / "_extensions" / "handbook" / "pictures.lua"
    done = run([pandoc_program(), "--lua-filter", str(filters), "-f", "markdown", "-t", to, str(page)], cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def drawn(tmp_path: Path) -> Picture:
    picture = Picture("shown.svg", "A title", "What is seen", 100)
    picture.box(10, 10, 200, 60, "Words & more")
    (tmp_path / "shown.svg").write_text(str(picture), encoding="utf-8")
    return picture


def test_a_page_holds_the_picture_in_its_own_colours(tmp_path: Path, drawn: Picture) -> None:
    html = written(tmp_path, '![Caption](shown.svg){#fig-x fig-alt="Seen \\"here\\" & there"}', "html")
    assert 'aria-label="Seen &quot;here&quot; &amp; there" data-src="shown.svg"' in html
    assert 'fill="var(--hb-surface)"' in html and not re.search(r"#\w{6}", html)
    assert "<title>" not in html and "<desc>" not in html and "<style>" not in html
    assert "Words &amp; more</text>" in html and "<figcaption" in html


def test_an_image_that_is_no_drawing_stays_an_image(tmp_path: Path, drawn: Picture) -> None:
    (tmp_path / "plain.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    html = written(tmp_path, "![a](plain.svg) ![b](gone.svg) ![c](photo.png) ![d](https://example.org/x.svg)", "html")
    assert html.count("<img") == 4 and "<svg" not in html


def test_a_pdf_shows_the_file_in_the_size_of_its_text(tmp_path: Path, drawn: Picture) -> None:
    typst = written(tmp_path, "![Caption](shown.svg)", "typst")
    assert 'image("shown.svg"' in typst and "405pt" in typst
