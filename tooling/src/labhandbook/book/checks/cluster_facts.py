"""Rules for what chapters say of clusters: limits and quotas as variables, partitions that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from labhandbook.book.checks.check_input import BOOK, Reading
from labhandbook.book.source_lines import INLINE_CODE
from labhandbook.core.rules import At
from labhandbook.core.wording import hint

FILE = "clusters.yml"
COMPUTED = "_choices.qmd"  # `handbook job choices` makes it of the facts
UNITS = r"(?:minutes?|hours?|days?|[KMGT]i?B|nodes?|cores?|jobs?|files|GPUs?|GCDs?)"
AMOUNT = re.compile(rf"(?<![\w.-])(\d[\d \u00a0,]*\d|\d)(?:[ \u00a0~-])?({UNITS})\b")
# The words after a number that is alone in the facts.
NOUNS = {"max-nodes": "nodes", "min-nodes": "nodes", "max-jobs": "jobs", "running-jobs": "jobs", "files": "files",
         "cores-per-node": "cores", "cores-per-gpu": "cores", "max-cores": "cores", "max-gpus": "GPUs",
         "cleaning-days": "days", "project-end-days": "days", "certificate-hours": "hours"}
# Smaller numbers occur in any sentence: two nodes, one GPU.
FEW = 4
OPTION = re.compile(r"(?:--partition[= ]|(?<!mkdir )(?<![\w-])-p )[\"']?([A-Za-z][\w-]*(?:,[A-Za-z][\w-]*)*)")
# A partition that a sentence names.
NAMED = re.compile(r"\bpartitions? `([a-z][\w-]*)`|`([a-z][\w-]*)` partitions?\b")


def _same(number: str, unit: str) -> tuple[str, str]:
    """A number and its unit as they can be compared."""
    return re.sub(r"\D", "", number), unit.rstrip("s").lower() if unit[-1] != "B" else unit


def limits(reading: Reading) -> dict[tuple[str, str], str]:
    """The amounts in the facts of clusters, and the variable for each."""
    found: dict[tuple[str, str], str] = {}
    for fact in reading.facts:
        if PurePosixPath(fact.file).name != FILE:
            continue
        noun = NOUNS.get(fact.name.rpartition(".")[2], "")
        match = AMOUNT.fullmatch(f"{fact.value} {noun}".strip())
        if match and not (noun in ("nodes", "cores", "GPUs", "jobs") and int(_same(match[1], "x")[0]) <= FEW):
            found.setdefault(_same(match[1], match[2]), fact.name)
    return found


@BOOK.rule("BOOK029", "Limits, quotas and partitions in chapters come from the cluster facts",
           section="sec-contributing-facts",
           why="A number in the text is forgotten when the cluster changes; readers then request what they can't "
               "have.",
           fix="Write the variable that the message names; name a partition that clusters.yml has.")
def cluster_fact(reading: Reading) -> Iterator[At]:
    """Amounts in prose that are in the facts beside the chapter, and partitions that no cluster has."""
    files = {PurePosixPath(fact.file) for fact in reading.facts}
    folders = {str(file.parent) for file in files if file.name == FILE}
    known = limits(reading)
    partitions = set()
    for fact in reading.facts:
        _, _, below = fact.name.partition(".partitions.")
        partitions |= set(str(fact.value).split(", ")) if below == "other" else {below.partition(".")[0]}
    for chapter in reading.chapters.values():
        if str(PurePosixPath(chapter.page.path).parent) not in folders:
            continue
        for line in chapter.source.lines:
            options = [name for match in OPTION.finditer(line.text) for name in match[1].split(",")]
            named = [] if line.code else [match[1] or match[2] for match in NAMED.finditer(line.text)]
            for name in (*options, *named):
                if name not in partitions:
                    yield line.at(f"no cluster has a partition {name}{hint(name, partitions)}")
            if line.code or PurePosixPath(line.file).name == COMPUTED:
                continue
            for match in AMOUNT.finditer(INLINE_CODE.sub("", line.text)):
                if variable := known.get(_same(match[1], match[2])):
                    yield line.at(f"{match[0]} is {variable}: write it as {{{{< var {variable} >}}}}")
