"""Build a project once, in isolation, and prove that every build of the commit gives the same files.

Four builds run two at a time in one environment: the sdist and from it the wheel, which are kept; and in other
folders the wheel from the tree and the sdist again, which are compared with them. Where the wheels are equal to the
byte, one comparison proves both that the sdist lacks nothing and that the build is reproducible.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labhandbook.core import process
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import replacing_folder, write_atomic
from labhandbook.core.kit_extras import kit_with
from labhandbook.core.process import CalledProcessError
from labhandbook.core.rules import Finding
from labhandbook.core.steps import Say, nothing
from labhandbook.core.wording import listed
from labhandbook.package import distribution
from labhandbook.package.backend_settings import places, remedy
from labhandbook.package.build_tools import Tools, generate
from labhandbook.package.distribution import Distribution
from labhandbook.package.environments import tail
from labhandbook.package.machine import scratch as scratch_folder
from labhandbook.package.machine import without_secrets
from labhandbook.package.project import PYPROJECT, Project
from labhandbook.package.version import find_version, pretended
from labhandbook.release.clean_sources import absent_submodules, export, tree_files
from labhandbook.release.release_folder import hide
from labhandbook.release.release_rules.build_agreement import complete, reproducible
from labhandbook.release.reproducible_sdist import normalise_sdist, unpack

if TYPE_CHECKING:
    from build import ProjectBuilder

ZIP_BEGINS = 315532800  # 1980: a wheel can't hold an earlier time.


@dataclass(frozen=True)
class Built:
    """The files of a release, in `folder`, with what the comparisons found and the tools that made them."""

    folder: Path
    sdist: Distribution
    wheel: Distribution
    findings: list[Finding] = field(default_factory=list)
    tools: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Distribution, Distribution]:
        """Both files, the sdist first."""
        return self.sdist, self.wheel

    def facts(self, project: Project) -> dict[str, Any]:
        """What the ledger keeps: names, sizes and hashes of the files, commit, tree, tags, time and tools."""
        state = project.git
        return {"version": self.wheel.version,
                "files": {file.file: {"sha256": file.sha256, "size": file.size} for file in self.files},
                "commit": state.commit if state else None, "tree": state.tree if state else None,
                "tags": list(state.tags) if state else [], "epoch": epoch(project), "tools": self.tools}


def build(project: Project, workdir: Path, say: Say = nothing) -> Built:
    """Build the commit's sdist and wheel into `workdir/dist`, replacing what is there.

    The wheel is made from the sdist. Raises HandbookError when a tool can't be installed or a build fails; what was
    in `workdir/dist` is then untouched.
    """
    with scratch_folder("build") as folder, ThreadPoolExecutor(2) as pool:
        scratch = folder.resolve()
        say("build tools")
        trees = pool.submit(lambda: [export(project, scratch / tree / "tree") for tree in ("one", "two", "three")])
        tools = _tools(project, scratch)
        run = _Runs(project, scratch, tools, pool, trees.result())
        run.prepare()
        say("sdist and wheel")
        run.build()
        say("comparison")
        findings, versions = run.compare(), tools.versions()
        with replacing_folder(workdir / "dist") as kept:
            for file in run.kept:
                shutil.copyfile(file.path, kept / file.file)
        sdist, wheel = (replace(file, path=workdir / "dist" / file.file) for file in run.kept)
    return Built(workdir / "dist", sdist, wheel, findings, versions)


def asked(project: Project) -> Project:
    """The project with the name, version and requirements that its backend gives, where only that knows them.

    The backend's metadata hook runs in the same closed environment as a build, on a copy of the commit; its answer is
    kept for the commit. Raises HandbookError when a tool can't be installed or the hook fails.
    """
    found = find_version(project)
    if project.name and found.version and not (found.from_git and ".dev" in found.version):
        return project
    if project.built:
        return project
    with scratch_folder("metadata") as folder, ThreadPoolExecutor(1) as pool:
        scratch = folder.resolve()
        run = _Runs(project, scratch, _tools(project, scratch), pool, [export(project, scratch / "one" / "tree")] * 3)
        metadata = run.metadata()
    hide(project)
    write_atomic(project.metadata_file, json.dumps({"commit": project.commit, **metadata}, indent=1))
    return replace(project)


def _tools(project: Project, scratch: Path) -> Tools:
    """An environment with what `[build-system]` requires."""
    return Tools.create(scratch / "tools", builder(project.root, Path(sys.executable)).build_system_requires,
                 (*project.settings.pass_env, *pretended()))


def epoch(project: Project) -> int:
    """The time of the files in a release: the commit's, or without git that of pyproject.toml or setup.py."""
    if project.git and project.git.commit:
        return max(project.git.epoch, ZIP_BEGINS)
    described = next(path for name in (PYPROJECT, "setup.py", ".") if (path := project.root / name).exists())
    return max(int(described.stat().st_mtime), ZIP_BEGINS)


class _Incomplete(Exception):
    """No wheel can be made from the sdist that was unpacked in `tree`."""

    def __init__(self, tree: Path, error: Exception) -> None:
        super().__init__(str(error))
        self.tree, self.error = tree, error


class _Runs:
    """The builds of one project: `one` is kept, `two` and `three` are there to be compared."""

    def __init__(self, project: Project, scratch: Path, tools: Tools, pool: ThreadPoolExecutor,
                 trees: Sequence[Path]) -> None:
        self.project, self.scratch, self.tools, self.pool = project, scratch, tools, pool
        self.one, self.two, self.three = trees
        self.epoch = epoch(project)
        from build import BuildBackendException

        self.failed = BuildBackendException

    def prepare(self) -> None:
        """Install the backend's requirements beyond `[build-system]`."""
        wanted = self.pool.map(lambda tree, kind: self._builder(tree).get_requires_for_build(kind),
                               (self.one, self.two), ("sdist", "wheel"))
        with _translated(self.project):
            self.tools.install(set().union(*wanted))
        for tree in (self.one, self.two, self.three):
            generate(self.project, tree, self.tools)

    def metadata(self) -> dict[str, Any]:
        """Name, version and requirements, as the backend's metadata hook gives them."""
        with _translated(self.project):
            tree = self._builder(self.one)
            self.tools.install(tree.get_requires_for_build("wheel"))
            generate(self.project, self.one, self.tools)
            text = (Path(tree.metadata_path(self.scratch / "metadata")) / "METADATA").read_bytes()
        from packaging.metadata import parse_email

        raw, _ = parse_email(text)
        return {"name": raw.get("name", ""), "version": raw.get("version", ""),
                "requires": raw.get("requires_dist", [])}

    def build(self) -> None:
        """Make the files to keep and those to compare them with."""
        kept = self.pool.submit(self._sdist_and_wheel)
        other = self.pool.submit(self._wheel_and_sdist)
        with _translated(self.project):
            self.others = other.result()
            try:
                self.kept = kept.result()
            except _Incomplete as problem:
                raise self._lacking(problem) from None

    def _lacking(self, problem: _Incomplete) -> HandbookError:
        """The message for an sdist from which no wheel can be made, although the commit itself makes one."""
        said = reason(output_of(problem.error))
        words = set(re.findall(r"[\w.-]+(?:/[\w.-]+)*", said))
        absent = sorted(name for name in tree_files(self.project) if name in words
                        and not (problem.tree / name).exists())
        return HandbookError(
            f"the sdist lacks {listed(absent) if absent else 'something'} that the build of its wheel needs",
            where=f"{PYPROJECT}:{self.project.line('build-backend')}", why=said.splitlines()[-1] if said else "",
            todo=remedy(places(self.project).sdist).removesuffix("."), section="sec-pypi-metadata-packages")

    def compare(self) -> list[Finding]:
        """Find where the kept files differ from the others, and why."""
        (sdist, wheel), (sdist_again, wheel_of_tree) = self.kept, self.others
        findings = list(reproducible(sdist, sdist_again))
        if wheel.sha256 == wheel_of_tree.sha256 and wheel.file == wheel_of_tree.file:
            return findings
        with _translated(self.project):
            again = self._wheel(unpack(sdist.path, self.scratch / "again"), self.scratch / "again-out")
        unstable = list(reproducible(wheel, again))
        return [*findings, *unstable, *complete(wheel, wheel_of_tree, again, self.project, tree_files(self.project))]

    def _sdist_and_wheel(self) -> tuple[Distribution, Distribution]:
        sdist = self._sdist(self.one, self.scratch / "one" / "out")
        tree = unpack(sdist.path, self.scratch / "one" / "unpacked")
        try:
            return sdist, self._wheel(tree, self.scratch / "one" / "out")
        except self.failed as error:
            raise _Incomplete(tree, error) from None

    def _wheel_and_sdist(self) -> tuple[Distribution, Distribution]:
        wheel = self._wheel(self.two, self.scratch / "two" / "out")
        return self._sdist(self.three, self.scratch / "three" / "out"), wheel

    def _sdist(self, tree: Path, folder: Path) -> Distribution:
        made = Path(self._builder(tree).build("sdist", folder / "raw"))
        normalise_sdist(made, folder / made.name, self.epoch)
        return distribution.read(folder / made.name)

    def _wheel(self, tree: Path, folder: Path) -> Distribution:
        return distribution.read(Path(self._builder(tree).build("wheel", folder)))

    def _builder(self, tree: Path) -> ProjectBuilder:
        """The backend of the project in a tree; its output is kept for the report of a failure."""

        def run(command: Sequence[str], cwd: str | None = None,
                extra_environ: Mapping[str, str] | None = None) -> None:
            flag = f"-fdebug-prefix-map={tree}=."
            env = self.tools.environ()
            flags = {name: f"{env.get(name, '')} {flag}".strip() for name in ("CFLAGS", "CXXFLAGS", "FFLAGS")}
            env |= {"SOURCE_DATE_EPOCH": str(self.epoch), **flags, **(extra_environ or {})}
            done = process.run(command, cwd=cwd, env=env, umask=0o022, merged=True)
            if done.returncode:
                raise CalledProcessError(done.returncode, done.args, done.stdout)

        return builder(tree, self.tools.python, run)


def builder(tree: Path, python: Path, run: Callable[..., None] | None = None) -> ProjectBuilder:
    """The build frontend for a tree. Raises HandbookError where `[build-system]` can't be used."""
    try:
        import pyproject_hooks
        from build import BuildException, ProjectBuilder
    except ImportError:
        raise HandbookError("build isn't installed", why="it calls the package's build backend",
                            todo=kit_with("release"), section="sec-kit-extras") from None
    # Each call of a backend would print its warnings; rules report the important ones, once.
    warnings.filterwarnings("ignore", category=getattr(pyproject_hooks, "BuildBackendWarning", BytesWarning))
    try:
        return ProjectBuilder(tree, str(python), *([run] if run else []))
    except BuildException as error:
        raise HandbookError(str(error), where=PYPROJECT, why="no tool can build a package without it",
                            todo="correct [build-system]", section="sec-pypi-metadata") from None


@contextmanager
def _translated(project: Project) -> Iterator[None]:
    """Turn a failed build into a HandbookError with the end of the backend's output."""
    from build import BuildBackendException

    try:
        yield
    except BuildBackendException as error:
        said = output_of(error)
        absent = absent_submodules(project)
        if tag := re.search(r"(?:parse version from tag|tag) '([^']+)'(?: \(|.*no version)", said):
            raise HandbookError(
                f"{project.tool} takes the version from the tag {tag[1]}, which is none",
                where=f"{PYPROJECT}:{project.line('version')}",
                why=f"the tags on the commit are {listed(project.git.tags)}" if project.git else "",
                todo=f"delete that tag, or let git describe find only those of the form {project.settings.tag}, as "
                     "with git_describe_command in [tool.setuptools_scm]", section="sec-pypi-tag") from None
        raise HandbookError(
            f"{project.tool} can't build {project.name or 'the package'}: {error}",
            where=f"{PYPROJECT}:{project.line('build-backend')}",
            why=reason(said),
            todo=f"the submodule {listed(absent)} is not checked out: git submodule update --init --recursive"
            if absent else "correct what its last lines say; python -m build shows all of it",
            section="sec-pypi-build",
        ) from None


def output_of(error: Exception) -> str:
    """What a backend wrote before it failed."""
    inner = getattr(error, "exception", error)
    return str((inner.stdout if isinstance(inner, CalledProcessError) else inner) or "")


def reason(output: str) -> str:
    """What went wrong, of a backend's output: lines that speak of an error, and the exception without its frames."""
    before, traceback, after = without_secrets(output).rpartition("Traceback (most recent call last):\n")
    if not traceback:
        return tail(after, 20)
    lines = after.rstrip().splitlines()
    first = next((number for number, line in enumerate(lines) if line[:1].strip()), 0)
    errors = [line for line in before.splitlines() if re.search(r"(?i)\berror\b", line)]
    return "\n".join(dict.fromkeys([*errors[-6:], *lines[first:][-12:]]))
