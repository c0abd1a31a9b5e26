"""The rules of what ages; they stand among the book's, from BOOK101 on."""

from __future__ import annotations

from labhandbook.core.rules import Rule, Severity, register

SECTION = "sec-contributing-upkeep"

LINK = register(Rule(
    "BOOK101", "Every address outside the book answers",
    "Pages move and vanish; the reader ends at an error page, and nobody tells you.",
    "Find where it went, or what says the same today, and put the new address in.", SECTION))
PIN = register(Rule(
    "BOOK102", "Every pinned action is its newest release",
    "A pin keeps out what is bad, and what is mended too; after some time GitHub switches old versions off.",
    "Read its release notes; put the new tag and its commit into actions.toml and the workflows.",
    SECTION, Severity.WARNING))
MOVED = register(Rule(
    "BOOK103", "A pinned commit is the one that its tag names",
    "A tag that moved after it was pinned was either published anew or taken over by somebody.",
    "Find out which before you change anything; the pin keeps the workflows on what was looked at.", SECTION))
TOOL = register(Rule(
    "BOOK104", "The text was tried with the tools of today",
    "A reader installs the newest version, and what the page shows is from an older one.",
    "Try the page with it; correct what differs, then seen: and the days beside it.", SECTION, Severity.WARNING))
