"""Each rule finds its seeded defect, passes over the near miss, and says what a person needs."""

from __future__ import annotations

import re

import pytest

from labhandbook.core.rules import REGISTRY, Finding, Severity
from labhandbook.release.check_project import judge
from labhandbook.release.project_facts import PROJECT, Facts
from tooling.tests.conftest import ROOT
from tooling.tests.release.rule_cases import GOOD, HATCH, SCM, Case, facts
from tooling.tests.release.rule_edges import EDGES
from tooling.tests.release.rule_table import CASES

EVERY = [pytest.param(code, case, id=f"{code}-{number}") for code in CASES
         for number, case in enumerate([*CASES[code], *EDGES.get(code, [])])]


def of(code: str, seen: Facts) -> list[Finding]:
    return PROJECT.find(code, seen)


def test_each_rule_has_a_seeded_defect_and_a_near_miss() -> None:
    assert set(EDGES) <= set(CASES) == {code for code in REGISTRY
                                        if re.fullmatch(r"REL0\d\d", code)} == set(PROJECT.checks)


@pytest.mark.parametrize(("code", "case"), EVERY)
def test_the_defect_is_found(code: str, case: Case) -> None:
    found = of(code, case.bad)
    assert [finding for finding in found if case.says in finding.message and finding.weight is case.weight], found
    assert all(finding.rule.code == code and finding.line >= 0 and "\n" not in finding.message for finding in found)


@pytest.mark.parametrize(("code", "case"), EVERY)
def test_the_near_miss_is_not(code: str, case: Case) -> None:
    assert of(code, case.miss) == []


@pytest.mark.parametrize("seen", [facts(), facts(SCM, version="1.2.0"), facts(HATCH)],
                         ids=["setuptools", "scm", "hatch"])
def test_a_good_project_has_no_findings(seen: Facts) -> None:
    assert list(judge(seen)) == []


@pytest.mark.parametrize("code", sorted(CASES))
def test_a_rule_names_a_section_that_is_there(code: str) -> None:
    rule = REGISTRY[code]
    chapters = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "chapters/packaging").glob("*.qmd"))
    assert f"{{#{rule.section} " in chapters or f"{{#{rule.section}}}" in chapters
    assert rule.title[0].isupper() or rule.title.startswith(("requires-python", "pyproject", "`__version__`",
                                                             "CITATION"))
    assert not rule.title.endswith(".")
    assert rule.why.endswith(".")
    assert rule.fix.endswith(".")


def test_findings_in_pyproject_name_their_line() -> None:
    lines = GOOD.splitlines()
    for code, expected in {"REL041": "numpy==1.26.4", "REL031": "<3.14", "REL052": "Typd"}.items():
        case = CASES[code][0]
        text = case.bad.project.text.splitlines()
        for finding in of(code, case.bad):
            assert expected in text[finding.line - 1], finding
    assert len(lines) > 20


def test_ignored_findings_are_shown_with_their_reason() -> None:
    text = GOOD.replace("numpy>=1.26", "numpy") + '\n[tool.handbook.release.ignore]\nREL042 = "any numpy will do"\n'
    found, = judge(facts(text))
    assert found.weight is Severity.IGNORED
    assert found.message == "numpy has no lower bound (ignored: any numpy will do)"


def test_an_empty_reason_ignores_nothing() -> None:
    text = GOOD.replace("numpy>=1.26", "numpy") + '\n[tool.handbook.release.ignore]\nREL042 = ""\n'
    assert {finding.rule.code: finding.weight for finding in judge(facts(text))} == {
        "REL042": Severity.WARNING, "REL090": Severity.ERROR}


ODD = [
    "",
    "[project]\n",
    "project = 3\n",
    '[project]\nname = 3\nversion = 4\ndynamic = 5\n',
    '[project]\nclassifiers = "x"\ndependencies = [1]\nauthors = ["me"]\nurls = 3\n',
    '[project]\nreadme = 3\nlicense = 4\nlicense-files = "x"\noptional-dependencies = []\n',
    '[project]\nname = "demo"\ndynamic = ["version", "readme", "dependencies", "license"]\n',
    "[build-system]\nrequires = 3\nbuild-backend = 4\n[tool]\nsetuptools = 3\n",
    "[tool.setuptools]\npackages = 3\npackage-dir = []\nexclude-package-data = []\n",
    '[tool.setuptools]\npackages = ["a"]\npackage-dir = { a = 3 }\nexclude-package-data = { a = 3 }\n',
    "[tool.setuptools]\npackages.find = { where = 3, include = 4 }\ndynamic = 3\n",
    '[project]\ndynamic = ["version"]\n[tool.setuptools.dynamic]\nversion = { file = [] }\n',
    '[build-system]\nbuild-backend = "hatchling.build"\n[tool.hatch]\nbuild = 3\nversion = 3\n',
    '[build-system]\nbuild-backend = "poetry.core.masonry.api"\n[tool.poetry]\npackages = [3]\n',
    '[build-system]\nbuild-backend = "uv_build"\n[tool.uv]\nbuild-backend = 3\n',
    '[build-system]\nbuild-backend = "pdm.backend"\n[tool.pdm]\nbuild = 3\nversion = 3\n',
]


@pytest.mark.parametrize("text", ODD)
def test_odd_values_are_findings_and_no_crash(text: str) -> None:
    assert judge(facts(text))
