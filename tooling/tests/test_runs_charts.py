"""Charts of the projects' pages, read as SVG: bars, and curves over seeds."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from labhandbook.runs import Bar, Curve, Panel, bar_chart, line_chart, spread

SVG = "{http://www.w3.org/2000/svg}"


def words(chart: ET.Element) -> list[str | None]:
    return [text.text for text in chart.iter(f"{SVG}text")]


def places(element: ET.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", element.attrib["points"])]


def test_bars_have_the_length_of_their_values_and_a_line_for_the_interval() -> None:
    """Of two seeds, 0 and 2, the mean is 1 and the interval everything between; that interval is the longest."""
    bars = [Bar("a & b", spread([0, 2]), "{:.1f}"), Bar("half", spread([0.5]), main=False)]
    chart = ET.fromstring(bar_chart("Two <bars>", bars))
    _, first, second = chart.iter(f"{SVG}rect")
    assert float(first.attrib["width"]) == 2 * float(second.attrib["width"]) == 120
    assert first.attrib["fill"] != second.attrib["fill"]
    lines = [(float(line.attrib["x1"]) - 230, float(line.attrib["x2"]) - 230) for line in chart.iter(f"{SVG}line")]
    assert lines == [(0, 240), (0, 240), (60, 60), (60, 60)]
    assert words(chart) == ["a & b", "1.0", "half", "0.5"] and chart[0].text == "Two <bars>"
    wide = ET.fromstring(bar_chart("Two", bars, longest=4))
    assert float(list(wide.iter(f"{SVG}rect"))[1].attrib["width"]) == 60


def test_a_line_is_the_interquartile_mean_and_its_area_the_interval() -> None:
    """Of three seeds, 0, 3 and 9: their mean without a quarter is 4, and their interval from 0 to 9."""
    curve = Curve("one", [0, 10], [[0, 5], [3, 5], [9, 5]])
    chart = ET.fromstring(line_chart("Learning", [Panel("metres", [curve], (0, 4, 10))], (0, 5), "steps"))
    line, = chart.iter(f"{SVG}polyline")
    area, = chart.iter(f"{SVG}polygon")
    foot, middle, top = (float(each.attrib["y1"]) for each in chart.iter(f"{SVG}line"))
    height = foot - top
    (left, first), (right, last) = places(line)
    assert first == middle and last == pytest.approx(foot - height / 2, abs=0.1)
    assert [y for _, y in places(area)] == pytest.approx([foot, last, last, foot - 0.9 * height], abs=0.1)
    axis = next(chart.iter(f"{SVG}line"))
    assert (left, right) == (float(axis.attrib["x1"]), float(axis.attrib["x2"]))
    assert words(chart) == ["Learning", "metres", "0", "4", "10", "0", "5", "one (3)", "steps"]


def test_a_logarithmic_panel_has_equal_ratios_at_equal_distances_and_a_place_for_zero() -> None:
    curve = Curve("lost", range(1, 4), [[7, 1, 0]])
    panel = Panel("lines lost", [curve], (0, 1, 3, 7), logarithmic=True)
    chart = ET.fromstring(line_chart("Lost", [panel], (1, 2, 3), "iteration"))
    lines = [float(each.attrib["y1"]) for each in chart.iter(f"{SVG}line")]
    line, = chart.iter(f"{SVG}polyline")
    assert [y for _, y in places(line)] == [lines[3], lines[1], lines[0]]
    assert lines[0] - lines[1] == pytest.approx(lines[2] - lines[3], abs=0.11)
    assert (lines[0] - lines[1]) / (lines[0] - lines[3]) == pytest.approx(math.log(2) / math.log(8), abs=0.01)


def test_names_beside_lines_that_end_together_are_clear_of_each_other_and_in_their_order() -> None:
    ends = {"low": 0.0, "mid": 0.1, "same": 0.1, "high": 0.15}
    panel = Panel("score", [Curve(name, [0, 1], [[0, end]]) for name, end in ends.items()], (0, 10))
    chart = ET.fromstring(line_chart("Close", [panel], (0,), "steps"))
    named = {text.text: float(text.attrib["y"]) for text in chart.iter(f"{SVG}text")}
    feet = [named[f"{name} (1)"] for name in ("high", "mid", "same", "low")]
    assert all(below - above >= 15 for above, below in pairwise(feet))
    assert feet[-1] <= max(float(line.attrib["y1"]) for line in chart.iter(f"{SVG}line"))
    strokes = [line.attrib.get("stroke-dasharray") for line in chart.iter(f"{SVG}polyline")]
    assert len(set(strokes)) == 4, "lines differ without colours"
