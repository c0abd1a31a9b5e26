"""`handbook release doctor` on repositories on disk: git, a renamed workflow, GitHub on loopback, reports."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from labhandbook.core.rules import Severity
from labhandbook.github import zizmor
from labhandbook.github.doctor import Examined, examine, next_tags
from tooling.tests.conftest import ROOT, run
from tooling.tests.github.fake_github import Fault, State, serving
from tooling.tests.github.sample_repository import BUILD, GOOD, PIN, PYPROJECT, RELEASE, TEST, change
from tooling.tests.github.workflow_parts import COMPOSITE
from tooling.tests.package.sample_packages import git
from tooling.tests.release.packaging_chapter import FROM_ACTIONS, printed_words
from tooling.tests.release.rule_cases import SCM

pytestmark = pytest.mark.walk

TOKEN = "a-token-that-no-report-shows"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A repository with the good workflow, one release behind it."""
    root = tmp_path / "demo-tool"
    write(root, {RELEASE: GOOD, "pyproject.toml": PYPROJECT})
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "remote", "add", "origin", "git@github.com:group/demo-tool.git")
    commit(root, "Start")
    git(root, "tag", "v1.1.0")
    return root


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def commit(root: Path, message: str) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)


def state(root: Path) -> State:
    """GitHub with this repository and both environments."""
    return State("group/demo-tool", root / ".git", TOKEN, environments=[
        {"name": "github-pages", "protection_rules": []},
        {"name": "testpypi", "protection_rules": [], "deployment_branch_policy": None},
        {"name": "pypi", "protection_rules": [{"type": "required_reviewers"}, {"type": "branch_policy"}],
         "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True}}],
        policies={"pypi": [{"name": "main", "type": "branch"}, {"name": "release/*"}, {"name": "v*", "type": "tag"}]})


def codes(found: Examined) -> dict[str, Severity]:
    return {finding.rule.code: finding.weight for finding in found.findings}


def examined(root: Path, served: State, monkeypatch: pytest.MonkeyPatch) -> Examined:
    with serving(served) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        return examine(root)


def test_a_good_repository_has_no_findings(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = state(package)
    assert list(examined(package, served, monkeypatch).findings) == []
    assert "GET /repos/group/demo-tool/environments/pypi/deployment-branch-policies" in served.asked


def test_environments_are_read_from_github(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = state(package)
    served.policies["pypi"].pop()
    served.environments[2]["protection_rules"].pop(0)
    found = examined(package, served, monkeypatch)
    assert codes(found) == {"GHA006": Severity.WARNING, "GHA007": Severity.ERROR} and found.findings.failed()
    served.environments.clear()
    assert codes(examined(package, served, monkeypatch)) == {"GHA006": Severity.WARNING}


@pytest.mark.parametrize("fault", [Fault("GET", "", 503, 9), Fault("GET", "environments", 403, 9)])
def test_a_github_that_refuses_leaves_it_unverified(package: Path, monkeypatch: pytest.MonkeyPatch,
                                                    fault: Fault) -> None:
    served = state(package)
    served.faults.append(fault)
    found = examined(package, served, monkeypatch)
    assert codes(found) == {"GHA006": Severity.UNVERIFIED} and not found.findings.failed()
    assert found.findings.failed(strict=True)


def test_a_wrong_token_is_reported(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = state(package)
    served.token = "another"
    (finding,) = examined(package, served, monkeypatch).findings
    assert "GitHub refuses" in finding.message and TOKEN not in finding.message


def test_without_network_or_remote_it_still_examines(package: Path) -> None:
    assert codes(examine(package, offline=True)) == {"GHA006": Severity.UNVERIFIED}
    git(package, "remote", "remove", "origin")
    (finding,) = examine(package).findings
    assert "no remote on GitHub" in finding.message


def test_a_renamed_workflow_is_found_in_the_history(package: Path) -> None:
    write(package, {"pyproject.toml": SCM})
    git(package, "mv", RELEASE, ".github/workflows/publish.yml")
    write(package, {".github/workflows/publish.yml": change(("name: pypi\n", "name: pypi-release\n"))})
    commit(package, "Rename")
    found = [finding for finding in examine(package, offline=True).findings if finding.rule.code == "GHA003"]
    renamed = [finding for finding in found if finding.weight is Severity.WARNING]
    assert {finding.message for finding in renamed} == {
        "publish.yml publishes, and at v1.1.0 it was release.yml: the form must name the new file"}
    assert any("workflow publish.yml, environment pypi-release on PyPI" in finding.message
               for finding in found)


def test_a_changed_environment_is_found_in_the_history(package: Path) -> None:
    write(package, {"pyproject.toml": SCM, RELEASE: change(("name: pypi\n", "name: release\n"))})
    commit(package, "Another environment")
    (found,) = [finding for finding in examine(package, offline=True).findings if finding.rule.code == "GHA004"]
    assert "at v1.1.0 it was pypi and testpypi" in found.message


def test_uncommitted_and_untracked_workflows_are_found(package: Path) -> None:
    write(package, {RELEASE: GOOD + "\n# changed\n", BUILD: change(('tags: ["v*"]', 'tags: ["x*"]'))})
    found = {(finding.file.rpartition("/")[2], finding.weight) for finding in examine(package, offline=True).findings
             if finding.rule.code == "GHA016"}
    assert found == {("release.yml", Severity.WARNING), ("build.yml", Severity.ERROR)}


def test_a_folder_without_git_or_project_is_examined(tmp_path: Path) -> None:
    write(tmp_path, {RELEASE: change(("fetch-depth: 0", "fetch-depth: 1"))})
    found = codes(examine(tmp_path, offline=True))
    assert "GHA030" not in found and found["GHA003"] is Severity.UNVERIFIED


def test_a_folder_of_a_repository_means_the_whole_repository(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(package, {"python/pyproject.toml": PYPROJECT.replace('"release.yml"', '"publish.yml"'),
                    RELEASE: change(("cancel-in-progress: false", "cancel-in-progress: true"), ("github.ref", "1"))})
    commit(package, "Move")
    monkeypatch.chdir(package / "python")
    found = {finding.rule.code: finding.file for finding in examine(Path(), offline=True).findings}
    assert found["GHA043"] == "../.github/workflows/release.yml" and found["GHA003"] == "pyproject.toml"


def test_a_healthy_repository_gets_two_lines_at_most(package: Path) -> None:
    """With the publisher recorded one line, that GitHub was not asked; without it, one more, what PyPI must have."""
    for pyproject, lines in ((PYPROJECT, 1), (PYPROJECT.partition("[tool.handbook.release.publisher]")[0], 2)):
        write(package, {"pyproject.toml": pyproject})
        done = run("release", "doctor", package, "--offline")
        assert done.returncode == 0, done.stdout
        assert len([line for line in done.stdout.splitlines() if line.startswith(tuple("✗!?"))]) == lines, done.stdout


def test_settings_that_can_not_be_used_are_refused(package: Path) -> None:
    for text, said in (("workflw", "did you mean workflow"), ("environments", "must be a dict")):
        write(package, {"pyproject.toml": PYPROJECT.replace("workflow = ", f"{text} = ").replace(
            "environments = {", "# {" if text == "environments" else "environments = {")})
        done = run("release", "doctor", package, "--offline")
        assert done.returncode == 2 and said in done.stderr and "pyproject.toml:" in done.stderr


@pytest.mark.parametrize(("tags", "wanted", "trials"), [
    (["v1.4", "v1.3"], ("v1.4",), ()), (["nightly", "8.1.0"], ("8.1.0",), ()),
    (["core-v2.48.0rc1"], ("core-v2.48.0rc1",), ()), (["v2.0b1", "v1.4"], ("v1.4",), ("v2.0b1",)),
    (["docs-1.0", "v1.4.post1", "docs-0.9"], ("docs-1.0", "v1.4.post1"), ()), ([], ("v1.2.3", "1.2.3"), ()),
    (["latest"], ("v1.2.3", "1.2.3"), ())])
def test_the_next_tags_have_the_forms_of_the_newest(tags: list[str], wanted: tuple[str, ...],
                                                    trials: tuple[str, ...]) -> None:
    likely, _, before = next_tags(None, tags)
    assert (likely, before) == (wanted, trials)


def test_the_command_reports_as_every_check_does(package: Path) -> None:
    identity, steps = "    permissions:\n      id-token: write\n", "    steps:\n      - uses: actions/download"
    write(package, {RELEASE: change((identity + steps, steps))})
    commit(package, "Break it")
    done = run(*printed_words(FROM_ACTIONS, "handbook release doctor"), "--offline", cwd=package)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"{RELEASE}:31: GHA020 testpypi lacks id-token: write" in done.stdout
    assert ".html#" not in done.stdout and "group/demo-tool: 2 uploads" in done.stderr
    assert ".html#sec-pypi-trusted-workflow" in run("release", "doctor", "--offline", "-v", cwd=package).stdout
    machine = json.loads(run("release", "doctor", "--offline", "--format", "json", cwd=package).stdout)
    assert {finding["code"] for finding in machine["findings"]} == {"GHA006", "GHA020"}
    sarif = package.parent / "doctor.sarif"
    run("release", "doctor", "--offline", "--format", "sarif", "--output", sarif, cwd=package)
    results = json.loads(sarif.read_text())["runs"][0]["results"]
    assert {result["ruleId"] for result in results} == {"GHA006", "GHA020"}
    page = run("release", "doctor", "--offline", "--format", "markdown", cwd=package).stdout
    assert page.startswith("## Release doctor: 2 errors")
    assert "chapters/packaging/trusted-publishing.html#sec-pypi-trusted" in page


def test_a_folder_that_is_not_there_is_a_message() -> None:
    done = run("release", "doctor", "nowhere")
    assert done.returncode == 2 and "nowhere is not a folder" in done.stderr and "Traceback" not in done.stderr


def test_this_repository_has_no_findings() -> None:
    done = subprocess.run(["git", "rev-parse", "--git-dir"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0
    found = [finding for finding in examine(ROOT, offline=True).findings
             if finding.rule.code != "GHA016" and finding.weight in (Severity.ERROR, Severity.WARNING)]
    assert found == []


def weaknesses(root: Path) -> list[tuple[str, int, str]]:
    return [(finding.file.rpartition(".github/")[2], finding.line, finding.message)
            for finding in examine(root, offline=True).findings if finding.rule.code == "GHA050"]


def test_zizmor_checks_the_jobs_that_build_and_upload(package: Path) -> None:
    odd = change((f"checkout@{PIN}", "checkout@v4"), ("          persist-credentials: false\n", ""),
                 ("        uses: pypa/gh-action-pypi-publish@dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2",
                  "        uses: ./.github/actions/publish"))
    write(package, {RELEASE: odd, TEST: "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n"
                                        "      - uses: actions/checkout@v7\n",
                    ".github/actions/publish/action.yml": COMPOSITE})
    line = odd[:odd.index("actions/checkout@v4")].count("\n") + 1
    assert weaknesses(package) == [
        ("actions/publish/action.yml", 6, "zizmor unpinned-uses: unpinned action reference"),
        ("workflows/release.yml", line, "zizmor artipacked: credential persistence through GitHub Actions artifacts"),
        ("workflows/release.yml", line, "zizmor unpinned-uses: unpinned action reference")]


def test_zizmor_reports_a_token_and_heeds_the_settings_of_the_repository(package: Path) -> None:
    write(package, {RELEASE: change(("    permissions:\n      id-token: write\n", "    permissions: {}\n"),
                                    ("# v1.14.2\n", "# v1.14.2\n        with:\n          password: x\n", ),
                                    ("          password: x\n        with:\n", ""))})
    assert any("zizmor use-trusted-publishing" in message for *_, message in weaknesses(package))
    write(package, {"zizmor.yml": "rules:\n  use-trusted-publishing:\n    disable: true\n"})
    assert not any("zizmor use-trusted-publishing" in message for *_, message in weaknesses(package))


def test_without_zizmor_the_workflows_are_not_verified(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zizmor, "PROGRAM", "zizmor-that-nobody-has")
    ((_, _, message),) = weaknesses(package)
    assert message == "zizmor did not check the publishing workflows: zizmor is not installed"


def test_a_workflow_that_zizmor_refuses_is_not_verified(package: Path) -> None:
    write(package, {RELEASE: change(("    needs: testpypi\n", "    needs: testpypi\n    timeout-minutes: {}\n"))})
    ((_, _, message),) = weaknesses(package)
    assert "failed to validate" in message and RELEASE in message
