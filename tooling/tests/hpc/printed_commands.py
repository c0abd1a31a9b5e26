"""The Slurm commands that the chapters print, each with the clusters that it is printed for."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from labhandbook.book.facts import load_facts
from tooling.tests.conftest import ROOT

SLURM = r"(?:sbatch|srun|salloc|squeue|sacct|sinfo|scancel|scontrol|sstat|sprio|sshare)"
CALL = re.compile(rf"(?:^|&& ?|\(|\| ?)(?:{SLURM}|handbook job|watch|tail -n \d+ -f)\b", re.MULTILINE)
BLOCK = re.compile(r"^( *)```\{\.bash filename=\"([^\"]*)\"\}\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(rf"(?<!`)`((?:watch -n \d+ )?{SLURM} [^`\n]+)`(?!`)")
VARIABLE = re.compile(r"\{\{< var ([\w.-]+) >\}\}")
FACTS = {fact.name: str(fact.value) for fact in load_facts(ROOT)}
CLUSTERS = {"LUMI": "lumi", "Roihu": "roihu", "Turso": "turso"}


@dataclass(frozen=True)
class Printed:
    """A block, or a command within a line, as the page of a reader shows it, and the clusters that it is for."""

    page: str
    line: int
    clusters: tuple[str, ...]
    text: str

    @property
    def place(self) -> str:
        """`page:line`."""
        return f"{self.page}:{self.line}"


def commands() -> Iterator[Printed]:
    """Every block for a machine with Slurm, and every command within a line, that calls Slurm or `handbook job`."""
    for path in sorted((ROOT / "chapters/hpc").glob("*.qmd")):
        text = VARIABLE.sub(lambda match: FACTS[match[1]], path.read_text(encoding="utf-8"))
        for block in BLOCK.finditer(text):
            program = textwrap.dedent(block[3])
            if block[2] == ".bashrc":  # settings that squeue reads
                program += "squeue --me\n"
            if ("node" in block[2] or block[2] == ".bashrc") and CALL.search(program):
                yield Printed(path.name, text.count("\n", 0, block.start()) + 1,
                              _clusters(text[:block.start()], block[2]), program)
        prose = BLOCK.sub(lambda match: "\n" * match[0].count("\n"), text)
        for found in INLINE.finditer(prose):
            yield Printed(path.name, prose.count("\n", 0, found.start()) + 1, _clusters(prose[:found.start()]),
                          found[1])


def _clusters(before: str, machine: str = "") -> tuple[str, ...]:
    """The cluster that a block names as its machine, that of the tab that is open where a text ends, or all."""
    named = CLUSTERS.get(re.split(r"[- ]", machine)[0])
    opened = before.rfind('::: {.panel-tabset group="cluster"}')
    if not named and opened >= 0 and not re.search(r"^:::$", before[opened:], re.MULTILINE):
        named = CLUSTERS[re.findall(r"^## (.*)$", before[opened:], re.MULTILINE)[-1]]
    return (named,) if named else tuple(CLUSTERS.values())
