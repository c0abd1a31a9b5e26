"""The package as it is installed."""

from __future__ import annotations

from importlib.metadata import metadata

import mhi_eras


def test_package_says_what_it_is() -> None:
    assert mhi_eras.__doc__ and metadata("mhi-eras")["Summary"]
