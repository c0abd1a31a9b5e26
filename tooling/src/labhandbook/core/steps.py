"""Steps of a documented workflow, and the ledger of what a run did.

A workflow is a list of steps: `status` lists them, a run carries them out, so the two can't differ. The ledger holds
the result of each step. A run that was interrupted continues at the first step without a result.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Generic, TypeVar

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.core.rules import Finding, Findings, Rule, Severity

Context = TypeVar("Context")
Say = Callable[[str], None]  # Shows a person how far the work is, a line at a time.


def nothing(line: str) -> None:
    """Show nothing."""


@dataclass
class Outcome:
    """What a step found and made: findings, one line for people, and facts for the ledger (JSON values)."""

    summary: str = ""
    findings: Findings = field(default_factory=Findings)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step(Generic[Context]):
    """One step of a workflow.

    `section` is the id of the handbook section about it, `needs` and `leaves` are words for a list of steps.
    `key` gives a fingerprint of the step's inputs: a step that the ledger has with the same fingerprint is
    not done again. Without `key` a step is done every time, because it only reads.
    """

    name: str
    section: str
    does: str
    run: Callable[[Context], Outcome]
    needs: tuple[str, ...] = ()
    leaves: str = ""
    key: Callable[[Context], str] | None = None


@dataclass
class Result:
    """How a step ended: `state` is "done", "kept" (the ledger had it) or "failed"; `seconds` is its time."""

    step: str
    section: str
    state: str
    seconds: float
    outcome: Outcome


class Ledger:
    """What the runs of one workflow did, in a JSON file that is replaced whole after every step.

    Raises HandbookError when the file is there and can't be read: guessing could build or upload twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, dict[str, Any]] = {}
        if path.exists():
            try:
                self.entries = {name: _whole(name, entry) for name, entry in
                                untrusted_data.json_data(untrusted_data.text(path), path.name)["steps"].items()}
            except (HandbookError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise HandbookError(
                    f"the ledger can't be read: {error}", where=str(path),
                    why="it says what was built and uploaded, so nothing is done without it",
                    todo="restore it, or move it away to begin this version again", section="sec-pypi-build",
                ) from None

    def fact(self, step: str, name: str) -> Any:
        """A fact that a step left, or None."""
        return self.entries.get(step, {}).get("facts", {}).get(name)

    def holds(self, step: str, key: str) -> bool:
        """Whether the step was done with these inputs."""
        return self.entries.get(step, {}).get("key") == key

    def outcome(self, step: str) -> Outcome:
        """How a step that was done ended, with what it found: a warning is still valid in a later run."""
        entry = self.entries[step]
        found = [Finding(rule=_rule(each["rule"]), severity=Severity(each["severity"]), file=each["file"],
                         line=each["line"], message=each["message"]) for each in entry.get("findings", [])]
        return Outcome(entry["summary"], Findings.of(found), entry["facts"])

    def record(self, step: str, key: str, seconds: float, outcome: Outcome) -> None:
        """Write down a step that ended well."""
        found = [{"file": each.file, "line": each.line, "message": each.message, "severity": each.weight,
                  "rule": asdict(each.rule)} for each in outcome.findings]
        self.entries[step] = {"key": key, "at": datetime.now(UTC).isoformat(timespec="seconds"),
                              "seconds": round(seconds, 3), "summary": outcome.summary, "findings": found,
                              "facts": outcome.facts}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self.path, json.dumps({"steps": self.entries}, indent=2) + "\n")


def _rule(fields: dict[str, Any]) -> Rule:
    """A rule as a ledger holds it. Raises TypeError for other fields."""
    return Rule(**{**fields, "requires": tuple(fields.get("requires", ()))})


def _whole(step: str, entry: Any) -> dict[str, Any]:
    """An entry of a ledger as `record` wrote it. Raises ValueError for any other."""
    if not isinstance(entry, dict):
        raise ValueError(f"{step} is not an entry")
    for name, kind in (("key", str), ("at", str), ("summary", str), ("facts", dict), ("findings", list)):
        if not isinstance(entry.get(name, kind()), kind):
            raise ValueError(f"{step}: {name} has a wrong type")
    for found in entry.get("findings", []):
        if not (isinstance(found, dict) and isinstance(found.get("rule"), dict) and isinstance(found.get("line"), int)
                and all(isinstance(found.get(name), str) for name in ("file", "message", "severity"))):
            raise ValueError(f"{step}: a finding has a wrong type")
        Severity(found["severity"])
        _rule(found["rule"])
    files = entry.get("facts", {}).get("files", {})
    if not isinstance(files, dict) or not all(
            PurePosixPath(name).name == name and (step != "build" or (isinstance(file, dict)
                                                  and isinstance(file.get("sha256"), str)))
            for name, file in files.items()):
        raise ValueError(f"{step}: its files are not names with their sha256")
    return {"key": "", "at": "", "summary": "", "facts": {}, **entry}


def carry_out(steps: Sequence[Step[Context]], context: Context, ledger: Ledger,
              begin: Callable[[Step[Context]], None] = lambda step: None) -> Iterator[Result]:
    """Carry out a workflow, giving each result as it comes; a step that fails is the last.

    `begin` is called with each step before it runs. An error in a step is not caught: the ledger then has the
    steps before it, and the next run continues there.
    """
    for step in steps:
        begin(step)
        key = step.key(context) if step.key else ""
        start = time.monotonic()
        if key and ledger.holds(step.name, key):
            yield Result(step.name, step.section, "kept", 0.0, ledger.outcome(step.name))
            continue
        outcome = step.run(context)
        seconds = time.monotonic() - start
        if outcome.findings.failed():
            yield Result(step.name, step.section, "failed", seconds, outcome)
            return
        ledger.record(step.name, key, seconds, outcome)
        yield Result(step.name, step.section, "done", seconds, outcome)
