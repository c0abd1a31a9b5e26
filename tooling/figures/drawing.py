"""What the scripts draw with: shapes and measured text in the colours of tokens.css, as SVG.

A picture's file holds the light colours, so that the PDF, an e-book and a preview show it without help. Its style
sheet has the dark ones for a reader that prefers them. On a page, pictures.lua of the extension puts the picture into
the page and its colours become the page's own, so that they follow the theme that was chosen there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from tooling.figures.letters import letters

ROOT = Path(__file__).resolve().parents[2]
TOKENS = ROOT / "_extensions" / "handbook" / "tokens.css"
WIDTH = 540  # as wide as a picture gets: its 16 px are then read in a phone's 350, and are a page's own size in print
NARROW = 380  # as wide as a picture may be whose 14 px are read as 12 in a step on a phone
SIZE, SMALL = 16, 14

Point = tuple[float, float]


def tokens() -> dict[str, tuple[str, str]]:
    """The light and the dark colour of each token, by its name without `--hb-`."""
    found = re.findall(r"--hb-([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", TOKENS.read_text(encoding="utf-8"))
    return {name: (light, dark) for name, light, dark in found}


def fonts() -> str:
    """The book's fonts for text, as an attribute's value."""
    found = re.search(r"--hb-sans: (.*);", TOKENS.read_text(encoding="utf-8"))
    assert found, "tokens.css names no fonts"
    return found[1].replace('"', "'")


COLOURS, FONTS = tokens(), fonts()


def number(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def points(places: Sequence[Point]) -> str:
    """Points as SVG writes them."""
    return " ".join(f"{number(x)},{number(y)}" for x, y in places)


class Picture:
    """One picture: `file` from the book's root, its title, what is seen on it, and its size in pixels."""

    def __init__(self, file: str, title: str, seen: str, height: float, width: float = WIDTH) -> None:
        self.file, self.title, self.seen, self.width, self.height = file, title, seen, width, height
        self._parts: list[str] = []
        self._used: set[str] = {"bg"}

    def _colour(self, name: str) -> str:
        if name == "none":
            return name
        self._used.add(name)
        return COLOURS[name][0]

    def _paint(self, fill: str, line: str, thick: float, dashes: str = "") -> str:
        painted = f'fill="{self._colour(fill)}"'
        if line != "none":
            painted += f' stroke="{self._colour(line)}"' + (f' stroke-width="{number(thick)}"' if thick != 1 else "")
        return painted + (f' stroke-dasharray="{dashes}"' if dashes else "")

    def rect(self, x: float, y: float, width: float, height: float, *, fill: str = "surface", line: str = "line",
             thick: float = 1, radius: float = 0, dashes: str = "") -> None:
        """A rectangle, with round corners if `radius` is given."""
        place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
        self._parts.append(f"<rect {place}" + (f' rx="{number(radius)}"' if radius else "")
                           + f" {self._paint(fill, line, thick, dashes)}/>")

    def circle(self, x: float, y: float, radius: float, *, fill: str = "accent", line: str = "none",
               thick: float = 1) -> None:
        """A circle around a point."""
        self._parts.append(f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" '
                           f"{self._paint(fill, line, thick)}/>")

    def line(self, places: Sequence[Point], *, colour: str = "muted", thick: float = 1.5, dashes: str = "",
             opacity: float = 1) -> None:
        """A line through points."""
        self._parts.append(f'<polyline points="{points(places)}" {self._paint("none", colour, thick, dashes)}'
                           + (f' stroke-opacity="{opacity}"' if opacity != 1 else "") + ' stroke-linejoin="round"/>')

    def area(self, places: Sequence[Point], *, colour: str = "accent", opacity: float = 1) -> None:
        """The area inside a line through points."""
        self._parts.append(f'<polygon points="{points(places)}" fill="{self._colour(colour)}"'
                           + (f' fill-opacity="{opacity}"' if opacity != 1 else "") + "/>")

    def curve(self, path: str, *, colour: str = "muted", thick: float = 1.5, dashes: str = "") -> None:
        """A line that is given as SVG writes a path."""
        self._parts.append(f'<path d="{path}" {self._paint("none", colour, thick, dashes)}/>')

    def arrow(self, places: Sequence[Point], *, colour: str = "muted", thick: float = 1.5, dashes: str = "") -> None:
        """A line with a head at its last point."""
        (from_x, from_y), (x, y) = places[-2:]
        length = math.hypot(x - from_x, y - from_y)
        across, down = (x - from_x) / length, (y - from_y) / length
        base_x, base_y = x - 9 * across, y - 9 * down
        self.line([*places[:-1], (x - 7 * across, y - 7 * down)], colour=colour, thick=thick, dashes=dashes)
        side_x, side_y = 4.5 * down, 4.5 * across
        self.area([(x, y), (base_x - side_x, base_y + side_y), (base_x + side_x, base_y - side_y)], colour=colour)

    def text(self, x: float, y: float, words: str, *, size: float = SIZE, colour: str = "text", bold: bool = False,
             anchor: str = "start", room: float = math.inf, code: bool = False) -> None:
        """A line of text with its foot at y. Raises ValueError when it is wider than `room`."""
        if (wide := letters(words, size, bold, code)) > min(room, self.width):
            raise ValueError(f"{self.file}: {words!r} is {wide:.0f} px wide and has {min(room, self.width):.0f}")
        style = ' font-weight="600"' if bold else ""
        style += " font-family=\"ui-monospace, 'DejaVu Sans Mono', monospace\"" if code else ""
        style += f' text-anchor="{anchor}"' if anchor != "start" else ""
        self._parts.append(f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}"{style} '
                           f'fill="{self._colour(colour)}">{escape(words, quote=False)}</text>')

    def lines(self, x: float, y: float, words: Sequence[str], *, size: float = SMALL, colour: str = "muted",
              anchor: str = "start", room: float = math.inf) -> None:
        """Lines of text below one another; y is the foot of the first."""
        for place, line in enumerate(words):
            self.text(x, y + place * size * 1.3, line, size=size, colour=colour, anchor=anchor, room=room)

    def box(self, x: float, y: float, width: float, height: float, heading: str, words: Sequence[str] = (), *,
            filled: bool = False, line: str = "line", dashes: str = "", thick: float = 1) -> None:
        """A rounded box with a heading and lines of text in its middle. Raises ValueError when they don't fit."""
        fill, ink, small = ("accent", "bg", "bg") if filled else ("surface", "text", "muted")
        self.rect(x, y, width, height, fill=fill, line="accent" if filled else line, radius=8, dashes=dashes,
                  thick=thick)
        tall = SIZE + len(words) * SMALL * 1.3
        if tall > height - 8:
            raise ValueError(f"{self.file}: the box {heading!r} is {height} px high and needs {tall + 8:.0f}")
        top = y + (height - tall) / 2
        self.text(x + width / 2, top + SIZE - 2, heading, colour=ink, bold=True, anchor="middle", room=width - 12)
        self.lines(x + width / 2, top + SIZE + SMALL * 1.3 - 2, words, colour=small, anchor="middle", room=width - 12)

    def __str__(self) -> str:
        width, height = number(self.width), number(self.height)
        dark = "".join(f'[fill="{light}"]{{fill:{dark}}}[stroke="{light}"]{{stroke:{dark}}}'
                       for light, dark in sorted({COLOURS[name] for name in self._used}))
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" font-family="{FONTS}">',
            f"<title>{escape(self.title)}</title>", f"<desc>{escape(self.seen)}</desc>",
            f"<style>@media (prefers-color-scheme:dark){{{dark}}}</style>",
            f'<rect width="{width}" height="{height}" fill="{COLOURS["bg"][0]}"/>', *self._parts, "</svg>", ""])


def wrap(words: str, size: float, room: float) -> list[str]:
    """Text in lines that are no wider than `room`."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and letters(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
