"""The pages of the projects: their blocks for a laptop run as printed, one page after the other, in one clone.

The environment is made as printed, and the projects are installed in it. What they need is on its path already, from
the environment of `make test-research`, so pip downloads only the tools that build them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from labhandbook.book.facts import identity
from labhandbook.book.load import load_book
from tooling.tests.conftest import ROOT
from tooling.tests.github.pipeline import handbook_as_fetched
from tooling.tests.package.sample_packages import git
from tooling.tests.release.packaging_chapter import blocks

CODE = "chapters/research/index.qmd"
QUICK = tuple(f"chapters/research/{page}.qmd" for page in (
    "runs", "simulation-based-inference", "gp/index", "bo/index", "phrases/index", "eras/index"))
TRAIN = ("chapters/research/selfplay/index.qmd", "chapters/research/driving/index.qmd")
PAGES = (CODE, *QUICK, *TRAIN)
# What can't run here, by words of the block, and why.
NOT_RUN = {
    "NUMERAI_PUBLIC_ID": "it needs an account",
    "make .venv-research": "it made the environment of these tests",
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
    """The blocks of a page that run here."""
    return [block.text for block in blocks(page)
            if block.machine == "laptop" and not any(word in block.text for word in NOT_RUN)]


def follow(page: str, folder: Path, env: dict[str, str]) -> None:
    """Run a page's blocks in a folder, and look for what the page says that you see."""
    found = printed(page)
    assert found, page
    for text in found:
        done = subprocess.run(["bash", "-ec", text], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{page}\n{text}{done.stdout}{done.stderr}"
        for words, pattern in SEEN.items():
            if words in text:
                assert re.search(pattern, done.stdout), f"{page}\n{text}{done.stdout}{done.stderr}"


def reader(research: Path, folder: Path) -> tuple[Path, dict[str, str]]:
    """A reader who has got the code as printed: their clone, and their variables in a terminal of its environment."""
    hosted = handbook_as_fetched(folder / "hosted")
    git(hosted, "init", "--quiet")
    git(hosted, "add", "--all")
    git(hosted, "commit", "--quiet", "--message", "The handbook")
    caches = {name: os.environ.get(name, str(Path.home() / place))
              for name, place in (("XDG_CACHE_HOME", ".cache"), ("XDG_CONFIG_HOME", ".config"))}
    env = {**os.environ, **caches, "PYTHONPATH": sysconfig.get_path("purelib"), "HOME": str(folder),
           "XDG_DATA_HOME": str(folder / "data"), "OMP_NUM_THREADS": "1", "GIT_CONFIG_COUNT": "1",
           "GIT_CONFIG_KEY_0": f"url.file://{hosted}.insteadOf",
           "GIT_CONFIG_VALUE_0": identity(load_book(ROOT))["repo"],
           "PATH": f"{research / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    follow(CODE, folder, env)
    shutil.copy(ROOT / "chapters/research/train.py", folder / "handbook")
    return folder / "handbook", {**env, "PATH": f"{folder / 'research-env/bin'}{os.pathsep}{os.environ['PATH']}"}


def test_the_program_to_try_a_gpu_script_with_learns(research: Path, tmp_path: Path) -> None:
    """The page on a program of your own prints it; without a GPU it runs on the CPU."""
    done = subprocess.run([research / "bin/python", ROOT / "chapters/hpc/jobs/train.py"], cwd=tmp_path,
                          env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=True)
    losses = [float(loss) for loss in re.findall(r"loss ([\d.]+)", done.stdout)]
    assert len(losses) == 6 and losses[-1] < losses[0] / 100
    assert re.search(r"^\d+ steps a second on \S", done.stdout, re.MULTILINE)


def test_every_word_is_on_a_page() -> None:
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
    assert not [words for words in (*NOT_RUN, *SEEN) if words not in text]


def test_pages_run_one_after_the_other(research: Path, tmp_path: Path) -> None:
    clone, env = reader(research, tmp_path)
    for page in QUICK:
        follow(page, clone, env)
    assert sorted(path.name for path in (clone / "runs").iterdir()) == [
        "first", "mhi_eras-seed-0", "mhi_phrases-seed-0", "short", "walk-0"]


@pytest.mark.slow  # they train for minutes
@pytest.mark.parametrize("page", TRAIN)
def test_pages_that_train_run(page: str, research: Path, tmp_path: Path) -> None:
    follow(page, *reader(research, tmp_path))
