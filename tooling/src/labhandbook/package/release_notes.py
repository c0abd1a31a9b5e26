"""The notes of a version: its section of the change log, else one made of fragments or of pull requests' titles."""

from __future__ import annotations

import re
from collections.abc import Iterable

from labhandbook.core.git import git, lines
from labhandbook.package.changelog import Notes, notes_of
from labhandbook.package.pending_changes import Entry, pending
from labhandbook.package.project import Project

# The headings of Keep a Changelog for the kinds of towncrier, reno and others; an unknown kind is its own heading.
HEADINGS = ((r"(?i)security", "Security"), (r"(?i)break|remov|incompatib", "Removed"), (r"(?i)deprec", "Deprecated"),
            (r"(?i)feat|add|new|enhanc", "Added"), (r"(?i)fix", "Fixed"), (r"(?i)chang|improve|upgrade", "Changed"))
ORDER = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
MERGED, SQUASHED = re.compile(r"Merge pull request (#\d+) from \S+$"), re.compile(r"(.+?) \((#\d+)\)$")


def notes(project: Project, version: str) -> Notes:
    """The notes of a version; both fields are empty where nothing says what changed.

    Fragments and titles count since the last tag before the commit.
    """
    found = written(project, version)
    return found if found.text else from_titles(project)


def written(project: Project, version: str) -> Notes:
    """What people wrote of a version: its section of the change log, else its fragments."""
    found = notes_of(project, version)
    return found if found.text else from_fragments(project)


def from_fragments(project: Project) -> Notes:
    """A section made of the fragments, or of what the change log has under Unreleased."""
    since = _last_tag(project)
    added = git(project.root, "diff", "--name-only", "--diff-filter=AR", since, "HEAD", "--", ".") if since else None
    found = pending(project, files=None if added is None else {name.rpartition("/")[2] for name in lines(added)})
    return Notes(rendered(found.entries), found.source)


def from_titles(project: Project) -> Notes:
    """A list of the titles of pull requests, from merges and from commits such as `Title (#12)`."""
    since = _last_tag(project)
    wanted = f"{since}..HEAD" if since else "HEAD"
    # With a path git leaves out merges and commits that change nothing there.
    inside = ["--", "."] if project.git and project.git.root.resolve() != project.root.resolve() else []
    log = git(project.root, "log", "--first-parent", "--format=%s%x1f%b%x1e", wanted, *inside) or ""
    found = []
    for commit in filter(None, (each.strip("\n") for each in log.split("\x1e"))):
        subject, _, body = commit.partition("\x1f")
        if merged := MERGED.match(subject):
            title = next((line.strip() for line in body.splitlines() if line.strip()), subject)
            found.append(f"- {title} ({merged[1]})")
        elif squashed := SQUASHED.match(subject):
            found.append(f"- {squashed[1]} ({squashed[2]})")
    return Notes("\n".join(found), "pull requests" if found else "")


def rendered(entries: Iterable[Entry]) -> str:
    """Entries as Markdown, under the headings of Keep a Changelog."""
    groups: dict[str, list[str]] = {}
    for entry in entries:
        groups.setdefault(_heading(entry.kind), []).append("- " + "\n  ".join(entry.text.splitlines()))
    order = sorted(groups, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    parts = [[f"### {name}"] * bool(name) + ["\n".join(groups[name])] for name in order]
    return "\n\n".join(text for part in parts for text in part)


def _heading(kind: str) -> str:
    return next((name for pattern, name in HEADINGS if re.search(pattern, kind)), kind.capitalize())


def _last_tag(project: Project) -> str:
    """The project's last tag before the commit, empty without one. Other packages of a repository have their own."""
    pattern = project.settings.tag.replace("{version}", "[0-9]*")
    return git(project.root, "describe", "--tags", "--abbrev=0", f"--match={pattern}", "HEAD^") or ""
