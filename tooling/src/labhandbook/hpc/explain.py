"""`handbook job explain`: finds a message of Slurm, a GPU or a file system in the tables of the page of errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.section_addresses import readable
from labhandbook.core.wording import listed
from labhandbook.core.yaml_reader import read_yaml
from labhandbook.hpc.clusters import FILE, find
from labhandbook.hpc.fact_table import Place

SECTION = "sec-hpc-errors"
PAGE = "errors.qmd"  # beside clusters.yml, in a checkout and in the package
HEADING = re.compile(r"^#{2,4} .*\{#(sec-[\w-]+)[ }]")
ROW = re.compile(r"^\| (?P<seen>[^|]*`[^|]*) \| (?P<why>.+) \|$")
VARIABLE = re.compile(r"\{\{< var ([\w.-]+) >\}\}")
WORD = re.compile(r"[A-Za-z0-9]{3,}")
COMMON = frozenset(("error", "the", "and", "for", "not", "job", "slurm", "srun", "sbatch", "failed", "from", "with"))
MOST = 3


@dataclass(frozen=True)
class Known:
    """A row of a table: the messages that it is about, what it says of them, and the section it is in."""

    messages: tuple[str, ...]
    text: str
    section: str

    def as_text(self) -> str:
        """The row for a person."""
        return f"{', '.join(self.messages)}\n    {self.text}\n    {readable(self.section)}\n"


def load() -> list[Known]:
    """The rows of the tables of the page of errors."""
    facts = find()
    values = dict(Place("clusters", FILE.name, read_yaml(untrusted_data.text(facts), str(facts))).leaves("clusters."))
    path = facts.with_name(PAGE)
    if not path.is_file():
        raise HandbookError(f"{PAGE} is not beside {facts.name}", todo="restore it from git", section=SECTION)
    return list(read(untrusted_data.text(path), values))


def read(text: str, values: dict[str, str]) -> Iterator[Known]:
    """The rows of a page's tables whose first column holds messages; `values` fill the page's variables."""
    section, reasons = SECTION, False
    for line in text.splitlines():
        if heading := HEADING.match(line):
            section, reasons = heading[1], False
        reasons = reasons or line.startswith("| You see")
        if reasons and (row := ROW.match(line)):
            seen = tuple(re.findall(r"`([^`]+)`", row["seen"]))
            why = VARIABLE.sub(lambda match: values.get(match[1], match[1]), row["why"])
            why = why.replace("**", "").replace("`", "").replace(" | ", ": ").replace("\\|", "|")
            yield Known(seen, re.sub(r"\s+", " ", why).strip(), section)


def search(message: str, known: list[Known]) -> list[Known]:
    """The rows that fit a message best: their text is in it, or it in theirs; else they share the most words."""
    low = message.lower()
    exact = [(holds(low, each), len(each), row) for row in known for each in row.messages
             if holds(low, each) or (len(low) > 3 and low in each.lower())]
    if exact:
        exact.sort(key=lambda found: (not found[0], -found[1]))
        return list(dict.fromkeys(row for _, _, row in exact))[:MOST]
    words = _words(message)
    shared = [(len(words & _words(" ".join(row.messages))), row) for row in known]
    best = max((count for count, _ in shared), default=0)
    return [row for count, row in shared if count == best][:MOST] if best >= min(2, len(words) or 2) else []


def holds(low: str, each: str) -> bool:
    """Whether a message in small letters holds a known one; an exit code only alone, or where it is called so."""
    known = re.escape(each.lower())
    if each.isdigit():
        return bool(re.search(rf"^{known}(:0)?$|(exit|code|status)\D{{0,9}}{known}(?!\d)", low))
    return bool(re.search(rf"(?<!\w){known}" + (r"(?!\d)" if each[-1].isdigit() else ""), low))


def _words(text: str) -> set[str]:
    return {word.lower() for word in WORD.findall(text)} - COMMON


def explain(message: str) -> list[Known]:
    """What the handbook says of a message. Raises HandbookError when it says nothing."""
    if found := search(message, load()):
        return found
    raise HandbookError("the handbook does not know this message", section=SECTION,
                        why="only messages of its page of errors are known",
                        todo="give the line that names the error, or an exit code or reason alone; "
                             f"{listed(('sacct -X', 'the last lines of the log'))} may show a better one")
