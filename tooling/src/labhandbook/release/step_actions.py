"""What each step of a release does, for one release on its way to one index."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from importlib import metadata
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.report import counts
from labhandbook.core.steps import Outcome, Say, nothing
from labhandbook.package.distribution import Distribution
from labhandbook.package.environments import Own
from labhandbook.package.findings import project_findings
from labhandbook.package.index_addresses import Index, shown
from labhandbook.package.machine import interpreters, uv_program
from labhandbook.package.project import Project, normalise
from labhandbook.release import (
    adopted_files,
    check_project,
    inspection,
    install_tests,
    package_build,
    upload_gate,
    upload_refusals,
)
from labhandbook.release.clean_sources import tree_files
from labhandbook.release.file_origin import check_job
from labhandbook.release.inspection import Inspection
from labhandbook.release.local_index import Server
from labhandbook.release.previous_release import fetch_previous
from labhandbook.release.publish import Upload, publish
from labhandbook.release.release_folder import REHEARSAL, State, key_of
from labhandbook.release.release_rules.installed_tests import judge, untested
from labhandbook.release.test_suite import sources
from labhandbook.release.verify import Verification, verify


@dataclass(frozen=True)
class Options:
    """How a workflow is carried out. `confirm` is asked before what can't be undone; None if nobody can be asked.

    `patience` is how long an index may take to list files, in seconds. `without` names rules on the sources that are
    not applied.
    """

    pythons: tuple[str, ...] = ()
    lowest: bool = True
    offline: bool = False
    yes: bool = False
    attest: bool = True
    patience: float = 1200.0
    confirm: Callable[[str], bool] | None = None
    say: Say = nothing
    without: tuple[str, ...] = ()


@dataclass
class Release:
    """One version of one project; the context of every step.

    `target` names the index that it goes to, `earlier` are the releases that come before it in this run, `given` are
    files that were built elsewhere. `dev` is the copy of the commit that is built as a dev version.
    """

    project: Project
    state: State
    target: str = REHEARSAL
    index: Index | None = None
    options: Options = field(default_factory=Options)
    server: Server | None = None
    earlier: list[Release] = field(default_factory=list)
    given: list[Distribution] = field(default_factory=list)
    dev: Project | None = None

    @property
    def version(self) -> str:
        """The version that is released."""
        return self.state.version

    def place(self) -> Index:
        """The index that this release goes to; for a rehearsal the one that is being served."""
        if self.index is None:
            raise HandbookError(f"no index to send {self.project.name} to", todo="name one with --to",
                                section="sec-pypi-upload")
        return self.index

    def own(self, suffix: str, index: str = "") -> list[Own]:
        """The release's files of one kind as something to install, from disk or from an index."""
        return [Own(self.project.name, self.version, digest, None if index else self.state.dist / name, index)
                for name, digest in self.state.hashes().items() if name.endswith(suffix)]

    def companions(self, index: str = "") -> list[Own]:
        """The wheels of the releases that this one needs."""
        return [own for release in self.needed() for own in release.own(".whl", index)[:1]]

    def needed(self) -> list[Release]:
        """The earlier releases that this one needs when installed, directly or not; known once it is built."""
        found: list[Release] = []
        names = self.requires() if self.earlier else set()
        for release in reversed(self.earlier):
            if release.project.normalised in names:
                found.append(release)
                names |= release.requires()
        return found

    def requires_python(self) -> str:
        """The Pythons that its wheel admits; empty before it is built."""
        wheel = self.state.wheel()
        return str(wheel.metadata.get("requires_python") or "") if wheel else ""

    def requires(self) -> set[str]:
        """The normalised names of its wheel's requirements; none before it is built."""
        from packaging.requirements import Requirement

        wheel = self.state.wheel()
        return {normalise(Requirement(line).name) for line in (wheel.requires if wheel else ())}


def run_check(release: Release) -> Outcome:
    """Apply the rules on sources, git and metadata."""
    findings = check_project.check_loaded(release.project, offline=release.options.offline,
                                          without=release.options.without)
    return Outcome(counts(findings), findings)


def run_build(release: Release) -> Outcome:
    """Build both files, once, or take those that were built elsewhere.

    Raises HandbookError when an index has files of this version from other sources.
    """
    given = {file.file: file.sha256 for file in release.given}
    for target in release.state.targets():
        if done := release.state.ledger(target).fact("upload", "files"):
            if given and all(given.get(name) == release.state.hashes().get(name) for name in done):
                continue  # More wheels for a version that is there.
            raise HandbookError(
                f"{release.version} is on {shown(target)} already, made from other sources",
                where=str(release.state.folder),
                why="a file name can be used only once, so a new build of this version could not be uploaded",
                todo=f"tag this commit as {upload_refusals.next_version(release.version)}, "
                     "or check out the commit that was released",
                section="sec-pypi-upload")
    if release.given:
        findings, facts = adopted_files.adopt(release.given, release.project, release.state.folder)
        return Outcome(f"taken: {', '.join(given)}", project_findings(findings, release.project), facts)
    built = package_build.build(release.dev or release.project, release.state.folder, release.options.say)
    names = ", ".join(file.file for file in built.files)
    facts = built.facts(release.project) | ({"dev": True} if release.dev else {})
    return Outcome(names, project_findings(built.findings, release.project), facts)


def run_inspect(release: Release) -> Outcome:
    """Look inside the files."""
    seen = look_inside(release, "none" if release.options.offline else release.project.settings.compare_with)
    return Outcome(counts(seen.findings), seen.findings)


def look_inside(release: Release, target: str) -> Inspection:
    """What is in the files of a release, compared with the last release on an index."""
    files = release.state.distributions()
    with tempfile.TemporaryDirectory() as folder:
        previous = fetch_previous(release.project.name, release.version, target, Path(folder))
        return inspection.look_into(files, release.project, previous, tree_files(release.project))


def inspect(release: Release, target: str) -> Inspection:
    """What is in the files of a release, and what PyPI would refuse of them."""
    seen = look_inside(release, target)
    return replace(seen, findings=seen.findings + upload_gate.gate(release.state.distributions(), release.project))


def run_gate(release: Release) -> Outcome:
    """Find what PyPI would refuse, offline."""
    files = release.state.distributions()
    findings = upload_gate.gate(files, release.project)
    return Outcome(counts(findings) if findings else f"nothing to refuse in {len(files)} files", findings)


def run_test(release: Release) -> Outcome:
    """Test every file in clean environments."""
    for each in (release, *release.needed()):
        each.state.files()
    pythons = install_tests.admitted(release.project, release.options.pythons, release.requires_python())
    planned = install_tests.plan(release.own(".whl"), release.own(".tar.gz"), pythons, release.companions(),
                                 lowest=release.options.lowest)
    if not planned:
        raise HandbookError(f"no file of {release.project.name} {release.version} fits a Python found here",
                            why=f"found: {', '.join(python.version for python in pythons)}",
                            todo="give the sdist too, or run the command where a wheel fits",
                            section="sec-pypi-files")
    tried = install_tests.carry_out(planned, release.project, release.options.say)
    asked = bool(release.options.pythons)
    findings = [*judge(release.project, tried, asked=asked),
                *([] if asked else untested(release.project, pythons))]
    return Outcome(install_tests.summary(tried), project_findings(findings, release.project),
                   {"environments": [each.as_json() for each in tried]})


def run_upload(release: Release) -> Outcome:
    """Upload the files; to PyPI only after a person or --yes agreed."""
    index, paths, server = release.place(), release.state.files(), release.server
    if server:
        # The index of a rehearsal forgets files that have changed: nobody else has seen the earlier ones.
        server.store.forget(release.state.hashes())
    else:
        check_job(release.project)
        if index.final and release.state.ledger().fact("build", "dev"):
            raise HandbookError(f"{release.version} is not a release", where=str(release.state.folder),
                                why=f"a dev version is for a trial, and {index.label} keeps its files for good",
                                todo="tag the commit, or name another index with --to", section="sec-actions-dev")
        if index.final:
            agree(release, [path.name for path in paths])
    done = publish(Upload(
        release.project.normalised, release.version, paths, release.state.hashes(), index,
        secret=server.token if server else None, interactive=sys.stdin.isatty() and not server,
        attest=release.options.attest, pause=0.1 if server else 1.0), release.options.say)
    summary = ", ".join(f"{name} {what}" for name, what in done.items())
    return Outcome(summary, facts={"files": done, "index": release.target})


def agree(release: Release, names: Sequence[str]) -> None:
    """Raises HandbookError unless a person or --yes agreed to an upload that can't be undone."""
    if release.options.yes:
        return
    question = (f"{', '.join(names)} will be on {shown(release.target)}, for everyone and for good: the file "
                "names can never be used again, and a bad version can only be yanked. Upload?")
    if release.options.confirm and release.options.confirm(question):
        return
    raise HandbookError(f"nothing was uploaded to {shown(release.target)}", why="an upload there can't be undone",
                        todo="agree when asked, or give --yes where nobody can be asked", section="sec-pypi-upload")


def run_verify(release: Release) -> Outcome:
    """Install and test the files as users get them."""
    index, loopback = release.place(), release.server is not None
    release.state.files()
    if not loopback:
        check_job(release.project)
    pythons = install_tests.admitted(release.project, release.options.pythons, release.requires_python())
    python = install_tests.newest(pythons, [name for name in release.state.hashes() if name.endswith(".whl")])
    job = Verification(release.project, release.version, release.state.hashes(), index, python,
                       release.companions(index.simple), release.options.patience, 0.1 if loopback else 0.5)
    findings, facts = verify(job, release.options.say)
    result = "; ".join(str(fact["result"]) for fact in facts) or "not the same files"
    return Outcome(result, project_findings(findings, release.project), {"environments": facts})


def build_key(release: Release) -> str:
    """What a build depends on; empty when its files are gone, so that it is done again."""
    hashes = {file.file: file.sha256 for file in release.given}
    if not hashes and release.state.ledger().fact("build", "given"):
        hashes = release.state.hashes()
    if release.state.hashes() and not release.state.whole() and not release.state.targets():
        return ""
    return key_of([release.state.fingerprint(), hashes]) if hashes else release.state.fingerprint()


def suite_key(release: Release) -> str:
    """What tests depend on: the files, what the suite reads from the project's folder, settings, Pythons and tools.

    The index may get newer dependencies at any time, so a result is kept for a day at most.
    """
    hashes = [release.state.hashes(), *(each.state.hashes() for each in release.needed())]
    pythons = [each.version for each in interpreters(release.requires_python(), release.options.pythons)]
    tools = metadata.version("labhandbook"), uv_program() is not None, pythons
    passed = [os.environ.get(name) for name in release.project.settings.pass_env]
    return key_of([hashes, asdict(release.project.settings), sources(release.project), tools, release.options.lowest,
                   passed, date.today().isoformat()])


def upload_key(release: Release) -> str:
    """What an upload depends on: the files. Empty when the index of the rehearsal has lost one that was uploaded."""
    hashes = release.state.hashes()
    if release.server and "upload" in release.state.ledger().entries:
        there = {name: entry.sha256 for name, entry in release.server.store.entries.items()}
        if not hashes.items() <= there.items():
            return ""
    return key_of(hashes)
