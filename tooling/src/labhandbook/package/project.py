"""A Python project as its sources describe it before a build."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import user_state
from labhandbook.core.git import GitState, read_git
from labhandbook.core.process import SECRET
from labhandbook.core.wording import hint
from labhandbook.package.tag_form import learn

PYPROJECT = "pyproject.toml"
TABLE = "tool.handbook.release"
# Variables that change what is installed or imported.
REDIRECTS = re.compile(r"(PIP|UV|TWINE|PYTEST|COVERAGE|VIRTUAL_ENV|CONDA|LD|DYLD)_|PYTHON(PATH|HOME|STARTUP|OPTIMIZE)"
                       r"|GIT_")
# Folders in which no project of a repository is looked for.
PASSED_OVER = {"build", "dist", "docs", "examples", "node_modules", "site-packages", "template", "templates",
               "testdata", "test", "tests", "venv"}


@dataclass(frozen=True)
class Settings:
    """`[tool.handbook.release]`: how this project is released.

    `tag` is the pattern of its tags, learnt from the tags where the table has none; `test_command` replaces
    `pytest --pyargs MODULE`; `before_build` is a command for a clean copy of the sources, before they are built;
    `reruns` is how often a failed test may run again; `ignore` maps rule codes to the
    reason for ignoring them; `compare_with` is the index that holds the earlier releases, or "none"; `publisher` is
    what was registered as trusted publisher, as `doctor.publisher` reads it; `pass_env` names the variables that the
    build and the tests see beyond the usual.
    """

    tag: str = "v{version}"
    test_command: tuple[str, ...] = ()
    reruns: int = 0
    ignore: dict[str, str] = field(default_factory=dict)
    compare_with: str = "pypi"
    publisher: dict[str, Any] = field(default_factory=dict)
    pass_env: tuple[str, ...] = ()
    before_build: tuple[str, ...] = ()


@dataclass(frozen=True)
class Project:
    """A project: its folder, its parsed and raw `pyproject.toml`, its git state and its settings."""

    root: Path
    data: dict[str, Any]
    text: str
    git: GitState | None
    settings: Settings = Settings()

    def get(self, *keys: str) -> Any:
        """A value of `pyproject.toml` by its path of keys; None when it isn't there."""
        value: Any = self.data
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def section(self, *keys: str) -> dict[str, Any]:
        """A table of `pyproject.toml`, empty when it isn't there."""
        value = self.get(*keys)
        return value if isinstance(value, dict) else {}

    def strings(self, *keys: str) -> list[str]:
        """The strings of a list in `pyproject.toml`."""
        value = self.get(*keys)
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    @property
    def table(self) -> dict[str, Any]:
        """The `[project]` table, empty where there is none."""
        return self.section("project")

    @property
    def name(self) -> str:
        """The name as its author writes it."""
        return str(self.table.get("name") or self.section("tool", "poetry").get("name") or self.built.get("name")
                   or self.written("Name") or self._legacy_name)

    @cached_property
    def _legacy_name(self) -> str:
        """The name that `setup.cfg` or `setup.py` writes out; empty where they compute it."""
        for file, pattern in (("setup.cfg", r"(?ms)^\[metadata\].*?^name\s*=\s*([\w.-]+)\s*$"),
                              ("setup.py", r"(?<![\w.])name\s*=\s*['\"]([\w.-]+)['\"]")):
            with suppress(HandbookError):
                if found := re.search(pattern, untrusted_data.text(self.root / file)):
                    return found[1]
        return ""

    def written(self, field: str) -> str:
        """A field of the `PKG-INFO` that an unpacked sdist has, empty without one."""
        try:
            found = re.search(rf"(?m)^{field}: *(\S+)", untrusted_data.text(self.root / "PKG-INFO"))
        except HandbookError:
            return ""
        return found[1] if found else ""

    @cached_property
    def built(self) -> dict[str, Any]:
        """Name, version and requirements that the backend gave for this commit; empty before it was asked."""
        try:
            found = untrusted_data.json_data(untrusted_data.text(self.metadata_file), self.metadata_file.name)
        except HandbookError:
            return {}
        fits = isinstance(found, dict) and found.get("commit") == self.commit
        return found if fits and all(isinstance(found.get(key), str) for key in ("name", "version")) else {}

    @property
    def metadata_file(self) -> Path:
        """The file that keeps what the backend said."""
        return self.state / "metadata.json"

    @property
    def commit(self) -> str:
        """The commit and its tags, or without git the text of `pyproject.toml`: what the backend's answer is for."""
        return " ".join([self.git.commit, *self.git.tags]) if self.git else self.text

    @property
    def absent(self) -> bool:
        """Whether only its built files are here, as in a job that uploads them."""
        return not self.text and self.git is None

    @property
    def normalised(self) -> str:
        """The name as indexes compare it (PEP 503)."""
        return normalise(self.name)

    @property
    def module(self) -> str:
        """The import name that follows from the project's name."""
        return self.normalised.replace("-", "_")

    @property
    def dynamic(self) -> list[str]:
        """The fields of `[project]` that the backend fills in."""
        return self.strings("project", "dynamic")

    @property
    def backend(self) -> str:
        """The build backend's import path; setuptools where none is named (PEP 517)."""
        return str(self.section("build-system").get("build-backend", "setuptools.build_meta:__legacy__"))

    @property
    def tool(self) -> str:
        """The backend's package: setuptools, hatchling, flit, pdm, poetry, uv_build, or the name in its path."""
        name = re.split(r"[.:]", self.backend)[0]
        return {"flit_core": "flit", "flit_scm": "flit", "poetry_core": "poetry"}.get(name, name)

    @cached_property
    def state(self) -> Path:
        """The folder of this project's releases: ledgers and built files.

        It is in git's own folder, or without git in the user's, where no build backend looks for files to ship. It is
        in `.handbook` where that folder exists, as in a job that fetched it, or there is no other place.
        """
        here = self.root / ".handbook"
        if os.path.lexists(here):
            return here / "release"
        if self.git is None or self.git.store is None:
            with suppress(RuntimeError):  # A user of a container may have no home.
                return user_state() / "release" / hashlib.sha256(os.fsencode(self.root.resolve())).hexdigest()[:16]
            return here / "release"
        return self.git.store / "handbook" / os.path.relpath(self.root, self.git.root) / "release"

    def line(self, needle: str, table: str = "") -> int:
        """The first line of `pyproject.toml` with `needle`, counted from 1; 1 without one.

        With `table`, the line lies in that table. A line that begins with `needle` is preferred to one that
        only holds it, and comments are skipped.
        """
        inside, held, head = not table, 0, 0
        for number, line in enumerate(self.text.splitlines(), 1):
            stripped = line.strip()
            if table and re.match(r"\[{1,2}[\w\"'. -]+\]{1,2}\s*(#.*)?$", stripped):
                name = re.sub(r"[\s\"']|#.*$", "", stripped).strip("[]")
                inside = name == table or name.startswith(table + ".")
                head = head or (number if inside else 0)
            if not inside or stripped.startswith("#"):
                continue
            if re.match(re.escape(needle) + r"(?![\w-])", stripped) or stripped.startswith(f'"{needle}'):
                return number
            held = held or (number if needle in line.partition(" #")[0] else 0)
        return held or head or 1


def normalise(name: str) -> str:
    """A project's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pyproject(root: Path) -> tuple[dict[str, Any], str]:
    """The parsed and the raw `pyproject.toml` of a folder; both empty where there is only a `setup.py`.

    Raises HandbookError when there is none, or it is not TOML.
    """
    path = root / PYPROJECT
    if not os.path.lexists(path) and (root / "setup.py").is_file():
        return {}, ""
    if not os.path.lexists(path):
        raise HandbookError(f"no {PYPROJECT} in {root}", why="a package is described there",
                            todo="go to the project's folder, or start one with handbook release new",
                            section="sec-pypi-metadata")
    text = untrusted_data.text(path, section="sec-pypi-metadata")
    return untrusted_data.toml(text, str(path)), text


def load_project(path: Path, *, ask_remote: bool = True) -> Project:
    """The project in a folder, with its git state; the remote is asked for its tags unless `ask_remote` is false.

    Raises HandbookError when `pyproject.toml` is missing, is not TOML, or has settings that can't be used.
    """
    root = path.parent if path.name == PYPROJECT else path
    data, text = read_pyproject(root)
    project = Project(root.resolve(), data, text, read_git(root, ask_remote=ask_remote))
    settings = read_settings(project)
    if project.git and "tag" not in project.section("tool", "handbook", "release"):
        settings = replace(settings, tag=learn(root, project.name, project.git.tags))
    return replace(project, settings=settings)


def load_projects(paths: Sequence[Path], *, ask_remote: bool = True) -> list[Project]:
    """The projects in these folders, each after those of them that it depends on.

    A folder whose `pyproject.toml` describes no package, or that has none, means the projects below it.
    Raises HandbookError as `load_project` does, and when there is no project or they depend on each other in a
    circle.
    """
    roots = dict.fromkeys(root.resolve() for path in paths for root in _roots(path))
    return in_order([load_project(root, ask_remote=ask_remote) for root in roots])


def in_order(projects: Sequence[Project]) -> list[Project]:
    """The projects, each after those of them that it needs at run time or to be built."""
    waiting = {project.normalised or str(project.root): project for project in projects}
    ordered: list[Project] = []
    while waiting:
        ready = [name for name, project in waiting.items() if not (_needs(project) - {name}) & waiting.keys()]
        if not ready:
            circle = ", ".join(sorted(project.name for project in waiting.values()))
            raise HandbookError(f"these packages depend on each other in a circle: {circle}",
                                why="there is no order in which they can be released",
                                todo="move what they share to a package of its own", section="sec-updating-prepare")
        ordered += [waiting.pop(name) for name in ready]
    return ordered


def read_settings(project: Project) -> Settings:
    """`[tool.handbook.release]` of a project.

    Raises HandbookError for a setting that doesn't exist or has the wrong type: without the error a release would not
    do what its author wrote.
    """
    table = project.section("tool", "handbook", "release")

    def refuse(key: str, what: str, why: str = "") -> HandbookError:
        return HandbookError(what, where=f"{PYPROJECT}:{project.line(key, TABLE)}", why=why,
                             todo=f"correct it in [{TABLE}]", section="sec-pypi-metadata")

    kinds: dict[str, type] = {"tag": str, "test-command": list, "reruns": int, "ignore": dict, "compare-with": str,
                              "publisher": dict, "pass-env": list, "before-build": list}
    for key, value in table.items():
        if key not in kinds:
            raise refuse(key, f"there is no setting {key}{hint(key, kinds)}")
        if not isinstance(value, kinds[key]) or isinstance(value, bool):
            raise refuse(key, f"{key} must be a {kinds[key].__name__}, not a {type(value).__name__}")
    tag = table.get("tag", Settings.tag)
    if "{version}" not in tag:
        raise refuse("tag", "the pattern of tags lacks {version}")
    if (reruns := table.get("reruns", 0)) < 0:
        raise refuse("reruns", "reruns can't be negative")
    for name in table.get("pass-env", ()):
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise refuse("pass-env", f"pass-env names no variable: {name}")
        if SECRET.search(name):
            raise refuse("pass-env", f"pass-env names {name}, which looks like a secret",
                         "the package's code, and all that it installs, could read it and send it away")
        if REDIRECTS.match(name):
            raise refuse("pass-env", f"pass-env names {name}",
                         "it says what is installed or imported, so other code than the release's would be tested")
    return Settings(tag, tuple(map(str, table.get("test-command", ()))), reruns,
                    {code: str(reason) for code, reason in table.get("ignore", {}).items()},
                    table.get("compare-with", Settings.compare_with), table.get("publisher", {}),
                    tuple(table.get("pass-env", ())), tuple(map(str, table.get("before-build", ()))))


def _needs(project: Project) -> set[str]:
    wanted = [*project.strings("project", "dependencies"), *project.strings("build-system", "requires")]
    return {normalise(match[0]) for text in wanted if (match := re.match(r"[A-Za-z0-9._-]+", text.strip()))}


def _roots(path: Path) -> list[Path]:
    """The folders of the projects that a path means."""
    if path.name == PYPROJECT:
        return [path.parent]
    if (path / PYPROJECT).exists():
        data, _ = read_pyproject(path)
        if {"project", "build-system"} & data.keys() or "poetry" in data.get("tool", {}):
            return [path]
    if (path / "setup.py").is_file():
        return [path]
    every = [found for depth in ("*", "*/*") for found in sorted(path.glob(f"{depth}/{PYPROJECT}"))]
    below = [found.parent for found in every
             if not any(part in PASSED_OVER or part.startswith(".") for part in found.relative_to(path).parts)]
    if not below:
        read_pyproject(path)
        raise HandbookError(f"{PYPROJECT} in {path} describes no package", why="it has no [project] table",
                            todo="give the folder of a package", section="sec-pypi-metadata")
    return [root for root in below if {"project", "build-system"} & read_pyproject(root)[0].keys()] or below


def tag_of(project: Project, version: str) -> str:
    """The name of a version's tag."""
    return project.settings.tag.format(version=version)
