"""`handbook release admit`: whether a pushed tag may be released, asked before anything is built."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.git import GitState
from labhandbook.core.github_api import GitHub, open_github
from labhandbook.core.process import run_git
from labhandbook.core.rule_pages import load
from labhandbook.core.rules import REGISTRY, Finding, Rule, Severity, register
from labhandbook.core.wording import listed
from labhandbook.package.project import PYPROJECT, Project
from labhandbook.package.version import find_version, version_of

SECTION = "sec-actions-admit"
PASSED = ("success", "neutral", "skipped")
LONGEST_PAUSE = 30.0


GREEN = register(Rule(
    "REL401", "Every check of the tagged commit is green",
    "A release relies on the checks of its commit, and a published version can't be replaced.",
    "Fix the cause on the default branch and tag the commit that fixes it. If the check itself failed, run it again "
    "and then this job.", SECTION, asks="GitHub"))


@dataclass(frozen=True)
class Check:
    """A workflow's last run on the commit, or another program's check of it. `green` is None while it runs."""

    name: str
    green: bool | None
    said: str
    url: str = ""


@dataclass(frozen=True)
class Admission:
    """The facts about a tag. `wanted` are the tags that its commit's version may have, the usual one first.

    `on_default` says whether the default branch holds the commit, None where that is unknown.
    """

    tag: str
    version: str
    wanted: Sequence[str]
    commit: str
    shallow: bool
    default_branch: str
    on_default: bool | None
    checks: Sequence[Check]


def judge(asked: Admission) -> Iterator[Finding]:
    """Why the tag may not be released; every finding is an error."""
    return (Finding(PYPROJECT, 0, rule, message, Severity.ERROR) for rule, message in _reasons(asked))


def _reasons(asked: Admission) -> Iterator[tuple[Rule, str]]:
    # The rules of a release that a pushed tag can break: a whole clone, the right tag, on the default branch.
    load("REL")
    whole, usual, on_default = (REGISTRY[code] for code in ("REL012", "REL013", "REL015"))
    if asked.tag not in asked.wanted:
        yield usual, f"the tag is {asked.tag}, the version is {asked.version}, whose tag is {asked.wanted[0]}"
    if asked.shallow:
        yield whole, "the clone is shallow"
    commit = asked.commit[:10]
    if asked.on_default is None:
        yield on_default, f"this clone does not show whether {asked.default_branch} holds {commit}"
    elif not asked.on_default:
        yield on_default, f"{asked.default_branch} does not hold {commit}"
    if not asked.checks:
        yield GREEN, f"no check has run on {commit}"
    for check in asked.checks:
        if check.green is not True:
            still = "is still running" if check.green is None else f"ended with {check.said}"
            yield GREEN, f"{check.name} {still}{f' ({check.url})' if check.url else ''}"


def words(asked: Admission) -> str:
    """The facts about an admitted tag, in one line."""
    return (f"{asked.tag} is {asked.commit[:10]} on {asked.default_branch}; green: "
            f"{listed([check.name for check in asked.checks if check.green])}")


def admit(project: Project, tag: str = "", patience: float = 1800.0, github: GitHub | None = None,
          say: Callable[[str], None] = lambda line: None) -> Admission:
    """The facts about a tag and its commit; running checks are waited for, up to `patience` seconds.

    Without `tag` it is the one whose push started the job, or the only one on the commit. Raises HandbookError where
    the project is not in a git repository, no tag is meant, or GitHub does not answer.
    """
    state = project.git
    if state is None:
        raise HandbookError(f"{project.name} is not in a git repository", where=str(project.root), section=SECTION,
                            why="a release belongs to a tagged commit", todo="run it in a clone of the repository")
    tag = tag or pushed(state)
    github = github or open_github(state)
    about = github.get("")
    if about is None:
        raise HandbookError(f"GitHub shows no repository {github.repository}", section=SECTION,
                            why="it does not exist, or the token may not read it",
                            todo="check GITHUB_REPOSITORY, and give the job contents: read")
    version, default = version_of(project), str(about["default_branch"])
    forms = dict.fromkeys((version, find_version(project).version or version))
    wanted = [project.settings.tag.format(version=form) for form in forms]
    # Nothing is worth waiting for where the tag is wrong.
    checks = settled(lambda: ask(github, state.commit), patience if tag in wanted else 0.0, github.pause, say)
    return Admission(tag, version, wanted, state.commit, state.shallow, default, holds(state, default), checks)


def pushed(state: GitState) -> str:
    """The tag that was pushed, or the only one on the commit."""
    if os.environ.get("GITHUB_REF_TYPE") == "tag" and (name := os.environ.get("GITHUB_REF_NAME")):
        return name
    if len(state.tags) == 1:
        return state.tags[0]
    raise HandbookError("no tag was named", section=SECTION,
                        why=f"the commit has {len(state.tags)} tags, and no push of a tag started this",
                        todo="name it with --tag")


def holds(state: GitState, branch: str) -> bool | None:
    """Whether a branch, here or on the remote as last fetched, holds the commit; None where that is unknown."""
    for reference in (f"refs/remotes/{state.remote or 'origin'}/{branch}", f"refs/heads/{branch}"):
        done = run_git(state.root, "merge-base", "--is-ancestor", state.commit, reference)
        if done.returncode in (0, 1):
            return None if done.returncode and state.shallow else done.returncode == 0
    return None


def settled(look: Callable[[], list[Check]], patience: float, pause: float,
            say: Callable[[str], None]) -> list[Check]:
    """The checks once none of them runs any more, or after `patience` seconds."""
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
    """The newest run of each workflow but the one that asks; scheduled runs say nothing about the commit."""
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
    """A run as GitHub reports it: running, or ended with a conclusion."""
    ended = status == "completed"
    return Check(name, conclusion in PASSED if ended else None, conclusion or status, url or "")
