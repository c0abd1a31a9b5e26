"""The messages of the error lookup are what Slurm says: each that can be is provoked on a real Slurm."""

from __future__ import annotations

import contextlib
import platform
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tooling.tests.conftest import ROOT
from tooling.tests.hpc import accounts
from tooling.tests.hpc.conftest import study
from tooling.tests.hpc.slurm import Slurm, started

LUMI = pytest.mark.parametrize("slurm", ["lumi"], indirect=True)
SMALL = ("--partition=small", "--time=2", "--output=slurm_log/%j.out", "--open-mode=append")

# What sbatch answers to options, and to files.
REFUSED = {
    "Invalid account or account/partition combination": ("--account=nobody",),
    "Invalid partition name specified": ("--partition=smal",),
    "Job violates accounting/QOS policy": ("--partition=standard", "--account=full"),
    "AssocMaxSubmitJobLimit": ("--partition=standard", "--account=full"),
    "QOSMaxSubmitJobPerUserLimit": ("--partition=debug", "--array=0-2"),
    "Invalid generic resource (gres) specification": ("--gres=nvme:1",),
    "Requested node configuration is not available": ("--partition=small-g", "--gpus-per-node=9"),
    "Memory required by task is not available": ("--mem=2000G",),
    "Node count specification invalid": ("--nodes=5",),
    "Requested time limit is invalid": ("--time=4-0",),
    "unrecognized option": ("--ntask-per-node=1",),
    "is ambiguous": ("--n=1",),
}
FILES = {"DOS line breaks": "#!/bin/bash\r\nhostname\r\n", "This does not look like a batch script": "hostname\n"}
# What squeue says of a job that waits.
REASONS = ("DependencyNeverSatisfied", "AssocGrpBillingMinutes", "AssocGrpCPUMinutesLimit", "PartitionTimeLimit",
           "ReqNodeNotAvail", "JobHeldUser", "Dependency", "QOSMaxJobsPerUserLimit", "Resources", "Priority")
# What a log says of a job that ran these commands.
LOGS = {
    "command not found": "no-such-program",
    "ModuleNotFoundError": "python3 -m train.py",
    "Exec format error": "./other-side",
    "Unable to create step": "srun sleep 2 & sleep 1; srun --immediate=1 hostname; wait",
    "step creation temporarily disabled": "srun sleep 2 & sleep 1; srun hostname; wait",
    "Exceeded job memory limit": "python3 -c 'import time; x = bytearray(400_000_000); time.sleep(20)'",
}
# What the accounting says of a job, and its log.
ENDS = ("TIMEOUT", "DUE TO TIME LIMIT", "NODE_FAIL", "CANCELLED by", "127", "FAILED", "0:53")
KILLED = ("OUT_OF_MEMORY", "oom-kill")
NOT_HERE = {
    "Permission denied (publickey)": "it needs a cluster's login node",
    "Certificate invalid: expired": "it needs a cluster's login node",
    "REMOTE HOST IDENTIFICATION HAS CHANGED": "it needs a cluster's login node",
    "Access denied by pam_slurm_adopt": "it needs a compute node that takes ssh",
    "launch failed requeued held": "a node has to break while it starts a job",
    "HIP out of memory": "it needs a GPU", "CUDA out of memory": "it needs a GPU",
    "Disk quota exceeded": "it needs a file system with quotas",
    "No space left on device": "it needs a full disk",
    **dict.fromkeys(("NCCL WARN", "ncclSystemError", "Watchdog caught collective operation timeout",
                     "miopenStatusInternalError"), "it needs GPUs"),
    **dict.fromkeys(("unable to lock file", "HDF5 error", "errno = 11", "database is locked", "sqlite3"),
                    "it needs a file system without locks"),
    **dict.fromkeys(("requires a different Python", "future feature annotations is not defined",
                     "No matching distribution found"), "it needs an old Python"),
    **dict.fromkeys(("1", "137", "0:9", "SIGKILL", "139", "Segmentation fault", "143", "0:15", "SIGTERM"),
                    "the shell's numbers for signals"),
    **dict.fromkeys(("BadConstraints", "BeginTime", "JobArrayTaskLimit", "QOSGrpNodeLimit", "QOSGrpCpuLimit",
                     "QOSGrpGRES", "QOSGrp", "QOSMaxGRESPerJob", "QOSMaxCpuPerJobLimit", "AssocGrpGRES",
                     "AssocMaxJobsLimit", "Requested nodes are busy", "Invalid job array specification"),
                    "from Slurm's manual; not provoked yet"),
    "oom_kill": "newer Slurm writes it so; the tests' writes oom-kill",
}


def rows(table: str) -> dict[str, str]:
    """A table of the page of errors: for each message in its first column the rest of the row."""
    text = (ROOT / "chapters/hpc/errors.qmd").read_text().partition(f"{{#{table}}}")[0]
    cells = [row.strip("| ").split(" | ", 1) for row in text.rpartition("\n\n|")[2].splitlines()[2:] if "|" in row]
    return {message: rest for first, rest in cells for message in re.findall(r"`([^`]+)`", first)}


LOOKUP = {message: rest for table in ("login", "submit", "wait", "run")
          for message, rest in rows(f"tbl-hpc-errors-{table}").items()}


def test_every_message_of_the_lookup_is_provoked_or_says_why_not() -> None:
    assert set(LOOKUP) == {*REFUSED, *FILES, *REASONS, *LOGS, *ENDS, *KILLED, *NOT_HERE}


@pytest.mark.parametrize("message", LOOKUP)
def test_a_message_has_its_cause_and_its_cure(message: str) -> None:
    """A sentence why, then what to do, which begins in bold."""
    assert re.match(r"[A-Z`][^*]{12,}[.:] \*\*[A-Z]", LOOKUP[message]), LOOKUP[message]


@pytest.fixture(scope="module")
def poor(slurm: Slurm) -> Iterator[None]:
    """Projects that have used up what they had, and a partition that lets their jobs wait."""
    names = ("full", "spent", "billed")
    accounts.change(slurm, [
        *(f"add {what}" for name in names for what in (f"account {name}", f"user {slurm.user} Account={name}")),
        f"modify user where name={slurm.user} account=full set MaxSubmitJobs=1",
        "modify account spent set GrpTRESMins=cpu=1", "modify account billed set GrpTRESMins=billing=1",
        "modify qos standard set MaxSubmitJobsPerUser=-1 flags-=DenyOnLimit"])

    def known() -> bool:
        said = slurm.run("scontrol", "show", "assoc_mgr", "accounts=full,spent,billed", cwd=slurm.root).stdout
        return "MaxSubmitJobs=1(" in said and said.count("GrpTRESMins=cpu=1(") == 1 and "billing=1(" in said

    slurm.until(known, "the limits")
    slurm.submit(*SMALL, "--partition=standard", "--account=full", "--hold", "--wrap=true", cwd=slurm.root)
    yield
    slurm.run("scancel", "--me", cwd=slurm.root)
    accounts.change(slurm, ["modify qos standard set flags+=DenyOnLimit"])
    accounts.limit(slurm, slurm.cluster)


@LUMI
@pytest.mark.parametrize("message", REFUSED)
def test_sbatch_refuses_with_the_message(slurm: Slurm, poor: None, work: Path, message: str) -> None:
    done = slurm.run("sbatch", *SMALL, *REFUSED[message], "--wrap=true", cwd=work)
    assert done.returncode != 0 and message in done.stderr


@LUMI
@pytest.mark.parametrize("message", FILES)
def test_sbatch_refuses_the_file_with_the_message(slurm: Slurm, work: Path, message: str) -> None:
    (work / "job.sh").write_bytes(FILES[message].encode())
    done = slurm.run("sbatch", *SMALL, "job.sh", cwd=work)
    assert done.returncode != 0 and message in done.stderr


@LUMI
def test_squeue_says_why_a_job_waits(slurm: Slurm, poor: None, work: Path) -> None:
    def submit(*words: str, body: str = "sleep 300") -> str:
        return slurm.submit(*SMALL, *words, "--wrap", body, cwd=work)

    def change(*words: str) -> None:
        assert slurm.run("scontrol", "update", *words, cwd=work).returncode == 0

    failed, runs = submit(body="false"), submit()
    slurm.finish(failed)
    whole = ("--partition=small-g", "--nodes=3", "--gpus-per-node=8", "--mem=1G")
    for words in (whole, ("--partition=debug",)):
        first = submit(*words)
        slurm.until(lambda job=first: slurm.states(job) == ["RUNNING"], "a job")   # type: ignore[misc]
    change("NodeName=n1x3", "State=DRAIN", "Reason=test")
    late = submit("--partition=dev-g", "--gpus-per-node=1", "--time=90", "--hold")
    change("PartitionName=dev-g", "MaxTime=60")
    slurm.run("scontrol", "release", late, cwd=work)
    waits = {
        "DependencyNeverSatisfied": submit(f"--dependency=afterok:{failed}"),
        "AssocGrpBillingMinutes": submit("--partition=standard", "--account=billed"),
        "AssocGrpCPUMinutesLimit": submit("--partition=standard", "--account=spent"),
        "PartitionTimeLimit": late, "ReqNodeNotAvail": submit("--nodelist=n1x3"), "JobHeldUser": submit("--hold"),
        "Dependency": submit(f"--dependency=afterok:{runs}"),
        "QOSMaxJobsPerUserLimit": submit("--partition=debug"), "Resources": submit(*whole),
        "Priority": submit(*whole),
    }
    assert set(waits) == set(REASONS)

    def said() -> dict[str, str]:
        said = slurm.run("squeue", "--noheader", "--format=%i %r", cwd=work).stdout
        reasons = dict(line.split(" ", 1) for line in said.splitlines())
        return {reason: reasons[job].split(",")[0] for reason, job in waits.items()}

    with contextlib.suppress(AssertionError):
        slurm.until(lambda: said() == {reason: reason for reason in waits}, "the reasons")
    found = said()
    slurm.run("scancel", "--me", cwd=work)
    change("PartitionName=dev-g", "MaxTime=120")
    change("NodeName=n1x3", "State=RESUME")
    assert found == {reason: reason for reason in waits}


def log(work: Path, job: str) -> str:
    return (work / f"slurm_log/{job}.out").read_text()


@LUMI
def test_logs_hold_the_messages(slurm: Slurm, work: Path) -> None:
    # The head of a program for ARM, where this machine is none, or for another one.
    machine = 183 if "x86" in platform.machine() else 62
    other = work / "other-side"
    other.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, machine, 1) + bytes(40))
    other.chmod(0o755)
    jobs = {}
    for message, body in LOGS.items():
        (work / "job.sh").write_text(f"#!/bin/bash\n{body}\n")
        jobs[message] = slurm.submit(*SMALL, "--mem=100M", "job.sh", cwd=work)
    slurm.finish(*jobs.values())
    assert {message: message in log(work, job) for message, job in jobs.items()} == dict.fromkeys(LOGS, True)


@LUMI
def test_the_accounting_says_how_a_job_ended(slurm: Slurm, work: Path) -> None:
    long, broken, stopped = (slurm.submit(*SMALL, "--no-requeue", "--wrap=sleep 300", cwd=work) for _ in range(3))
    lost = slurm.submit(*SMALL, "--wrap=no-such-program", cwd=work)
    silent = slurm.submit("--partition=small", "--time=2", "--output=nowhere/%j.out", "--wrap=true", cwd=work)
    on_own = slurm.submit(*SMALL, "--partition=standard", "--no-requeue", "--wrap=sleep 300", cwd=work)
    slurm.until(lambda: [slurm.states(job) for job in (long, stopped, on_own)] == [["RUNNING"]] * 3, "the jobs")
    # A minute is the shortest limit; the end can be set closer.
    assert slurm.run("scontrol", "update", f"JobId={long}", "EndTime=now+2seconds", cwd=work).returncode == 0
    slurm.run("scancel", stopped, broken, cwd=work)
    node = slurm.state(on_own)["NodeList"]
    slurm.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test", cwd=work)
    slurm.finish(long, lost, silent, stopped, on_own)
    slurm.run("scontrol", "update", f"NodeName={node}", "State=RESUME", cwd=work)
    slurm.until(lambda: all(ended(slurm, work, job) for job in (long, lost, silent, stopped, on_own)), "sacct")
    assert ended(slurm, work, long)[0] == "TIMEOUT" and "DUE TO TIME LIMIT" in log(work, long)
    assert ended(slurm, work, on_own)[0] == "NODE_FAIL"
    assert ended(slurm, work, stopped)[0] == f"CANCELLED by {slurm.uid}"
    assert ended(slurm, work, lost) == ("FAILED", "127:0")
    assert ended(slurm, work, silent) == ("FAILED", "0:53") and not (work / "nowhere").exists()


def ended(slurm: Slurm, work: Path, job: str) -> tuple[str, ...]:
    """State and exit code of a job that has ended, as the accounting knows them; () until it does."""
    said = slurm.run("sacct", "-X", "-n", "-P", "-j", job, "-o", "State,ExitCode", cwd=work).stdout.split("\n")[0]
    return tuple(said.split("|")) if said and not said.startswith(("RUNNING", "PENDING")) else ()


def test_the_kernel_ends_a_job_that_needs_more_memory(tmp_path: Path) -> None:
    work = study(tmp_path / "study")
    with started("turso", accounted=True, grouped=True) as slurm:
        job = slurm.submit("--partition=short", "--time=2", "--output=slurm_log/%j.out", "--mem=50M", "--wrap",
                           "python3 -c 'bytearray(200_000_000)'", cwd=work)
        slurm.finish(job)
        assert "oom-kill" in log(work, job)
        slurm.until(lambda: bool(ended(slurm, work, job)), "sacct")
        assert ended(slurm, work, job)[0] == "OUT_OF_MEMORY"
