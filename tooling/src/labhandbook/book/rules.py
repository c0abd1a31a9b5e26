"""The rules of the book: what must hold in a chapter before a page is made of it."""

from __future__ import annotations

from labhandbook.rules import Rule, register

READABLE = register(Rule(
    "BOOK001", "A chapter is readable text",
    "A page can only be made of UTF-8 text with well-formed front matter.",
    "Save the file as UTF-8 text; close the front matter with --- and check its indentation.",
    "sec-contributing",
))
INCLUDE = register(Rule(
    "BOOK002", "An included file exists and does not include itself",
    "The page would lack the text that the include promises.",
    "Write the path relative to the including file, or from the book's root with a leading slash.",
    "sec-contributing",
))
SHORTCODE = register(Rule(
    "BOOK003", "A shortcode is known",
    "Quarto prints an unknown shortcode as text and exits with 0.",
    "Check its spelling against the list in the contributing chapter.",
    "sec-contributing",
))
VARIABLE = register(Rule(
    "BOOK004", "A variable exists",
    "Quarto prints the name of an unknown variable in its place and exits with 0.",
    "Use a name from the facts files, or add the fact there with its source and dates.",
    "sec-contributing",
))
REFERENCE = register(Rule(
    "BOOK005", "A cross-reference finds its target",
    "Quarto prints ?sec-... in the page and exits with 0.",
    "Use the id in the braces behind the heading, figure, table or equation.",
    "sec-contributing",
))
CITATION = register(Rule(
    "BOOK006", "A citation has its entry",
    "Quarto prints the bare key and exits with 0.",
    "Add the work to references.bib, or mend the key.",
    "sec-contributing",
))
LINK = register(Rule(
    "BOOK007", "A link to a file of the book finds it",
    "Quarto lets a link to a missing or unlisted page pass; the reader meets an error page.",
    "Link to a chapter that _quarto.yml lists, or to a file that exists.",
    "sec-contributing",
))
DUPLICATE = register(Rule(
    "BOOK008", "An id is used once",
    "A link to it goes to the first place, and cross-references can't tell the two apart.",
    "Give one of the two another id.",
    "sec-contributing",
))
SUPPORTED = register(Rule(
    "BOOK009", "Both engines render this construct",
    "The embedded engine would print something else than Quarto.",
    "Write it with the constructs that the contributing chapter lists.",
    "sec-contributing",
))
