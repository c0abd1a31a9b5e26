"""What the tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from labhandbook.runs import Run
from mhi_selfplay.settings import Settings, preset

torch.set_num_threads(1)

TINY = {"iterations": 2, "games": 6, "warm_games": 4, "simulations": 8, "channels": 8, "blocks": 1, "epochs": 2,
        "arena_games": 4}
Command = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="session")
def tiny() -> Callable[..., Settings]:
    """Settings of a run that takes a second and learns next to nothing."""
    return lambda game="tic-tac-toe", **given: preset(game, **{**TINY, **given})


@pytest.fixture(scope="session")
def tiny_words() -> list[str]:
    """The same as words for the command line."""
    return [word for name, value in TINY.items() for word in (f"--{name.replace('_', '-')}", str(value))]


@pytest.fixture(scope="session")
def command() -> Command:
    """Start `mhi-selfplay` as a user would."""

    def start(*words: object, **env: str) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen([sys.executable, "-m", "mhi_selfplay", *map(str, words)], text=True, **pipes,
                                env={**os.environ, "OMP_NUM_THREADS": "1", **env})

    return start


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """An open run directory."""
    with Run.open(tmp_path / "run", {}) as opened:
        yield opened
