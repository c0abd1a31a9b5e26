"""Which packages a source tree holds, and which of them its build backend would ship: read off, not built."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from labhandbook.package.project import Project
from labhandbook.package.version import scm_is_on

# Folders beside a package that setuptools' automatic discovery passes over.
FLAT_PASSED_OVER = {
    "ci", "bin", "debian", "doc", "docs", "documentation", "manpages", "news", "newsfragments", "changelog", "test",
    "tests", "unit_test", "unit_tests", "example", "examples", "scripts", "tools", "util", "utils", "python", "build",
    "benchmark", "benchmarks", "exercise", "exercises", "htmlcov", "tasks", "fabfile", "site_scons", "cmake", "venv",
}


@dataclass(frozen=True)
class Layout:
    """The packages of a tree as a backend sees them.

    `shipped` maps the packages that reach the wheel to their folders. `missing` are importable packages below or
    beside them that don't, and `data` those that do only as data of their parent. `table` is where the choice
    stands in `pyproject.toml`. `strays` are folders that stop the build because nothing says which of them is the
    package. `unwanted` are folders that are left out on purpose. `problem` says why none of this can be told.
    """

    shipped: Mapping[str, str]
    table: str
    key: str = ""
    missing: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    namespaces: bool = True
    unwanted: frozenset[str] = frozenset()
    problem: str = ""


def folders_of(files: Iterable[str]) -> set[str]:
    """The folders that hold a Python module."""
    return {posixpath.dirname(file) for file in files if file.endswith((".py", ".pyx", ".pyi"))}


def packages_below(files: frozenset[str], folder: str, name: str) -> dict[str, str]:
    """The regular packages in `folder`, itself included, by their dotted names; `name` is that of `folder`.

    A package is regular when it and every folder between hold an `__init__.py`.
    """
    found = {}
    for file in files:
        if posixpath.basename(file) == "__init__.py" and (file.startswith(f"{folder}/") or not folder):
            inside = posixpath.dirname(file)[len(folder):].strip("/")
            parts = inside.split("/") if inside else []
            chain = ["/".join([*([folder] if folder else []), *parts[:end], "__init__.py"])
                     for end in range(0 if name else 1, len(parts) + 1)]
            if all(part.isidentifier() for part in parts) and files.issuperset(chain) and (parts or name):
                found[".".join([*([name] if name else []), *parts])] = posixpath.dirname(file)
    return found


def modules_below(files: frozenset[str], folder: str) -> dict[str, str]:
    """All that is importable in a folder, by dotted name: packages, folders without `__init__.py`, single modules."""
    start = f"{folder}/" if folder else ""
    single = [file.removesuffix(".py") for file in files
              if file.startswith(start) and file.endswith(".py") and "/" not in file[len(start):]]
    found = [at for at in folders_of(files) if at.startswith(start) and at != folder] + single
    return {at[len(start):].replace("/", "."): at for at in found
            if all(part.isidentifier() for part in at[len(start):].split("/"))}


def survey(project: Project, files: frozenset[str], texts: Mapping[str, str]) -> Layout:
    """What the project's backend ships of these files."""
    if project.tool == "setuptools":
        return _setuptools(project, files, texts)
    choose = {"hatchling": _hatch, "flit": _flit, "poetry": _poetry, "uv_build": _uv, "pdm": _pdm}.get(project.tool)
    if choose is None:
        return Layout({}, "build-system", problem=f"{project.backend} decides it while it builds")
    return choose(project, files)


def _setuptools(project: Project, files: frozenset[str], texts: Mapping[str, str]) -> Layout:
    chosen = project.get("tool", "setuptools", "packages")
    if isinstance(chosen, list):
        return _listed(project, files, [name for name in chosen if isinstance(name, str)])
    if isinstance(chosen, dict) and isinstance(find := chosen.get("find"), dict):
        return _found(find, files, project.section("tool", "setuptools", "package-dir"))
    for file in ("setup.py", "setup.cfg"):
        if re.search(r"\b(packages|py_modules)\s*=", texts.get(file, "")):
            return Layout({}, "build-system", problem=f"{file} chooses the packages")
    if project.strings("tool", "setuptools", "py-modules"):
        return Layout({}, "tool.setuptools", "py-modules")
    if below := modules_below(files, "src"):
        return Layout(below, "build-system")
    tops = {file.partition("/")[0] for file in files if "/" in file}
    strays = tuple(sorted(top for top in tops if top.isidentifier() and top not in FLAT_PASSED_OVER
                          and not top.startswith("_")))
    every = modules_below(files, "")
    single = [name for name in every if "." not in name and f"{name}.py" in files
              and not re.match(r"(setup|conftest|noxfile|tasks|tests?)(_|$)", name)]
    shipped = {name: at for name, at in every.items() if name.partition(".")[0] in (strays or single)}
    return Layout(shipped, "build-system", strays=strays if len(strays) > 1 else ())


def _listed(project: Project, files: frozenset[str], names: list[str]) -> Layout:
    """`packages = [...]`, with `package-dir`."""
    mapping = project.section("tool", "setuptools", "package-dir")
    shipped = {name: _folder(name, mapping) for name in names}
    left_out = [f"{shipped[owner]}/{pattern}" for owner, patterns in
                project.section("tool", "setuptools", "exclude-package-data").items() if owner in shipped
                for pattern in _strings(patterns)]
    unwanted = frozenset(folder for folder in folders_of(files)
                         if any(fnmatchcase(f"{folder}/module.py", pattern) for pattern in left_out))
    missing = {below for name, folder in shipped.items() for below, at in packages_below(files, folder, name).items()
               if below not in names and at not in unwanted}
    folders = folders_of(files)
    absent = tuple(sorted(name for name, folder in shipped.items()
                          if not any(at == folder or at.startswith(f"{folder}/") for at in folders)))
    as_data = project.section("tool", "setuptools").get("include-package-data", True) and scm_is_on(project)
    found = tuple(sorted(missing))
    return Layout(shipped, "tool.setuptools", "packages", () if as_data else found, found if as_data else (),
                  absent=absent, unwanted=unwanted)


def _folder(name: str, mapping: Mapping[str, Any]) -> str:
    """The folder of a package under `package-dir`: the longest mapped prefix counts."""
    parts = name.split(".")
    for end in range(len(parts), -1, -1):
        prefix = ".".join(parts[:end])
        if isinstance(mapping.get(prefix), str):
            return posixpath.normpath("/".join([mapping[prefix] or ".", *parts[end:]]))
    return "/".join(parts)


def _found(find: Mapping[str, Any], files: frozenset[str], mapping: Mapping[str, Any]) -> Layout:
    """`packages.find` with its patterns."""
    include, exclude = _strings(find.get("include")) or ["*"], _strings(find.get("exclude"))
    where = _strings(find.get("where")) or [str(mapping.get("", "."))]
    namespaces = find.get("namespaces", True) is not False
    shipped: dict[str, str] = {}
    missing: set[str] = set()
    unwanted: set[str] = set()
    for folder in where:
        base = posixpath.normpath(folder).removeprefix(".").strip("/")
        regular = packages_below(files, base, "")
        inside = {at[len(base):].strip("/") for at in folders_of(files) if not base or at.startswith(f"{base}/")}
        named = {at.replace("/", "."): f"{base}/{at}".strip("/") for at in inside
                 if at and all(part.isidentifier() for part in at.split("/"))}
        for name, at in {**(named if namespaces else {}), **regular}.items():
            if any(fnmatchcase(name, pattern) for pattern in exclude):
                unwanted.add(at)
            elif any(fnmatchcase(name, pattern) for pattern in include):
                shipped[name] = at
            elif name in regular:
                missing.add(name)
    missing = {name for name in missing if any(name.startswith(f"{owner}.") for owner in shipped)}
    return Layout(shipped, "tool.setuptools.packages.find", "include", tuple(sorted(missing)),
                  absent=() if shipped else tuple(include), namespaces=namespaces, unwanted=frozenset(unwanted))


def _hatch(project: Project, files: frozenset[str]) -> Layout:
    table = "tool.hatch.build.targets.wheel"
    build = project.section("tool", "hatch", "build")
    wheel = {**build, **project.section("tool", "hatch", "build", "targets", "wheel")}
    if packages := _strings(wheel.get("packages")):
        places = [posixpath.normpath(place) for place in packages]
        return _named(files, {place.rpartition("/")[2]: place for place in places}, table, "packages")
    if any(key in wheel for key in ("only-include", "include", "force-include", "bypass-selection", "sources")):
        return Layout({}, table, problem="patterns choose the files")
    return _guessed(project, files, table, namespace=True)


def _flit(project: Project, files: frozenset[str]) -> Layout:
    module = project.section("tool", "flit", "module").get("name")
    if module is None:
        return _guessed(project, files, "tool.flit.module")
    path = str(module).replace(".", "/")
    return _named(files, {str(module): _first(files, [path, f"src/{path}"])}, "tool.flit.module", "name")


def _poetry(project: Project, files: frozenset[str]) -> Layout:
    packages = project.section("tool", "poetry").get("packages")
    if not isinstance(packages, list):
        return _guessed(project, files, "tool.poetry")
    places = {str(entry.get("include")): posixpath.normpath(f"{entry.get('from', '.')}/{entry.get('include')}")
              for entry in packages if isinstance(entry, dict)}
    if any("*" in name for name in places):
        return Layout({}, "tool.poetry", problem="patterns choose the files")
    return _named(files, {name.replace("/", "."): place for name, place in places.items()}, "tool.poetry", "packages")


def _uv(project: Project, files: frozenset[str]) -> Layout:
    table = project.section("tool", "uv", "build-backend")
    names = table.get("module-name", project.module)
    root = posixpath.normpath(str(table.get("module-root", "src"))).removeprefix(".").strip("/")
    places = {str(name): "/".join(filter(None, [root, *str(name).split(".")]))
              for name in (names if isinstance(names, list) else [names])}
    return _named(files, places, "tool.uv.build-backend", "module-name")


def _pdm(project: Project, files: frozenset[str]) -> Layout:
    if project.section("tool", "pdm", "build").keys() & {"includes", "excludes", "package-dir"}:
        return Layout({}, "tool.pdm.build", problem="patterns choose the files")
    folder = "src" if any(folder.startswith("src/") for folder in folders_of(files)) else ""
    shipped = {name: at for name, at in modules_below(files, folder).items() if not re.match(r"tests?(\.|$)", name)}
    return Layout(shipped, "build-system", absent=() if shipped else (project.module,))


def _guessed(project: Project, files: frozenset[str], table: str, *, namespace: bool = False) -> Layout:
    """The package that has the project's name, beside `pyproject.toml` or in src/."""
    names = {project.module, re.sub("[-.]", "_", project.name), re.sub("[-.]", "/", project.name)}
    tree = {at.lower(): at for at in folders_of(files)} | {file.removesuffix(".py").lower(): file.removesuffix(".py")
                                                           for file in files if file.endswith(".py")}
    for name in sorted(names):
        for folder in ("src/", ""):
            if at := tree.get(f"{folder}{name}".lower()):
                return _named(files, {at.removeprefix("src/").replace("/", "."): at}, table, "")
    below = re.compile(rf"(src/)?{re.escape(project.module)}/\w+/__init__.py")
    namespaced = namespace and any(below.fullmatch(file) for file in files)
    return Layout({}, table, absent=() if namespaced else (project.module,))


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _first(files: frozenset[str], places: list[str]) -> str:
    return next((place for place in places if f"{place}.py" in files
                 or any(file.startswith(f"{place}/") for file in files)), places[0])


def _named(files: frozenset[str], places: Mapping[str, str], table: str, key: str) -> Layout:
    """Packages or modules by name, with all that lies below them; other packages in src/ are missing."""
    absent = tuple(name for name, place in places.items()
                   if f"{place}.py" not in files and not any(file.startswith(f"{place}/") for file in files))
    shipped = {name: place for name, place in places.items() if name not in absent}
    below: dict[str, str] = {}
    for name, place in shipped.items():
        below |= packages_below(files, place, name)
    beside = {}
    if any(place.startswith("src/") for place in shipped.values()):
        beside = {name: at for name, at in packages_below(files, "src", "").items()
                  if not any(at == place or at.startswith(f"{place}/") for place in shipped.values())}
    tops = tuple(sorted({name for name in beside if "." not in name}))
    return Layout({**shipped, **below}, table, key, missing=tops, absent=absent)
