"""The package as it is installed."""

from __future__ import annotations

from importlib.metadata import metadata

import mhi_selfplay


def test_package_says_what_it_is() -> None:
    assert mhi_selfplay.__doc__ and metadata("mhi-selfplay")["Summary"]
