"""What must hold of a pushed tag before a workflow builds anything from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labhandbook.core.rule_pages import load
from labhandbook.core.rules import REGISTRY, Finding, Rule, Severity, register
from labhandbook.core.wording import listed
from labhandbook.package.project import PYPROJECT

GREEN = register(Rule(
    "REL401", "Every check of the tagged commit is green",
    "A release takes what the checks said of its commit for granted, and nobody can take it back.",
    "Mend what is red on the default branch and tag the commit that mends it; if the check was at fault, run it "
    "again and then this job.", "sec-actions-admit"))


@dataclass(frozen=True)
class Check:
    """A workflow's last run on the commit, or another program's check of it. `green` is None while it runs."""

    name: str
    green: bool | None
    said: str
    url: str = ""


@dataclass(frozen=True)
class Admission:
    """What is known of a tag. `wanted` are the tags that its commit's version may have, the usual one first.

    `on_default` is whether the default branch holds the commit, None where that can't be told.
    """

    tag: str
    version: str
    wanted: Sequence[str]
    commit: str
    shallow: bool
    default_branch: str
    on_default: bool | None
    checks: Sequence[Check]


def of_the_commit() -> list[Rule]:
    """The rules of a release that a pushed tag can break too: a whole clone, the right tag, on the default branch."""
    load("REL")
    return [REGISTRY[code] for code in ("REL012", "REL013", "REL015")]


def judge(asked: Admission) -> Iterator[Finding]:
    """Why the tag may not be released; every finding is an error."""
    found = _found(asked)
    return (Finding(PYPROJECT, 0, rule, message, Severity.ERROR) for rule, message in found)


def _found(asked: Admission) -> Iterator[tuple[Rule, str]]:
    whole, usual, on_default = of_the_commit()
    if asked.tag not in asked.wanted:
        yield usual, f"the tag is {asked.tag}, the version is {asked.version}, whose tag is {asked.wanted[0]}"
    if asked.shallow:
        yield whole, "the clone is shallow"
    commit = asked.commit[:10]
    if asked.on_default is None:
        yield on_default, f"whether {asked.default_branch} holds {commit} can't be told in this clone"
    elif not asked.on_default:
        yield on_default, f"{asked.default_branch} doesn't hold {commit}"
    if not asked.checks:
        yield GREEN, f"no check has run on {commit}"
    for check in asked.checks:
        if check.green is not True:
            still = "is still running" if check.green is None else f"ended with {check.said}"
            yield GREEN, f"{check.name} {still}{f' ({check.url})' if check.url else ''}"


def words(asked: Admission) -> str:
    """What was looked at, in one line."""
    return (f"{asked.tag} is {asked.commit[:10]} on {asked.default_branch}; green: "
            f"{listed([check.name for check in asked.checks if check.green])}")
