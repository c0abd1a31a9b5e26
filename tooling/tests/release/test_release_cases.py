"""Every case of tests/cases/release: what must be found is found, and nothing wrong is said of what is fine."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from labhandbook.core.rules import Finding, Severity
from labhandbook.package.environments import Own
from labhandbook.package.machine import interpreters
from labhandbook.package.project import Project, Settings
from labhandbook.release import install_tests
from labhandbook.release.install_tests import Trial
from labhandbook.release.release_rules.installed_tests import judge
from tooling.tests.package import sample_dists
from tooling.tests.release.release_cases import FOLDER, Case, cases, read

HERE = next(each for each in interpreters() if each.minor == sys.version_info[:2])
NO_TESTS = Settings(test_command=("python", "-c", ""))


def agree(case: Case, findings: Iterable[Finding]) -> None:
    """Assert that the findings are those that the case asks for."""
    said = [f"{each.rule.code} {each.weight}: {each.message}" for each in findings]
    for wanted in case.keys.get("expect", ()):
        head, _, words = wanted.partition(": ")
        assert any(line.startswith(head) and words in line for line in said), (wanted, said)
    if case.path.parent.name == "fine":
        assert not [line for line in said if line.split()[1] == f"{Severity.ERROR}:"], said
    for code in case.one("never").split():
        assert not [line for line in said if line.startswith(code)], said


def test_each_case_has_a_step_and_says_what_it_shows() -> None:
    for path in FOLDER.glob("*/*"):
        case = read(path)
        assert case.step in ("test", "inspect", "build", "check") and case.one("about").endswith("."), path
        assert ("expect" in case.keys) is (path.parent.name == "broken") or case.one("never"), path


@pytest.mark.parametrize("path", cases("test"), ids=lambda path: path.stem)
def test_a_wheel_alone(path: Path, tmp_path: Path) -> None:
    case = read(path)
    more = {name: str(text) for name, text in case.of("wheel").items()}
    file = sample_dists.wheel(tmp_path, requires=case.keys.get("requires", ()), extras=case.keys.get("extra", ()),
                              more=more)
    project = Project(tmp_path, {"project": {"name": "demo"}}, "", None, NO_TESTS)
    trial = Trial("wheel", (Own("demo", "1.0", sample_dists.sha256(file), file),), HERE)
    agree(case, judge(project, install_tests.carry_out([trial], project)))
