"""grayskull, run on an sdist in a process of its own for the licence.

grayskull exits with 0 for projects that don't exist, keeps capitals and local addresses, and runs code of the sdist.
So only this answer is used, and only where it is needed. It gets no network: all it needs is in the sdist, and
downloading SPDX's list takes seconds.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.process import Limits, TimeoutExpired, environment, isolated, run

SECONDS = 60
LIMITS = Limits(8 << 30)  # bytes of address space
NO_NETWORK = {**dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9"),
              "NO_PROXY": "", "no_proxy": "", "PIP_NO_INDEX": "1"}


def ask_grayskull(sdist: Path) -> tuple[str, str]:
    """The licence that grayskull finds, and why it found none. Never raises: a recipe can be written without it."""
    with tempfile.TemporaryDirectory() as folder:
        words = isolated("-W", "ignore", "-m", "grayskull", "pypi", "--strict-conda-forge", "--no-use-v1-format",
                         "-o", folder, str(sdist.resolve()))
        try:
            done = run(words, cwd=folder, env=environment(NO_NETWORK), timeout=SECONDS, limits=LIMITS)
        except TimeoutExpired:
            return "", f"grayskull gave no answer within {SECONDS} s"
        made = next(Path(folder).glob("*/*.yaml"), None)
        if made is None:
            last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
            return "", f"grayskull wrote no recipe: {last}"
        return parse(untrusted_data.content(made).decode(errors="replace")), ""


def parse(text: str) -> str:
    """The licence in a v0 recipe as grayskull writes it."""
    licence = re.search(r"^ +license: (.+)$", text, re.MULTILINE)
    return licence[1].strip().strip("'\"") if licence else ""
