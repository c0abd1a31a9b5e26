"""The line that adds an extra fits the way the kit was installed, and names the extras that are there."""

from __future__ import annotations

import sys

import pytest

from labhandbook.core.kit_extras import kit_with


@pytest.mark.parametrize(("prefix", "start"), [
    ("/home/me/.local/share/uv/tools/labhandbook", 'uv tool install --force --python ">=3.11" "labhandbook['),
    ("/home/me/.local/pipx/venvs/labhandbook", 'pipx install --force "labhandbook['),
    ("/home/me/my env", f'{sys.executable} -m pip install "labhandbook['),
])
def test_the_line_fits_the_tool(prefix: str, start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", prefix)
    line = kit_with("quarto")
    assert line.startswith(start + "quarto,") and line.endswith(' @ git+https://github.com/acerbilab/handbook"')
    # The tests' own environment has these, and not Quarto.
    assert {"render", "check", "release", "recipe", "seminar", "watch"} <= set(
        line.partition("[")[2].partition("]")[0].split(","))
