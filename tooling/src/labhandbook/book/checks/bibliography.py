"""Rules for the bibliography: every work cited, once, with an address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from labhandbook.book.checks.check_input import BOOK, Reading, Work
from labhandbook.core.rules import At

ENTRY = re.compile(r"^[ \t]*@(\w+)[ \t]*[{(][ \t]*([^\s,{}()\"]+)[ \t]*,", re.MULTILINE)
FIELD = re.compile(r"[,\n][ \t]*([A-Za-z][\w-]*)[ \t]*=[ \t]*(?:(?=[{\"])|(\w+))")
ALIKE = 0.8
NO_ENTRY = {"comment", "string", "preamble"}


def read_works(text: str, file: str) -> list[Work]:
    """The entries of a BibTeX file with their lines. pandoc reads the works; this finds their lines."""
    found = []
    entries = [match for match in ENTRY.finditer(text) if match[1].lower() not in NO_ENTRY]
    for match, after in zip(entries, [*entries[1:], None], strict=False):
        body = text[match.end() - 1:after.start() if after else len(text)]
        fields = {field[1].lower(): field[2] or _value(body, field.end()) for field in FIELD.finditer(body)}
        found.append(Work(match[2], file, text.count("\n", 0, match.start()) + 1, fields))
    return found


def _value(body: str, start: int) -> str:
    """The text in the braces or quotes that begin at `start`, on one line."""
    depth = 0
    for place in range(start, len(body)):
        depth += {"{": 1, "}": -1}.get(body[place], 0)
        if depth == 0 and place > start and body[place] in "}\"":
            return " ".join(body[start + 1:place].split())
    return ""


@BOOK.rule("BOOK021", "Every entry of the bibliography is cited", section="sec-contributing-rules",
           why="The list of references shows only what is cited, so nobody ever sees the entry or notices that it "
               "is wrong.",
           fix="Cite the work, or remove its entry.")
def unused(reading: Reading) -> Iterator[At]:
    """Entries that no chapter cites."""
    for work in reading.works:
        if work.key not in reading.cited:
            yield At(f"no chapter cites {work.key}", work.file, work.line)


def _marks(work: Work) -> Iterator[tuple[str, str]]:
    """What identifies a work: its key, its DOI, its title and year."""
    fields = work.fields
    yield "key", work.key.lower()
    if doi := fields.get("doi"):
        yield "DOI", re.sub(r"^https?://(?:dx\.)?doi\.org/", "", doi.lower())
    if fields.get("title"):
        yield "title and year", f"{_words(work)} {fields.get('year') or fields.get('date', '')[:4]}"


def _words(work: Work) -> str:
    return re.sub(r"[\W_]+", " ", re.sub(r"[{}\\]", "", work.fields.get("title", ""))).lower().strip()


def _alike(work: Work, other: Work) -> bool:
    """Whether two titles are of one work: not of two lectures of a list, nor "car: ..." and "carData: ..."."""
    names = {title.partition(":")[0] for each in (work, other) if ":" in (title := each.fields.get("title", ""))}
    return len(names) < 2 and SequenceMatcher(None, _words(work), _words(other)).ratio() > ALIKE


def _address(work: Work) -> str:
    return re.sub(r"^https?://", "", work.fields.get("url", "")).rstrip("/")


@BOOK.rule("BOOK022", "A work is in the bibliography only once", section="sec-contributing-rules",
           why="If two entries have the same key, the second is dropped. If two entries are for one work, a "
               "correction may reach only one of them.",
           fix="Merge the two and cite what remains.")
def doubled(reading: Reading) -> Iterator[At]:
    """Two entries for one work."""
    first: dict[tuple[str, str], Work] = {}
    addresses: dict[str, list[Work]] = {}
    for work in reading.works:
        same = [(what, other) for what, value in _marks(work)
                if (other := first.setdefault((what, value), work)) is not work]
        beside = addresses.setdefault(_address(work), [])
        same += [("address", other) for other in beside if _address(work) and _alike(work, other)]
        beside.append(work)
        what, other = same[0] if same else ("", work)
        # Files that were exported apart may hold the same entry: nothing is lost.
        if what and (what, work.fields) != ("key", other.fields):
            yield At(f"{work.key} has the {what} of {other.key} ({other.file}:{other.line})", work.file, work.line)


@BOOK.rule("BOOK023", "An entry of the bibliography has a DOI or an address", section="sec-contributing-rules",
           why="The reader can't get from the list to the work.",
           fix="Add doi = {...}, or url = {...} where there is no DOI.")
def address(reading: Reading) -> Iterator[At]:
    """Entries without an address."""
    for work in reading.works:
        if not any(work.fields.get(name) for name in ("doi", "url", "eprint")):
            yield At(f"{work.key} has neither DOI nor address", work.file, work.line)
