"""Every Slurm command that a chapter prints runs as printed, on the Slurm of each cluster that it is printed for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labhandbook.hpc.chapter_scripts import recipes
from tooling.tests.hpc.accounts import PROJECT
from tooling.tests.hpc.printed_commands import Printed, commands
from tooling.tests.hpc.slurm import CLUSTERS, Slurm
from tooling.tests.hpc.terminal import talk

pytestmark = pytest.mark.long

PRINTED = list(commands())
# Words that the sentence around a command says shall follow it.
FOLLOWED = {"scontrol show job": '"$JOBID"', "scontrol release": '"$HELD"', "sbatch --time=05:00:00": '"$SCRIPT"',
            "srun --overlap": '--jobid="$JOBID" hostname'}
# Where no tab but the sentence, or a name in the command, says which clusters it is for. Those for none need
# packages: test_other_tools runs them.
ONLY: dict[str, tuple[str, ...]] = {
        "sbatch --array=0-3 array-seeds.sh search": (), "sbatch many.sh many": (),
        "scontrol show partition dev-g": ("lumi",), "sbatch sweep.sh train": ("lumi",),
        "sbatch --time=05:00:00 lumi-one-gpu.sh train": ("lumi",)}
# These go on until they are stopped.
ENDLESS = re.compile(r"^(?:watch|tail .*-f|handbook job watch)\b")
# A job that runs until a file says that it ends.
WAITS = "#!/bin/bash\nwhile [ ! -e end ]; do sleep 0.2; done\n"


def meant(printed: Printed, key: str) -> bool:
    """Whether a command is for a cluster."""
    return key in ONLY.get(printed.text, printed.clusters)


def shown(slurm: Slurm, text: str, work: Path, given: dict[str, str]) -> tuple[int, str]:
    """Run a command in a terminal, and type what leaves a shell: its exit code and the screen."""
    path = os.pathsep.join([str(Path(sys.executable).parent), slurm.env["PATH"]])
    words = ["timeout", "--foreground", "1"] if ENDLESS.search(text) else []
    typed = ['test "$PS1" && echo on $SLURMD_NODENAME; exit\n'] if "--pty bash" in text else []
    code, screen = talk([*words, "bash", "-ec", text], work, *typed,
                        env={**slurm.env, **given, "PATH": path, "TERM": "dumb"})
    return (0 if words and code == 124 else code), screen


def test_the_commands_are_found() -> None:
    """The parser sees blocks and lines, tabs and machines: some that must be among what it found."""
    texts = {printed.text.strip(): printed.clusters for printed in PRINTED}
    assert texts["squeue --me --start"] == ("lumi", "roihu", "turso")
    assert texts["sinfo -M all --summarize"] == ("turso",)
    assert texts["mkdir -p slurm_log\nsbatch roihu-one-gpu.sh train --seed 0"] == ("roihu",)
    assert set(FOLLOWED) | set(ONLY) <= set(texts)
    for word in ("squeue", "sinfo", "sacct", "scontrol", "scancel", "sbatch", "srun", "watch", "tail", "handbook"):
        assert any(re.search(rf"^{word}\b", text, re.MULTILINE) for text in texts), word


def test_commands_run_as_printed(slurm: Slurm, work: Path) -> None:
    key = slurm.cluster.key
    (work / "grid.txt").write_text("--rate 0.1\n--rate 0.2\n")
    (work / "waits.sh").write_text(WAITS)
    gpu = next(each.name for each in slurm.cluster.partitions.values() if each.gpu and each.everyday)
    waiting = ("--partition", gpu, "--gpus=1", "--output=slurm_log/%x_%j.out", "--time=5", "waits.sh")
    job, other = (slurm.submit(*waiting, cwd=work) for _ in range(2))
    smallest = next(recipe.file for recipe in recipes(CLUSTERS)
                    if recipe.wish.name == "smallest" and key in recipe.clusters)
    given = {"SIF": "container.sif", "ENV_DIR": str(work / "env"), "VENV": str(work / "env"), "PROJECT": PROJECT,
             "PYTHON_MODULE": "Python", "JOBID": job, "JOB": job, "SCRIPT": smallest,
             "PARTITION": gpu}
    slurm.until(lambda: slurm.states(job) == slurm.states(other) == ["RUNNING"], "a job")
    submitted: dict[str, str] = {}
    # What cancels all that waits comes first, and finds nothing of the others.
    for printed in sorted((each for each in PRINTED if meant(each, key)), key=lambda each: "--me" not in each.text):
        text = f"{printed.text} {FOLLOWED.get(printed.text, '')}".strip()
        if "release" in text:
            held = slurm.submit("--hold", smallest, cwd=work)
            submitted[held] = printed.place
            given["HELD"] = held
        code, screen = shown(slurm, text, work, {**given, "JOBID": other if "scancel" in text else job})
        assert code == 0 and "rror:" not in screen, (printed.place, text, screen)
        assert "--pty bash" not in text or re.search(r"^on n\d+x\d", screen, re.MULTILINE), screen
        for number in re.findall(r"Submitted batch job (\d+)", screen):
            submitted[number] = printed.place
    (work / "end").touch()
    ended = slurm.finish(job, *submitted)
    assert {state for states in ended.values() for state in states} == {"COMPLETED"}, (ended, submitted)
    assert slurm.finish(other)[other] == ["CANCELLED"]
    for number in submitted:
        assert any((work / "slurm_log").glob(f"*_{number}[._]*out")), submitted[number]


@pytest.mark.parametrize("printed", [each for each in PRINTED if ":?" in each.text], ids=lambda each: each.place)
def test_a_command_that_misses_a_name_says_so(printed: Printed, tmp_path: Path) -> None:
    """It stops before Slurm is asked anything: no Slurm is needed to see it."""
    for program in ("squeue", "sbatch", "srun", "sinfo"):
        (tmp_path / program).write_text("#!/bin/sh\nexit 0\n")
        (tmp_path / program).chmod(0o755)
    done = subprocess.run(["bash", "-c", printed.text], cwd=tmp_path, capture_output=True, text=True, check=False,
                          env={"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)})
    name = re.search(r"\$\{(\w+):\?", printed.text)
    assert name and done.returncode != 0 and f"{name[1]}: set it to" in done.stderr, done.stderr
