"""Slurm's accounting for tests: MariaDB on a socket, slurmdbd on it, a project and the limits of one account.

Nothing is installed into the database but what slurmdbd needs of it, so that it is there in two seconds: the tables
of stored procedures come from the file that `mariadb-install-db` reads too. It listens on no port.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from labhandbook.hpc.clusters import Cluster
from tooling.tests.hpc.daemons import Daemons

PROGRAMS = ("mariadbd", "slurmdbd", "sacctmgr", "sacct")
TABLES = Path("/usr/share/mysql/mysql_system_tables.sql")
PROJECT = "project_465000000"
CONF = """\
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
DbdHost=localhost
DbdPort={port}
SlurmUser={user}
PidFile={root}/slurmdbd.pid
LogFile={root}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StorageLoc=accounts
"""
SMALL = ("--no-defaults", "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M", "--skip-grant-tables")


def start(slurm: Daemons, port: int) -> None:
    """Start the database and slurmdbd in the folder of a Slurm whose munged runs."""
    root = slurm.root
    data = root / "data"
    # Its temporary tables bear names that the database of another cluster, started at the same time, would take too.
    small = (*SMALL, f"--user={slurm.user}", f"--datadir={data}", f"--tmpdir={data}")
    slurm.call("mkdir", "-p", f"{data}/mysql")
    slurm.call("mariadbd", *small, "--bootstrap", stdin="use mysql;\n" + TABLES.read_text())
    slurm.daemon("mariadbd", *small, f"--socket={root}/mariadb.socket", f"--pid-file={root}/mariadb.pid",
                 "--skip-networking", "--innodb-flush-log-at-trx-commit=0")
    slurm.until((root / "mariadb.socket").exists, "mariadbd")
    conf = root / "slurmdbd.conf"
    conf.write_text(CONF.format(root=root, port=port, user=slurm.user))
    conf.chmod(0o600)
    shutil.chown(conf, slurm.uid)
    slurm.daemon("slurmdbd", "-D", MYSQL_UNIX_PORT=f"{root}/mariadb.socket")
    log = root / "slurmdbd.log"
    slurm.until(lambda: log.exists() and " started" in log.read_text(), "slurmdbd")


def fill(slurm: Daemons, cluster: Cluster) -> None:
    """Add the cluster, a QOS for each partition, and one project with this user in it."""
    change(slurm, [f"add cluster {cluster.slurm_cluster or cluster.key}",
                   f"add qos {','.join(cluster.partitions)} Flags=DenyOnLimit",
                   f"add account {PROJECT} Description=test Organization=test",
                   f"add user {slurm.user} Account={PROJECT}"])


def limit(slurm: Daemons, cluster: Cluster) -> None:
    """Set what one account may have in each partition. Slurmctld must run: it reports the GPUs to slurmdbd."""
    lines = []
    for partition in cluster.partitions.values():
        running = cluster.facts.get(f"partitions.{partition.name}.running-jobs")
        limits = {"MaxSubmitJobsPerUser": partition.max_jobs, "MaxJobsPerUser": running,
                  "MaxTRESPerJob=gres/gpu": partition.max_gpus, "MinTRESPerJob=gres/gpu": partition.min_gpus}
        if known := [f"{name}={number}" for name, number in limits.items() if number]:
            lines.append(f"modify qos {partition.name} set {' '.join(known)}")
    change(slurm, lines)


def change(slurm: Daemons, lines: list[str]) -> None:
    """Change things in the accounting, each a command of sacctmgr."""
    slurm.call("sacctmgr", "--immediate", "--quiet", stdin="\n".join([*lines, ""]))
