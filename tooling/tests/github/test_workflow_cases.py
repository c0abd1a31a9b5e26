"""The doctor finds what the files in cases/github/broken expect, and nothing in those in cases/github/fine.

A file holds a repository's workflows: release.yml, and others behind `# file: NAME`. It says in comments
`# expect: CODE:LINE words of the message`, `# tags:` (the newest first; v1.1.0 without it), `# folders:` (those that
hold a package) and `# pyproject: none` where there is none with a recorded publisher. `{testpypi}` is the address of
TestPyPI. Its name begins with the rule that it is about.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labhandbook.core.rules import Severity
from labhandbook.github.doctor import judge
from labhandbook.github.repository import Answer, Environment
from tooling.tests.conftest import ROOT
from tooling.tests.github.sample_repository import FOLDER, PYPROJECT, TESTPYPI, repo

CASES = ROOT / "tooling/tests/cases/github"
FILES = sorted(path for folder in ("broken", "fine") for path in (CASES / folder).glob("*.yml"))
EXPECT = re.compile(r"^# expect: (\w+):(\d+) ?(.*)$", re.MULTILINE)


def about(path: Path) -> str:
    """The rule that a case is about."""
    return path.name[:6].upper()


def setting(text: str, key: str) -> list[str] | None:
    """The words behind a comment `# key:`; None without it."""
    found = re.search(rf"^# {key}:(.*)$", text, re.MULTILINE)
    return found[1].split() if found else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_doctor_finds_what_the_file_expects(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("{testpypi}", TESTPYPI)
    first, *others = re.split(r"(?m)^# file: (\S+)$", text)
    files = {f"{FOLDER}/release.yml": first}
    for name, body in zip(others[::2], others[1::2], strict=True):
        # Lines are counted from the top of the case.
        before = text[:text.index(f"# file: {name}\n")].count("\n")
        files[f"{FOLDER}/{name}"] = "\n" * before + body
    tags, folders = setting(text, "tags"), setting(text, "folders")
    seen = repo(files.pop(f"{FOLDER}/release.yml"), others=files, folders=folders or (),
                tags=("v1.1.0",) if tags is None else tuple(tags),
                github=Answer(environments={name: Environment(name, asks=True) for name in ("pypi", "testpypi")}),
                pyproject=None if setting(text, "pyproject") else PYPROJECT)
    found = [each for each in judge(seen) if each.weight is not Severity.UNVERIFIED]
    expected = [(code, int(line), words) for code, line, words in EXPECT.findall(text)]
    assert sorted((each.rule.code, each.line) for each in found) == sorted(each[:2] for each in expected), found
    for code, line, words in expected:
        assert any((each.rule.code, each.line) == (code, line) and words in each.message for each in found), found
    assert (about(path) in {code for code, *_ in expected}) is (path.parent.name == "broken")


@pytest.mark.parametrize("code", sorted({about(path) for path in FILES if path.parent.name == "broken"}))
def test_a_rule_with_a_broken_case_has_a_fine_one(code: str) -> None:
    assert any(about(path) == code for path in FILES if path.parent.name == "fine")
