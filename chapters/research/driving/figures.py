"""Draw drive.svg, the strips on the page, from results.json. The same numbers always give the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

from mhi_driving.strip import Drive, draw

HERE = Path(__file__).parent
NAMES = {"bcq": "BCQ", "bc": "cloning", "q": "plain Q"}


def render() -> str:
    """The figure as SVG text."""
    drives = json.loads((HERE / "results.json").read_text(encoding="utf-8"))["offline"]["strip"]
    return draw({name: Drive(**drives[method]) for method, name in NAMES.items()},
                "Three policies from one log, on a road that none has seen")


if __name__ == "__main__":
    (HERE / "drive.svg").write_text(render(), encoding="utf-8")
