"""A real Slurm on loopback whose partitions, limits, nodes and GPUs are those of one cluster of `clusters.yml`.

Three nodes of each kind run, each a slurmd that pretends to have a cluster's cores, memory and GPUs. A wide Slurm has
all others that a partition may give as "cloud" nodes: Slurm plans with them, so that it judges requests for hundreds
of nodes as on the real machine, but no job may run there.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labhandbook.hpc.clusters import Cluster, Nodes, Partition

PROGRAMS = ("munged", "mungekey", "slurmctld", "slurmd", "sbatch", "srun", "scontrol")
SBIN = ("/usr/sbin", "/sbin")
RUNNING = 3
# What nobody has told of a cluster's nodes.
USUAL = Nodes(64, 256, 4)

CONF = """\
ClusterName={name}
SlurmctldHost=localhost
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
CredType=cred/munge
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool-%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd-%n.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
EnforcePartLimits=ALL
SchedulerParameters=sched_interval=1,bf_interval=1,defer_batch=no,batch_sched_delay=0
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobCompType=jobcomp/filetxt
JobCompLoc={root}/jobcomp.log
MaxArraySize=10001
KillWait=2
MinJobAge=3600
ReturnToService=2
SlurmdTimeout=300
InactiveLimit=0
PropagateResourceLimits=NONE
SuspendProgram=/bin/true
ResumeProgram=/bin/true
SuspendTime=86400
SuspendExcParts={partitions}
"""


def missing() -> list[str]:
    """The programs that this machine lacks."""
    return [name for name in PROGRAMS if not program(name)]


def program(name: str) -> str | None:
    """A program's path; daemons are not on everyone's PATH."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *SBIN]))


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@dataclass
class Slurm:
    """The daemons of one cluster, in a folder of their own; a `wide` one judges requests and runs none."""

    cluster: Cluster
    wide: bool = False
    root: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="hb", dir="/tmp")))
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    seconds: float = 0.0
    stubs: tuple[str, ...] = ()
    uid: int = field(default_factory=os.getuid)

    @property
    def env(self) -> dict[str, str]:
        """The environment in which Slurm's commands talk to this cluster."""
        kept = {key: value for key, value in os.environ.items()
                if not key.startswith(("SLURM", "SBATCH", "SALLOC", "SQUEUE"))}
        return {**kept, "SLURM_CONF": f"{self.root}/slurm.conf", "SBATCH_ACCOUNT": "project_465000000",
                "PATH": os.pathsep.join([*self.stubs, os.environ.get("PATH", "")])}

    def start(self) -> None:
        """Write the configuration, start the daemons, wait until the nodes answer."""
        begin = time.monotonic()
        for name in ("state", "dev"):
            (self.root / name).mkdir()
        self.root.chmod(0o755)
        nodes = self._configure()
        if self.uid != os.getuid():
            for path in (self.root, *self.root.iterdir()):
                os.chown(path, self.uid, -1)
        self._run("mungekey", "--create", f"--keyfile={self.root}/munge.key")
        self._daemon("munged", "--foreground", "--force", f"--key-file={self.root}/munge.key", "--num-threads=2",
                     f"--socket={self.root}/munge.socket", f"--pid-file={self.root}/munge.pid",
                     f"--seed-file={self.root}/munge.seed", f"--log-file={self.root}/munge.log")
        self._until(lambda: (self.root / "munge.socket").exists(), "munged")
        self._daemon("slurmctld", "-D")
        for name in nodes:
            self._daemon("slurmd", "-D", "-N", name)
        self._until(lambda: self._idle() >= set(nodes), "the nodes")
        self.seconds = time.monotonic() - begin

    def _idle(self) -> set[str]:
        done = subprocess.run(["sinfo", "-h", "-N", "-o", "%N %t"], env=self.env, capture_output=True, text=True,
                              check=False)
        return {line.split()[0] for line in done.stdout.splitlines() if line.split()[1:] == ["idle"]}

    def _configure(self) -> list[str]:
        kinds: dict[Nodes, list[Partition]] = {}
        for partition in self.cluster.partitions.values():
            kinds.setdefault(self._nodes(partition), []).append(partition)
        lines, queues, gres, started = [], [], [], []
        ports = free_ports(1 + RUNNING * len(kinds))
        for number, (nodes, partitions) in enumerate(kinds.items()):
            kind = f"n{number}x"
            most = max(RUNNING, *(partition.max_nodes for partition in partitions))
            shape = (f"NodeHostname=localhost CPUs={nodes.cores} Boards=1 SocketsPerBoard=1 "
                     f"CoresPerSocket={nodes.cores} ThreadsPerCore=1 RealMemory={int(nodes.memory_gib * 1024)}")
            kept = f"{kind}[1-{most if self.wide else RUNNING}]"
            if nodes.gpus:
                type_ = self.cluster.gpus.type if self.cluster.gpus else ""
                shape += f" Gres=gpu:{type_ + ':' if type_ else ''}{nodes.gpus}"
                for gpu in range(nodes.gpus):
                    device = self.root / "dev" / f"gpu{gpu}"
                    if not device.is_symlink():
                        device.symlink_to("/dev/null")
                gres.append(f"NodeName={kept} Name=gpu {f'Type={type_} ' if type_ else ''}"
                            f"File={self.root}/dev/gpu[0-{nodes.gpus - 1}]")
            for each in range(1, RUNNING + 1):
                lines.append(f"NodeName={kind}{each} {shape} Port={ports.pop()} Weight=1")
                started.append(f"{kind}{each}")
            if self.wide and most > RUNNING:
                lines.append(f"NodeName={kind}[{RUNNING + 1}-{most}] {shape.replace('NodeHostname=localhost ', '')} "
                             f"State=CLOUD Weight=100")
            queues += [self._partition(partition, kept, nodes) for partition in partitions]
        user = pwd.getpwuid(self.uid).pw_name
        conf = CONF.format(name=self.cluster.slurm_cluster or self.cluster.key, port=ports.pop(), user=user,
                           root=self.root, partitions=",".join(self.cluster.partitions))
        (self.root / "slurm.conf").write_text(conf + "\n".join([*lines, *queues]) + "\n")
        (self.root / "gres.conf").write_text("\n".join(gres) + "\n")
        return started

    def _nodes(self, partition: Partition) -> Nodes:
        nodes = partition.nodes
        return Nodes(nodes.cores or USUAL.cores, max(nodes.memory_gib, partition.large_gib) or USUAL.memory_gib,
                     nodes.gpus or (USUAL.gpus if partition.gpu else 0))

    def _partition(self, partition: Partition, names: str, nodes: Nodes) -> str:
        words = [f"PartitionName={partition.name}", f"Nodes={names}",
                 f"MaxTime={int(partition.hours * 60) if partition.hours else 'UNLIMITED'}", "DefaultTime=1",
                 f"MinNodes={partition.min_nodes}", f"MaxNodes={partition.max_nodes or 'UNLIMITED'}",
                 f"OverSubscribe={'EXCLUSIVE' if partition.exclusive else 'NO'}", "State=UP"]
        if partition.max_cores and partition.max_cores < nodes.cores:
            words.append(f"MaxCPUsPerNode={partition.max_cores}")
        words.append(f"DefMemPerCPU={int(nodes.memory_gib * 1024) // nodes.cores}")
        if partition.node_gib:
            words.append(f"MaxMemPerNode={int(partition.node_gib * 1024)}")
        return " ".join(words)

    def _run(self, name: str, *words: str) -> None:
        subprocess.run([str(program(name)), *words], env=self.env, check=True, capture_output=True, **self._other)

    @property
    def _other(self) -> dict[str, Any]:
        """What starts a program as the other user that this cluster belongs to, if it does."""
        if self.uid == os.getuid():
            return {}
        return {"user": self.uid, "group": pwd.getpwuid(self.uid).pw_gid, "extra_groups": []}

    def _daemon(self, name: str, *words: str) -> None:
        with (self.root / f"{name}.out").open("ab") as log:
            self.processes.append(subprocess.Popen([str(program(name)), *words], env=self.env, cwd=self.root,
                                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                   start_new_session=True, **self._other))

    def _until(self, done: Callable[[], bool], what: str, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end or any(process.poll() is not None for process in self.processes):
                logs = "".join(path.read_text(errors="replace")[-1500:] for path in self.root.glob("slurmctld.*"))
                raise AssertionError(f"{what} did not start\n{logs}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Cancel what runs, end every daemon and job step, remove the folder."""
        with contextlib.suppress(subprocess.SubprocessError, OSError):
            subprocess.run(["scancel", "-u", str(self.uid)], env=self.env, capture_output=True, timeout=5,
                           check=False)
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for left in self.left():
            with contextlib.suppress(OSError):
                os.kill(left, signal.SIGKILL)
        shutil.rmtree(self.root, ignore_errors=True)

    def left(self) -> list[int]:
        """Processes of this cluster that outlived their daemon: slurmstepd and jobs, known by their SLURM_CONF."""
        mark = f"SLURM_CONF={self.root}/slurm.conf".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int(path.name) != os.getpid() and mark in (path / "environ").read_bytes().split(b"\0"):
                    found.append(int(path.name))
        return found

    def run(self, *words: str, cwd: Path, settings: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of a user of this cluster."""
        return subprocess.run(list(words), cwd=cwd, env={**self.env, **(settings or {})}, capture_output=True,
                              text=True, timeout=60, check=False, stdin=subprocess.DEVNULL, **self._other)

    def state(self, job: str) -> dict[str, str]:
        """What Slurm knows of a job: JobState, ExitCode, StdOut and the others; of an array its last task."""
        done = self.run("scontrol", "show", "job", "-o", job, cwd=self.root)
        return dict(part.split("=", 1) for part in done.stdout.split() if "=" in part)

    def states(self, job: str) -> list[str]:
        """The states of a job, one for each task if it is an array."""
        done = self.run("scontrol", "show", "job", "-o", job, cwd=self.root)
        return [part.split("=")[1] for part in done.stdout.split() if part.startswith("JobState=")]

    def finish(self, *jobs: str, seconds: float = 60) -> dict[str, list[str]]:
        """Wait until jobs have ended; their states."""
        end = time.monotonic() + seconds
        while True:
            found = {job: self.states(job) for job in jobs}
            going = {"PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "REQUEUED"}
            if all(going.isdisjoint(states) for states in found.values()):
                return found
            assert time.monotonic() < end, (found, self.run("squeue", cwd=self.root).stdout)
            time.sleep(0.2)
