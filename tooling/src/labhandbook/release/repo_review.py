"""The rules on a project as checks of repo-review, so that they are shown beside those of other plugins.

repo-review finds this module by the entry points of the package. Its fixture `package` is the folder of the project.
A finding that is an error or a warning fails a check. What can't be verified without the network is skipped, and so
is everything in a repository that is not on this machine.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.rule_pages import anchor, page
from labhandbook.core.rules import ERROR, REGISTRY, UNVERIFIED, WARNING, Findings
from labhandbook.core.section_addresses import site
from labhandbook.package.project import load_project
from labhandbook.release.check_project import BEFORE_THE_COMMIT, check_loaded
from labhandbook.release.project_facts import PROJECT

FAMILY = "labhandbook"


class Check:
    """One rule in the form that repo-review asks for."""

    family = FAMILY

    def __init__(self, code: str) -> None:
        rule = REGISTRY[code]
        self.__doc__ = rule.title
        self.code = code
        self.requires = {each for each in rule.requires if each not in BEFORE_THE_COMMIT}
        self.url = f"{site()}/{page(code).removesuffix('.qmd')}.html#{anchor(code)}" if site() else ""

    def check(self, package: Any) -> str | None:
        """What the rule found in a project, empty when nothing; None where it could not look."""
        if not isinstance(package, Path):  # a folder of a repository on GitHub
            return None
        try:
            found = [finding for finding in _findings(package.absolute()) if finding.rule.code == self.code]
        except HandbookError:
            return None
        wrong = [f"{finding.place}: {finding.message}. {finding.fix}" for finding in found
                 if finding.weight in (ERROR, WARNING)]
        return "\n\n".join(wrong) or (None if any(finding.weight is UNVERIFIED for finding in found) else "")


def checks() -> dict[str, Check]:
    """The rules that sources can follow before they are committed, by their code."""
    return {code: Check(code) for code in sorted(PROJECT.checks) if code not in BEFORE_THE_COMMIT}


def families() -> dict[str, dict[str, str]]:
    """The heading of the checks."""
    return {FAMILY: {"name": "Release of the package (handbook release check)"}}


@cache
def _findings(root: Path) -> Findings:
    return check_loaded(load_project(root, ask_remote=False), offline=True, without=BEFORE_THE_COMMIT)
