"""The driving project in the repository: its figure comes from its numbers."""

from __future__ import annotations

import runpy
from pathlib import Path

from tooling.tests.conftest import ROOT

PROJECT = ROOT / "chapters" / "research" / "driving"


def test_figure_is_drawn_from_the_results(research: Path) -> None:
    drawn = runpy.run_path(str(PROJECT / "figures.py"))["render"]()
    assert drawn == (PROJECT / "drive.svg").read_text(encoding="utf-8")
