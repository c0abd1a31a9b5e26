"""The GitHub Release of a version: a draft, its notes, its files, and only then published.

Draft first, because a repository can make releases immutable: a published one then takes no more files. Every part
looks at what exists already, so that a run that was interrupted is simply repeated.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.github_api import GitHub, Unreachable
from labhandbook.core.yaml_reader import read_yaml
from labhandbook.package.project import Project, tag_of
from labhandbook.package.release_notes import written
from labhandbook.package.simple_index import sha256

Say = Callable[[str], None]
SECTION = "sec-actions-announce"
ATTEMPTS = 4
CITATION = "CITATION.cff"
A_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Announcement:
    """The wanted release: the version of a project, its commit, and files with their sha256 by name.

    `extra` are further files, such as a recipe, which are left out where the release takes no more.
    """

    project: Project
    version: str
    commit: str
    files: Sequence[Path]
    hashes: Mapping[str, str]
    extra: Sequence[Path] = ()

    @property
    def tag(self) -> str:
        """The name of the version's tag."""
        return tag_of(self.project, self.version)


@dataclass
class Announced:
    """The result: the release's address, the source of its notes, and what happened to each file."""

    url: str = ""
    notes: str = ""
    published: str = ""
    files: dict[str, str] = field(default_factory=dict)


def announce(wanted: Announcement, github: GitHub, say: Say = lambda line: None) -> Announced:
    """Make and publish the release, from whatever exists of it already.

    Raises HandbookError when the tag isn't on GitHub or is another commit, when a published release has other bytes
    under the same name, and when GitHub refuses.
    """
    same_tag(wanted, github)
    done = Announced()
    release = find(wanted, github)
    if release is None:
        release, done.notes = draft(wanted, github), written(wanted.project, wanted.version).source
        say(f"drafted {wanted.tag}, its notes from {done.notes or 'GitHub'}")
    for path in (*wanted.files, *wanted.extra):
        digest = wanted.hashes.get(path.name) or sha256(path.read_bytes())
        done.files[path.name] = bring(release, path, digest, github, say)
    done.published = "published already"
    if release["draft"]:
        release = github.send("PATCH", f"releases/{release['id']}", draft=False, make_latest="legacy")
        done.published = "published"
    complete(release["id"], wanted, github)
    done.url = str(release["html_url"])
    return done


def citation(project: Project, version: str, today: date) -> list[str]:
    """What people who cite the version should know: whether CITATION.cff is of it, and whether it gets a DOI."""
    texts = {}
    for name in (CITATION, ".zenodo.json", "README.md", "README.rst"):
        with suppress(HandbookError):
            texts[name] = untrusted_data.text(project.root / name, name)
    said = []
    with suppress(HandbookError, KeyError):
        about = read_yaml(texts[CITATION], CITATION)
        if (named := about["version"].text) and named.removeprefix("v") != version:
            said.append(f"{CITATION} says version {named}, and this is {version}: correct it in the next release")
        with suppress(ValueError):
            day = date.fromisoformat(about["date-released"].text)
            if abs(today - day) > A_WEEK:
                said.append(f"{CITATION} says date-released {day}, and today is {today}")
    if found := re.search(r"10\.5281/zenodo\.\d+", "\n".join(texts.values())):
        said.append(f"Zenodo gives this version a DOI of its own; it is listed at https://doi.org/{found[0]}")
    elif ".zenodo.json" not in texts:
        said.append("no Zenodo DOI is named; to get one for each release, switch the repository on at "
                    "https://zenodo.org/account/settings/github/ and add the badge to the README")
    return said


def same_tag(wanted: Announcement, github: GitHub) -> None:
    """Raises HandbookError unless GitHub has the tag on the commit that was built.

    GitHub would make a missing tag itself, on the newest commit of the default branch.
    """
    found = github.get(f"commits/{wanted.tag}")
    if found is not None and found["sha"] == wanted.commit:
        return
    where = f"is {found['sha'][:10]} there" if found else "is not there"
    raise HandbookError(f"GitHub can't announce {wanted.tag}: the tag {where}", section=SECTION,
                        why=f"the files were built from {wanted.commit[:10]}",
                        todo=f"push it with git push origin {wanted.tag}; a tag that moved means a new version")


def find(wanted: Announcement, github: GitHub) -> dict[str, Any] | None:
    """The release of the tag, published or a draft."""
    published: dict[str, Any] | None = github.get(f"releases/tags/{wanted.tag}")
    if published:
        return published
    drafts = [each for each in github.every("releases") if each["tag_name"] == wanted.tag]
    return min(drafts, key=lambda each: int(each["id"]), default=None)


def draft(wanted: Announcement, github: GitHub) -> dict[str, Any]:
    """A new draft with its notes: from the change log or fragments, else GitHub's own, made from pull requests."""
    from packaging.version import Version

    notes = written(wanted.project, wanted.version).text
    if not notes:
        notes = github.send("POST", "releases/generate-notes", tag_name=wanted.tag)["body"]
    made: dict[str, Any] = github.send(
        "POST", "releases", tag_name=wanted.tag, name=f"{wanted.project.name} {wanted.version}", body=notes,
        draft=True, prerelease=Version(wanted.version).is_prerelease)
    return made


def bring(release: dict[str, Any], path: Path, digest: str, github: GitHub, say: Say) -> str:
    """Upload one file of a release: "uploaded", "there already", or why it is left out.

    The rest of an interrupted upload is removed first.
    """
    for number in range(ATTEMPTS):
        there = asset(release["id"], path.name, github)
        if there and whole(there, path, digest):
            return "there already" if number == 0 else "uploaded"
        if release.get("immutable"):
            say(f"{path.name} is left out: the release is immutable")
            return "not there: the release is immutable"
        if there:
            if not release["draft"] and there["state"] == "uploaded":
                raise HandbookError(f"the release has another {path.name}", where=str(release["html_url"]),
                                    why="it is published, so people may have fetched that file", section=SECTION,
                                    todo="find out who uploaded it; remove it by hand, then run the job again")
            github.send("DELETE", f"releases/assets/{there['id']}")
        try:
            github.upload(str(release["upload_url"]), path)
        except Unreachable as problem:
            if number == ATTEMPTS - 1:
                raise
            say(f"{path.name}: {problem.what}; again")
            time.sleep(github.pause * 3**number)
    raise Unreachable(f"{path.name} is not complete after {ATTEMPTS} uploads")


def asset(release: int, name: str, github: GitHub) -> dict[str, Any] | None:
    """A file of a release by its name."""
    return next((each for each in github.every(f"releases/{release}/assets") if each["name"] == name), None)


def whole(there: dict[str, Any], path: Path, digest: str) -> bool:
    """Whether GitHub holds these bytes; for an older server without digests the size decides."""
    known = there.get("digest")
    same = known == f"sha256:{digest}" if known else there["size"] == path.stat().st_size
    return bool(there["state"] == "uploaded" and same)


def complete(release: int, wanted: Announcement, github: GitHub) -> None:
    """Raises HandbookError unless the release is published with every file of the version."""
    now = github.get(f"releases/{release}")
    names = {each["name"] for each in github.every(f"releases/{release}/assets") if each["state"] == "uploaded"}
    missing = [path.name for path in wanted.files if path.name not in names]
    if now is None or now["draft"] or missing:
        lacks = f"lacks {', '.join(missing)}" if missing else "is still a draft"
        raise HandbookError(f"the release of {wanted.tag} {lacks}", why="GitHub accepted all, and shows less",
                            todo="run the job again", section=SECTION)
