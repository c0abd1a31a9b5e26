"""The path of a release, from a commit to conda-forge: the figure of the packaging part's page."""

from __future__ import annotations

from collections.abc import Iterator

from tooling.figures.drawing import SMALL, Picture

SEEN = (
    "Six boxes joined by arrows. A clean commit gets the tag v1.1.0. The tag is built once, into an sdist and a "
    "wheel. Those two files go to TestPyPI for a rehearsal, and the same two files go to PyPI. conda-forge builds "
    "its package from the sdist on PyPI. PyPI and conda-forge, from which others install, are filled in the accent "
    "colour."
)
# Where it is (column, row), what it is called, what it is, whether others install from it, and what leads there.
STAGES = (
    (0, 0, "Commit", ("tests pass,", "nothing uncommitted"), False, ""),
    (1, 0, "Tag v1.1.0", ("names the version,", "once"), False, "git tag"),
    (1, 1, "Sdist and wheel", ("built once,", "inspected, tested"), False, "build"),
    (0, 1, "TestPyPI", ("a rehearsal with", "the same two files"), False, "upload"),
    (0, 2, "PyPI", ("for good: a file name", "is never free again"), True, "upload"),
    (1, 2, "conda-forge", ("built from the sdist", "on PyPI"), True, "recipe"),
)
WIDE, HIGH, ACROSS, DOWN = 196, 84, 332, 132


def pictures() -> Iterator[Picture]:
    """The one picture."""
    picture = Picture("chapters/packaging/release-path.svg", "The path of a release", SEEN, 2 * DOWN + HIGH + 24)
    before = (0, 0)
    for column, row, name, words, public, move in STAGES:
        x, y = 6 + column * ACROSS, 12 + row * DOWN
        from_x, from_y = before
        if row == (from_y - 12) // DOWN and move:
            middle = y + HIGH / 2
            ends = [(from_x + WIDE + 4, middle), (x - 4, middle)] if x > from_x else [(from_x - 4, middle),
                                                                                      (x + WIDE + 4, middle)]
            picture.arrow(ends)
            picture.text((ends[0][0] + ends[1][0]) / 2, middle - 9, move, size=SMALL, colour="muted", anchor="middle")
        elif move:
            picture.arrow([(x + WIDE / 2, from_y + HIGH + 4), (x + WIDE / 2, y - 4)])
            picture.text(x + WIDE / 2 + 12, y - (DOWN - HIGH) / 2 + 5, move, size=SMALL, colour="muted")
        picture.box(x, y, WIDE, HIGH, name, words, filled=public)
        before = (x, y)
    yield picture
