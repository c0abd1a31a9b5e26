"""The package as it is installed."""

from __future__ import annotations

from importlib.metadata import metadata

import mhi_driving


def test_package_says_what_it_is() -> None:
    assert mhi_driving.__doc__ and metadata("mhi-driving")["Summary"]
