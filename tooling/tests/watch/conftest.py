"""What the tests of `handbook watch` share: a site, and rounds over a file that watches it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from labhandbook.cli.main import handbook
from tooling.tests.watch.watched_site import Site, serving


@dataclass
class Report:
    """What a round reported."""

    code: int
    new: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    output: str = ""
    error: str = ""

    @property
    def titles(self) -> list[str]:
        """The titles of what is new."""
        return [item["title"] for notice in self.new for item in notice["items"]]

    @property
    def codes(self) -> list[str]:
        """The rules of the findings."""
        return [finding["code"] for finding in self.findings]


@dataclass
class Desk:
    """A folder with a file of watches and its state."""

    folder: Path

    @property
    def file(self) -> Path:
        """The file of watches."""
        return self.folder / "watch.yml"

    @property
    def state(self) -> Path:
        """The state."""
        return self.folder / "state" / "state.json"

    def watch(self, watches: str, more: str = "") -> None:
        """Write the file: `watches` are the lines of its list."""
        lines = "".join(f"  {line}\n" for line in watches.strip("\n").splitlines())
        self.file.write_text(f"contact: tester@example.org\n{more}watches:\n{lines}", encoding="utf-8")

    def look(self, *options: str, now: bool = True) -> Report:
        """A round in this process, reported as JSON."""
        words = ["watch", str(self.file), "--once", "--state", str(self.state), "--format", "json", *options]
        done = CliRunner().invoke(handbook, [*words, *(["--now"] if now else [])], standalone_mode=False)
        if done.exception:
            error = done.exception
            return Report(2, error=f"{getattr(error, 'where', '')}: {error} {getattr(error, 'todo', '')}")
        answer = json.loads(done.stdout)
        return Report(int(done.return_value), answer["new"], answer["findings"], done.output)

    def known(self) -> dict[str, Any]:
        """The state's content."""
        found: dict[str, Any] = json.loads(self.state.read_text(encoding="utf-8"))
        return found


@pytest.fixture
def site() -> Iterator[Site]:
    """A site with two items."""
    with serving() as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An empty folder to watch from, without settings of who runs the tests."""
    for name in [*os.environ]:
        if name.startswith("HANDBOOK_SMTP") or name in ("GITHUB_TOKEN", "GH_TOKEN"):
            monkeypatch.delenv(name)
    return Desk(tmp_path)
