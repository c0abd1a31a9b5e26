"""What the build uses of this machine: a Python in the place of conda's, uv, and conda's name for the system."""

from __future__ import annotations

import platform

from labhandbook.core.errors import HandbookError
from labhandbook.core.kit_extras import kit_with
from labhandbook.package.machine import Interpreter, interpreters, running, uv_program

SECTION = "sec-conda-forge-build"
SYSTEMS = {("Linux", "x86_64"): "linux-64", ("Linux", "aarch64"): "linux-aarch64",
           ("Darwin", "arm64"): "osx-arm64", ("Darwin", "x86_64"): "osx-64"}


def interpreter(lowest: str) -> Interpreter:
    """The Python below this environment, or the oldest other one here that is no older than `lowest` (as 3.12).

    Raises HandbookError when there is none: the test at python_min needs it.
    """
    if (own := running()).minor >= tuple(map(int, lowest.split("."))):
        return own
    for found in interpreters(f">={lowest}"):
        return found
    raise HandbookError(f"no Python {lowest} or newer is on this machine", why="the recipe asks for it as python_min",
                        todo=f"install one (uv python install {lowest}), then run the command again", section=SECTION)


def uv() -> str:
    """The path of uv. Raises HandbookError when it isn't installed."""
    program = uv_program()
    if program is None:
        raise HandbookError("uv isn't installed", why="it fetches and builds what the recipe needs",
                            todo=kit_with("recipe"), section="sec-kit-extras")
    return str(program)


def system() -> str:
    """conda's name for this machine. Raises HandbookError on Windows, where the channel can't be made."""
    kind, processor = platform.system(), platform.machine().lower()
    if (kind, processor) not in SYSTEMS:
        raise HandbookError(f"a channel of wheels can't be made on {kind} {processor}",
                            todo="build on Linux or macOS", section=SECTION)
    return SYSTEMS[kind, processor]
