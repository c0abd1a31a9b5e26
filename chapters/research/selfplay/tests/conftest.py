"""What the tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from labhandbook.runs import Run
from mhi_selfplay.learn import Settings, preset

torch.set_num_threads(1)

TINY = {"games": 6, "warm_games": 4, "simulations": 8, "channels": 8, "blocks": 1, "epochs": 2, "arena_games": 4}


def tiny(game: str = "tic-tac-toe", **given: object) -> Settings:
    """Settings of a run that takes a second and learns next to nothing."""
    return preset(game, **{**TINY, "iterations": 2, **given})


def command(*words: str | Path, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Run `mhi-selfplay` as a user would."""
    return subprocess.run([sys.executable, "-m", "mhi_selfplay", *map(str, words)], input=stdin, text=True, check=False,
                          capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1", **env}, timeout=600)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """An open run directory."""
    with Run.open(tmp_path / "run", {}) as opened:
        yield opened  # type: ignore[misc]
