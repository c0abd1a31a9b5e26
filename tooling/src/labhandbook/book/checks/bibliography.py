"""Checks of the bibliography: every work cited, once, with an address."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.book.checks.reading import Reading, Work, checks
from labhandbook.book.rules import ADDRESS, DOUBLED, UNUSED
from labhandbook.rules import Finding

ENTRY = re.compile(r"^[ \t]*@(\w+)[ \t]*[{(][ \t]*([^\s,{}()\"]+)[ \t]*,", re.MULTILINE)
FIELD = re.compile(r"^[ \t]*([A-Za-z][\w-]*)[ \t]*=[ \t]*(.*?)[ \t]*,?[ \t]*$|(?<=,)[ \t]*([A-Za-z][\w-]*)[ \t]*=[ \t]*"
                   r"[{\"]([^{}\"]*)[}\"]", re.MULTILINE)
NO_ENTRY = {"comment", "string", "preamble"}


def read_works(text: str, file: str) -> list[Work]:
    """The entries of a BibTeX file with their lines. pandoc reads the works themselves; this knows where they stand."""
    found = []
    entries = [match for match in ENTRY.finditer(text) if match[1].lower() not in NO_ENTRY]
    for match, after in zip(entries, [*entries[1:], None], strict=True):
        body = text[match.end() - 1:after.start() if after else len(text)]
        fields = {(field[1] or field[3]).lower(): field[2] or field[4] or "" for field in FIELD.finditer(body)}
        found.append(Work(match[2], file, text.count("\n", 0, match.start()) + 1,
                          {name: value.strip("{}\", ") for name, value in fields.items()}))
    return found


@checks(UNUSED)
def unused(reading: Reading) -> Iterator[Finding]:
    """Entries that no chapter cites."""
    for work in reading.works:
        if work.key not in reading.cited:
            yield Finding(work.file, work.line, UNUSED, f"no chapter cites {work.key}")


def _marks(work: Work) -> Iterator[tuple[str, str]]:
    """What tells a work: its key, its DOI, its address, its title and year."""
    fields = work.fields
    yield "key", work.key.lower()
    if doi := fields.get("doi"):
        yield "DOI", re.sub(r"^https?://(?:dx\.)?doi\.org/", "", doi.lower())
    elif url := fields.get("url"):
        yield "address", re.sub(r"^https?://", "", url).rstrip("/")
    if fields.get("title"):
        words = re.sub(r"[\W_]+", " ", re.sub(r"[{}\\]", "", fields["title"])).lower().strip()
        yield "title and year", f"{words} {fields.get('year') or fields.get('date', '')[:4]}"


@checks(DOUBLED)
def doubled(reading: Reading) -> Iterator[Finding]:
    """Two entries for one work."""
    first: dict[tuple[str, str], Work] = {}
    for work in reading.works:
        same = [(what, other) for what, value in _marks(work)
                if (other := first.setdefault((what, value), work)) is not work]
        if same:
            what, other = same[0]
            yield Finding(work.file, work.line, DOUBLED,
                          f"{work.key} has the {what} of {other.key} ({other.file}:{other.line})")


@checks(ADDRESS)
def address(reading: Reading) -> Iterator[Finding]:
    """Entries that lead nowhere."""
    for work in reading.works:
        if not any(work.fields.get(name) for name in ("doi", "url", "eprint")):
            yield Finding(work.file, work.line, ADDRESS, f"{work.key} has neither DOI nor address")
