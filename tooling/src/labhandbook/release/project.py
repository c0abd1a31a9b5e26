"""A Python project as its sources describe it, before anything is built."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labhandbook.errors import HandbookError
from labhandbook.release.git import GitState

PYPROJECT = "pyproject.toml"


@dataclass(frozen=True)
class Settings:
    """`[tool.handbook.release]`: how this project is released.

    `tag` is the pattern of its tags; `test_command` replaces `pytest --pyargs MODULE`; `reruns` is how often a
    failed test may run again; `ignore` maps rule codes to the reason for ignoring them.
    """

    tag: str = "v{version}"
    test_command: tuple[str, ...] = ()
    reruns: int = 0
    ignore: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """A project: its folder, its parsed and raw `pyproject.toml`, its git state and its settings."""

    root: Path
    data: dict[str, Any]
    text: str
    git: GitState | None
    settings: Settings = Settings()

    @property
    def table(self) -> dict[str, Any]:
        """The `[project]` table, empty where there is none."""
        table = self.data.get("project")
        return table if isinstance(table, dict) else {}

    @property
    def name(self) -> str:
        """The name as its author writes it."""
        return str(self.table.get("name", ""))

    @property
    def normalised(self) -> str:
        """The name as indexes compare it (PEP 503)."""
        return re.sub(r"[-_.]+", "-", self.name).lower()

    @property
    def backend(self) -> str:
        """The build backend's import path; setuptools where none is named (PEP 517)."""
        return str(self.data.get("build-system", {}).get("build-backend", "setuptools.build_meta:__legacy__"))

    @property
    def state(self) -> Path:
        """The folder of this project's releases: ledgers and built files, out of git's sight."""
        return self.root / ".handbook" / "release"

    def line(self, needle: str) -> int:
        """The first line of `pyproject.toml` that holds `needle`, counted from 1; 1 when none does."""
        for number, line in enumerate(self.text.splitlines(), 1):
            if needle in line:
                return number
        return 1


def read_pyproject(root: Path) -> tuple[dict[str, Any], str]:
    """The parsed and the raw `pyproject.toml` of a folder.

    Raises HandbookError when there is none, or it is not TOML.
    """
    path = root / PYPROJECT
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), text
    except FileNotFoundError:
        raise HandbookError(f"no {PYPROJECT} in {root}", why="a package is described there",
                            todo="go to the project's folder, or start one with handbook release new",
                            section="sec-pypi-metadata") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        line = re.search(r"line (\d+)", str(error))
        raise HandbookError(f"{PYPROJECT} can't be read: {error}",
                            where=f"{path}:{line[1]}" if line else str(path), todo="mend that line",
                            section="sec-pypi-metadata") from None
