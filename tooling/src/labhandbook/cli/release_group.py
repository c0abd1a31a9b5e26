"""The group `handbook release` and the options that its commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def release() -> None:
    """Release a Python package, step by step as the packaging chapter tells it."""


def paths_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """The projects' folders; the current one when none is given."""
    return click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))(function)
