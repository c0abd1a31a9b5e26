"""What a project has left, from the cluster's own command, beside the price of a job."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass

from labhandbook.core.process import TimeoutExpired, run
from labhandbook.hpc.clusters import Cluster
from labhandbook.hpc.cost import Price
from labhandbook.hpc.partition_limits import amount

SECONDS, MOST_LINES = 20, 20
# One form is a block for each project, with a line for each kind of unit: budget, used and remaining. clusters.yml
# names the source of both forms beside `left`.
BLOCK = re.compile(r"^Project:\s*(project_\d+)\b")
LINE = re.compile(r"^(CPU|GPU) BU:\s+(-?[\d.]+)\s+(-?[\d.]+)\s+-?[\d.]+\s*$")
# The other is a row for each project, with a cell for each kind of unit. Where nothing was granted the share is N/A.
ROW = re.compile(r"^(project_\d+)\s*\|")
CELL = re.compile(r"([\d.]+)/([\d.]+)\s*\([^)]*\)\s*(core|gpu)/hours")


@dataclass(frozen=True)
class Budget:
    """What one project was granted of one kind of unit, and what it has used."""

    project: str
    granted: float
    used: float

    @property
    def left(self) -> float:
        """What remains; below zero when more was used than granted."""
        return self.granted - self.used


def ask(cluster: Cluster) -> str:
    """The answer of the cluster's own command; "" where this machine lacks it or it fails."""
    program = shutil.which(name) if (name := cluster.facts.get("billing.left", "")) else None
    if program is None:
        return ""
    try:
        done = run([program], timeout=SECONDS)
    except (TimeoutExpired, OSError):
        return ""
    return "" if done.returncode else done.stdout


def read(text: str, gpu: bool) -> dict[str, Budget]:
    """The budgets for GPU or for CPU work in an answer, by project."""
    found, project, kind = {}, "", "GPU" if gpu else "CPU"
    for line in text.splitlines():
        if block := BLOCK.match(line):
            project = block[1]
        elif (units := LINE.match(line)) and project and units[1] == kind:
            found[project] = Budget(project, float(units[2]), float(units[3]))
        elif row := ROW.match(line):
            for used, granted, unit in CELL.findall(line):
                if (unit == "gpu") is gpu and float(granted):
                    found[row[1]] = Budget(row[1], float(granted), float(used))
    return found


def payer(budgets: dict[str, Budget], account: str) -> Budget | None:
    """The budget of the project that pays: the script's, that of SBATCH_ACCOUNT, or the only one."""
    name = account or os.environ.get("SBATCH_ACCOUNT", "")
    return budgets.get(name) if name else next(iter(budgets.values())) if len(budgets) == 1 else None


def compared(price: Price, budget: Budget) -> str:
    """A sentence that compares a price with what is left."""
    rest = amount(max(0.0, round(budget.left, 2)))
    left = f"{budget.project} has {rest} of {amount(budget.granted)} {price.unit} left"
    if price.amount > budget.left:
        return f"Too much: {left}, and this may need {price}."
    return f"{left}: this may use {price.amount / budget.left if budget.left else 0:.0%} of them."


def raw(cluster: Cluster, text: str) -> str:
    """The first lines of an answer that could not be read, for a person."""
    lines = text.splitlines()[:MOST_LINES]
    name = cluster.facts.get("billing.left", "")
    return "".join(f"{line}\n" for line in [f"What is left, from {name}:", *(f"    {line}" for line in lines)]
                   ) if lines else ""
