"""What `sacct` answers, read and turned into advice."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.hpc.efficiency import FIELDS, advice, number, read, report
from tooling.tests.conftest import run
from tooling.tests.hpc.slurm import Slurm

HANDBOOK = Path(sys.executable).with_name("handbook")
HEAD = "|".join(FIELDS) + "\n"


def answer(job: str, step: str = "") -> str:
    return HEAD + job + "\n" + (step + "\n" if step else "")


GPU = answer("7|train|small-g|COMPLETED|0:0|7|1||3600|300|01:10:00|||billing=1,cpu=7,gres/gpu=1,mem=60G,node=1",
             "7.0|python||COMPLETED|0:0|7|1|1|3600||01:10:00|6291456K||cpu=7,mem=60G")
CPU = answer("8|run|small|COMPLETED|0:0|16|1||7200|150|02:00:30|||cpu=16,mem=32G,node=1",
             "8.0|python||COMPLETED|0:0|16|1|1|7200||02:00:30.5|30G||cpu=16")


def test_numbers_and_advice() -> None:
    used, = read(GPU)
    assert (used.gpus, used.memory, used.peak, used.seconds, used.limit) == (1, 60, 6, 3600, 18000)
    assert used.cpu == pytest.approx(4200 / 25200)
    said = " ".join(advice(used))
    assert "--mem=8G" in said and "--time=01:15:00" in said and "srun --cpus-per-task" in said
    assert "GPU's monitor" in said


def test_cores_are_advised_without_gpus() -> None:
    used, = read(CPU)
    said = list(advice(used))
    assert any("Ask for 2 cores instead of 16" in text for text in said)
    assert not any("--mem" in text or "--time" in text for text in said)


@pytest.mark.parametrize(("state", "code", "says"), [
    ("OUT_OF_MEMORY", "0:125", "--mem=64G"), ("TIMEOUT", "0:0", "save checkpoints"), ("FAILED", "0:53", "mkdir -p"),
])
def test_failures(state: str, code: str, says: str) -> None:
    used, = read(CPU.replace("COMPLETED|0:0|16|1||", f"{state}|{code}|16|1||"))
    assert says in " ".join(advice(used))


def test_a_step_that_outgrew_its_memory_explains_a_failed_job() -> None:
    """As sacct answered on a real Slurm, with and without control groups."""
    grouped = answer("1|wrap|short|FAILED|1:0|1|2||61|2|00:01|||cpu=1,mem=2G,node=2",
                     "1.0|python3||OUT_OF_MEMORY|0:125|1|2|2|61||00:01|||cpu=1")
    plain = answer("6|wrap|small|FAILED|9:0|1|1||61|2|00:01|||cpu=1,mem=50M,node=1",
                   "6.0|python3||CANCELLED by 0|0:9|1|1|1|61||00:01|203924K||cpu=1")
    assert "--mem=2G on each node" in " ".join(advice(read(grouped)[0]))
    assert "more than its 0.05 GiB: ask for --mem=1G" in " ".join(advice(read(plain)[0]))


@pytest.mark.parametrize(("state", "says"), [("PENDING", "nothing was used yet"), ("RUNNING", "sstat -a -j 8 ")])
def test_a_job_that_goes_on_is_not_judged(state: str, says: str) -> None:
    text = HEAD + f"8|run|small|{state}|0:0|16|1||7200|150|00:00:00|||cpu=16,mem=32G,node=1\n"
    said = report(read(text))
    assert says in said and said.count("->") == 1 and "0%" not in said and "not measured" in said


def test_an_array_has_a_line_for_each_task_and_one_advice() -> None:
    """Enough for the largest and the slowest task; of others, what happened to the first of each kind."""
    tasks = [(0, "COMPLETED", 600, 3), (1, "COMPLETED", 900, 5), (2, "OUT_OF_MEMORY", 60, 8), (3, "TIMEOUT", 7200, 2)]
    text = HEAD + "".join(
        f"5_{task}|x|p|{state}|0:0|1|1||{seconds}|120|00:10:00|||cpu=1,mem=16G,node=1\n"
        f"5_{task}.0|x||{state}|0:0|1|1|1|{seconds}||00:10:00|{peak}G||\n" for task, state, seconds, peak in tasks)
    said = report(read(text)).splitlines()
    assert [line.split()[:3] for line in said[:4]] == [
        ["5_0", "COMPLETED", "00:10:00"], ["5_1", "COMPLETED", "00:15:00"], ["5_2", "OUT_OF_MEMORY", "00:01:00"],
        ["5_3", "TIMEOUT", "02:00:00"]]
    assert said[4].startswith("  -> 5_2: The job needed more") and said[5].startswith("  -> 5_3: The time limit")
    assert "--mem=7G" in said[6] and "--time=00:20:00" in said[7] and len(said) == 8


@pytest.mark.parametrize("slurm", ["turso"], indirect=True)
def test_a_job_of_a_real_slurm_is_reported(slurm: Slurm, work: Path) -> None:
    """Two seconds of sleep let Slurm measure; the memory is known, and one of four cores is busy at most."""
    program = "import time; x = bytearray(300_000_000); time.sleep(3); sum(range(3_000_000))"
    common = ("--partition=short", "--output=slurm_log/%j.out")
    job = slurm.submit(*common, "--time=5", "--cpus-per-task=4", "--mem=1G", "--wrap",
                       f"srun --cpus-per-task=4 python3 -c '{program}'", cwd=work)
    tasks = slurm.submit(*common, "--time=2", "--array=1-2", "--wrap=true", cwd=work)
    slurm.finish(job, tasks)

    def ask(number: str) -> str:
        words = [str(HANDBOOK), "job", "efficiency", number, "--clusters", "ukko", "--format", "json"]
        return slurm.run(*words, cwd=work).stdout

    slurm.until(lambda: ask(job).count('"COMPLETED"') == 1 and ask(tasks).count('"COMPLETED"') == 2, "sacct")
    said, = json.loads(ask(job))
    assert (said["job"], said["cores"], said["nodes"], said["memory"], said["limit"]) == (job, 4, 1, 1, 300)
    assert 0.28 < said["peak"] < 0.4 and 0 < said["cpu_share"] < 0.25 and said["seconds"] >= 3
    assert [each["job"] for each in json.loads(ask(tasks))] == [f"{tasks}_1", f"{tasks}_2"]
    words = (str(HANDBOOK), "job", "efficiency", f"slurm_log/{job}.out", f"{tasks}_2", "--clusters", "ukko")
    several = slurm.run(*words, cwd=work).stdout
    assert [line.split()[0] for line in several.splitlines()[:2]] == [job, f"{tasks}_2"], several
    unknown = slurm.run(str(HANDBOOK), "job", "efficiency", "4711", cwd=work)
    assert unknown.returncode == 2 and "has no such job" in unknown.stderr


@pytest.mark.parametrize(("word", "job"), [
    ("123", "123"), ("123_4", "123_4"), ("slurm_log/train_123.out", "123"), ("slurm-123.out", "123"),
    ("slurm_log/train_123_4.out", "123_4"), ("slurm_log/exp_2_123.out", "123"), ("logs/123.err", "123"),
])
def test_the_name_of_a_log_names_its_job(word: str, job: str) -> None:
    assert number(word) == job


def test_many_tasks_are_shown_as_histograms() -> None:
    text = HEAD + "".join(f"5_{task}|x|p|COMPLETED|0:0|1|1||{600 + task * 60}|120|00:10:00|||cpu=1,mem=16G,node=1\n"
                          f"5_{task}.0|x||COMPLETED|0:0|1|1|1|600||00:10:00|{task + 1}G||\n" for task in range(10))
    said = report(read(text))
    assert "time\n  up to   00:11:48  " + "#" * 40 + " 2\n" in said and "memory\n  up to   2.80 GiB  " in said
    assert "up to" not in report(read(text.partition("5_9|")[0]))


def test_old_sacct_gives_memory_by_node_or_core() -> None:
    old = HEAD.replace("|AllocTRES", "")
    assert read(old + "9|x|p|COMPLETED|0:0|4|2||600|10|10:00||8Gn\n")[0].memory == 16
    assert read(old + "9|x|p|COMPLETED|0:0|4|2||600|10|1-00:00:00||2Gc\n")[0].memory == 8


def test_tasks_of_an_array_are_kept_apart() -> None:
    text = HEAD + "".join(f"5_{task}|x|p|COMPLETED|0:0|1|1||300|10|05:00|||mem=2G\n"
                          f"5_{task}.0|x||COMPLETED|0:0|1|1|1|300||05:00|{task}G||\n" for task in (1, 2))
    assert [used.peak for used in read(text)] == [1, 2]


@pytest.mark.parametrize(("text", "says"), [("", "no answer"), ("JobID|State\n1|x\n", "no answer"),
                                            (HEAD, "has no such job")])
def test_what_is_no_answer(text: str, says: str) -> None:
    with pytest.raises(HandbookError, match=says):
        read(text)


def test_the_command_asks_sacct_or_reads_a_file(tmp_path: Path) -> None:
    (tmp_path / "job.txt").write_text(GPU)
    saved = run("job", "efficiency", "7", "--from", "job.txt", cwd=tmp_path)
    assert saved.returncode == 0 and "Memory   6 GiB of 60 GiB (10%)" in saved.stdout
    program = tmp_path / "bin/sacct"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >"{tmp_path}/asked"\ncat "{tmp_path}/job.txt"\n')
    program.chmod(0o755)
    asked = run("job", "efficiency", "7", "--clusters", "ukko", "--format", "json",
                PATH=f"{program.parent}:/bin:/usr/bin")
    said, = json.loads(asked.stdout)
    assert said["job"] == "7" and said["memory_share"] == 0.1 and said["advice"]
    assert (tmp_path / "asked").read_text().split()[:5] == ["-M", "ukko", "-P", "-j", "7"]


@pytest.mark.parametrize(("words", "says"), [(["x7"], "is not a job's number"),
                                             (["7"], "sacct is not on this machine")])
def test_the_command_can_not(words: list[str], says: str, tmp_path: Path) -> None:
    done = run("job", "efficiency", *words, PATH=str(tmp_path))
    assert done.returncode == 2 and says in done.stderr and ".html#sec-hpc-workflow-monitor" in done.stderr
