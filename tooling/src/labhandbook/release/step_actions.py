"""What each step of a release does, for one release on its way to one index."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from labhandbook.core.errors import HandbookError
from labhandbook.core.report import counts
from labhandbook.core.steps import Outcome, Say, nothing
from labhandbook.package.environments import Own
from labhandbook.package.findings import project_findings
from labhandbook.package.index_addresses import Index, shown
from labhandbook.package.machine import interpreters, uv_program
from labhandbook.package.project import Project, normalise
from labhandbook.release import upload_refusals
from labhandbook.release.file_origin import check_job
from labhandbook.release.release_folder import REHEARSAL, State, key_of
from labhandbook.release.test_suite import sources

if TYPE_CHECKING:
    from labhandbook.release.local_index import Server


@dataclass(frozen=True)
class Options:
    """How a workflow is carried out. `confirm` is asked before what can't be undone; None means nobody is there.

    `lag` is the delay of the rehearsal's index, `patience` how long an index may take to show files, in seconds.
    `without` names rules on the sources that don't look.
    """

    pythons: tuple[str, ...] = ()
    lowest: bool = True
    offline: bool = False
    yes: bool = False
    attest: bool = True
    verify: bool = True
    patience: float = 1200.0
    pause: float = 1.0
    lag: float = 0.3
    confirm: Callable[[str], bool] | None = None
    say: Say = nothing
    without: tuple[str, ...] = ()


@dataclass
class Release:
    """One version of one project on its way; the context of every step.

    `target` names the index that it goes to, `earlier` are the releases that come before it in this run.
    """

    project: Project
    state: State
    target: str = REHEARSAL
    index: Index | None = None
    options: Options = field(default_factory=Options)
    server: Server | None = None
    earlier: list[Release] = field(default_factory=list)

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
        """The wheels of the releases below this one."""
        return [own for release in self.below() for own in release.own(".whl", index)[:1]]

    def below(self) -> list[Release]:
        """The earlier releases that this one needs when installed, directly or not; known once it is built."""
        found: list[Release] = []
        needed = self.requires() if self.earlier else set()
        for release in reversed(self.earlier):
            if release.project.normalised in needed:
                found.append(release)
                needed |= release.requires()
        return found

    def requires_python(self) -> str:
        """The Pythons that its wheel admits; empty before it is built."""
        from labhandbook.package.distribution import read

        wheels = [own.path for own in self.own(".whl") if own.path and own.path.exists()]
        return next((str(read(wheel).metadata.get("requires_python") or "") for wheel in wheels), "")

    def requires(self) -> set[str]:
        """The normalised names of what its wheel asks for."""
        from packaging.requirements import Requirement

        from labhandbook.package.distribution import read

        wheels = [own.path for own in self.own(".whl") if own.path and own.path.exists()]
        return {normalise(Requirement(line).name) for wheel in wheels[:1] for line in read(wheel).requires}


def run_check(release: Release) -> Outcome:
    """The rules on sources, git and metadata."""
    from labhandbook.release.check_project import check

    findings = check(release.project, offline=release.options.offline, without=release.options.without)
    return Outcome(counts(findings), findings)


def run_build(release: Release) -> Outcome:
    """Both files, once. Raises HandbookError when an index has files of this version made from other sources."""
    from labhandbook.release.package_build import build

    for target in release.state.targets():
        if release.state.ledger(target).entries.get("upload"):
            raise HandbookError(
                f"{release.version} is on {shown(target)} already, made from other sources",
                where=str(release.state.folder),
                why="a file name can be used once only, so a new build of this version could not be uploaded",
                todo=f"tag this commit as {upload_refusals.next_version(release.version)}, "
                     "or go back to the released one",
                section="sec-pypi-upload")
    built = build(release.project, release.state.folder, release.options.say)
    names = ", ".join(file.file for file in built.files)
    return Outcome(names, project_findings(built.findings, release.project), built.facts(release.project))


def run_inspect(release: Release) -> Outcome:
    """What is inside the files."""
    from labhandbook.release.inspection import inspect
    from labhandbook.release.package_build import found
    from labhandbook.release.previous_release import fetch_previous

    release.state.files()
    built = found(release.state.folder)
    assert built is not None, "files() found both"
    target = "none" if release.options.offline else release.project.settings.compare_with
    with tempfile.TemporaryDirectory() as folder:
        previous = fetch_previous(release.project.name, release.version, target, Path(folder))
        seen = inspect(built, release.project, previous)
    findings = seen.findings
    return Outcome(counts(findings), findings)


def run_gate(release: Release) -> Outcome:
    """What PyPI would refuse, asked offline."""
    from labhandbook.release.upload_gate import gate

    files = release.state.files()
    findings = gate(files, release.project)
    return Outcome(counts(findings) if findings else f"nothing to refuse in {len(files)} files", findings)


def run_test(release: Release) -> Outcome:
    """Every file in clean environments."""
    from labhandbook.release import install_tests
    from labhandbook.release.release_rules.installed_tests import judge, untested

    for each in (release, *release.below()):
        each.state.files()
    pythons = install_tests.admitted(release.project, release.options.pythons, release.requires_python())
    planned = install_tests.plan(release.own(".whl"), release.own(".tar.gz"), pythons, release.companions(),
                                 lowest=release.options.lowest)
    tried = install_tests.carry_out(planned, release.project, release.options.say)
    findings = [*judge(release.project, tried), *untested(release.project, pythons)]
    return Outcome(install_tests.summary(tried), project_findings(findings, release.project),
                   {"environments": [each.as_json() for each in tried]})


def run_upload(release: Release) -> Outcome:
    """The files on the index; PyPI only after a person or --yes agreed."""
    from labhandbook.release.publish import Upload, publish

    index, paths = release.place(), release.state.files()
    if release.server is None:
        check_job(release.project)
    if release.server:
        # A rehearsal's index begins anew when the files changed: nobody else has seen the earlier ones.
        release.server.store.forget(release.state.hashes())
    elif index.final:
        agree(release, [path.name for path in paths])
    loopback = release.server is not None
    done = publish(Upload(
        release.project.normalised, release.version, paths, release.state.hashes(), index,
        secret=release.server.token if release.server else None, interactive=sys.stdin.isatty() and not loopback,
        attest=release.options.attest, pause=0.1 if loopback else release.options.pause), release.options.say)
    summary = ", ".join(f"{name} {what}" for name, what in done.items())
    return Outcome(summary, facts={"files": done, "index": release.target})


def agree(release: Release, names: Sequence[str]) -> None:
    """Raises HandbookError unless uploading to an index for good was agreed to."""
    if release.options.yes:
        return
    question = (f"{', '.join(names)} go to {shown(release.target)}, for everyone and for good: the file names can "
                "never be used again, and a bad version can only be yanked. Upload?")
    if release.options.confirm and release.options.confirm(question):
        return
    raise HandbookError(f"nothing was uploaded to {shown(release.target)}", why="uploading there can't be undone",
                        todo="agree when asked, or give --yes where nobody can be asked", section="sec-pypi-upload")


def run_verify(release: Release) -> Outcome:
    """The files as users get them."""
    from labhandbook.release import install_tests
    from labhandbook.release.verify import Verification, verify

    index = release.place()
    release.state.files()
    if release.server is None:
        check_job(release.project)
    pythons = install_tests.admitted(release.project, release.options.pythons, release.requires_python())
    python = install_tests.newest(pythons, [name for name in release.state.hashes() if name.endswith(".whl")])
    loopback = release.server is not None
    job = Verification(release.project, release.version, release.state.hashes(), index, python,
                       release.companions(index.simple), release.options.patience, 0.1 if loopback else 0.5)
    findings, facts = verify(job, release.options.say)
    result = "; ".join(str(fact["result"]) for fact in facts) or "not the same files"
    return Outcome(result, project_findings(findings, release.project), {"environments": facts})


def build_key(release: Release) -> str:
    """What a build depends on; nothing when its files are gone, so that it is done again."""
    if release.state.hashes() and not release.state.whole() and not release.state.targets():
        return ""
    return release.state.fingerprint()


def trial_key(release: Release) -> str:
    """What trials depend on: the files, what the suite reads from the project's folder, settings, Pythons and tools.

    Which dependencies the index has changes unseen, so a result holds for a day at most.
    """
    hashes = [release.state.hashes(), *(below.state.hashes() for below in release.below())]
    pythons = [each.version for each in interpreters(release.requires_python(), release.options.pythons)]
    tools = metadata.version("labhandbook"), uv_program() is not None, pythons
    passed = [os.environ.get(name) for name in release.project.settings.pass_env]
    return key_of([hashes, asdict(release.project.settings), sources(release.project), tools, release.options.lowest,
                   passed, date.today().isoformat()])


def upload_key(release: Release) -> str:
    """The files; nothing while the rehearsal's index lacks one of them."""
    hashes = release.state.hashes()
    if release.target == REHEARSAL:
        store = release.server.store if release.server else None
        if not hashes or not store or any((found := store.find(name)) is None or found.sha256 != digest
                                          for name, digest in hashes.items()):
            return ""
    return key_of(hashes)

