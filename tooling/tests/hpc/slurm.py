"""A real Slurm on loopback whose partitions, limits, nodes and GPUs are those of one cluster of `clusters.yml`.

Three nodes of each kind run, each a slurmd that pretends to have a cluster's cores, memory and GPUs. A wide Slurm has
all others that a partition may give as "cloud" nodes: Slurm plans with them, so that it judges requests for hundreds
of nodes as on the real machine, but no job may run there.

Tests of any folder can have one. In their `conftest.py`:

    from tooling.tests.hpc.slurm import Slurm, started

    @pytest.fixture(scope="session")
    def slurm() -> Iterator[Slurm]:
        with started("lumi") as running:
            yield running

and in a test, where `work` is the folder that holds the script and its `slurm_log/`:

    job = slurm.submit("run.sh", "train", cwd=work, settings={"ENV_DIR": ...})
    assert slurm.finish(job)[job] == ["COMPLETED"]      # of an array one state a task
    slurm.run("scancel", f"{job}_3", cwd=work)          # any command of a user: squeue, srun, scontrol ...

A script finds the machine's Python as `python3` and stand-ins for `module`, `singularity` and others (`stubs.py`) on
its PATH. `started("lumi", accounted=True)` adds a database, so that `sacct`, `sacctmgr` and the limits of an account
work, for some two seconds more. A machine without Slurm skips the tests and says so.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from labhandbook.hpc.clusters import Cluster, load
from tooling.tests.conftest import LACKS, ROOT
from tooling.tests.hpc import accounts, slurm_conf, stubs
from tooling.tests.hpc.daemons import Daemons, missing

PROGRAMS = ("munged", "mungekey", "slurmctld", "slurmd", "sbatch", "srun", "scontrol")
CLUSTERS = load(ROOT / "chapters/hpc/clusters.yml")
GOING = {"PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "REQUEUED"}


@contextlib.contextmanager
def started(key: str, *, wide: bool = False, accounted: bool = False, grouped: bool = False,
            uid: int | None = None) -> Iterator[Slurm]:
    """The Slurm of a cluster for as long as it is needed; skips the test where the machine lacks what it needs."""
    if lacking := missing((*PROGRAMS, *(accounts.PROGRAMS if accounted else ()))):
        pytest.skip(LACKS + f"Slurm ({', '.join(lacking)})")
    if grouped and not os.access(slurm_conf.MEMORY / "memory.limit_in_bytes", os.W_OK):
        pytest.skip(LACKS + "memory control groups (version 1) that this user may set")
    slurm = Slurm(cluster=CLUSTERS.known[key], wide=wide, accounted=accounted, grouped=grouped,
                  uid=os.getuid() if uid is None else uid)
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.stop()


@dataclass(kw_only=True)
class Slurm(Daemons):
    """The daemons of one cluster, in a folder of their own.

    A `wide` one judges requests and runs none, an `accounted` one has a database, a `grouped` one lets the kernel end
    jobs that need too much memory.
    """

    cluster: Cluster
    wide: bool = False
    accounted: bool = False
    grouped: bool = False
    seconds: float = 0.0

    @property
    def env(self) -> dict[str, str]:
        """The environment in which Slurm's commands talk to this cluster."""
        kept = {key: value for key, value in super().env.items()
                if key == "SLURM_CONF" or not key.startswith(("SLURM", "SBATCH", "SALLOC", "SQUEUE"))}
        return {**kept, "SBATCH_ACCOUNT": accounts.PROJECT, "SLURM_ACCOUNT": accounts.PROJECT,
                "SALLOC_ACCOUNT": accounts.PROJECT,
                "PATH": os.pathsep.join([f"{self.root}/stubs", os.environ.get("PATH", "")])}

    def start(self) -> None:
        """Write the configuration, start the daemons, wait until the nodes answer."""
        begin = time.monotonic()
        for name in ("state", "dev"):
            (self.root / name).mkdir()
        stubs.write(self.root / "stubs")
        written = slurm_conf.write(self.cluster, self.root, self.user, wide=self.wide,
                                   accounted=self.accounted, grouped=self.grouped)
        self.own()
        self.call("mungekey", "--create", f"--keyfile={self.root}/munge.key")
        self.daemon("munged", "--foreground", "--force", f"--key-file={self.root}/munge.key", "--num-threads=2",
                    f"--socket={self.root}/munge.socket", f"--pid-file={self.root}/munge.pid",
                    f"--seed-file={self.root}/munge.seed", f"--log-file={self.root}/munge.log")
        self.until((self.root / "munge.socket").exists, "munged")
        if self.accounted:
            accounts.start(self, written.accounts)
            accounts.fill(self, self.cluster)
        self.daemon("slurmctld", "-D")
        for name in written.nodes:
            self.daemon("slurmd", "-D", "-N", name)
        self.until(lambda: self._idle() >= set(written.nodes), "the nodes")
        if self.accounted:
            accounts.limit(self, self.cluster)
        self.seconds = time.monotonic() - begin

    def _idle(self) -> set[str]:
        done = self.run("sinfo", "-h", "-N", "-o", "%N %t", cwd=self.root)
        return {line.split()[0] for line in done.stdout.splitlines() if line.split()[1:] == ["idle"]}

    def stop(self) -> None:
        """Cancel what runs, end every daemon and job step, remove the folder."""
        with contextlib.suppress(subprocess.SubprocessError, OSError):
            self.run("scancel", "-u", self.user, cwd=self.root)
        super().stop()
        if self.grouped:
            for path in slurm_conf.MEMORY.glob("slurm_n*"):
                with contextlib.suppress(OSError):
                    path.rmdir()

    def run(self, *words: str, cwd: Path, settings: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of a user of this cluster."""
        return subprocess.run(list(words), cwd=cwd, env={**self.env, **(settings or {})}, capture_output=True,
                              text=True, timeout=600, check=False, stdin=subprocess.DEVNULL, **self._other)

    def submit(self, *words: str, cwd: Path, settings: dict[str, str] | None = None) -> str:
        """Hand a script to sbatch, with options before and words after it; the job's number."""
        done = self.run("sbatch", "--parsable", *words, cwd=cwd, settings=settings)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout.strip().partition(";")[0]

    def state(self, job: str) -> dict[str, str]:
        """What Slurm knows of a job: JobState, ExitCode, StdOut and the others; of an array its last task."""
        done = self.run("scontrol", "show", "job", "-o", job, cwd=self.root)
        return dict(part.split("=", 1) for part in done.stdout.split() if "=" in part)

    def states(self, job: str) -> list[str]:
        """The states of a job, one for each task if it is an array."""
        done = self.run("scontrol", "show", "job", "-o", job, cwd=self.root)
        return [part.split("=")[1] for part in done.stdout.split() if part.startswith("JobState=")]

    def finish(self, *jobs: str, seconds: float = 600) -> dict[str, list[str]]:
        """Wait until jobs have ended; their states."""
        end = time.monotonic() + seconds
        while True:
            found = {job: self.states(job) for job in jobs}
            if all(GOING.isdisjoint(states) for states in found.values()):
                return found
            assert time.monotonic() < end, (found, self.run("squeue", cwd=self.root).stdout)
            time.sleep(0.2)
