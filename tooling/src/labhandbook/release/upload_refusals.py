"""Why an index refuses an upload, and what to do about it, for each case."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from labhandbook.core.errors import HandbookError
from labhandbook.core.section_addresses import readable
from labhandbook.package.index_addresses import KNOWN, Index
from labhandbook.package.project import normalise
from labhandbook.package.simple_index import Listed, release_of

UPLOAD = "sec-pypi-upload"
OPEN_DAYS = 14


def next_version(version: str) -> str:
    """The version to release when this one can't be used any more: 1.1.0 -> 1.1.1, 1.1.0rc1 -> 1.1.0rc2."""
    from packaging.version import Version

    parsed = Version(version)
    base = ".".join(map(str, parsed.release))
    if parsed.pre:
        return f"{base}{parsed.pre[0]}{parsed.pre[1] + 1}"
    major, minor, micro = (*parsed.release, 0, 0)[:3]
    return f"{major}.{minor}.{micro + 1}"


def burnt(index: Index, filename: str, version: str) -> HandbookError:
    """The index has, or had, another file with this name."""
    return HandbookError(
        f"{index.label} has had another {filename}",
        why=f"a file name can be used only once, even after deletion: {version} can't be uploaded again",
        todo=f"tag the corrected commit as {next_version(version)} and release that; "
             f"if {version} is bad, see {readable('sec-updating-bad')}", section=UPLOAD)


def closed(index: Index, project: str, version: str, found: Iterable[Listed],
           now: datetime | None = None) -> HandbookError | None:
    """The error for more files of a version whose first file on PyPI or TestPyPI is older than they allow, if it is.

    Warehouse says since July 2026: "Uploading new files to releases older than 14 days is not allowed".
    """
    if index.name not in KNOWN or index.moved:
        return None
    from packaging.version import Version

    ours = normalise(project), Version(version)
    times = [datetime.fromisoformat(file.uploaded) for file in found
             if file.uploaded and release_of(file.filename) == ours]
    if not times or (now or datetime.now(UTC)) - min(times) <= timedelta(days=OPEN_DAYS):
        return None
    return HandbookError(
        f"{index.label} takes no more files for {project} {version}",
        why=f"its first file is of {min(times):%Y-%m-%d}, and a release takes new files for {OPEN_DAYS} days",
        todo=f"release {next_version(version)} with all its files", section=UPLOAD)


def down(index: Index, what: str) -> HandbookError:
    """The index does not answer as it should."""
    return HandbookError(f"{index.label} gave no usable answer: {what}",
                         why="it may be overloaded or out of reach; files that it has are not lost",
                         todo="run the same command again later: it uploads the files that are missing",
                         section=UPLOAD)


def credentials(index: Index) -> HandbookError:
    """There is no secret to upload with."""
    return HandbookError(
        f"no credentials for {index.label}",
        why="none in TWINE_USERNAME and TWINE_PASSWORD, none in the keyring, and no trusted publisher here",
        todo=f"keep a token with: keyring set {index.upload} __token__\n"
             "or set TWINE_USERNAME=__token__ and TWINE_PASSWORD for this run, or publish from GitHub Actions",
        section="sec-pypi-trusted" if index.name in ("pypi", "testpypi") else UPLOAD)


def refused(index: Index, project: str, filename: str, status: int, words: str) -> HandbookError:
    """The index refuses the upload; its own words say why."""
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", words)).strip()[:300]
    if status in (401, 403):
        return _denied(index, project, said)
    if status == 413:
        return HandbookError(f"{filename} is too large for {index.label}", why=f"it answers: {said}",
                             todo="leave data out of the package, or ask the index for a higher limit",
                             section="sec-pypi-inspect")
    if 300 <= status < 400:
        return HandbookError(f"{index.label} sends uploads elsewhere ({status})", why="nothing can be uploaded there",
                             todo="give the address of the index's root", section=UPLOAD)
    return HandbookError(f"{index.label} refuses {filename} ({status})", why=f"it answers: {said}",
                         todo="correct that, tag the new commit and build again: this file was not accepted",
                         section="sec-pypi-check")


def _denied(index: Index, project: str, said: str) -> HandbookError:
    if "allowed" in said or "permission" in said.lower():
        return HandbookError(f"this account may not upload {project} to {index.label}", why=f"it answers: {said}",
                             todo="ask an owner to add you, or choose another name if the project isn't yours",
                             section="sec-pypi-owners")
    return HandbookError(
        f"{index.label} doesn't accept the password", why=f"it answers: {said}",
        todo="the user name is __token__, the password a token of this index (TestPyPI and PyPI have their own),\n"
             "whole, with its beginning pypi-, for this project or the whole account", section=UPLOAD)


def publisher(index: Index, project: str, said: str) -> HandbookError:
    """The index has no trusted publisher for the workflow that runs: the fields to compare, letter by letter."""
    if "invalid-publisher" not in said:
        return HandbookError(f"trusted publishing on {index.label} failed", why=said.strip(),
                             todo="the job needs the permission id-token: write and may not run for a pull request "
                                  "from a fork", section="sec-pypi-trusted-setup")
    claims = identity()
    fields = {"owner": claims.get("repository_owner", ""),
              "repository": claims.get("repository", "").rpartition("/")[2],
              "workflow": _workflow(claims.get("workflow_ref", "")),
              "environment": claims.get("environment") or "(none: the job names no environment)"}
    shown = "\n".join(f"  {name:<12} {value or '(unknown)'}" for name, value in fields.items())
    reused = claims.get("job_workflow_ref", "")
    if reused and reused != claims.get("workflow_ref"):
        shown += f"\nThe job is in a reusable workflow ({reused}): move it to this repository's own workflow."
    return HandbookError(
        f"{index.label} has no trusted publisher for this workflow (invalid-publisher)",
        why=f"the publisher of {project} must have exactly these fields, letter by letter:\n{shown}",
        todo=f"compare them at {index.web}/manage/project/{project}/settings/publishing/\n"
             f"or, for a new project, at {index.web}/manage/account/publishing/", section="sec-pypi-trusted-setup")


def attestation(said: str) -> HandbookError:
    """The statements that vouch for the files could not be signed."""
    return HandbookError("the files could not be attested", why=said.strip()[-500:],
                         todo="run the job again; with --no-attestations it publishes without them",
                         section="sec-pypi-trusted-workflow")


def identity() -> dict[str, str]:
    """Who GitHub says is publishing: the claims of the job's identity, or its environment variables."""
    import base64
    import json

    known = {"repository": os.environ.get("GITHUB_REPOSITORY", ""),
             "repository_owner": os.environ.get("GITHUB_REPOSITORY_OWNER", ""),
             "workflow_ref": os.environ.get("GITHUB_WORKFLOW_REF", "")}
    try:
        from id import IdentityError, detect_credential
    except ImportError:
        return known
    try:
        token = detect_credential("labhandbook") or ""
        payload = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    except (IdentityError, IndexError, ValueError):
        return known
    return {**known, **{name: str(value) for name, value in payload.items() if value}}


def _workflow(reference: str) -> str:
    """release.yml out of owner/name/.github/workflows/release.yml@refs/tags/v1."""
    return reference.partition("@")[0].rpartition("/")[2]
