"""The pages of the projects: their blocks for a laptop run as printed, one page after the other, in one folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tooling.tests.conftest import ROOT

BLOCK = re.compile(r'^```\{\.bash filename="laptop"\}\n(.*?)^```$', re.MULTILINE | re.DOTALL)
# `make test-research` has installed the projects and numpy.
INSTALL = re.compile(r"^python3 -m (?:pip install|venv) (?:.*\\\n)*.*\n", re.MULTILINE)
# What can't run here, by words of the block, and why.
NOT_RUN = {
    "NUMERAI_PUBLIC_ID": "it needs an account",
    "make .venv-research": "it made this environment",
    "handbook release rehearse": "test_kit.py runs it",
    "tensorboard --logdir": "it serves pages until it is stopped; test_tracking.py reads the files",
    "mhi/CarRacing-v0": "it takes hours",
}
# What the page says you should see, by words of the block.
SEEN = {
    "mhi-bo suggest": r"(?m)^0\.6\d+$",
    "from mhi_bo import minimise": r"\(array\(\[ ?(1\.9|2\.0)\d+, -(0\.9|1\.0)",
    "mhi-gp study": r'(?s)"true".*"sampled".*"fitted"',
    "mhi-gp predict": r"(?m)(^[\d.-]+,[\d.]+\n){2}",
    "pending": r"cluster\t",
    "key card": r"room\t",
    "mhi-phrases study": r"(\d\.\d+\D+){4}",
    "mhi-eras study\n": r'"sharpe"',
    "mhi-eras synthetic": r"predictions\.csv written: 300 predictions",
    "mhi-selfplay judge": "✓ it loses no line",
    "rng.normal(size=20000)": r"(?m)^exact: .*\n0\.9[45]\d of the 95",
    "mhi-driving export": r"policy\.onnx",
}


def printed(page: str) -> list[str]:
    """The blocks of a page that run here, without the lines that install the projects."""
    texts = [INSTALL.sub("", text) for text in BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))]
    return [text for text in texts if text.strip() and not any(word in text for word in NOT_RUN)]


def follow(page: str, folder: Path, research: Path) -> None:
    """Run a page's blocks in a folder, and look for what the page says that you see."""
    env = {**os.environ, "PATH": f"{research / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder),
           "XDG_DATA_HOME": str(folder / "data"), "OMP_NUM_THREADS": "1"}
    found = printed(page)
    assert found, page
    for text in found:
        done = subprocess.run(["bash", "-ec", text], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{page}\n{text}{done.stdout}{done.stderr}"
        for words, pattern in SEEN.items():
            if words in text:
                assert re.search(pattern, done.stdout), f"{page}\n{text}{done.stdout}{done.stderr}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a reader works who has copied the program that a page prints."""
    shutil.copy(ROOT / "chapters/research/train.py", tmp_path)
    return tmp_path


def test_the_program_to_try_a_gpu_script_with_learns(research: Path, tmp_path: Path) -> None:
    """The page on a program of your own prints it; without a GPU it runs on the CPU."""
    done = subprocess.run([research / "bin/python", ROOT / "chapters/hpc/jobs/train.py"], cwd=tmp_path,
                          env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=True)
    losses = [float(loss) for loss in re.findall(r"loss ([\d.]+)", done.stdout)]
    assert len(losses) == 6 and losses[-1] < losses[0] / 100 and "steps a second on" in done.stdout


def test_every_word_is_on_a_page() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("chapters/research/**/*.qmd"))
    assert not [words for words in (*NOT_RUN, *SEEN) if words not in text]


def test_pages_run_one_after_the_other(folder: Path, research: Path) -> None:
    for page in ("runs", "simulation-based-inference", "gp/index", "bo/index", "phrases/index", "eras/index"):
        follow(f"chapters/research/{page}.qmd", folder, research)
    assert sorted(path.name for path in (folder / "runs").iterdir()) == [
        "first", "mhi_eras-seed-0", "mhi_phrases-seed-0", "short", "walk-0"]


@pytest.mark.slow  # they train for minutes
@pytest.mark.parametrize("project", ["selfplay", "driving"])
def test_pages_that_train_run(project: str, folder: Path, research: Path) -> None:
    follow(f"chapters/research/{project}/index.qmd", folder, research)
