"""What a page shows of finished runs: results, files replaced whole, a chart."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from labhandbook.runs import Bar, HandbookError, Run, bar_chart, read_result, write_files


def test_only_a_finished_run_has_a_result(tmp_path: Path) -> None:
    with Run.open(tmp_path / "run", {"seed": 1}) as run:
        with pytest.raises(HandbookError, match="no finished run"):
            read_result(tmp_path / "run")
        run.finish({"score": 0.5})
    assert read_result(tmp_path / "run") == {"score": 0.5}
    with pytest.raises(HandbookError, match="run of something else"):
        read_result(tmp_path / "run", ("score", "coverage"))


def test_bars_have_the_length_of_their_values() -> None:
    chart = ET.fromstring(bar_chart([Bar("a & b", 1, "1.0"), Bar("half", 0.5, "0.5", main=False)], longest=1))
    _, first, second = chart.iter("{http://www.w3.org/2000/svg}rect")
    assert float(first.attrib["width"]) == 2 * float(second.attrib["width"]) == 240
    assert first.attrib["fill"] != second.attrib["fill"]
    assert [text.text for text in chart.iter("{http://www.w3.org/2000/svg}text")] == ["a & b", "1.0", "half", "0.5"]


def test_files_are_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("old")
    assert write_files(tmp_path, {"results.json": "{}\n"}) == [tmp_path / "results.json"]
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("results.json", "{}\n")]
