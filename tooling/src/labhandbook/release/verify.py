"""Fetching a release back from an index: wait until pip would see it, compare every byte, install it, test it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding
from labhandbook.core.steps import Say, nothing
from labhandbook.package.environments import Own
from labhandbook.package.index_addresses import Index
from labhandbook.package.machine import Interpreter
from labhandbook.package.project import Project
from labhandbook.package.simple_index import IndexDown, Listed, download, listing, sha256
from labhandbook.package.wheel_tags import preferred
from labhandbook.release import install_tests
from labhandbook.release.install_tests import Trial
from labhandbook.release.release_rules.installed_tests import SAME_FILE, judge

LONGEST_PAUSE = 30.0


@dataclass(frozen=True)
class Verification:
    """What to look for: the ledger's files by name with their sha256, on an index.

    `companions` are files of other packages of the same release, which the index has too. `patience` is how many
    seconds to wait for files to appear, `pause` the first pause between two requests.
    """

    project: Project
    version: str
    hashes: Mapping[str, str]
    index: Index
    interpreter: Interpreter
    companions: Sequence[Own] = ()
    patience: float = 1200.0
    pause: float = 0.5


def verify(job: Verification, say: Say = nothing) -> tuple[list[Finding], list[dict[str, object]]]:
    """Wait, fetch, compare, install and test; the findings and the facts of the environments.

    Raises HandbookError when files don't appear in time or the index does not answer.
    """
    listed = wait(job, say)
    findings = compare(job, listed, say)
    if findings:
        return findings, []
    wheels = preferred(job.hashes, job.interpreter.minor)[:1]
    tried = install_tests.carry_out([trial(job, name) for name in wheels], job.project, say)
    return judge(job.project, tried), [each.as_json() for each in tried]


def trial(job: Verification, wheel: str) -> Trial:
    """The environment that gets the wheel from the index, by its hash."""
    own = Own(job.project.name, job.version, job.hashes[wheel], index=job.index.simple)
    return Trial(f"wheel from {job.index.label}", (own, *job.companions), job.interpreter)


def wait(job: Verification, say: Say) -> dict[str, Listed]:
    """The files' entries on the simple page, once it shows all of them.

    Raises HandbookError when that takes longer than the patience.
    """
    start, pause, said = time.monotonic(), job.pause, ""
    while True:
        try:
            found = listing(job.index, job.project.name, timeout=max(job.patience, 1.0) if job.patience < 20 else 20)
            missing = [name for name in job.hashes if name not in found]
            what = f"{len(missing)} of {len(job.hashes)} files aren't shown yet"
        except IndexDown as down:
            found, missing, what = {}, list(job.hashes), str(down)
        if not missing:
            say(f"{job.index.label} shows {len(job.hashes)} files after {time.monotonic() - start:.1f} s")
            return {name: found[name] for name in job.hashes}
        if time.monotonic() - start + pause > job.patience:
            raise _too_late(job, missing, what)
        if what != said or pause >= LONGEST_PAUSE:
            say(f"waiting for {job.index.label}: {what} ({time.monotonic() - start:.0f} s)")
        said = what
        time.sleep(pause)
        pause = min(pause * 1.6, LONGEST_PAUSE)


def _too_late(job: Verification, missing: Sequence[str], what: str) -> HandbookError:
    return HandbookError(
        f"{', '.join(missing)} didn't appear on {job.index.label} within {job.patience:g} s",
        why=f"{what}; an index can take minutes to show an upload",
        todo="run handbook release verify again later; if status says the files were never uploaded, publish them; "
             "if the index has put the release under quarantine, it wrote to the owners",
        section="sec-pypi-install")


def compare(job: Verification, listed: Mapping[str, Listed], say: Say) -> list[Finding]:
    """Findings for files whose hash on the page or whose bytes aren't those of the ledger.

    Raises HandbookError when a file can't be fetched.
    """
    findings = []
    for name, expected in job.hashes.items():
        entry = listed[name]
        if entry.sha256 and entry.sha256 != expected:
            findings.append(Finding(name, 0, SAME_FILE, f"{job.index.label} announces sha256 {entry.sha256}, the "
                                                        f"ledger has {expected}: another file was put there"))
            continue
        got = fetch(job, entry, expected)
        if got != expected:
            findings.append(Finding(name, 0, SAME_FILE, f"{job.index.label} serves bytes with sha256 {got}, although "
                                                        f"its page and the ledger say {expected}"))
        else:
            say(f"{name} came back from {job.index.label}, the same bytes")
    return findings


def fetch(job: Verification, entry: Listed, expected: str) -> str:
    """The hash of a file as the index serves it; what may have broken on the way is fetched once more."""
    got, problem = "", ""
    for number in range(3):
        try:
            got = sha256(download(entry))
        except IndexDown as down:
            problem = str(down)
        if got == expected:
            return got
        time.sleep(job.pause * 2**number)
    if not got:
        raise HandbookError(f"{entry.filename} can't be fetched from {job.index.label}: {problem}",
                            why="the page shows it, so it may be there in a moment",
                            todo="run handbook release verify again", section="sec-pypi-install")
    return got
