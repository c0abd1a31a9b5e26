"""The version that a build would give a project, found without building it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.package import scm_version
from labhandbook.package.project import PYPROJECT, Project

# The version that setuptools gives a package that names none.
NO_VERSION = "0.0.0"
HATCH_PATTERN = r"(?im)^(?:__version__|VERSION)(?: ?: ?str)? *= *(['\"])v?(?P<version>.+?)\1"
PDM_PATTERN = r"(?m)^__version__\s*=\s*[\"'](?P<version>.+?)[\"']\s*(?:#.*)?$"


@dataclass(frozen=True)
class FoundVersion:
    """A version and the place that says it, or the reason why it could not be found.

    `source` is a word for the kind of place: "pyproject.toml", "setuptools-scm", "flit", ...; "nothing" when the
    backend would fall back to 0.0.0 in silence.
    """

    version: str | None
    source: str
    file: str = PYPROJECT
    line: int = 1
    problem: str = ""

    @property
    def from_git(self) -> bool:
        """Whether the version is read off the git tag."""
        return self.source.endswith("-scm") or self.source in ("hatch-vcs", "versioningit")


def find_version(project: Project) -> FoundVersion:
    """The version that a build of this project would have. Never raises: `problem` says what fails."""
    if isinstance(static := project.table.get("version"), str):
        return FoundVersion(static, PYPROJECT, line=project.line("version", "project"))
    try:
        found = _dynamic(project)
    except HandbookError as error:
        found = FoundVersion(None, project.tool, problem=error.what)
    except Exception as error:
        # Settings of the wrong type can break anything here.
        found = FoundVersion(None, project.tool, problem=f"{type(error).__name__}: {error}".splitlines()[0])
    # An unpacked sdist carries the version that it was built with.
    built = re.search(r"^Version: *(\S+)", _read(project, "PKG-INFO"), re.MULTILINE) if project.git is None else None
    return FoundVersion(built[1], "PKG-INFO", "PKG-INFO") if built and found.version is None else found


def requires(project: Project, *names: str) -> bool:
    """Whether `build-system.requires` names one of these packages."""
    wanted = "|".join(re.escape(name).replace("\\-", "[-_.]") for name in names)
    return any(re.match(rf"({wanted})(?![\w.-])", text.strip(), re.IGNORECASE)
               for text in project.strings("build-system", "requires"))


def scm_is_on(project: Project) -> bool:
    """Whether setuptools-scm gives a setuptools project its version: by table, extra, or the old `setup.py`."""
    if not requires(project, "setuptools-scm"):
        return False
    if isinstance(project.get("tool", "setuptools_scm"), dict) or "use_scm_version" in _read(project, "setup.py"):
        return True
    return any(re.match(r"setuptools[-_.]scm\s*\[[^]]*simple", text.strip(), re.IGNORECASE)
               for text in project.strings("build-system", "requires"))


def _dynamic(project: Project) -> FoundVersion:
    poetry = project.section("tool", "poetry").get("version")
    if project.tool == "poetry" and isinstance(poetry, str):
        if requires(project, "poetry-dynamic-versioning"):
            return _ask_scm(project, "poetry-dynamic-versioning-scm", {})
        return FoundVersion(poetry, PYPROJECT, line=project.line("version", "tool.poetry"))
    if "versioningit" in project.section("tool") or requires(project, "versioningit"):
        return _ask_scm(project, "versioningit", {})
    finders = {"setuptools": _setuptools, "hatchling": _hatch, "pdm": _pdm, "flit": _flit}
    if finder := finders.get(project.tool):
        return finder(project)
    if requires(project, "setuptools-scm"):
        return _ask_scm(project, "setuptools-scm", project.section("tool", "setuptools_scm"))
    return FoundVersion(None, project.tool, problem=f"how {project.backend} finds it is not known here")


def _setuptools(project: Project) -> FoundVersion:
    place = project.section("tool", "setuptools", "dynamic").get("version")
    line = project.line("version", "tool.setuptools.dynamic")
    if isinstance(place, dict):
        if isinstance(attribute := place.get("attr"), str):
            return _attribute(project, attribute, line)
        files = [place["file"]] if isinstance(place.get("file"), str) else place.get("file", [])
        said = "\n".join(_read(project, name) for name in files).strip()
        return FoundVersion(said or None, "file", str(files[0]), problem=f"{files[0]} is empty or missing")
    if scm_is_on(project):
        return _ask_scm(project, "setuptools-scm", project.section("tool", "setuptools_scm"))
    if match := re.search(r"(?ms)^\[metadata\].*?^version\s*=\s*(\S.*?)\s*$", _read(project, "setup.cfg")):
        kind, _, value = match[1].partition(":")
        if kind == "attr":
            return _attribute(project, value.strip(), 1)
        text = _read(project, value.strip()).strip() if kind == "file" else match[1]
        return FoundVersion(text or None, "setup.cfg", "setup.cfg", problem="setup.cfg names no version")
    if setup := _read(project, "setup.py"):
        if match := re.search(r"\bversion\s*=\s*([\"'])([^\"']+)\1", setup):
            return FoundVersion(match[2], "setup.py", "setup.py", setup[:match.start()].count("\n") + 1)
        if "version" in setup:
            return FoundVersion(None, "setup.py", "setup.py", problem="setup.py computes it")
    return FoundVersion(NO_VERSION, "nothing", line=project.line("dynamic", "project"))


def _hatch(project: Project) -> FoundVersion:
    table = project.section("tool", "hatch", "version")
    source = table.get("source", "regex")
    if source == "vcs":
        options = {key.replace("-", "_"): value for key, value in table.get("raw-options", {}).items()}
        for key, option in {"tag-pattern": "tag_regex", "fallback-version": "fallback_version"}.items():
            if key in table:
                options[option] = table[key]
        return _ask_scm(project, "hatch-vcs", options)
    if source == "regex" and isinstance(path := table.get("path"), str):
        return _pattern(project, path, str(table.get("pattern") or HATCH_PATTERN))
    problem = f"the source {source} is not known here" if table else "there is no [tool.hatch.version]"
    return FoundVersion(None, "hatch", line=project.line("source", "tool.hatch.version"), problem=problem)


def _pdm(project: Project) -> FoundVersion:
    table = project.section("tool", "pdm", "version")
    if table.get("source") == "scm":
        options: dict[str, Any] = {key: table[key] for key in ("tag_regex", "fallback_version") if key in table}
        return _ask_scm(project, "pdm-scm", options)
    if table.get("source") == "file" and isinstance(path := table.get("path"), str):
        return _pattern(project, path, PDM_PATTERN)
    problem = f"the source {table.get('source')} is not known here" if table else "there is no [tool.pdm.version]"
    return FoundVersion(None, "pdm", line=project.line("source", "tool.pdm.version"), problem=problem)


def _flit(project: Project) -> FoundVersion:
    if requires(project, "flit-scm"):
        return _ask_scm(project, "flit-scm", project.section("tool", "setuptools_scm"))
    module = project.section("tool", "flit", "module").get("name", project.module)
    return _attribute(project, f"{module}.__version__", project.line("dynamic", "project"))


def _attribute(project: Project, attribute: str, line: int) -> FoundVersion:
    """The value of `package.module.NAME`, if it is written out as a string."""
    module, _, name = attribute.rpartition(".")
    for path in module_files(project, module):
        if text := _read(project, path):
            found = assigned(text, name)
            if found is None:
                return FoundVersion(None, "attribute", path, problem=f"{name} in {path} is not a plain string")
            return FoundVersion(found[0], "attribute", path, found[1])
    return FoundVersion(None, "attribute", line=line, problem=f"the module {module} is not found")


def module_files(project: Project, module: str) -> list[str]:
    """Where the file of a module may lie."""
    path = module.replace(".", "/")
    where = project.strings("tool", "setuptools", "packages", "find", "where")
    folders = ["", "src/", *(f"{folder}/" for folder in where)]
    mapped = project.section("tool", "setuptools", "package-dir").get("")
    if isinstance(mapped, str) and mapped:
        folders.append(f"{mapped}/")
    return [f"{folder}{path}{end}" for folder in dict.fromkeys(folders) for end in ("/__init__.py", ".py")]


def assigned(text: str, name: str) -> tuple[str, int] | None:
    """The string that a module's text assigns to `name` and its line; None when it is no plain string."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return None
    for node in body:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name) and target.id == name:
                value = node.value
                is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
                return (str(ast.literal_eval(value)), node.lineno) if value is not None and is_text else None
    return None


def _pattern(project: Project, path: str, pattern: str) -> FoundVersion:
    text = _read(project, path)
    found = untrusted_data.search(pattern if pattern.startswith("(?") else f"(?m){pattern}", text, PYPROJECT)
    if found and found["names"].get("version"):
        return FoundVersion(found["names"]["version"], "file", path, text.count("\n", 0, found["start"]) + 1)
    return FoundVersion(None, "file", path, problem=f"{path} says no version")


def _ask_scm(project: Project, source: str, options: dict[str, Any]) -> FoundVersion:
    """Ask the setuptools-scm library, with the project's options and without writing a file."""
    line = project.line("source" if source == "hatch-vcs" else "[tool.setuptools_scm]")
    if find_spec("setuptools_scm") is None:
        return FoundVersion(None, source, line=line, problem="setuptools-scm is not installed here")
    version, problem = scm_version.ask(project, options)
    return FoundVersion(version, source, line=line, problem=problem)


def _read(project: Project, path: str) -> str:
    try:
        return untrusted_data.text(project.root / path)
    except HandbookError:
        return ""


def version_of(project: Project) -> str:
    """The version that this commit will have. Raises HandbookError when that can't be told."""
    from packaging.version import InvalidVersion, Version

    found = find_version(project)
    try:
        return str(Version(found.version or ""))
    except InvalidVersion:
        raise HandbookError(f"the version of {project.name or project.root.name} can't be told",
                            where=f"{found.file}:{found.line}",
                            why=found.problem or f"{found.version or 'nothing'} is no version",
                            todo="mend what the reason says, or tag the commit", section="sec-pypi-tag") from None
