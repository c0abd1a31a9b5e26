"""`handbook job new` and `handbook job check` as commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labhandbook.hpc.new_job import Kind, Wish, plan
from labhandbook.hpc.script_text import script
from labhandbook.hpc.submission import submission
from tooling.tests.conftest import run
from tooling.tests.hpc.conftest import JOBS
from tooling.tests.hpc.slurm import CLUSTERS
from tooling.tests.hpc.terminal import talk
from tooling.tests.release.packaging_chapter import blocks

PAGE = "chapters/together/ai.qmd"
HANDBOOK = Path(sys.executable).with_name("handbook")


@pytest.mark.parametrize("words", [
    ["--cluster", "lumi"], ["--cluster", "lumi", "--gpus", "1"],
    ["--cluster", "lumi", "--gpus", "8", "--nodes", "16"],
    ["--cluster", "roihu", "--cores", "16"], ["--cluster", "roihu", "--gpus", "4", "--time", "1-12"],
    ["--cluster", "turso", "--gpus", "1"], ["--cluster", "turso", "--array", "0-9"],
    ["--cluster", "roihu", "--array", "0-4%2", "--memory", "8G"], ["--cluster", "lumi", "--partition", "debug"],
    ["--cluster", "lumi", "--kind", "ranks", "--gpus", "8", "--nodes", "2"],
    ["--cluster", "lumi", "--kind", "torchrun", "--gpus", "8", "--nodes", "2"],
    ["--cluster", "roihu", "--kind", "requeue", "--gpus", "1"], ["--cluster", "turso", "--kind", "grid"],
    ["--cluster", "turso", "--kind", "ranks", "--gpus", "1", "--nodes", "2"],
    ["--cluster", "lumi", "--kind", "smallest"],
], ids=" ".join)
def test_what_new_writes_passes_the_check(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "slurm_log").mkdir()
    made = run("job", "new", "train.sh", *words, cwd=tmp_path)
    assert made.returncode == 0 and "    next: mkdir -p slurm_log && handbook job check train.sh" in made.stderr
    done = run("job", "check", "train.sh", "--cluster", words[1], "--strict", cwd=tmp_path)
    assert done.returncode == 0 and "no findings" in done.stderr and done.stdout == ""
    assert re.search(r"^    next: sbatch train\.sh( ARGUMENTS)?, on ", done.stderr, re.MULTILINE)


@pytest.mark.parametrize(("file", "cluster", "says"), [
    ("turso-one-gpu.sh", "turso", "sbatch turso-one-gpu.sh ARGUMENTS, on Turso, with PYTHON_MODULE, VENV exported"),
    ("array-seeds.sh", "lumi", "sbatch array-seeds.sh ARGUMENTS, on LUMI, with ENV_DIR exported"),
    ("cpu-smallest.sh", "turso", "sbatch --clusters=ukko cpu-smallest.sh, on Turso"),
    ("roihu-one-gpu.sh", "roihu", "sbatch roihu-one-gpu.sh ARGUMENTS, on Roihu"),
    ("chain.sh", "lumi", "bash chain.sh ARGUMENTS, on LUMI"),
])
def test_the_next_step_names_what_the_script_needs(file: str, cluster: str, says: str) -> None:
    assert submission(JOBS / file, CLUSTERS.get(cluster), JOBS) == f"cd {JOBS} && {says}"


def test_the_next_step_is_given_for_the_folder_of_submission(tmp_path: Path) -> None:
    (tmp_path / "study/slurm_log").mkdir(parents=True)
    (tmp_path / "my jobs").mkdir()
    script = (JOBS / "cpu-smallest.sh").read_text()
    (tmp_path / "my jobs/a.sh").write_text(script.replace("slurm_log/", ""))
    words = ("job", "check", "my jobs/a.sh", "--cluster", "lumi")
    assert "    next: sbatch 'my jobs/a.sh', on LUMI\n" in run(*words, cwd=tmp_path).stderr
    there = run(*words, "--from", "study", cwd=tmp_path)
    assert "    next: cd study && sbatch '../my jobs/a.sh', on LUMI\n" in there.stderr


@pytest.mark.parametrize(("words", "says"), [
    (["--cluster", "lumi", "--gpus", "9"], "a node has 8"), (["--cluster", "mahti"], "runs no jobs any more"),
    (["--cluster", "lumi", "--time", "5h"], "is not a time"),
    (["--cluster", "roihu", "--memory", "much"], "amount of"),
    (["--cluster", "lumi", "--partition", "smal"], "did you mean small?"),
    (["--cluster", "lum"], "did you mean lumi?"),
    (["--cluster", "lumi", "--partition", "debug", "--time", "1:00:00"], "allows 30 minutes"),
    (["--cluster", "lumi", "--kind", "torchrun"], "needs GPUs"),
    (["--cluster", "lumi", "--kind", "ranks", "--gpus", "2", "--cores", "7"], "can't be shared by 2 processes"),
    (["--cluster", "lumi", "--kind", "requeue", "--time", "00:09:59"], "too short to save 5 minutes before the end"),
    (["--cluster", "lumi", "--kind", "requeue", "--array", "0-3"], "is no array"),
    (["--cluster", "lumi", "--array", "1-300%20"], "takes 220 jobs of one account"),
    ([], "no cluster is named"), (["--cluster", "lumi", "--name", "a b"], "can't be a job's name"),
])
def test_new_says_what_can_not_be(words: list[str], says: str, tmp_path: Path) -> None:
    done = run("job", "new", *words, cwd=tmp_path)
    assert done.returncode == 2 and says in done.stderr and not done.stdout and "Traceback" not in done.stderr


def test_the_hint_keeps_the_array_that_was_asked_for() -> None:
    lumi = CLUSTERS.get("lumi")
    for array, submits in (("", 'sbatch --array=1-"$(grep -c "" grid.txt)"%4 job.sh'), ("1-9%3", "sbatch job.sh")):
        assert submits in script(plan(lumi, Wish(kind=Kind.GRID, array=array)), "job.sh")


def test_new_replaces_nothing_unasked(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text("mine")
    assert run("job", "new", "a.sh", "--cluster", "lumi", cwd=tmp_path).returncode == 2
    assert (tmp_path / "a.sh").read_text() == "mine"
    assert run("job", "new", "a.sh", "--cluster", "lumi", "--force", cwd=tmp_path).returncode == 0


def typed(cwd: Path, *answers: str) -> tuple[int, str]:
    """What `job new` says in a terminal to somebody who types these when asked: its exit code and the screen."""
    return talk([HANDBOOK, "job", "new", "train.sh"], cwd, *answers, prompt="]: ")


def test_new_asks_in_a_terminal_until_it_can_be_answered(tmp_path: Path) -> None:
    (tmp_path / "slurm_log").mkdir()
    code, screen = typed(tmp_path, "lumy\n", "roihu\n", "-1\n", "2\n", "5h\n", "1:00:00\n")
    assert code == 0, screen
    for said in ("Cluster (lumi, roihu, turso) [lumi]: lumy", "'lumy' is not one of", "GPUs on each node [1]: -1",
                 "-1 is not in the range", "Time limit [00:30:00]: 5h", "5h is not a time: write",
                 "train.sh for Roihu"):
        assert said in screen, (said, screen)
    text = (tmp_path / "train.sh").read_text()
    assert "--gres=gpu:gh200:2\n" in text and "--time=01:00:00\n" in text
    assert run("job", "check", "train.sh", "--cluster", "roihu", "--strict", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("answers", [("lumi\n", "\x03"), ("\x04",)], ids=["interrupt", "end"])
def test_new_can_be_left(answers: tuple[str, ...], tmp_path: Path) -> None:
    code, screen = typed(tmp_path, *answers)
    assert code == 2 and "Stopped." in screen and "Traceback" not in screen and list(tmp_path.iterdir()) == []


def test_new_asks_for_nothing_that_was_given(tmp_path: Path) -> None:
    """Defaults are taken with the return key, and what the plain words give is what the answers give."""
    code, screen = typed(tmp_path, "\n", "\n", "\n")
    given = run("job", "new", "--cluster", "lumi", "--gpus", "1", "--name", "train", cwd=tmp_path)
    assert code == 0, screen
    assert (tmp_path / "train.sh").read_text() == given.stdout.replace("job.sh", "train.sh")


def test_check_reports_to_people_and_machines(tmp_path: Path) -> None:
    (tmp_path / "job.sh").write_text("#!/bin/bash\n#SBATCH -p small-g -t 4-0 --gpus-per-node=1\nsrun hostname\n")
    shown = run("job", "check", "job.sh", "--cluster", "lumi", "-v", cwd=tmp_path)
    assert shown.returncode == 1
    assert re.search(r"^✗ job\.sh:2: HPC012 .*\n    .*\n    http\S+html#sec-hpc-workflow-partition$", shown.stdout,
                     re.MULTILINE)
    said = run("job", "check", "job.sh", "--cluster", "lumi", "--format", "json", cwd=tmp_path)
    assert [each["code"] for each in json.loads(said.stdout)["findings"]] == ["HPC012"]
    sarif = json.loads(run("job", "check", "job.sh", "--cluster", "lumi", "--format", "sarif", cwd=tmp_path).stdout)
    rule, = sarif["runs"][0]["tool"]["driver"]["rules"]
    assert rule["helpUri"].endswith("/chapters/hpc/resources.html#sec-hpc-workflow-partition")


def test_the_page_on_ai_tools_checks_a_script(tmp_path: Path) -> None:
    (block,) = blocks(PAGE)
    (tmp_path / "job.sh").write_text("#!/bin/bash\n#SBATCH --ntask=1\nsrun hostname\n")
    env = {**os.environ, "PATH": f"{HANDBOOK.parent}{os.pathsep}{os.environ['PATH']}", "SCRIPT": "job.sh",
           "CLUSTER": "lumi"}
    done = subprocess.run(["bash", "-euc", block.text], cwd=tmp_path, env=env, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1 and "HPC001" in done.stdout, done.stdout + done.stderr


def test_the_log_folder_is_looked_for_where_one_submits(tmp_path: Path) -> None:
    script = str(JOBS / "cpu-smallest.sh")
    assert run("job", "check", script, "--cluster", "lumi", cwd=tmp_path).returncode == 1
    (tmp_path / "study/slurm_log").mkdir(parents=True)
    assert run("job", "check", script, "--cluster", "lumi", "--from", "study", cwd=tmp_path).returncode == 0


def test_a_missing_script_is_no_traceback(tmp_path: Path) -> None:
    done = run("job", "check", "gone.sh", "--cluster", "lumi", cwd=tmp_path)
    assert done.returncode == 2 and "gone.sh can't be read" in done.stderr
