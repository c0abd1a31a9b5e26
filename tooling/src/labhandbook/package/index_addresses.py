"""The addresses of package indexes, taken from twine at run time.

HANDBOOK_PYPI and HANDBOOK_TESTPYPI replace PyPI and TestPyPI by other indexes: a mirror, your own index, or one on
this machine for trying out a workflow.
"""

from __future__ import annotations

import importlib.util
import os
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from labhandbook.core.errors import HandbookError
from labhandbook.core.kit_extras import kit_with

KNOWN = ("pypi", "testpypi")
NEEDED = {"WAREHOUSE_WEB", "TEST_WAREHOUSE", "DEFAULT_REPOSITORY", "TEST_REPOSITORY"}
TITLES = {"pypi": "PyPI", "testpypi": "TestPyPI"}


@dataclass(frozen=True)
class Index:
    """A package index: where files are uploaded, the simple index that pip reads, and its web pages.

    `name` is "pypi", "testpypi" or the host of an address given by the user.
    """

    name: str
    upload: str
    simple: str
    web: str

    @property
    def label(self) -> str:
        """The index as a person calls it."""
        return shown(self.name)

    @property
    def title(self) -> str:
        """PyPI or TestPyPI, also where a variable puts another index in its place; else the index's own name."""
        return TITLES.get(self.name, self.label)

    @property
    def moved(self) -> bool:
        """Whether a variable replaces PyPI or TestPyPI by another index."""
        return self.name in KNOWN and self.upload != _of_twine(self.name)[1]

    @property
    def public(self) -> str:
        """The root of the public pages of the index: PyPI's own where a variable replaces PyPI."""
        return _known(self.name).web if self.moved else self.web

    @property
    def final(self) -> bool:
        """Whether uploads there are public and can't be replaced."""
        return self.name == "pypi"

    def json(self, project: str, version: str = "") -> str:
        """The address of the JSON description of a project or one of its versions."""
        return f"{self.web}/pypi/{project}/{version + '/' if version else ''}json"


def shown(name: str) -> str:
    """The name of an index as people write it; the host that a variable puts in the place of PyPI or TestPyPI."""
    if name not in KNOWN:
        return name
    host = urlsplit(os.environ.get(f"HANDBOOK_{name.upper()}", "").strip()).netloc.rpartition("@")[2]
    return host or TITLES[name]


def index(target: str) -> Index:
    """The index that a user means by "pypi", "testpypi" or the address of another one.

    An address is that of the index's root: uploads go to it, the simple index lies under `simple/`.
    Raises HandbookError when it is none of these, or twine is not installed.
    """
    if target in KNOWN:
        elsewhere = os.environ.get(f"HANDBOOK_{target.upper()}", "").strip()
        return replace(_at(elsewhere), name=target) if elsewhere else _known(target)
    return _at(target)


def _at(target: str) -> Index:
    parts = urlsplit(target)
    if "@" in target:
        raise HandbookError("the address of the index holds a user name or a password",
                            why="others on this machine can read a command's arguments, and logs keep them",
                            todo="leave it out, and set TWINE_USERNAME and TWINE_PASSWORD or use the keyring",
                            section="sec-pypi-upload")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise HandbookError(f"{target} is no index", todo="give pypi, testpypi or the address of an index",
                            section="sec-pypi-upload")
    base = target.rstrip("/")
    return Index(parts.netloc, f"{base}/legacy/", f"{base}/simple/", base)


def _known(name: str) -> Index:
    web, upload = _of_twine(name)
    base = web.rstrip("/")
    return Index(name, upload, f"{base}/simple/", base)


def _of_twine(name: str) -> tuple[str, str]:
    """The addresses of an index's pages and of its uploads."""
    known = twine_constants()
    if not known:
        raise HandbookError("twine isn't installed", why="it uploads, and it has the addresses of the indexes",
                            todo=kit_with("release"), section="sec-kit-extras")
    return ((known["WAREHOUSE_WEB"], known["DEFAULT_REPOSITORY"]) if name == "pypi"
            else (known["TEST_WAREHOUSE"], known["TEST_REPOSITORY"]))


@cache
def twine_constants() -> dict[str, str]:
    """The addresses that twine has, by the names of its constants; nothing without twine.

    They are read from its source where that has them: to import twine takes a third of a second.
    """
    found = importlib.util.find_spec("twine")
    if found is None or not found.submodule_search_locations:
        return {}
    folder = Path(found.submodule_search_locations[0])
    known: dict[str, str] = {}
    for name in ("repository.py", "utils.py"):
        known |= re.findall(r'^(\w+) = "(https://[^"]+)"$', (folder / name).read_text(encoding="utf-8"), re.MULTILINE)
    if not known.keys() >= NEEDED:
        from twine import repository, utils

        known = {**vars(repository), **vars(utils)}
    return {each: known[each] for each in NEEDED}
