"""Clean environments outside the project: a package's own files by hash, its dependencies from the default index.

uv makes them where it is installed, venv and pip everywhere else; both see one index for dependencies. The release's
own files come by hash and without dependencies, so neither a mirror nor a look-alike can take their place.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath

from labhandbook.core.process import run
from labhandbook.package.machine import Interpreter, installer_env, without_secrets

TEST_EXTRAS = ("test", "tests", "testing")


class InstallFailed(Exception):
    """An installer gave up; the message is the end of what it said."""


@dataclass(frozen=True)
class Own:
    """A file of this release. Installed from `path`, or from the simple index at `index`."""

    name: str
    version: str
    sha256: str
    path: Path | None = None
    index: str = ""

    def requirement(self) -> str:
        """The line of a requirements file that admits this file and no other."""
        where = f"{self.name} @ {self.path.resolve().as_uri()}" if self.path else f"{self.name}=={self.version}"
        return f"{where} --hash=sha256:{self.sha256}"


@dataclass(frozen=True)
class Environment:
    """A virtual environment in `folder`; `uv` is the program that serves it, None for pip."""

    folder: Path
    uv: Path | None

    @property
    def scripts(self) -> Path:
        """The folder of its programs."""
        return self.folder / ("Scripts" if sys.platform == "win32" else "bin")

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.scripts / "python"

    @property
    def site(self) -> Path:
        """The folder of its packages."""
        return next(self.folder.glob("[Ll]ib*/**/site-packages"))

    def install(self, requirements: Iterable[str], *, lowest: bool = False) -> None:
        """Install requirements from the default index, with `lowest` in the lowest versions that they allow.

        Only uv knows how to choose those. Raises InstallFailed.
        """
        wanted = sorted(set(requirements))
        if not wanted:
            return
        self._run(*self._installer(), *(("--resolution", "lowest-direct") if lowest else ()), "--", *wanted)

    def install_own(self, files: Sequence[Own]) -> None:
        """Install files of this release by hash and without dependencies. Raises InstallFailed."""
        for index in sorted({file.index for file in files}):
            listing = self.folder / "own.txt"
            listing.write_text("".join(file.requirement() + "\n" for file in files if file.index == index))
            options = ["--no-deps"]
            if index:
                options += ["--default-index" if self.uv else "--index-url", index, "--only-binary", ":all:",
                            "--require-hashes", "--no-cache" if self.uv else "--no-cache-dir"]
            self._run(*self._installer(), *options, "--requirement", str(listing))

    def pins(self) -> dict[str, str]:
        """What is installed: names and versions."""
        return {entry.metadata["Name"].lower().replace("_", "-").replace(".", "-"): entry.version
                for entry in metadata.distributions(path=[str(self.site)])}

    def distribution(self, name: str) -> metadata.Distribution:
        """The metadata of an installed package. Raises InstallFailed when it isn't there."""
        for found in metadata.distributions(path=[str(self.site)], name=name):
            return found
        raise InstallFailed(f"{name} isn't in the environment after its installation")

    def _installer(self) -> list[str]:
        if self.uv:
            return [str(self.uv), "pip", "install", "--quiet", "--python", str(self.python)]
        return [str(self.python), "-I", "-m", "pip", "install", "--quiet"]

    def _run(self, *command: str) -> None:
        _run(command, self.folder)


def create(folder: Path, interpreter: Interpreter, uv: Path | None) -> Environment:
    """A fresh environment for `interpreter`. Raises InstallFailed when it can't be made."""
    if uv:
        options = ["--quiet", "--no-project", "--clear", "--python", str(interpreter.path)]
        _run([str(uv), "venv", *options, str(folder)], folder.parent)
    else:
        _run([str(interpreter.path), "-I", "-m", "venv", "--clear", str(folder)], folder.parent)
    return Environment(folder, uv)


def _run(command: Sequence[str], folder: Path) -> None:
    done = run(command, cwd=folder, env=installer_env())
    if done.returncode:
        raise InstallFailed(tail(without_secrets(done.stderr or done.stdout)))


def tail(text: str, lines: int = 25) -> str:
    """The last lines of a program's output."""
    return "\n".join(text.rstrip().splitlines()[-lines:])


def requirements(package: metadata.Distribution, extras: Sequence[str], markers: Mapping[str, str],
                 own: Iterable[str] = ()) -> list[str]:
    """What a package asks for with these extras on the interpreter of `markers`, without the packages of `own`.

    Extras that the package asks of itself (`all = ["name[plot]"]`) are followed.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    name = canonicalize_name(package.metadata["Name"])
    left_out = {canonicalize_name(each) for each in own}
    wanted: dict[str, None] = {}
    asked, queue = {""}, ["", *extras]
    while queue:
        extra = queue.pop(0)
        asked.add(extra)
        for requirement in map(Requirement, package.requires or []):
            if requirement.marker and not requirement.marker.evaluate({**markers, "extra": extra}):
                continue
            if canonicalize_name(requirement.name) == name:
                queue.extend(requirement.extras - asked - set(queue))
            elif canonicalize_name(requirement.name) not in left_out:
                requirement.marker = None
                wanted[str(requirement)] = None
    return list(wanted)


def extra_for_tests(package: metadata.Distribution, markers: Mapping[str, str]) -> str | None:
    """The extra that holds what the tests need: `test` by one of its names, else the smallest that holds pytest."""
    extras = package.metadata.get_all("Provides-Extra") or []
    for name in TEST_EXTRAS:
        if name in extras:
            return name
    asked = {extra: requirements(package, [extra], markers) for extra in extras}
    holding = [extra for extra, wanted in asked.items() if any(re.match(r"pytest\b(?!-)", each) for each in wanted)]
    return min(holding, key=lambda extra: len(asked[extra]), default=None)


def modules(package: metadata.Distribution) -> list[str]:
    """The importable names that a package brings: its topmost packages and modules, in a namespace or not."""
    files = [PurePosixPath(str(file)) for file in package.files or []]
    folders = {file.parent for file in files if file.name == "__init__.py" and ".." not in file.parts}
    top = {folder for folder in folders if not any(parent in folders for parent in folder.parents)}
    alone = {file.stem for file in files if len(file.parts) == 1 and file.suffix == ".py"}
    return sorted({".".join(folder.parts) for folder in top if folder.parts} | alone)
