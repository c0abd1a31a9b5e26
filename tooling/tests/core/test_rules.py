"""The one runner of rules: ignores, duplicates, order, and rules that need others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labhandbook.core import rules
from labhandbook.core.rules import ERROR, UNVERIFIED, WARNING, At, Finding, Findings, Rule, Rules, Severity, register


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> Rules[str]:
    """Rules on a text, in a registry of their own."""
    monkeypatch.setattr(rules, "REGISTRY", {})
    made: Rules[str] = Rules(lambda text: "text.txt")

    @made.rule("TST002", "It has no b", why="Why.", fix="Remove it.", section="sec-a", severity=WARNING)
    def no_b(text: str) -> Iterator[At]:
        for line, words in enumerate(text.splitlines(), 1):
            if "b" in words:
                yield At("there is a b", line=line)
                yield At("there is a b", line=line)

    @made.rule("TST001", "It is sorted", why="Why.", fix="Sort it.", section="sec-a", requires=("TST003",))
    def in_order(text: str) -> Iterator[At]:
        if sorted(text) != list(text):
            yield At("it is not sorted", fix="Sort these letters.")

    @made.rule("TST003", "It has letters", why="Why.", fix="Write some.", section="sec-a")
    def letters(text: str) -> Iterator[At]:
        if not text:
            yield At("it is empty", "other.txt")
        elif text == "?":
            yield rules.unverified("it can't be read")

    return made


def shown(found: Findings) -> list[tuple[str, str, Severity]]:
    return [(finding.place, finding.rule.code, finding.weight) for finding in found]


def test_findings_are_sorted_and_each_is_there_once(family: Rules[str]) -> None:
    found = family.run("c\nb\na b")
    assert shown(found) == [("text.txt", "TST001", ERROR), ("text.txt:2", "TST002", WARNING),
                            ("text.txt:3", "TST002", WARNING)]
    assert found.rules == 3 and found[0].fix == "Sort these letters." and found[1].fix == "Remove it."
    assert found.counts() == {ERROR: 1, WARNING: 2}


def test_a_rule_waits_for_those_that_it_requires(family: Rules[str]) -> None:
    assert shown(family.run("")) == [("other.txt", "TST003", ERROR)]
    assert shown(family.run("?")) == [("text.txt", "TST003", UNVERIFIED)]
    without = family.run("ca", without=["TST003"])
    assert shown(without) == [("text.txt", "TST001", ERROR)], "a rule that is left out blocks no other"


def test_what_is_ignored_for_a_reason_fails_nothing(family: Rules[str]) -> None:
    found = family.run("ca", ignored={"TST001": "it is a poem", "TST002": " "})
    assert shown(found) == [("text.txt", "TST001", Severity.IGNORED)]
    assert "(ignored: it is a poem)" in found[0].message
    assert not found.failed(strict=True)
    assert shown(family.run("b", ignored={"TST002": " "})) == [("text.txt:1", "TST002", WARNING)], "without a reason"


@pytest.mark.parametrize(("text", "failed", "strict"), [("a", False, False), ("b", False, True), ("ca", True, True),
                                                        ("?", False, True)])
def test_only_an_error_fails_unless_strict(family: Rules[str], text: str, failed: bool, strict: bool) -> None:
    found = family.run(text)
    assert (found.failed(), found.failed(strict=True)) == (failed, strict)


def test_two_rules_with_the_same_words_are_two_findings(family: Rules[str]) -> None:
    one, two = (Finding("a", 1, rules.REGISTRY[code], "the same") for code in ("TST001", "TST002"))
    assert one != two and len(Findings.of([one, two, one])) == 2


def test_a_code_is_registered_once_and_checked_once(family: Rules[str]) -> None:
    taken = Rule("TST001", "Another", "Why.", "Fix.", "sec-a")
    with pytest.raises(ValueError, match="registered twice"):
        register(taken)
    with pytest.raises(ValueError, match="two checks"):
        family.finds(taken)(lambda text: [])
