"""grayskull, run on an sdist in a process of its own: what it finds out, and none of its traps.

It exits with 0 for things that don't exist, needs its output folder to be there, keeps capitals and local addresses,
and runs code of the sdist; so only two of its answers are taken, licence and compilers, and only where they are
needed. Its table of names is read in `facts`. It gets no network: all it needs is in the sdist, and asking SPDX for
its list takes seconds.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.process import Limits, TimeoutExpired, environment, isolated, run

SECONDS = 60
LIMITS = Limits(8 << 30)  # bytes of address space
NO_NETWORK = {**dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9"),
              "NO_PROXY": "", "no_proxy": "", "PIP_NO_INDEX": "1"}


@dataclass
class Skull:
    """What grayskull says; `problem` says why it says nothing."""

    license: str = ""
    compilers: list[str] = field(default_factory=list)
    problem: str = ""


def look(sdist: Path) -> Skull:
    """Ask grayskull for an sdist. Never raises: a recipe can be written without it."""
    with tempfile.TemporaryDirectory() as folder:
        words = isolated("-W", "ignore", "-m", "grayskull", "pypi", "--strict-conda-forge", "--no-use-v1-format",
                         "-o", folder, str(sdist.resolve()))
        try:
            done = run(words, cwd=folder, env=environment(NO_NETWORK), timeout=SECONDS, limits=LIMITS)
        except TimeoutExpired:
            return Skull(problem=f"grayskull gave no answer within {SECONDS} s")
        made = next(Path(folder).glob("*/*.yaml"), None)
        if made is None:
            last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
            return Skull(problem=f"grayskull wrote no recipe: {last}")
        return parse(untrusted_data.content(made).decode(errors="replace"))


def parse(text: str) -> Skull:
    """The answers in a v0 recipe as grayskull writes it."""
    licence = re.search(r"^ +license: (.+)$", text, re.MULTILINE)
    return Skull(licence[1].strip().strip("'\"") if licence else "",
                 sorted(set(re.findall(r"compiler\(['\"](\w+)['\"]\)", text))))
