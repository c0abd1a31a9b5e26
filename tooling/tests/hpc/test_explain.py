"""`handbook job explain` finds a message in the tables of the chapters."""

from __future__ import annotations

import json

import pytest

from labhandbook.hpc.explain import load, search
from tooling.tests.conftest import run

KNOWN = load()


@pytest.mark.parametrize(("message", "says"), [
    ("sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
     "Check SBATCH_ACCOUNT"),
    ("slurmstepd: error: Detected 1 oom-kill event(s) in StepId=42.batch", "more than --mem"),
    ("torch.OutOfMemoryError: HIP out of memory. Tried to allocate 2.00 GiB", "Make the batch smaller"),
    ("0:53", "mkdir -p slurm_log"), ("(BadConstraints)", "No node has"), ("QOSGrpNodeLimit", "Wait"),
    ("(JobArrayTaskLimit)", "how many tasks run at once"), ("Priority", "Jobs of other people come first"),
    ("Dependency", "Look at that job"), ("BeginTime", "starts later on purpose"),
    ("srun: Job 5 step creation temporarily disabled, retrying (Requested nodes are busy)", "cores taken"),
    ("sbatch: error: Invalid job array specification", "--array=1-100"),
    ("BlockingIOError: [Errno 11] Unable to open file (unable to lock file, errno = 11)", "HDF5_USE_FILE_LOCKING"),
    ("MIOpen Error: sqlite3: database is locked", "MIOPEN_USER_DB_PATH"),
    ("[E ProcessGroupNCCL.cpp] Watchdog caught collective operation timeout", "NCCL_DEBUG=INFO"),
    ("OSError: [Errno 122] Disk quota exceeded", "counts the files"), ("137", "killed it"),
    ("ERROR: Package 'labhandbook' requires a different Python: 3.6.15 not in '>=3.11'", "cray-python on LUMI"),
    ("slurmstepd: error: Detected 1 oom_kill event in StepId=42.batch. Some of the step tasks have been OOM Killed.",
     "more than --mem"), ("srun: error: nid1: task 0: Exited with exit code 1", "an error of its own"),
    ("1:0", "an error of its own"),
    ("bash: line 3: python: command not found", "environment isn't loaded"),
    ("Permission denied (publickey,keyboard-interactive)", "ssh offers the wrong one"),
])
def test_a_message_is_found(message: str, says: str) -> None:
    found = search(message, KNOWN)
    assert any(says in row.text for row in found), found


@pytest.mark.parametrize("message", ["Loss 1 after 137 steps", "epoch 127: 0.143", "1 warning generated", "20:15:01"])
def test_a_number_in_a_message_is_no_exit_code(message: str) -> None:
    assert not search(message, KNOWN)


def test_rows_are_plain_text() -> None:
    assert len(KNOWN) > 45
    for row in KNOWN:
        assert row.messages and row.section.startswith("sec-"), row
        assert not any(sign in row.text for sign in ("{{", "**", "`")), row


def test_the_command_names_the_section_and_knows_its_limits() -> None:
    done = run("job", "explain", "JobHeldUser")
    assert done.returncode == 0 and done.stdout.startswith("JobHeldUser\n    Somebody put the job on hold")
    assert ".html#sec-hpc-errors-wait" in done.stdout
    found = json.loads(run("job", "explain", "Resources", "--format", "json").stdout)
    assert found[0]["messages"] == ["Resources"]
    done = run("job", "explain", "the printer is on fire")
    assert done.returncode == 2 and "does not know this message" in done.stderr
