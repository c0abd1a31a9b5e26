"""Draw the release path: the figure on the packaging part page.

Run it from anywhere: `python tooling/figures/release_path.py`. It writes
chapters/packaging/release-path.svg, and always writes the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from xml.sax.saxutils import escape

OUT = Path(__file__).resolve().parents[2] / "chapters" / "packaging" / "release-path.svg"

ACCENT = "#1b5e8c"
INK = "#22303c"
QUIET = "#5a6874"
LINE = "#8c98a3"
BOX = "#f1f4f7"
PANEL = "#ffffff"
EDGE = "#d3dae0"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

TITLE = "The path of a release"
DESC = (
    "Six boxes in two rows, joined by arrows. First row: a clean commit is given the tag v1.1.0, "
    "and the tag is built once into an sdist and a wheel. Second row: those two files go to TestPyPI "
    "for a rehearsal, the same two files go to PyPI, and conda-forge builds its package from the sdist on PyPI."
)

# (name, what it is, is it a place that others install from)
STAGES = (
    ("Commit", ("tests pass,", "nothing uncommitted"), False),
    ("Tag v1.1.0", ("names the version,", "once"), False),
    ("Sdist and wheel", ("built once,", "inspected, tested"), False),
    ("TestPyPI", ("rehearsal with", "the same files"), False),
    ("PyPI", ("for good: a file name", "is never free again"), True),
    ("conda-forge", ("built from the sdist", "on PyPI"), True),
)
# What each arrow means, in order.
MOVES = ("git tag", "build", "upload", "upload", "recipe")

WIDTH, HEIGHT = 720, 312
BOX_W, BOX_H = 176, 88
LEFT, TOP = 24, 36
GAP_X, GAP_Y = 72, 64


def place(index: int) -> tuple[int, int]:
    """The upper left corner of box number `index`: three to a row."""
    row, column = divmod(index, 3)
    return LEFT + column * (BOX_W + GAP_X), TOP + row * (BOX_H + GAP_Y)


def text(x: int, y: int, words: str, size: int, fill: str, weight: int = 400) -> str:
    """A line of text as SVG."""
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{fill}" '
        f'text-anchor="middle">{escape(words)}</text>'
    )


def box(index: int) -> list[str]:
    """A rounded box as SVG, sizes in pixels."""
    x, y = place(index)
    name, lines, public = STAGES[index]
    fill, edge, ink, small = (ACCENT, ACCENT, "#ffffff", "#ffffff") if public else (BOX, LINE, INK, QUIET)
    middle = x + BOX_W // 2
    parts = [
        f'<rect x="{x}" y="{y}" width="{BOX_W}" height="{BOX_H}" rx="8" fill="{fill}" stroke="{edge}"/>',
        text(middle, y + 32, name, 17, ink, 600),
    ]
    parts += [text(middle, y + 54 + 18 * n, line, 14, small) for n, line in enumerate(lines)]
    return parts


def arrow(index: int) -> list[str]:
    """The arrow from box `index` to the next one; the third turns down to the second row."""
    x, y = place(index)
    to_x, to_y = place(index + 1)
    if y == to_y:
        middle = y + BOX_H // 2
        path = f"M{x + BOX_W + 6} {middle}H{to_x - 8}"
        label = text((x + BOX_W + to_x) // 2, middle - 10, MOVES[index], 13, QUIET)
    else:
        lane = y + BOX_H + GAP_Y // 2
        path = f"M{x + BOX_W // 2} {y + BOX_H + 6}V{lane}H{to_x + BOX_W // 2}V{to_y - 8}"
        label = text(WIDTH // 2, lane - 8, MOVES[index], 13, QUIET)
    return [f'<path d="{path}" fill="none" stroke="{QUIET}" stroke-width="1.5" marker-end="url(#tip)"/>', label]


def draw() -> str:
    """The draw as SVG."""
    body: list[str] = []
    for index in range(len(MOVES)):
        body += arrow(index)
    for index in range(len(STAGES)):
        body += box(index)
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-labelledby="release-path-title release-path-desc" font-family="{FONT}">',
        f'<title id="release-path-title">{escape(TITLE)}</title>',
        f'<desc id="release-path-desc">{escape(DESC)}</desc>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{QUIET}"/></marker></defs>',
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="12" fill="{PANEL}" stroke="{EDGE}"/>',
    ]
    return "\n".join([*head, *body, "</svg>"]) + "\n"


def main() -> int:
    """Write the picture beside its chapter."""
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_bytes(draw().encode("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
