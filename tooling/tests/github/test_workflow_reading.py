"""What the doctor knows before a run: triggers, patterns, conditions, and who uploads where."""

from __future__ import annotations

import pytest

from labhandbook.core.yaml_reader import read_yaml
from labhandbook.github.expressions import FITTING, UNKNOWN, Begins, evaluate, holds
from labhandbook.github.trigger_events import admitted, triggers
from labhandbook.github.workflow_model import read_workflow
from tooling.tests.github.sample_repository import GOOD, RELEASE, TESTPYPI, TWINE, change, repo

KNOWN = {"github.event_name": "push", "github.ref": "refs/tags/v1.2.3", "github.event.action": None,
         "github.repository": FITTING, "github.base_ref": Begins("refs/pull/")}

HOLDS = [
    ("", True), ("true", True), ("${{ false }}", False), ("github.event_name == 'push'", True),
    ("github.event_name == 'PUSH'", True), ("github.event_name != 'push'", False),
    ("!(github.event_name == 'x')", True),
    ("startsWith(github.ref, 'refs/tags/v')", True), ("startsWith(github.ref, 'refs/heads/')", False),
    ("${{ startsWith( github['ref'] , 'refs/tags' ) && github.event_name == 'push' }}", True),
    ("contains(github.ref, 'tags')", True), ("endsWith(github.ref, '.3')", True), ("contains('a''b', '''')", True),
    ("github.event_name == 'release' || needs.build.outputs.go == 'yes'", None),
    ("github.event_name == 'push' || needs.build.outputs.go == 'yes'", True),
    ("github.event_name == 'release' && needs.build.outputs.go == 'yes'", False),
    ("github.event_name == 'push' && secrets.X", None), ("github.event.action == 'published'", False),
    ("github.event.action == ''", True), ("github.repository == 'any/body'", True), ("vars.X", None),
    ("startsWith(github.base_ref, 'refs/pull/1')", None), ("startsWith(github.base_ref, 'refs/heads/')", False),
    ("github.base_ref == 'refs/heads/main'", False), ("github.base_ref == 'refs/pull/7/merge'", None),
    ("always()", True), ("failure()", False), ("success() && !cancelled()", True), ("hashFiles('x') != ''", None),
    ("1 == 1.0", True), ("0x10 == 16", True), ("true == 1", True), ("fromJson('[1]')[0] == 1", None),
    # What can't be read may hold.
    ("github.event_name = 'push'", None), ("((", None), ("${{ a }} == 'b'", None), ("'", None), ("== 'x'", None),
]


@pytest.mark.parametrize(("condition", "wanted"), HOLDS)
def test_conditions_are_evaluated_as_far_as_they_are_known(condition: str, wanted: bool | None) -> None:
    assert holds(condition, KNOWN) is wanted


def test_an_expression_gives_the_value_that_decides() -> None:
    assert evaluate("github.event_name == 'push' && 'a' || 'b'", KNOWN) == "a"
    assert evaluate("false && 'a' || 'b'", KNOWN) == "b"
    assert evaluate("inputs.x && 'a' || 'b'", KNOWN) is not UNKNOWN


# From GitHub's "Filter pattern cheat sheet".
PATTERNS = [
    ("feature/*", "feature/my-branch", True), ("feature/*", "feature/beta-a/my-branch", False),
    ("feature/**", "feature/beta-a/my-branch", True), ("*", "a/b", False), ("**", "all/the/branches", True),
    ("*feature", "ver-10-feature", True), ("v2*", "v2.9", True), ("v2*", "v1", False),
    ("v[12].[0-9]+.[0-9]+", "v1.10.1", True), ("v[12].[0-9]+.[0-9]+", "v3.0.0", False), ("*.jsx?", "page.js", True),
    ("*.jsx?", "page.jsx", True), ("v1.0", "v1x0", False), ("v\\*", "v*", True), ("v\\*", "v1", False),
    ("[", "[", True),
]


@pytest.mark.parametrize(("pattern", "name", "wanted"), PATTERNS)
def test_filter_patterns_are_githubs(pattern: str, name: str, wanted: bool) -> None:
    assert admitted([pattern], name) is wanted


def test_later_patterns_win_over_earlier_ones() -> None:
    assert not admitted(["v*", "!v*rc*"], "v1.0rc1") and admitted(["v*", "!v*rc*", "v*rc9"], "v1.0rc9")
    assert not admitted(["!v*"], "v1") and not admitted([], "v1")


STARTS = [
    ("push", [("push", "refs/tags/v1"), ("push", None)]),
    ("[push, pull_request]", [("push", "refs/tags/v1"), ("push", None), ("pull_request", None)]),
    ("{push: {tags: ['v*']}}", [("push", "refs/tags/v1")]),
    ("{push: {branches: [main]}}", [("push", "refs/heads/main")]),
    ("{push: {tags: ['x']}}", []), ("{push: {paths: ['src/**']}}", [("push", "refs/tags/v1"), ("push", None)]),
    ("{push: {branches: ['**'], tags-ignore: ['v*']}}", [("push", None)]),
    ("{release: {types: [published]}}", [("release", "refs/tags/v1")]), ("workflow_call", []),
    ("{workflow_dispatch: {}}", [("workflow_dispatch", None)]), ("{schedule: [{cron: x}]}", [("schedule", None)]),
]


@pytest.mark.parametrize(("on", "wanted"), STARTS)
def test_a_workflow_starts_on_its_events(on: str, wanted: list[tuple[str, str | None]]) -> None:
    found = triggers(read_workflow("a.yml", f"on: {on}\njobs: {{}}\n"), "v1")
    assert [(each.event, each.ref if isinstance(each.ref, str) else None) for each in found] == wanted


UPLOADS = [
    ("twine upload dist/*", "twine", "pypi", False),
    ("python -m twine upload -r testpypi dist/*", "twine", "testpypi", False),
    (f"uvx twine upload --repository-url {TESTPYPI} dist/*", "twine", "testpypi", False),
    ("twine upload --repository-url https://example.org/ x", "twine", "other", False),
    ("twine upload --repository-url \"$URL\" dist/*", "twine", "", False), ("uv publish", "uv", "pypi", False),
    ("uv publish --index testpypi --token \"$T\"", "uv", "testpypi", True),
    ("handbook release publish --to testpypi", "handbook", "testpypi", False),
    ("TWINE_PASSWORD=\"$T\" twine upload dist/*", "twine", "pypi", True),
    ("poetry publish --build", "poetry", "pypi", False),
    ("cd sub && flit publish", "flit", "pypi", False), ("python setup.py sdist upload", "setup.py", "pypi", False),
]


@pytest.mark.parametrize(("script", "tool", "index", "secret"), UPLOADS)
def test_uploads_by_command_are_seen(script: str, tool: str, index: str, secret: bool) -> None:
    (found,) = repo(f"on: push\njobs:\n  a:\n    steps:\n      - run: |\n          true\n          {script}\n").every
    assert (found.tool, found.index, bool(found.secret), found.line) == (tool, index, secret, 7)


@pytest.mark.parametrize("script", ["# twine upload", "echo twine upload", "uv publish --dry-run",
                                    "./twine-upload.sh", "my-twine upload", "pip install twine uv"])
def test_a_command_that_only_names_an_upload_is_none(script: str) -> None:
    assert repo(f"on: push\njobs:\n  a:\n    steps:\n      - run: |\n          {script}\n").every == []


def test_a_stored_password_makes_an_upload_unsure() -> None:
    text = change(("twine upload --non", "echo \"$X\" > ~/.pypirc\n          twine upload --non"), text=TWINE)
    assert [found.unsure for found in repo(text).publications] == [False, True]


def test_values_remember_their_lines() -> None:
    body = read_yaml(GOOD, RELEASE)
    assert body.at("on") == 3 and body["on"]["push"].at("tags") == 5 and body["nothing"].line == 1
    step = read_workflow(RELEASE, GOOD).jobs["build"].steps[1]
    lines = GOOD.splitlines()
    assert [lines[number - 1].strip() for number, _ in step.run.lines] == [text for _, text in step.run.lines]
    used = read_workflow(RELEASE, GOOD).jobs["build"].steps[0].action
    assert used and used.version == (7, 0, 1)
