"""The cases of `tests/cases/release/`: a small package in one file, and what must be said of it.

A case begins with lines `key: value`, then a blank line, then its files, each after a line `-- path --`. Keys:

- `about`: what the case shows;
- `step`: test (a wheel in a clean environment), suite (the same with the project's own tests, once with the lowest
  dependencies), inspect (both files, written without a build), build or command (release build);
- `expect`: a code and words of its finding, as `REL608 error: no requirement`; may come again;
- `never`: codes that must not be found; in `fine/` no error may be found either;
- `requires`, `extra`, `tag`, `python`: of the metadata; `crlf` and `mode` (`PATH 000`): of a file.

Paths begin with `wheel/`, `sdist/` or `tree/`; without one a file is in all three.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tooling.tests.conftest import ROOT

FOLDER = ROOT / "tooling/tests/cases/release"
PLACES = ("wheel", "sdist", "tree")


@dataclass(frozen=True)
class Case:
    """One case, read from its file."""

    path: Path
    keys: dict[str, list[str]]
    files: dict[str, str]

    @property
    def step(self) -> str:
        """What is carried out."""
        return self.one("step")

    def one(self, key: str, default: str = "") -> str:
        """The last value of a key."""
        return self.keys.get(key, [default])[-1]

    def of(self, place: str) -> dict[str, str | bytes | None]:
        """The files of one place, with the line ends that the case asks for."""
        found: dict[str, str | bytes | None] = {}
        for name, text in self.files.items():
            top, _, rest = name.partition("/")
            if top not in PLACES or top == place:
                inside = rest if top == place else name
                found[inside] = text.replace("\n", "\r\n").encode() if inside in self.keys.get("crlf", ()) else text
        return found

    def modes(self) -> dict[str, int]:
        """The modes of files that have another one than usual."""
        return {path: int(mode, 8) for path, mode in (line.split() for line in self.keys.get("mode", ()))}


def read(path: Path) -> Case:
    """Read a case."""
    head, _, rest = path.read_text(encoding="utf-8").partition("\n\n")
    keys: dict[str, list[str]] = {}
    for line in head.splitlines():
        key, _, value = line.partition(":")
        keys.setdefault(key.strip(), []).append(value.strip())
    files: dict[str, str] = {}
    name = ""
    for line in rest.splitlines(keepends=True):
        if line.startswith("-- ") and line.endswith(" --\n"):
            name = line[3:-4]
            files[name] = ""
        elif name:
            files[name] += line
    return Case(path, keys, files)


def cases(*steps: str) -> list[Path]:
    """The files of the cases with one of these steps."""
    return [path for path in sorted(FOLDER.glob("*/*.case")) if read(path).step in steps]


def expected(folder: str, step: str = "inspect") -> set[str]:
    """The codes that the cases of a folder are about."""
    found = [read(path) for path in cases(step) if path.parent.name == folder]
    return {code for case in found for line in (*case.keys.get("expect", ()), *case.keys.get("never", ()))
            for code in (line.split() if folder == "fine" else line.split()[:1])}
