"""One environment with what a project needs to be built, for all its builds."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.process import run
from labhandbook.package import environments
from labhandbook.package.environments import Environment
from labhandbook.package.machine import installer_env, running, suite_env, uv_program, without_secrets
from labhandbook.package.project import PYPROJECT, Project


@dataclass(frozen=True)
class Tools:
    """An environment of this Python with a backend in it, which sees the variables in `names` as well."""

    environment: Environment
    names: tuple[str, ...] = ()

    @classmethod
    def create(cls, folder: Path, requires: Collection[str], names: Iterable[str] = ()) -> Tools:
        """Make the environment and install what the backend requires. Raises HandbookError when that fails."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            made = cls(environments.create(folder, running(), uv_program()), tuple(names))
        except environments.InstallFailed as error:
            raise _failed("an environment for the build can't be made", str(error)) from None
        made.install(requires)
        return made

    @property
    def python(self) -> Path:
        """The Python that runs the backend."""
        return self.environment.python

    def install(self, requires: Collection[str]) -> None:
        """Add requirements. Compiling them once, now, makes every later call of the backend twice as fast."""
        if not requires:
            return
        uv = self.environment.uv
        command = ([str(uv), "pip", "install", "--compile-bytecode", "--python", str(self.python)] if uv
                   else [str(self.python), "-I", "-m", "pip", "install"])
        env = {name: value for name, value in installer_env().items() if name != "UV_LINK_MODE"}
        done = run([*command, "--quiet", "--", *sorted(requires)], cwd=self.environment.folder, env=env)
        if done.returncode:
            said = environments.tail(without_secrets(done.stderr or done.stdout))
            raise _failed(f"what builds the package can't be installed: {', '.join(sorted(requires))}", said)

    def environ(self) -> dict[str, str]:
        """The variables for the backend: its programs on PATH, and no secret."""
        env = suite_env(self.names)
        return env | {"PATH": f"{self.environment.scripts}:{env.get('PATH', '')}",
                      "VIRTUAL_ENV": str(self.environment.folder)}

    def versions(self) -> dict[str, str]:
        """Names and versions of what is in it, for the ledger."""
        found = metadata.distributions(path=[str(self.environment.site)])
        return {each.name: each.version for each in sorted(found, key=lambda each: each.name.lower())}


def generate(project: Project, tree: Path, tools: Tools) -> None:
    """Carry out in a copy of the sources what the project's settings ask for before a build.

    Raises HandbookError when the command fails.
    """
    command = project.settings.before_build
    if not command:
        return
    try:
        done = run(command, cwd=tree, env=tools.environ(), umask=0o022, merged=True)
        code, said = done.returncode, done.stdout
    except OSError as error:
        code, said = 1, error.strerror or str(error)
    if code:
        raise HandbookError(f"before-build failed: {shlex.join(command)}",
                            why=environments.tail(without_secrets(said)),
                            where=f"{PYPROJECT}:{project.line('before-build')}",
                            todo="correct the command; it runs in a clean copy of the commit, with what "
                                 "[build-system] requires", section="sec-pypi-build")


def _failed(what: str, said: str) -> HandbookError:
    return HandbookError(what, where="pyproject.toml", why=said,
                         todo="check the network, and requires in [build-system]",
                         section="sec-pypi-build")
