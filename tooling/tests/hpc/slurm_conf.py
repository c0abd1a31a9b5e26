"""The configuration of a Slurm whose partitions, limits, nodes and GPUs are those of a cluster of `clusters.yml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labhandbook.hpc.clusters import Cluster, Nodes, Partition
from tooling.tests.free_ports import free_ports

RUNNING = 3
# What a node has where the facts do not say.
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
TaskPlugin={tasks}
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
EnforcePartLimits=ALL
SchedulerParameters=sched_interval=1,bf_interval=1,defer_batch=no,batch_sched_delay=0
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams={memory}
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
ACCOUNTED = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={port}
AccountingStoragePass={root}/munge.socket
AccountingStorageEnforce=associations,limits,qos,safe
AccountingStorageTRES=gres/gpu
"""
ALONE = "AccountingStorageType=accounting_storage/none\n"
# Real clusters leave it to the kernel to end a job that needs more memory than it asked for.
GROUPS = """\
CgroupPlugin=cgroup/v1
ConstrainRAMSpace=yes
ConstrainSwapSpace=yes
AllowedSwapSpace=0
"""
MEMORY = Path("/sys/fs/cgroup/memory")


@dataclass(frozen=True)
class Written:
    """What was configured: the nodes that run, and the port of slurmdbd (0 without one)."""

    nodes: list[str]
    accounts: int


def write(cluster: Cluster, root: Path, user: str, *, wide: bool, accounted: bool, grouped: bool) -> Written:
    """Write `slurm.conf`, `gres.conf` and `cgroup.conf` into a folder."""
    kinds: dict[Nodes, list[Partition]] = {}
    for partition in cluster.partitions.values():
        kinds.setdefault(_nodes(partition), []).append(partition)
    lines, gres, started = [], [], []
    ports = free_ports(2 + RUNNING * len(kinds))
    control, accounts = ports.pop(), ports.pop() if accounted else 0
    for number, (nodes, partitions) in enumerate(kinds.items()):
        kind = f"n{number}x"
        most = max(RUNNING, *(partition.max_nodes for partition in partitions))
        kept = f"{kind}[1-{most if wide else RUNNING}]"
        shape = (f"CPUs={nodes.cores} Boards=1 SocketsPerBoard=1 CoresPerSocket={nodes.cores} ThreadsPerCore=1 "
                 f"RealMemory={int(nodes.memory_gib * 1024)}")
        if nodes.gpus:
            type_ = f":{cluster.gpus.type}" if cluster.gpus and cluster.gpus.type else ""
            shape += f" Gres=gpu{type_}:{nodes.gpus}"
            gres.append(_gres(root, kept, nodes.gpus, type_))
        for each in range(1, RUNNING + 1):
            lines.append(f"NodeName={kind}{each} NodeHostname=localhost {shape} Port={ports.pop()} Weight=1")
            started.append(f"{kind}{each}")
        if wide and most > RUNNING:
            lines.append(f"NodeName={kind}[{RUNNING + 1}-{most}] {shape} State=CLOUD Weight=100")
        lines += [_partition(partition, kept, nodes, accounted) for partition in partitions]
    head = CONF.format(name=cluster.slurm_cluster or cluster.key, port=control, user=user, root=root,
                       partitions=",".join(cluster.partitions), tasks=f"task/{'cgroup' if grouped else 'none'}",
                       memory="NoOverMemoryKill" if grouped else "OverMemoryKill")
    head += ACCOUNTED.format(port=accounts, root=root) if accounted else ALONE
    (root / "slurm.conf").write_text(head + "\n".join(lines) + "\n")
    (root / "gres.conf").write_text("\n".join(gres) + "\n")
    (root / "cgroup.conf").write_text(GROUPS if grouped else "")
    return Written(started, accounts)


def _nodes(partition: Partition) -> Nodes:
    nodes = partition.nodes
    return Nodes(nodes.cores or USUAL.cores, max(nodes.memory_gib, partition.large_gib) or USUAL.memory_gib,
                 nodes.gpus or (USUAL.gpus if partition.gpu else 0))


def _gres(root: Path, nodes: str, gpus: int, type_: str) -> str:
    """The line for GPUs, and files in place of their devices."""
    for gpu in range(gpus):
        device = root / "dev" / f"gpu{gpu}"
        if not device.is_symlink():
            device.symlink_to("/dev/null")
    kind = f"Type={type_[1:]} " if type_ else ""
    return f"NodeName={nodes} Name=gpu {kind}File={root}/dev/gpu[0-{gpus - 1}]"


def _partition(partition: Partition, names: str, nodes: Nodes, accounted: bool) -> str:
    hours = max(partition.hours, partition.perhaps_hours)
    words = [f"PartitionName={partition.name}", f"Nodes={names}",
             f"MaxTime={int(hours * 60) if hours else 'UNLIMITED'}", "DefaultTime=1",
             f"MinNodes={partition.min_nodes}", f"MaxNodes={partition.max_nodes or 'UNLIMITED'}",
             f"OverSubscribe={'EXCLUSIVE' if partition.exclusive else 'NO'}", "State=UP"]
    if partition.max_cores and partition.max_cores < nodes.cores:
        words.append(f"MaxCPUsPerNode={partition.max_cores}")
    words.append(f"DefMemPerCPU={int(nodes.memory_gib * 1024) // nodes.cores}")
    if partition.node_gib:
        words.append(f"MaxMemPerNode={int(partition.node_gib * 1024)}")
    if accounted:
        words.append(f"QOS={partition.name}")
    return " ".join(words)
