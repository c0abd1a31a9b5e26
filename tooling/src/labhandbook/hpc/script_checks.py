"""What the rules of job scripts look at, and the register of their checks."""

from __future__ import annotations

from dataclasses import dataclass, field

from labhandbook.core.rules import Finding, Rule, Rules, Severity
from labhandbook.hpc.clusters import Cluster, Partition
from labhandbook.hpc.job_request import Request, short
from labhandbook.hpc.job_script import Script

LONGEST = 500  # characters of a message, which may quote a value of any length


@dataclass(frozen=True)
class Job:
    """A script for a cluster. `request` is None when it can't be read as numbers.

    `folders` are the log folders of the script that exist where it will be submitted.
    """

    script: Script
    cluster: Cluster
    request: Request | None
    folders: frozenset[str] = field(default_factory=frozenset)

    @property
    def partition(self) -> Partition | None:
        """The partition asked for, if the cluster has it; of several the first."""
        return self.cluster.partitions.get(self.request.partition) if self.request else None

    @property
    def unit(self) -> str:
        """What the cluster's Slurm counts as a GPU."""
        return self.cluster.gpus.unit if self.cluster.gpus else "GPU"

    def blame(self, rule: Rule, message: str, line: int = 0, severity: Severity | None = None) -> Finding:
        """A finding on a line of the script."""
        return Finding(self.script.file, line, rule, short(message, LONGEST), severity)


JOBS: Rules[Job] = Rules(lambda job: job.script.file)
