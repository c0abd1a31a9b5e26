"""What the pictures of the projects share: colours, the font, the frame, a line of text."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

# The light colours of the handbook; its pages put their own in the places of these, also on a dark screen.
INK, QUIET, EDGE, PANEL = "#17202b", "#465262", "#cfd8e2", "#fcfdfe"
BLUE, AMBER, GREEN, VIOLET, RED = "#1b5e8c", "#8a4b00", "#1c6b45", "#6d3a96", "#a3231c"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"
WIDTH = 540  # of every picture, in its own units


def picture(height: int, title: str, parts: Iterable[str]) -> str:
    """An SVG file of these parts on a panel. The same parts give the same bytes."""
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 {WIDTH} {height}" '
                      f'width="{WIDTH}" height="{height}" role="img" font-family="{FONT}" font-size="14">',
                      f"<title>{escape(title)}</title>", f'<rect width="{WIDTH}" height="{height}" fill="{PANEL}"/>',
                      *parts, "</svg>", ""])


def text(x: float, y: float, words: str, anchor: str = "start", fill: str = INK, *, strong: bool = False) -> str:
    """A line of text; `anchor` says which part of it is at x: start, middle, end."""
    weight = ' font-weight="600"' if strong else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}" text-anchor="{anchor}"{weight}>{escape(words)}</text>'


def points(places: Iterable[tuple[float, float]]) -> str:
    """Places as an SVG list."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
