"""The addresses outside the book: where chapters and bibliography name them, and whether they answer."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

from labhandbook.book.book_rules import ADDRESS
from labhandbook.book.check_book import read_chapters, read_data
from labhandbook.book.checks import programs
from labhandbook.book.checks.check_input import Reading, Work
from labhandbook.book.contents import CONFIG
from labhandbook.book.engine.pandoc_engine import Engine
from labhandbook.book.model import Book
from labhandbook.book.source_positions import Places
from labhandbook.core import untrusted_data
from labhandbook.core.process import environment
from labhandbook.core.rules import Finding, Severity

SECONDS = 1800
# Codes by which hosts refuse programs but may admit a reader: RFC 9110 and, for 999, LinkedIn's own.
REFUSES_PROGRAMS = {401, 403, 405, 406, 418, 429, 451, 999}
# No page there, by RFC 9110.
GONE = {404, 410}


@dataclass(frozen=True)
class Address:
    """An address and the place that names it."""

    url: str
    file: str
    line: int


def addresses(book: Book, today: date) -> tuple[list[Address], Reading]:
    """The addresses outside the book, in the order of files and lines, and what was read to find them."""
    reading = Reading(book, today)
    with Engine(book, dated=False) as engine:
        read_chapters(reading, engine)
    read_data(reading)
    site = str(book.settings.get("site-url", "")).rstrip("/")
    found = [Address(url, work.file, work.line) for work in reading.works if (url := of_work(work))]
    known = {address.url: address for address in [*found, *in_notes(book, reading)]}
    for chapter in reading.chapters.values():
        places = Places(chapter.source)
        for url in chapter.survey["links"]:
            if re.match(r"https?://", url) and not (site and url.startswith(site)):
                line = places.word(url)
                # A variable may hold only the beginning of an address.
                line = line if line.number else chapter.source.find(url.rstrip("/").rpartition("/")[2]) or line
                # A page shows a reading path's addresses without writing them: they are in the bibliography.
                here = Address(url, line.file or chapter.page.path, line.number)
                found.append(here if line.number else known.get(url, here))
    return sorted(set(found), key=lambda each: (each.file, each.line, each.url)), reading


def in_notes(book: Book, reading: Reading) -> list[Address]:
    """The addresses in the annotations of the bibliographies."""
    return [Address(url, file, number) for file in {work.file for work in reading.works}
            for number, text in enumerate(untrusted_data.text(book.root / file, file).splitlines(), 1)
            for url in re.findall(r"\\href\{([^}]+)\}", text)]


def of_work(work: Work) -> str:
    """Where an entry of the bibliography leads: its DOI before its address."""
    doi = re.sub(r"^https?://(dx\.)?doi\.org/", "", work.fields.get("doi", ""))
    return f"https://doi.org/{doi}" if doi else work.fields.get("url", "").replace("\\", "")


def ask(found: Sequence[Address], seconds: float = 20, retries: int = 3) -> Iterator[Finding]:
    """The addresses that don't answer, asked by lychee, each three times with `seconds` for an answer.

    Hosts that refuse programs are unverified. Where nothing answers at all, there is one finding: no network.
    """
    with tempfile.TemporaryDirectory(prefix="handbook-upkeep-") as folder:
        page = Path(folder) / "links.html"
        page.write_text("".join(f'<a href="{escape(each.url)}">x</a>\n' for each in found), encoding="utf-8")
        ran = programs.run("lychee",
                           ["--no-progress", "--no-ignore", "--format", "json", "--max-retries", str(retries),
                                      "--retry-wait-time", "1", "--timeout", str(int(seconds)), "--", str(page)],
                           Path(folder), {0, 2}, SECONDS, environment(names=("GITHUB_TOKEN",), password=True))
    if ran.output is None or not ran.output.lstrip().startswith("{"):
        yield Finding(CONFIG, 0, ADDRESS, f"no address was asked: {ran.problem or 'lychee printed no report'}",
                      Severity.UNVERIFIED)
        return
    answer = json.loads(ran.output)
    failed = [entry for kind in ("error_map", "timeout_map")
              for entries in answer[kind].values() for entry in entries]
    if found and not answer["successful"] and not any("code" in entry["status"] for entry in failed):
        yield Finding(CONFIG, 0, ADDRESS, "no address was asked: the network can't be reached", Severity.UNVERIFIED)
        return
    for entry in failed:
        each = found[int(entry["span"]["line"]) - 1]
        yield Finding(each.file, each.line, ADDRESS, f"{each.url} {_in_words(entry['status'])}",
                      _weight(entry["status"]))


def _in_words(status: dict[str, Any]) -> str:
    """What came back, in words."""
    text = str(status.get("details") or status.get("text", ""))
    text = re.sub(r"^(Rejected status code|Network error): ", "", text)
    return f"answers {text}" if "code" in status else f"doesn't answer: {text.partition(' - ')[0] or 'timed out'}"


def _weight(status: dict[str, Any]) -> Severity:
    code = status.get("code")
    if code in REFUSES_PROGRAMS:
        return Severity.UNVERIFIED
    gone = code in GONE or (code is None and re.search(r"dns|resolve|name or service", str(status), re.IGNORECASE))
    return Severity.ERROR if gone else Severity.WARNING
