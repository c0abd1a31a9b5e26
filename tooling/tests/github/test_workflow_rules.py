"""Each rule of the doctor finds the error that users met at its line, and passes over what comes near to it."""

from __future__ import annotations

import re

import pytest

from labhandbook.core.rules import REGISTRY, Finding, Severity
from labhandbook.github.doctor import judge
from labhandbook.github.repository import Repository
from labhandbook.github.workflow_rules import WORKFLOWS
from tooling.tests.github.doctor_cases import CASES
from tooling.tests.github.sample_repository import GOOD, PYPROJECT, RELEASE, TWINE, Case, change, repo
from tooling.tests.github.test_workflow_cases import FILES, about
from tooling.tests.github.workflow_parts import COMPOSITE

EVERY = [pytest.param(code, case, id=f"{code}-{number}") for code, cases in CASES.items()
         for number, case in enumerate(cases)]
# GHA002 says that nothing was seen, which is not an error; and zizmor's page names its own sources.
WITHOUT_THREAD = {"GHA002", "GHA050"}


def of(code: str, seen: Repository) -> list[Finding]:
    return WORKFLOWS.find(code, seen)


def test_each_rule_has_a_seeded_defect_and_a_near_miss() -> None:
    codes = {*CASES, *(about(path) for path in FILES if path.parent.name == "broken")}
    assert codes == {code for code in REGISTRY if code.startswith("GHA")} == set(WORKFLOWS.checks)


@pytest.mark.parametrize(("code", "case"), EVERY)
def test_the_defect_is_found_at_its_line(code: str, case: Case) -> None:
    found = [finding for finding in of(code, case.bad) if case.says in finding.message]
    assert found, of(code, case.bad)
    assert {finding.weight for finding in found} == {case.weight}
    assert {finding.file for finding in found} == {case.file}
    # Of several lines the last is blamed; the first tell it apart from others like it.
    assert case.line.rstrip("\n").split("\n")[-1] in {case.text(finding.line) for finding in found}


@pytest.mark.parametrize(("code", "case"), EVERY)
def test_the_near_miss_is_not(code: str, case: Case) -> None:
    assert of(code, case.miss) == []


@pytest.mark.parametrize("text", [GOOD, TWINE, change(("v*", "v[0-9]+.[0-9]+.[0-9]+*"))],
                         ids=["action", "twine", "pattern"])
def test_a_good_workflow_has_no_findings(text: str) -> None:
    assert list(judge(repo(text))) == []


@pytest.mark.parametrize("code", sorted(WORKFLOWS.checks))
def test_a_rule_says_where_users_met_the_error(code: str) -> None:
    source = REGISTRY[code].source
    assert bool(source) != (code in WITHOUT_THREAD)
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", thread) for thread in re.split(", | and ", source) if source)


def test_findings_are_ignored_for_a_reason() -> None:
    text = change(("cancel-in-progress: false", "cancel-in-progress: true"), ("github.ref", "github.actor"))
    pyproject = f'{PYPROJECT}\n[tool.handbook.release.ignore]\nGHA043 = "we wait for each other"\n'
    (found,) = judge(repo(text, pyproject=pyproject))
    assert found.weight is Severity.IGNORED and found.message.endswith("(ignored: we wait for each other)")
    assert found.file == RELEASE


ODD = ["on: push\njobs: 3\n", "on: 3\njobs: {a: 4}\n", "on: [1, {a: b}]\njobs: {a: {steps: 5}}\n",
       "on: {push: {tags: 7}, release: [x]}\njobs: {a: {needs: {b: c}, steps: [1, {uses: 2}, {run: [3]}]}}\n",
       "on: {release: {types: {a: b}}}\n"
       "jobs:\n  a: {permissions: [x], environment: [y], strategy: 3, steps: [{uses: a/b}]}\n",
       "on: push\njobs:\n  a:\n    needs: [a, b]\n    if: ${{ ((( }}\n    steps: [{run: twine upload}]\n",
       "on: {push: {tags: ['[', '?', '+', '!', '\\']}}\n"
       "jobs:\n  a: {runs-on: {group: x}, steps: [{run: uv publish}]}\n",
       "on: workflow_call\njobs: {a: {uses: ./.github/workflows/release.yml, permissions: {id-token: write}}}\n",
       "on: push\njobs:\n  a: &a\n    steps:\n      - run: twine upload\n  b: *a\n",
       "on: push\nconcurrency: x\njobs: {a: {concurrency: [], steps: [{uses: 'pypa/gh-action-pypi-publish@'}]}}\n"]


@pytest.mark.parametrize("text", ODD)
def test_odd_workflows_are_findings_and_no_crash(text: str) -> None:
    for pyproject in (PYPROJECT, None):
        assert judge(repo(text, pyproject=pyproject))


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "a: &a {b: *a}\n", "\t", "%", ""])
def test_what_is_no_workflow_is_a_finding(text: str) -> None:
    assert {finding.rule.code for finding in judge(repo(text))} >= {"GHA001"}


@pytest.mark.parametrize("condition", ["", "        if: github.event_name == 'push'\n"])
def test_the_condition_of_a_composite_action_holds_for_its_steps(condition: str) -> None:
    publish = f"      - uses: ./.github/actions/publish\n{condition}      - name: Publish\n"
    text = change(("  push:\n", "  pull_request:\n  push:\n"), ("      - name: Publish\n", publish))
    found = of("GHA013", repo(text, composites={".github/actions/publish": COMPOSITE}))
    assert any(finding.file == ".github/actions/publish/action.yml" for finding in found) != bool(condition)


def test_a_composite_action_that_uses_itself_ends() -> None:
    actions = {".github/actions/publish": COMPOSITE.replace("pypa/gh-action-pypi-publish@release/v1",
                                                            "./.github/actions/publish")}
    text = change(("      - name: Publish", "      - uses: ./.github/actions/publish\n      - name: P"))
    assert not judge(repo(text, composites=actions))
