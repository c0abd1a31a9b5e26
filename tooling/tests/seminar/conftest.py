"""A folder with one talk, written by the command as a reader would."""

from __future__ import annotations

from pathlib import Path

import pytest

from labhandbook.seminar.talk import PACKAGED, SERIES
from tooling.tests.seminar.talks import write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of talks with one in it."""
    seminars = tmp_path / "seminars"
    seminars.mkdir()
    write(seminars)
    (seminars / SERIES).write_text((PACKAGED / SERIES).read_text().replace("to: ", "to: list@example.org "))
    return seminars
