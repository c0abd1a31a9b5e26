"""`handbook release init` writes a workflow that linters find nothing in, and says what the forms must hold."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.github import release_workflow
from labhandbook.github.trusted_publisher import forms
from labhandbook.package.project import load_project
from tooling.tests.conftest import ROOT, run
from tooling.tests.github import fake_github
from tooling.tests.github.act_runner import PROGRAMS, load
from tooling.tests.github.pipeline import JOBS
from tooling.tests.package.sample_packages import git, make, pyproject
from tooling.tests.release.packaging_chapter import FROM_ACTIONS, printed_words

pytestmark = pytest.mark.walk

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WORKFLOW = Path(".github/workflows/release.yml")
REHEARSAL = Path(".github/workflows/rehearse.yml")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with a remote on GitHub."""
    folder = make(tmp_path / "demo")
    git(folder, "remote", "add", "origin", "git@github.com:lab/demo.git")
    return folder


def lint(folder: Path, workflow: Path = WORKFLOW) -> str:
    """What zizmor and a checker with actionlint's rules say of a workflow; nothing when all is well."""
    said = []
    for command in (["zizmor", "--offline", "--persona", "auditor", "--quiet", "--no-progress",
                     str(workflow)],
                    ["jactionlint", "--no-color", "--strict-exit", str(workflow)]):
        done = subprocess.run([PROGRAMS / command[0], *command[1:]], cwd=folder, capture_output=True, text=True,
                              check=False)
        said += [f"{command[0]}: {done.stdout}{done.stderr}"] if done.returncode else []
    return "\n".join(said)


def test_the_workflow_is_written_and_clean(package: Path) -> None:
    done = run(*printed_words(FROM_ACTIONS, "handbook release init"), "--handbook", COMMIT, cwd=package)
    assert done.returncode == 0 and "written" in done.stderr, done.stderr
    assert lint(package) == ""
    workflow = load(package / WORKFLOW)
    assert list(workflow["jobs"]) == ["prepare", "testpypi", "verify", "pypi", "finish"]
    assert workflow["on"] == {"push": {"tags": ["v[0-9]*"]}}
    assert workflow["jobs"]["prepare"]["if"] == "${{ github.repository == 'lab/demo' }}"
    text = (package / WORKFLOW).read_text()
    assert len(text.splitlines()) < 75, "a person reads it in a minute"
    assert len(re.findall(rf"uses: acerbilab/handbook/\S+@{COMMIT} # \S+\n", text)) == 5 == text.count(" uses: ")
    assert "vars." not in text, "no variable redirects a release"
    assert "up to date" in run("release", "init", package, "--handbook", COMMIT).stderr


def test_the_publishers_are_recorded_and_the_pins_kept_up_to_date(package: Path) -> None:
    before = (package / "pyproject.toml").read_text()
    done = run("release", "init", package, "--handbook", COMMIT)
    said = done.stderr
    assert "release.yml, pyproject.toml, .github/workflows/rehearse.yml, .github/dependabot.yml written" in said
    assert lint(package, REHEARSAL) == ""
    assert f"uses: acerbilab/handbook/.github/actions/rehearse@{COMMIT} # " in (
        package / REHEARSAL).read_text()
    text = (package / "pyproject.toml").read_text()
    assert text.startswith(before.rstrip())
    assert tomllib.loads(text)["tool"]["handbook"]["release"]["publisher"] == {
        "repository": "lab/demo", "workflow": "release.yml", "environments": {"testpypi": "testpypi", "pypi": "pypi"}}
    assert load(package / ".github/dependabot.yml")["updates"][0]["package-ecosystem"] == "github-actions"
    git(package, "add", "--all")
    git(package, "commit", "--quiet", "--message", "Workflow")
    git(package, "remote", "set-url", "origin", "git@github.com:lab/demo.git")
    found = json.loads(run("release", "doctor", package, "--offline", "--format", "json").stdout)["findings"]
    assert {each["code"] for each in found} <= {"GHA006"}, found
    (package / "renovate.json").write_text("{}")
    (package / ".github/dependabot.yml").unlink()
    run("release", "init", package, "--handbook", COMMIT)
    assert not (package / ".github/dependabot.yml").exists() and (package / "pyproject.toml").read_text() == text


def test_each_push_can_go_to_testpypi(package: Path) -> None:
    done = run("release", "init", package, "--handbook", COMMIT, "--dev")
    assert done.returncode == 0 and "dev.yml written" in done.stderr and "uploads too" not in done.stderr, done.stderr
    assert done.stdout.startswith("testpypi: ") and "dev.yml" in done.stdout.partition("\n\n")[0]
    file = Path(".github/workflows/dev.yml")
    assert lint(package, file) == ""
    workflow = load(package / file)
    assert workflow["on"] == {"push": {"branches": ["main"]}} and list(workflow["jobs"]) == ["build", "testpypi"]
    assert workflow["jobs"]["testpypi"]["permissions"] == {"id-token": "write"}
    assert "id-token" not in workflow["jobs"]["build"]["permissions"], "nothing of the repository has the identity"
    git(package, "add", "--all")
    git(package, "commit", "--quiet", "--message", "Workflows")
    doctor = run("release", "doctor", package, "--offline")
    assert doctor.returncode == 0 and "dev.yml" not in doctor.stdout, doctor.stdout
    (package / file).write_text("# mine\n")
    assert "dev.yml" not in run("release", "init", package, "--handbook", COMMIT, "--dev").stderr
    assert (package / file).read_text() == "# mine\n"


def test_testpypi_can_be_left_out(package: Path) -> None:
    done = run("release", "init", package, "--handbook", COMMIT, "--no-testpypi", "--format", "json")
    assert [form["index"] for form in json.loads(done.stdout)] == ["pypi"]
    assert lint(package) == ""
    jobs = load(package / WORKFLOW)["jobs"]
    assert list(jobs) == ["prepare", "pypi", "finish"] and jobs["pypi"]["needs"] == "prepare"
    assert 'environments = { pypi = "pypi" }' in (package / "pyproject.toml").read_text()


def test_the_handbook_runs_on_one_python_and_the_matrix_says_what_is_tested() -> None:
    job = parts()["prepare/test"]
    assert job["strategy"]["matrix"]["python"] == "${{ fromJSON(needs.build.outputs.pythons) }}"
    (python,) = [step for step in job["steps"] if "setup-python" in step.get("uses", "")]
    (handbook,) = [step for step in job["steps"] if "actions/handbook" in step.get("uses", "")]
    assert python["with"] == {"python-version": "${{ matrix.python }}"} and "with" not in handbook
    assert job["steps"].index(python) < job["steps"].index(handbook), "the handbook's own Python comes first on PATH"


def test_a_linter_would_find_a_defect(package: Path) -> None:
    """The linters look at all: a workflow with an unpinned action and an injection is not clean."""
    run("release", "init", package, "--handbook", COMMIT)
    path = package / WORKFLOW
    path.write_text(re.sub(r"- name: Publish\n +uses: \S+ # .*\n +with:\n +index: testpypi",
                           "- uses: actions/checkout@v7\n      - run: echo ${{ github.head_ref }}", path.read_text()))
    said = lint(package)
    assert "zizmor: " in said and "jactionlint: " in said


def parts() -> dict[str, Any]:
    """The jobs of a release in the handbook's workflows, by the names that they have in a run."""
    own = load(ROOT / WORKFLOW)["jobs"]
    found: dict[str, Any] = {}
    for name, job in own.items():
        inner = load(ROOT / job["uses"].removeprefix("$/"))["jobs"] if "uses" in job else {"": job}
        found |= {f"{name}/{each}".rstrip("/"): each_job for each, each_job in inner.items()}
    return found


def test_every_job_has_what_it_needs_and_no_more(package: Path) -> None:
    run("release", "init", package, "--handbook", COMMIT)
    workflow = load(package / WORKFLOW)
    assert workflow["permissions"] == {} and workflow["concurrency"]["cancel-in-progress"] is False
    found, ours = parts(), load(ROOT / WORKFLOW)["jobs"]
    assert [name.replace("finish/verify", "finish/verify/verify") for name in found] == JOBS
    for name, job in found.items():
        writes = {right for right, level in job["permissions"].items() if level == "write"}
        assert writes == {"testpypi": {"id-token"}, "pypi": {"id-token"},
                          "finish/announce": {"contents"}}.get(name, set())
        assert job.get("environment") == (name if name in ("testpypi", "pypi") else None)
        caller = ours[name.partition("/")[0]]["permissions"]
        for right, level in job["permissions"].items():
            assert caller[right] in (level, "write"), "a called job gets no more than its caller has"
        assert bool(job.get("continue-on-error")) == (name == "finish/recipe"), "a failing recipe stops nothing"
        if "uses" in job:
            continue
        assert 0 < job["timeout-minutes"] <= 60 and job["runs-on"] == "ubuntu-latest"
        assert sum(str(step.get("run", "")).startswith("handbook ") for step in job["steps"]) <= 1
        for step in job["steps"]:
            assert "${{" not in step.get("run", "") and "cache" not in step.get("with", {})
    for path in (ROOT / ".github").rglob("release*.yml"):
        assert "vars." not in path.read_text(encoding="utf-8"), "no variable redirects a release"


def test_the_fields_of_the_forms_are_shown(package: Path) -> None:
    done = run("release", "init", package, "--handbook", COMMIT, "--format", "json")
    listed = json.loads(done.stdout)
    assert [form["index"] for form in listed] == ["testpypi", "pypi"]
    for form in listed:
        assert (form["owner"], form["repository"], form["workflow"]) == ("lab", "demo", "release.yml")
        assert form["environment"] == form["index"] and form["project"] == "demo"
        assert form["settings"].endswith("/manage/project/demo/settings/publishing/")
    shown = run("release", "init", package, "--handbook", COMMIT).stdout
    assert re.search(r"Owner +lab\n +Repository name +demo\n +Workflow name +release.yml\n"
                     r" +Environment name +testpypi\n", shown)


def test_a_workflow_that_is_there_is_not_lost(package: Path) -> None:
    path = package / WORKFLOW
    path.parent.mkdir(parents=True)
    path.write_text("name: mine\n")
    done = run("release", "init", package, "--handbook", COMMIT)
    assert done.returncode == 2 and "exists already, and differs" in done.stderr
    assert path.read_text() == "name: mine\n"
    assert run("release", "init", package, "--handbook", COMMIT, "--force").returncode == 0
    assert "release-prepare.yml" in path.read_text()


def test_a_folder_that_can_not_be_written_is_reported(package: Path) -> None:
    (package / ".github").write_text("a file")
    done = run("release", "init", package, "--handbook", COMMIT)
    assert done.returncode == 2 and "can't be written" in done.stderr and "Traceback" not in done.stderr


def test_without_a_repository_it_is_asked_for(tmp_path: Path) -> None:
    folder = make(tmp_path / "demo")
    done = run("release", "init", folder, "--handbook", COMMIT)
    assert done.returncode == 2 and "--repository owner/name" in done.stderr
    assert not (folder / WORKFLOW).exists()


def test_each_package_of_a_repository_has_its_own_workflow(package: Path, tmp_path: Path) -> None:
    inner = make(tmp_path / "demo" / "packages" / "inner", tag="", changes=pyproject("setuptools", (
        'name = "demo"', 'name = "inner"')))
    with (inner / "pyproject.toml").open("a") as stream:
        stream.write('\n[tool.handbook.release]\ntag = "inner-v{version}"\n')
    shutil.rmtree(inner / ".git")
    git(package, "add", "--all")
    git(package, "commit", "--quiet", "--message", "Two packages")
    done = run("release", "init", inner, "--handbook", COMMIT, "--format", "json")
    assert [(form["workflow"], form["environment"]) for form in json.loads(done.stdout)] == [
        ("release-inner.yml", "testpypi-inner"), ("release-inner.yml", "pypi-inner")]
    workflow, inside = load(package / ".github/workflows/release-inner.yml"), "packages/inner"
    jobs = workflow["jobs"]
    assert workflow["on"] == {"push": {"tags": ["inner-v[0-9]*"]}}
    assert [jobs[name]["with"]["path"] for name in ("prepare", "verify", "finish")] == [inside] * 3
    assert [jobs[name]["environment"] for name in ("testpypi", "pypi")] == ["testpypi-inner", "pypi-inner"]
    rehearsal = load(package / ".github/workflows/rehearse-inner.yml")
    assert rehearsal["jobs"]["rehearse"]["steps"][-1]["with"] == {"path": inside}
    run("release", "init", package, "--handbook", COMMIT)
    assert load(package / WORKFLOW)["jobs"]["pypi"]["environment"] == "pypi"
    for path in (package / ".github/workflows").iterdir():
        assert lint(package, path.relative_to(package)) == ""


def test_the_wheels_of_a_compiled_package_are_built_on_every_system(package: Path) -> None:
    run("release", "init", package, "--handbook", COMMIT)
    assert "wheels" not in load(package / WORKFLOW)["jobs"]
    with (package / "pyproject.toml").open("a") as stream:
        stream.write('\n[tool.cibuildwheel]\nbuild = "cp313-*"\n')
    assert run("release", "init", package, "--handbook", COMMIT, "--force").returncode == 0
    jobs = load(package / WORKFLOW)["jobs"]
    assert jobs["prepare"]["needs"] == "wheels"
    assert jobs["wheels"]["steps"][1]["uses"].startswith("pypa/cibuildwheel@")
    assert lint(package) == ""
    run("release", "init", package, "--handbook", COMMIT, "--force", "--pure")
    assert "wheels" not in load(package / WORKFLOW)["jobs"]


def test_the_workflow_waits_for_tags_like_those_that_are_there(tmp_path: Path) -> None:
    folder = make(tmp_path / "demo", tag="1.2.0")
    assert run("release", "init", folder, "--repository", "lab/demo", "--handbook", COMMIT).returncode == 0
    assert load(folder / WORKFLOW)["on"] == {"push": {"tags": ["[0-9]*"]}}


def test_a_second_workflow_that_uploads_is_named(package: Path) -> None:
    path = package / ".github/workflows/publish.yml"
    path.parent.mkdir(parents=True)
    path.write_text("on: {push: {tags: ['v*']}}\n"
                    "jobs: {upload: {runs-on: ubuntu-latest, steps: [{run: uv publish}]}}\n")
    done = run("release", "init", package, "--handbook", COMMIT)
    assert done.returncode == 0 and "publish.yml uploads too: remove it, or a tag starts both" in done.stderr


def test_github_is_asked_for_the_commit_that_is_called(package: Path, tmp_path: Path,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    own = release_workflow.uses(load_project(package, ask_remote=False), COMMIT)
    head = git(package, "rev-parse", "HEAD").strip()
    with fake_github.serving(fake_github.State("acerbilab/handbook", package, "token")) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_TOKEN", "token")
        with pytest.raises(HandbookError, match="acerbilab/handbook on GitHub has no commit 0123456789"):
            release_workflow.on_github(own)
        assert release_workflow.on_github({"publish": own["publish"].replace(COMMIT, head)}) == ""
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    assert "GitHub did not answer" in release_workflow.on_github(own)
    done = run("release", "init", package, "--handbook", COMMIT)
    assert done.returncode == 0 and done.stderr.count("could not be looked up") == 1


@pytest.mark.parametrize(("requires", "day", "pythons"), [
    (">=3.11", date(2026, 11, 22), ["3.11", "3.14"]), (">=3.9", date(2026, 11, 22), ["3.11", "3.14"]),
    (">=3.12,<3.14", date(2026, 11, 22), ["3.12", "3.13"]), (">=3.14", date(2026, 11, 22), ["3.14"]),
    (">=3.11", date(2027, 11, 22), ["3.12", "3.15"])])
def test_the_files_are_tested_on_the_oldest_and_the_newest_ripe_python(requires: str, day: date, pythons: list[str],
                                                                       tmp_path: Path) -> None:
    folder = make(tmp_path / "demo", changes=pyproject("setuptools", ('">=3.11"', f'"{requires}"')))
    assert release_workflow.matrix(load_project(folder, ask_remote=False), day) == pythons


def test_a_project_without_a_python_that_gets_fixes_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "demo", changes=pyproject("setuptools", ('">=3.11"', '"<3.8"')))
    with pytest.raises(HandbookError, match="no Python that gets fixes"):
        release_workflow.matrix(load_project(folder, ask_remote=False), date(2026, 11, 22))


def test_the_handbook_is_pinned_at_the_commit_that_is_installed(package: Path) -> None:
    head, project = git(ROOT, "rev-parse", "HEAD").strip(), load_project(package, ask_remote=False)
    assert release_workflow.uses(project)["publish"].split(" # ")[0].endswith(f"/publish@{head}")


def test_this_repositorys_workflow_is_the_one_that_init_writes() -> None:
    project = load_project(ROOT, ask_remote=False)
    own = release_workflow.uses(project)
    assert own["publish"] == "$/.github/actions/publish"
    written = release_workflow.render(project, forms(project, "acerbilab/handbook"), own)
    there = (ROOT / WORKFLOW).read_text(encoding="utf-8")
    assert there == written, "run: handbook release init --force"
