"""What `sacct` answers, read and turned into advice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labhandbook.errors import HandbookError
from labhandbook.hpc.efficiency import FIELDS, advice, read
from tooling.tests.conftest import run

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
    told = " ".join(advice(used))
    assert "--mem=8G" in told and "--time=01:15:00" in told and "srun --cpus-per-task" in told
    assert "GPU's monitor" in told


def test_cores_are_advised_without_gpus() -> None:
    used, = read(CPU)
    told = list(advice(used))
    assert any("Ask for 2 cores and not for 16" in text for text in told)
    assert not any("--mem" in text or "--time" in text for text in told)


@pytest.mark.parametrize(("state", "code", "says"), [
    ("OUT_OF_MEMORY", "0:125", "--mem=64G"), ("TIMEOUT", "0:0", "save checkpoints"), ("FAILED", "0:53", "mkdir -p"),
])
def test_failures(state: str, code: str, says: str) -> None:
    used, = read(CPU.replace("COMPLETED|0:0|16|1||", f"{state}|{code}|16|1||"))
    assert says in " ".join(advice(used))


def test_old_sacct_tells_memory_by_node_or_core() -> None:
    old = HEAD.replace("|AllocTRES", "")
    assert read(old + "9|x|p|COMPLETED|0:0|4|2||600|10|10:00||8Gn\n")[0].memory == 16
    assert read(old + "9|x|p|COMPLETED|0:0|4|2||600|10|1-00:00:00||2Gc\n")[0].memory == 8


def test_tasks_of_an_array_are_told_apart() -> None:
    text = HEAD + "".join(f"5_{task}|x|p|COMPLETED|0:0|1|1||300|10|05:00|||mem=2G\n"
                          f"5_{task}.0|x||COMPLETED|0:0|1|1|1|300||05:00|{task}G||\n" for task in (1, 2))
    assert [used.peak for used in read(text)] == [1, 2]


@pytest.mark.parametrize(("text", "says"), [("", "no answer"), ("JobID|State\n1|x\n", "no answer"),
                                            (HEAD, "knows no such job")])
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
    told, = json.loads(asked.stdout)
    assert told["job"] == "7" and told["memory_share"] == 0.1 and told["advice"]
    assert (tmp_path / "asked").read_text().split()[:5] == ["-M", "ukko", "-P", "-j", "7"]


@pytest.mark.parametrize(("words", "says"), [(["x7"], "is not a job's number"),
                                             (["7"], "sacct is not on this machine")])
def test_the_command_can_not(words: list[str], says: str, tmp_path: Path) -> None:
    done = run("job", "efficiency", *words, PATH=str(tmp_path))
    assert done.returncode == 2 and says in done.stderr and "@sec-hpc-workflow-monitor" in done.stderr
