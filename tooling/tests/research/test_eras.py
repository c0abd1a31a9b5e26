"""The figure of the page is drawn from its numbers."""

from __future__ import annotations

import json
from pathlib import Path

from tooling.tests.conftest import ROOT


def test_figure_shows_the_results(research: Path) -> None:
    from mhi_eras.results import figure

    place = ROOT / "chapters/research/eras"
    results = json.loads((place / "results.json").read_text(encoding="utf-8"))
    assert (place / "scores.svg").read_text(encoding="utf-8") == figure(results)
