"""Which files of a package's folder its code opens, and which of these its wheel lacks."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from functools import lru_cache
from pathlib import PurePosixPath

from labhandbook.package.distribution import Distribution
from labhandbook.release.release_rules.unwanted_files import CACHES, Contents
from labhandbook.release.wheel_probe import NOT_FOR_USERS

# Words in a module that looks for files beside it.
LOOKS_BESIDE = re.compile(r"\b(__file__|importlib[._]resources|importlib import resources|pkgutil|pkg_resources"
                          r"|PackageLoader|__path__)\b")
# Names that code has for other reasons than to open a file of the package.
EVERYWHERE = re.compile(r"(?i)(readme|licen[cs]e|changelog|makefile|setup|pyproject|conftest|__init__|py\.typed)")
COMPILED_OR_CODE = re.compile(r"\.(pyi?|pyx|pxd|so|pyd|c|cc|cpp|h|rs)$")


def opened(contents: Contents) -> dict[str, tuple[list[str], list[str]]]:
    """What the wheel lacks of the files, and of the whole folders, that a module which looks beside itself names.

    The key is the module's path in the wheel.
    """
    absent, found = lacking(contents), {}
    for name, text in contents.wheel.api.sources.items() if absent else ():
        if not text or not LOOKS_BESIDE.search(text) or NOT_FOR_USERS.search(name):
            continue
        words = _strings(text)
        files = [path for path in absent if any(f"/{path}".endswith(f"/{word}") for word in words)]
        folders = {folder for path in absent if path not in files
                   for folder in (str(parent) for parent in PurePosixPath(path).parents)
                   if folder.rpartition("/")[2] in words and "/" in folder
                   and not any(each.startswith(folder + "/") for each in contents.wheel.installed)}
        surely = [path for path in files if not EVERYWHERE.match(PurePosixPath(path).name)]
        if surely or folders:
            found[contents.wheel.modules[name]] = surely, sorted(folders)
    return found


def lacking(contents: Contents) -> list[str]:
    """The data files of the packages' folders that the wheel lacks, as they would be installed."""
    sources = contents.tree | contents.sdist.files.keys() | contents.ignored
    found: set[str] = set()
    for package in topmost(contents.wheel):
        folder = package_folder(package, sources)
        if folder is not None:
            found |= {path[len(folder):] for path in sources if path.startswith(f"{folder}{package}/")}
    return sorted(path for path in found - contents.wheel.installed.keys() if not path.endswith("/")
                  and not CACHES.search(path) and not COMPILED_OR_CODE.search(path)
                  and not re.search(r"(^|/)(tests?|testdata|docs?|benchmarks?|examples?)/", path))


@lru_cache(maxsize=4096)
def _strings(text: str) -> frozenset[str]:
    """The strings in a module that can be names of files or folders."""
    try:
        nodes = ast.walk(ast.parse(text))
        found = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    return frozenset(word.removeprefix("./").rstrip("/") for word in found
                     if 2 < len(word) < 100 and re.fullmatch(r"[\w./-]+", word))


def topmost(wheel: Distribution) -> set[str]:
    """The folders of packages that are in no other package, as paths in site-packages."""
    folders = {path.rpartition("/")[0] for path in wheel.installed if path.endswith("/__init__.py")}
    return {folder for folder in folders if folder.rpartition("/")[0] not in folders}


def package_folder(package: str, sources: Collection[str]) -> str | None:
    """What comes before a package's folder in the sdist: empty, `src/` or the like; None where it isn't there."""
    end = f"{package}/__init__.py"
    found = [path[:-len(end)] for path in sources if path == end or path.endswith(f"/{end}")]
    return min(found, key=len, default=None)
