"""Findings as text, Markdown, JSON and SARIF."""

from __future__ import annotations

import json
from typing import Any

import pytest

from labhandbook.core.report import as_text, counts, report
from labhandbook.core.rules import Finding, Rule, Severity

RULE = Rule("TST001", "A thing holds", "It breaks.", "Fix it.", "sec-things")
OTHER = Rule("TST002", "Another | thing", "It matters.", "Look *here*.", "sec-others", Severity.WARNING)
FINDINGS = [
    Finding("chapters/a b.qmd", 3, RULE, "x is <wrong> | “ü”"),
    Finding("chapters/a b.qmd", 3, RULE, "x is <wrong> | “ü”"),
    Finding("_quarto.yml", 0, OTHER, "y is doubtful"),
    Finding("/far/away.html", 1, RULE, "could not be verified: no tool", Severity.UNVERIFIED),
]
ADDRESSES = {"sec-things": "https://example.org/book/things.html#sec-things"}


def sarif(findings: list[Finding]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(report(findings, "sarif", ADDRESSES))
    return made


def test_text_has_place_code_remedy_and_section() -> None:
    lines = as_text(FINDINGS).splitlines()
    assert lines[:3] == ["✗ chapters/a b.qmd:3: TST001 x is <wrong> | “ü”", "    Fix it.", "    @sec-things"]
    assert [line[0] for line in lines[::3]] == ["✗", "✗", "!", "?"]
    assert lines[6] == "! _quarto.yml: TST002 y is doubtful"


def test_text_has_one_line_a_finding_and_says_how_to_see_more() -> None:
    lines = as_text(FINDINGS, verbose=False).splitlines()
    assert [line[0] for line in lines[:-1]] == ["✗", "✗", "!", "?"]
    assert lines[-1] == "    -v says how to fix them; handbook rules TST001 explains the rule"


def test_counts_are_words() -> None:
    assert counts(FINDINGS) == "2 errors, 1 warning, 1 could not be verified"
    assert counts(FINDINGS[2:3] * 2) == "2 warnings"
    assert counts([]) == "no findings"


def test_json_says_all_of_a_finding() -> None:
    made = json.loads(report(FINDINGS, "json"))
    assert made["counts"] == {"error": 2, "warning": 1, "unverified": 1}
    assert made["findings"][0] == {
        "file": "chapters/a b.qmd", "line": 3, "code": "TST001", "severity": "error", "message": FINDINGS[0].message,
        "why": "It breaks.", "fix": "Fix it.", "section": "sec-things", "source": ""}


def test_markdown_keeps_its_table() -> None:
    lines = report(FINDINGS, "markdown", ADDRESSES).splitlines()
    assert lines[0] == "## Handbook check: 2 errors, 1 warning, 1 could not be verified"
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + len(FINDINGS)
    assert {row.replace("\\|", "").count("|") for row in rows} == {6}
    assert rows[2] == ("| ✗ | `chapters/a b.qmd:3` | [TST001](https://example.org/book/things.html#sec-things) "
                       "| x is \\<wrong\\> \\| “ü” | Fix it. |")
    assert report([], "markdown") == "## Handbook check: no findings\n"


def test_sarif_has_the_shape_that_the_standard_asks_for() -> None:
    made = sarif(FINDINGS)
    assert made["version"] == "2.1.0" and made["$schema"].endswith("sarif-2.1.0.json")
    (run,) = made["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "handbook" and driver["version"]
    for rule in driver["rules"]:
        assert {"id", "shortDescription", "fullDescription", "help", "defaultConfiguration"} <= set(rule)
        assert all(rule[name]["text"] for name in ("shortDescription", "fullDescription", "help"))
        assert rule["defaultConfiguration"]["level"] in {"none", "note", "warning", "error"}
    assert [rule["id"] for rule in driver["rules"]] == ["TST001", "TST002"]
    assert driver["rules"][0]["helpUri"] == ADDRESSES["sec-things"] and "helpUri" not in driver["rules"][1]
    assert len(run["results"]) == len(FINDINGS)
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"]
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning", "note"]


def test_sarif_places_are_addresses_and_lines() -> None:
    places = [result["locations"][0]["physicalLocation"] for result in sarif(FINDINGS)["runs"][0]["results"]]
    assert places[0] == {"artifactLocation": {"uri": "chapters/a%20b.qmd", "uriBaseId": "%SRCROOT%"},
                         "region": {"startLine": 3}}
    assert "region" not in places[2]
    assert places[3]["artifactLocation"] == {"uri": "/far/away.html"}


def test_sarif_distinguishes_equal_findings_but_not_moved_ones() -> None:
    def prints(findings: list[Finding]) -> list[str]:
        return [result["partialFingerprints"]["handbook/v1"] for result in sarif(findings)["runs"][0]["results"]]

    assert len(set(prints(FINDINGS))) == len(FINDINGS)
    assert prints([Finding("a", 1, RULE, "m")]) == prints([Finding("a", 9, RULE, "m")])


@pytest.mark.parametrize("form", ["text", "json", "markdown", "sarif"])
def test_no_findings_is_a_report_too(form: str) -> None:
    made = report([], form)
    assert form != "sarif" or json.loads(made)["runs"][0]["results"] == []
    assert form != "json" or json.loads(made)["findings"] == []
