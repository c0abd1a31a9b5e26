"""What the rules of job scripts look at, and their family; the rules themselves are beside their checks."""

from __future__ import annotations

from dataclasses import dataclass, field

from labhandbook.core.rules import Rules
from labhandbook.hpc.clusters import Cluster, Partition
from labhandbook.hpc.job_request import Request
from labhandbook.hpc.job_script import Script

# The sections that teach the rules.
SCRIPT, PARTITION, COST = "sec-hpc-workflow-script", "sec-hpc-workflow-partition", "sec-hpc-workflow-cost"
RANKS = "sec-job-scripts-several-nodes"
LOGS, POLLING, SOFTWARE = "sec-hpc-workflow-logs", "sec-commands-polling", "sec-hpc-workflow-software"


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
        """The partition requested, if the cluster has it; of several the first."""
        return self.cluster.partitions.get(self.request.partition) if self.request else None


JOBS: Rules[Job] = Rules(lambda job: job.script.file)
