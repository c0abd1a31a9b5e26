"""Steps and their ledger: what is kept, what is done again, and what a kept step still has to say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding, Findings, Rule, Severity
from labhandbook.core.steps import Ledger, Outcome, Result, Step, carry_out

RULE = Rule("TST001", "A rule", "because", "fix it", "sec-pypi")


def steps(done: list[str], key: str, *, fails: str = "") -> list[Step[None]]:
    def run(name: str) -> Callable[[None], Outcome]:
        def work(context: None) -> Outcome:
            done.append(name)
            weight = Severity.ERROR if name == fails else Severity.WARNING
            return Outcome(f"{name} ended", Findings.of([Finding("a.py", 3, RULE, "look here", weight)]),
                           {"of": name})

        return work

    return [Step("one", "sec-pypi", "", run("one"), key=lambda context: key), Step("two", "sec-pypi", "", run("two"))]


def carried(path: Path, *args: str, fails: str = "") -> tuple[list[str], list[Result]]:
    done: list[str] = []
    results = list(carry_out(steps(done, *args, fails=fails), None, Ledger(path)))
    return done, results


def test_what_is_kept_still_says_what_it_found(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    assert carried(path, "a")[0] == ["one", "two"]
    done, (first, second) = carried(path, "a")
    assert done == ["two"], "only a step with a key is kept"
    assert (first.state, second.state) == ("kept", "done")
    assert first.outcome == Outcome("one ended", Findings.of([Finding("a.py", 3, RULE, "look here",
                                                                      Severity.WARNING)]), {"of": "one"})
    assert first.outcome.findings[0].weight is Severity.WARNING and first.outcome.findings[0].rule == RULE


def test_other_inputs_are_no_reason_to_keep_it(tmp_path: Path) -> None:
    assert carried(tmp_path / "ledger.json", "a")[0] == carried(tmp_path / "ledger.json", "b")[0] == ["one", "two"]


def test_a_step_that_fails_is_the_last_and_is_not_written_down(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    done, results = carried(path, "a", fails="one")
    assert done == ["one"] and results[-1].state == "failed" and not path.exists()
    assert carried(path, "a")[0] == ["one", "two"]


def test_a_ledger_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "ledger.json").write_text("[]")
    with pytest.raises(HandbookError, match="can't be read"):
        Ledger(tmp_path / "ledger.json")
