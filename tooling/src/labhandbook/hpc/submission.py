"""The command that submits a script, and what the script needs beside it."""

from __future__ import annotations

import re
from os.path import relpath
from pathlib import Path
from shlex import join, quote

from labhandbook.hpc import job_script
from labhandbook.hpc.clusters import Cluster

REQUIRED = re.compile(r"\$\{(\w+):?\?")  # the shell stops with a message where the variable has no value
ASSIGNED = re.compile(r"(?:^|[\s;&|(])(\w+)=")


def submission(path: Path, cluster: Cluster, folder: Path) -> str:
    """How to submit a script from a folder, in a line: the command, the cluster, and the variables to export.

    Raises HandbookError when the script can't be read.
    """
    script = job_script.read(path)
    commands = "\n".join(text for _, text in script.commands)
    needed = dict.fromkeys(REQUIRED.findall(commands))
    own = {*ASSIGNED.findall(commands), cluster.jobs.scratch_variable}
    names = [name for name in needed if not name.isdigit() and not name.startswith("SLURM_") and name not in own]
    words = ["bash" if script.submits and not script.options else "sbatch"]
    if words == ["sbatch"] and cluster.slurm_cluster and not script.option("clusters"):
        words.append(f"--clusters={cluster.slurm_cluster}")
    words.append(Path(relpath(path, folder)).as_posix())
    command = join(words) + " ARGUMENTS" * any(map(str.isdigit, needed))
    if folder != Path():
        command = f"cd {quote(folder.as_posix())} && {command}"
    return f"{command}, on {cluster.name}" + (f", with {', '.join(names)} exported" if names else "")
