"""Every case of tests/cases/release: what must be found is found, and nothing wrong is said of what is fine."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding, Severity
from labhandbook.package import distribution
from labhandbook.package.environments import Own
from labhandbook.package.machine import interpreters, uv_program
from labhandbook.package.project import Project, Settings, load_project
from labhandbook.release import install_tests
from labhandbook.release.inspection import inspect
from labhandbook.release.install_tests import Trial
from labhandbook.release.package_build import Built, build
from labhandbook.release.release_rules.installed_tests import judge
from tooling.tests.conftest import run
from tooling.tests.package import sample_dists, sample_packages
from tooling.tests.package.sample_packages import METADATA, MODULES, git, write
from tooling.tests.release import content_cases
from tooling.tests.release.release_cases import FOLDER, Case, cases, read

pytestmark = pytest.mark.walk

HERE = next(each for each in interpreters() if each.minor == sys.version_info[:2])
NO_TESTS = Settings(test_command=("python", "-c", ""))


def agree(case: Case, findings: Iterable[Finding | str]) -> None:
    """Assert that the findings, or what stopped the step, are those that the case asks for."""
    said = [each if isinstance(each, str) else f"{each.rule.code} {each.weight}: {each.message} -> {each.fix}"
            for each in findings]
    for wanted in case.keys.get("expect", ()):
        head, _, words = wanted.partition(": ")
        assert any(line.startswith(head) and words in line for line in said), (wanted, said)
    if case.path.parent.name == "fine":
        assert not [line for line in said if f"{Severity.ERROR}:" in line.split()[:2]], said
    for code in case.one("never").split():
        assert not [line for line in said if line.startswith(code)], said


def test_each_case_has_a_step_and_says_what_it_shows() -> None:
    for path in FOLDER.glob("*/*"):
        case = read(path)
        assert case.step in ("test", "suite", "inspect", "build", "command"), path
        assert case.one("about").endswith("."), path
        assert ("expect" in case.keys) is (path.parent.name == "broken") or case.one("never"), path


@pytest.mark.parametrize("path", cases("test", "suite"), ids=lambda path: path.stem)
def test_a_wheel_in_a_clean_environment(path: Path, tmp_path: Path) -> None:
    case = read(path)
    more = {name: str(text) for name, text in case.of("wheel").items()}
    file = sample_dists.wheel(tmp_path, requires=case.keys.get("requires", ()), extras=case.keys.get("extra", ()),
                              more=more)
    own = (Own("demo", "1.0", sample_dists.sha256(file), file),)
    trials = [Trial("wheel", own, HERE)]
    project = Project(tmp_path, {"project": {"name": "demo"}}, "", None, NO_TESTS)
    if case.step == "suite":
        trials += [Trial("wheel", own, HERE, lowest=True)] if uv_program() else []
        write(tmp_path / "tree", {name: data for name, data in case.of("tree").items() if data is not None})
        project = load_project(tmp_path / "tree", ask_remote=False)
    agree(case, judge(project, install_tests.carry_out(trials, project)))


@pytest.mark.parametrize("path", cases("inspect"), ids=lambda path: path.stem)
def test_the_contents_of_both_files(path: Path, tmp_path: Path) -> None:
    case = read(path)
    root = write(tmp_path / "tree", {name: data for name, data in case.of("tree").items() if data is not None})
    if (root / ".gitignore").exists():
        git(root, "init", "--quiet")
    metadata = METADATA.replace(">=3.11", case.one("python", ">=3.11"))
    info = {name.partition("/")[2]: data for name, data in case.of("wheel").items() if ".dist-info/" in name}
    files = {name: data for name, data in case.of("wheel").items() if ".dist-info/" not in name}
    wheel = sample_packages.wheel(tmp_path, {**MODULES, **files}, metadata, info=info, modes=case.modes(),
                                  name=f"demo-1.2.0-{case.one('tag', 'py3-none-any')}.whl")
    built = Built(tmp_path, distribution.read(sample_packages.sdist(tmp_path, case.of("sdist"))),
                  distribution.read(wheel))
    agree(case, inspect(built, content_cases.project(root)).findings)


@pytest.mark.long
@pytest.mark.parametrize("path", cases("command"), ids=lambda path: path.stem)
def test_the_command_builds_what_only_the_backend_knows(path: Path, tmp_path: Path) -> None:
    root = committed(read(path), tmp_path)
    done = run("release", "build", cwd=root)
    assert done.returncode == 0 and "demo-1.2.0.tar.gz" in done.stderr, done.stderr
    assert list((root / ".git/handbook/release/demo-1.2.0/dist").glob("demo-1.2.0-*-none-any.whl"))


def committed(case: Case, folder: Path) -> Path:
    """The tree of a case as a repository of one commit, with the tags that the case names."""
    root = write(folder / "tree", {name: data for name, data in case.of("tree").items() if data is not None})
    for words in (["init", "--quiet"], ["add", "--all", "--force"], ["commit", "--quiet", "--message", "Everything"]):
        git(root, *words)
    for tag in case.one("tags", "v1.2.0").split():
        git(root, "tag", tag)
    return root


@pytest.mark.long
@pytest.mark.parametrize("path", cases("build"), ids=lambda path: path.stem)
def test_a_build(path: Path, tmp_path: Path) -> None:
    case = read(path)
    root = committed(case, tmp_path)
    project = load_project(root, ask_remote=False)
    try:
        result = build(project, tmp_path / "out")
        found: list[Finding | str] = [*inspect(result, project).findings]
    except HandbookError as error:
        found = [f"error: {error.what}; {error.why}; {error.todo}"]
    agree(case, found)
