"""`handbook release admit`: whether a pushed tag may be released, asked before anything is built."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.git import GitState
from labhandbook.core.github_api import GitHub, open_github
from labhandbook.core.process import run_git
from labhandbook.github.tag_admission import Admission, Check
from labhandbook.package.project import Project
from labhandbook.package.version import version_of

SECTION = "sec-actions-admit"
PASSED = ("success", "neutral", "skipped")
LONGEST_PAUSE = 30.0


def admit(project: Project, tag: str = "", patience: float = 1800.0, github: GitHub | None = None,
          say: Callable[[str], None] = lambda line: None) -> Admission:
    """What is known of a tag and of the commit it stands for; checks that run are waited for, `patience` seconds.

    Without `tag` it is the one whose push started the job, or the only one on the commit. Raises HandbookError where
    git doesn't know the project, no tag is meant, or GitHub doesn't answer.
    """
    from labhandbook.package.version import find_version

    state = project.git
    if state is None:
        raise HandbookError(f"git doesn't know {project.name}", where=str(project.root), section=SECTION,
                            why="a release belongs to a tagged commit", todo="run it in a clone of the repository")
    tag = tag or pushed(state)
    github = github or open_github(state)
    about = github.get("")
    if about is None:
        raise HandbookError(f"GitHub shows no repository {github.repository}", section=SECTION,
                            why="it isn't there, or the token can't see it",
                            todo="compare GITHUB_REPOSITORY, and give the job contents: read")
    version, default = version_of(project), str(about["default_branch"])
    forms = dict.fromkeys((version, find_version(project).version or version))
    wanted = [project.settings.tag.format(version=form) for form in forms]
    # Where the tag is wrong there is nothing worth waiting for.
    checks = settled(lambda: ask(github, state.commit), patience if tag in wanted else 0.0, github.pause, say)
    return Admission(tag, version, wanted, state.commit, state.shallow, default, holds(state, default), checks)


def pushed(state: GitState) -> str:
    """The tag that was pushed, or the only one on the commit."""
    if os.environ.get("GITHUB_REF_TYPE") == "tag" and (name := os.environ.get("GITHUB_REF_NAME")):
        return name
    if len(state.tags) == 1:
        return state.tags[0]
    raise HandbookError("which tag is meant can't be told", section=SECTION,
                        why=f"the commit has {len(state.tags)} tags, and no push of a tag started this",
                        todo="name it with --tag")


def holds(state: GitState, branch: str) -> bool | None:
    """Whether a branch, here or on the remote as last fetched, holds the commit; None where that can't be told."""
    for reference in (f"refs/remotes/{state.remote or 'origin'}/{branch}", f"refs/heads/{branch}"):
        done = run_git(state.root, "merge-base", "--is-ancestor", state.commit, reference)
        if done.returncode in (0, 1):
            return None if done.returncode and state.shallow else done.returncode == 0
    return None


def settled(look: Callable[[], list[Check]], patience: float, pause: float,
            say: Callable[[str], None]) -> list[Check]:
    """The checks once none of them runs any more, or when the patience is at its end."""
    start = time.monotonic()
    while True:
        checks = look()
        running = [check.name for check in checks if check.green is None]
        if not running or time.monotonic() - start + pause > patience:
            return checks
        say(f"waiting for {', '.join(running)} ({time.monotonic() - start:.0f} s)")
        time.sleep(pause)
        pause = min(pause * 1.6, LONGEST_PAUSE)


def ask(github: GitHub, commit: str) -> list[Check]:
    """The last run of each workflow on a commit but this one, other programs' checks of it, and its statuses."""
    runs = github.every("actions/runs", "workflow_runs", head_sha=commit)
    checks = github.every(f"commits/{commit}/check-runs", "check_runs", filter="latest")
    statuses = github.every(f"commits/{commit}/status", "statuses")
    return [*workflows(runs), *(check_of(each["name"], each["status"], each["conclusion"], each["html_url"])
                                for each in checks if each["app"]["slug"] != "github-actions"),
            *(Check(each["context"], {"success": True, "pending": None}.get(each["state"], False), each["state"],
                    each.get("target_url") or "") for each in statuses)]


def workflows(runs: Iterable[dict[str, Any]]) -> list[Check]:
    """The newest run of each workflow but the one that asks; what runs by the clock says nothing of the commit."""
    _, _, own = os.environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0].partition("/.github/")
    this = os.environ.get("GITHUB_RUN_ID")
    newest: dict[str, dict[str, Any]] = {}
    for run in sorted(runs, key=lambda run: int(run["id"])):
        asking = run["path"].partition("@")[0] == f".github/{own}" or str(run["id"]) == this
        if not asking and run.get("event") != "schedule":
            newest[run["path"]] = run
    return [check_of(Path(path.partition("@")[0]).name, run["status"], run["conclusion"], run["html_url"])
            for path, run in newest.items()]


def check_of(name: str, status: str, conclusion: str | None, url: str | None) -> Check:
    """A run as GitHub tells it: running, or ended with a conclusion."""
    ended = status == "completed"
    return Check(name, conclusion in PASSED if ended else None, conclusion or status, url or "")
