"""`handbook upkeep`: checks what ages by itself, addresses, facts and pinned tools, and lists what is not settled."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from labhandbook.book.book_rules import REVIEW
from labhandbook.book.checks import BOOK
from labhandbook.book.model import Book
from labhandbook.book.upkeep import agreements, external_links, pinned_versions
from labhandbook.core.github_api import API, GitHub
from labhandbook.core.rules import Findings, Severity
from labhandbook.package.name_lookup import Answer


@dataclass(frozen=True)
class Survey:
    """What has aged, how many addresses were asked, and whether something could not be checked at all."""

    findings: Findings
    asked: int
    blind: bool

    @property
    def failed(self) -> bool:
        """Whether something must be corrected: here a warning counts, an address that could not be asked does not."""
        counts = self.findings.counts()
        return bool(counts[Severity.ERROR] or counts[Severity.WARNING])


def hub(repository: str) -> GitHub:
    """Another repository on GitHub, with this job's token."""
    token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or ""
    return GitHub(repository, os.environ.get("GITHUB_API_URL", API).rstrip("/"), token, attempts=2,
                  seconds=pinned_versions.SECONDS)


def survey(book: Book, today: date, stage: Callable[[str], None] = lambda word: None,
         index: Callable[[str], Answer] = pinned_versions.on_index) -> Survey:
    """What has aged in a book and its tools. Raises HandbookError when the book can't be read."""
    stage("reading")
    addresses, reading = external_links.addresses(book, today)
    stage("asking for tools")
    known = [*pinned_versions.actions(book.root, hub), *pinned_versions.tried(reading.facts, hub, index)]
    stage("asking addresses")
    broken = list(external_links.ask(addresses)) if addresses else []
    found = [*broken, *known, *BOOK.find(REVIEW.code, reading), *pinned_versions.reviews(book.root, today),
             *agreements.open_questions(reading.facts)]
    unasked = any(finding.line == 0 and finding.weight is Severity.UNVERIFIED for finding in broken)
    blind = unasked or any(finding.weight is Severity.UNVERIFIED for finding in known)
    return Survey(Findings.of(found), 0 if unasked else len(addresses), blind)
