"""The rules of the book that the engine finds while it reads, and those of what ages.

The others are beside their checks.
"""

from __future__ import annotations

from labhandbook.core.rules import Rule, Severity, register

READABLE = register(Rule(
    "BOOK001", "A chapter is readable text",
    "A page can only be made of UTF-8 text with well-formed front matter, which pandoc reads in seconds.",
    "Save the file as UTF-8 text; close the front matter with --- and check its indentation. Put what pandoc "
    "reads too slowly into a code block.",
    "sec-contributing-write"))
INCLUDE = register(Rule(
    "BOOK002", "An included file exists and does not include itself",
    "The page would lack the text that the include promises.",
    "Write the path from the page's folder, also in a file that the page includes, or from the book's root with a "
    "leading slash.",
    "sec-contributing-rules"))
SHORTCODE = register(Rule(
    "BOOK003", "A shortcode is known and what it names exists",
    "Quarto prints an unknown shortcode as text and exits with 0.",
    "Check its spelling, and that of what it names, against the list in the contributing chapter.",
    "sec-contributing-rules"))
VARIABLE = register(Rule(
    "BOOK004", "A variable of a chapter is one of the facts",
    "Quarto prints the name of an unknown variable in its place and exits with 0.",
    "Use a name from the facts files, or add the fact there with its source and dates.",
    "sec-contributing-facts"))
REFERENCE = register(Rule(
    "BOOK005", "The target of a cross-reference exists",
    "Quarto prints ?sec-... in the page and exits with 0.",
    "Use the id in the braces after the heading, figure, table or equation.",
    "sec-contributing-rules"))
CITATION = register(Rule(
    "BOOK006", "A cited work is in the bibliography",
    "Quarto prints the bare key and exits with 0.",
    "Add the work to references.bib, or correct the key.",
    "sec-contributing-rules"))
LINK = register(Rule(
    "BOOK007", "The file that a link or an image names exists",
    "Quarto accepts a missing file, a missing picture and an unlisted page; readers see an error or a gap.",
    "Link to a chapter that _quarto.yml lists, or to a file that exists; paths start at the chapter's folder.",
    "sec-contributing-rules"))
SUPPORTED = register(Rule(
    "BOOK009", "Both engines can render what a chapter uses",
    "The embedded engine would print something else than Quarto.",
    "Write it with the constructs that the contributing chapter lists.",
    "sec-contributing-rules"))
CALLOUT = register(Rule(
    "BOOK010", "A callout has a known kind",
    "Quarto shows a callout of an unknown kind as plain text and says nothing.",
    "Use note, tip, important, caution or warning.",
    "sec-contributing-rules"))
DUPLICATE = register(Rule(
    "BOOK008", "An id is used only once",
    "A link to the id goes to the first place, and cross-references can't distinguish the two.",
    "Give one of the two another id.",
    "sec-contributing-rules"))

# What ages or is not settled: `handbook upkeep` finds it, and the first in the chapters' facts `handbook check` too.
REVIEW = register(Rule(
    "BOOK025", "The review day of a fact is still to come",
    "Limits, hosts and names change; a value past its review day may be wrong.",
    "Look the value up at its source, correct it, and update checked: and review-by:.",
    "sec-contributing-facts"))
ADDRESS = register(Rule(
    "BOOK101", "Every address outside the book answers",
    "Pages move and vanish; readers then see an error page, and you do not notice.",
    "Find where the page went, or another page that says the same, and write its address.",
    "sec-contributing-upkeep", asks="every address"))
PIN = register(Rule(
    "BOOK102", "Every pinned action is its newest release",
    "A pin keeps out attacks, and corrections too; after some time GitHub switches old versions off.",
    "Read the notes of the newest release; put its tag and its commit into actions.toml and the workflows.",
    "sec-contributing-upkeep", Severity.WARNING, asks="GitHub"))
MOVED = register(Rule(
    "BOOK103", "A pinned commit is still the one that its tag names",
    "A tag that moved after it was pinned was either published again or taken over by an attacker.",
    "Find out which of the two it was before you change anything. The pin keeps the workflows on the version that "
    "was reviewed.",
    "sec-contributing-upkeep", asks="GitHub"))
TOOL = register(Rule(
    "BOOK104", "The text was tried with the current versions of its tools",
    "A reader installs the newest version, and what the page shows is from an older one.",
    "Try the page with the newest version; correct what differs, then update seen: and the days beside it.",
    "sec-contributing-upkeep", Severity.WARNING, asks="the index"))
SETTLED = register(Rule(
    "BOOK105", "Every question to the group has its answer",
    "Until a question is answered, each new member has to ask, and may hear different answers.",
    "Settle the question in a meeting; write the answer with its source and days.",
    "sec-contributing-agreements", Severity.WARNING))
