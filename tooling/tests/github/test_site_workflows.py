"""The text of the handbook's own workflows: names of artifacts, groups and permissions. Their runs are beside it."""

from __future__ import annotations

from collections.abc import Mapping

from tooling.tests.conftest import ROOT
from tooling.tests.github.act_runner import load

WORKFLOWS = ROOT / ".github" / "workflows"


def test_the_site_can_be_deployed_again() -> None:
    """Each attempt names its own artifact, and a deployment that is run again alone takes the last one."""
    jobs = load(WORKFLOWS / "site.yml")["jobs"]
    (kept,) = [step["with"]["name"] for step in jobs["build"]["steps"] if "upload-pages" in step.get("uses", "")]
    assert "github.run_attempt" in kept and jobs["build"]["outputs"] == {"artifact": kept}
    *_, step = jobs["deploy"]["steps"]
    assert step["with"] == {"artifact_name": "${{ needs.build.outputs.artifact }}"}


def test_no_commit_of_the_main_branch_cancels_the_checks_of_another() -> None:
    concurrency = load(WORKFLOWS / "check.yml")["concurrency"]
    assert "github.event_name == 'push' && github.sha" in concurrency["group"]


def test_no_job_may_do_more_than_it_needs() -> None:
    """Write permissions, each with the job that needs it; a pull request's jobs have none but code scanning's."""
    held: Mapping[str, set[str]] = {}
    for path in WORKFLOWS.glob("*.yml"):
        described = load(path)
        assert described["permissions"] == {}, path.name
        for name, job in described["jobs"].items():
            assert "permissions" in job and ("timeout-minutes" in job or "uses" in job), f"{path.name} {name}"
            writes = {scope for scope, level in job["permissions"].items() if level == "write"}
            held = {**held, f"{path.stem} {name}": writes} if writes else held
    assert held == {
        "check annotate": {"security-events"}, "links upkeep": {"issues"}, "site deploy": {"id-token", "pages"},
        "release testpypi": {"id-token"}, "release pypi": {"id-token"}, "release finish": {"contents"},
        "release-finish announce": {"contents"}}
