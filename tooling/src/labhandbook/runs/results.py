"""From finished runs to what a page shows: their results, files that are replaced whole, and a chart of bars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.runs.values import SECTION, read_object

INK, PAPER = "#17202b", "#fcfdfe"
MAIN, OTHER = "#1b5e8c", "#465262"
LABEL, START, LONGEST, STEP = 218, 230, 240, 44  # in units of the picture: where labels end, bars begin and end, rows


@dataclass(frozen=True)
class Bar:
    """One bar of a chart: what it is, how long it is, the number as it is printed, and whether it stands out."""

    label: str
    value: float
    number: str
    main: bool = True


def read_result(folder: Path, names: Iterable[str] = ()) -> dict[str, Any]:
    """The result of a finished run.

    Raises HandbookError when the run has not ended well, and when its result lacks one of the names.
    """
    try:
        result = read_object(folder / "result.json")
    except (HandbookError, OSError, ValueError) as error:
        raise HandbookError(f"{folder} holds no finished run", where=str(folder), why=str(error), section=SECTION,
                            todo="run its study to the end") from None
    if lacks := [name for name in names if name not in result]:
        raise HandbookError(f"{folder} is a run of something else", where=str(folder), section=SECTION,
                            why=f"its result has no {lacks[0]}", todo="name runs of this study")
    return result


def write_files(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write files by name, each replaced whole; their paths."""
    for name, text in texts.items():
        write_atomic(folder / name, text)
    return [folder / name for name in texts]


def bar_chart(bars: Sequence[Bar], longest: float) -> str:
    """Bars below each other, as SVG; a bar of the value `longest` has the whole width.

    The handbook's pages put their own colours in the places of these.
    """
    height = STEP * len(bars) + 14
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 540 {height}" width="540" '
             f'height="{height}" role="img" font-family="sans-serif" font-size="15">',
             f'<rect width="540" height="{height}" fill="{PAPER}"/>']
    for place, bar in enumerate(bars):
        width, y = LONGEST * bar.value / longest, 12 + STEP * place
        parts += [f'<text x="{LABEL}" y="{y + 19}" text-anchor="end" fill="{INK}">{escape(bar.label)}</text>',
                  f'<rect x="{START}" y="{y}" width="{width:.1f}" height="28" rx="3" '
                  f'fill="{MAIN if bar.main else OTHER}"/>',
                  f'<text x="{START + 8 + width:.1f}" y="{y + 19}" fill="{INK}">{escape(bar.number)}</text>']
    return "\n".join([*parts, "</svg>", ""])
