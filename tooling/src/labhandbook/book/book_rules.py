"""The rules of the book: what must hold in its chapters, in its data and on its built pages."""

from __future__ import annotations

from labhandbook.core.rules import Rule, register

READABLE = register(Rule(
    "BOOK001", "A chapter is readable text",
    "A page can only be made of UTF-8 text with well-formed front matter, which pandoc reads in seconds.",
    "Save the file as UTF-8 text; close the front matter with --- and check its indentation. "
    "Put what pandoc reads too slowly into a code block.",
    "sec-contributing-write",
))
INCLUDE = register(Rule(
    "BOOK002", "An included file exists and does not include itself",
    "The page would lack the text that the include promises.",
    "Write the path relative to the including file, or from the book's root with a leading slash.",
    "sec-contributing-rules",
))
SHORTCODE = register(Rule(
    "BOOK003", "A shortcode is known and finds what it names",
    "Quarto prints an unknown shortcode as text and exits with 0.",
    "Check its spelling, and that of what it names, against the list in the contributing chapter.",
    "sec-contributing-rules",
))
VARIABLE = register(Rule(
    "BOOK004", "A variable exists",
    "Quarto prints the name of an unknown variable in its place and exits with 0.",
    "Use a name from the facts files, or add the fact there with its source and dates.",
    "sec-contributing-facts",
))
REFERENCE = register(Rule(
    "BOOK005", "A cross-reference finds its target",
    "Quarto prints ?sec-... in the page and exits with 0.",
    "Use the id in the braces behind the heading, figure, table or equation.",
    "sec-contributing-rules",
))
CITATION = register(Rule(
    "BOOK006", "A citation has its entry",
    "Quarto prints the bare key and exits with 0.",
    "Add the work to references.bib, or mend the key.",
    "sec-contributing-rules",
))
LINK = register(Rule(
    "BOOK007", "A link or an image finds its file",
    "Quarto lets a missing file, a missing picture and an unlisted page pass; the reader meets an error or a gap.",
    "Link to a chapter that _quarto.yml lists, or to a file that exists; paths start at the chapter's folder.",
    "sec-contributing-rules",
))
DUPLICATE = register(Rule(
    "BOOK008", "An id is used once",
    "A link to it goes to the first place, and cross-references can't tell the two apart.",
    "Give one of the two another id.",
    "sec-contributing-rules",
))
SUPPORTED = register(Rule(
    "BOOK009", "Both engines render this construct",
    "The embedded engine would print something else than Quarto.",
    "Write it with the constructs that the contributing chapter lists.",
    "sec-contributing-rules",
))
CALLOUT = register(Rule(
    "BOOK010", "A callout has a known kind",
    "Quarto shows a callout of an unknown kind as plain text and says nothing.",
    "Use note, tip, important, caution or warning.",
    "sec-contributing-rules",
))
ANCHOR = register(Rule(
    "BOOK011", "A link to a place on a page finds it",
    "The reader lands at the top of the page and has to search; Quarto says nothing.",
    "Use the id in the braces behind the heading, or a cross-reference such as @sec-topic.",
    "sec-contributing-rules",
))
LISTED = register(Rule(
    "BOOK012", "Every chapter file is listed",
    "A .qmd file that _quarto.yml does not list is rendered by no engine and read by nobody.",
    "List it in _quarto.yml, or begin its name with an underscore if other chapters include it.",
    "sec-contributing-write",
))
ALTERNATIVE = register(Rule(
    "BOOK013", "A picture has alternative text",
    "Who can't see the picture learns nothing from it; a caption names it, but does not tell what is seen.",
    'Add fig-alt="what is seen" in the braces behind the picture.',
    "sec-contributing-rules",
))
HEADINGS = register(Rule(
    "BOOK014", "No heading level is skipped",
    "Screen readers and the table of contents show a gap where a level is missing.",
    "Use one # more than the heading above it, at most.",
    "sec-contributing-rules",
))
FRONT_MATTER = register(Rule(
    "BOOK015", "Front matter holds only keys that both engines read",
    "A misspelt key does nothing, and a key of one engine alone makes two different pages.",
    "Keep to description:, title: and aliases:.",
    "sec-contributing-rules",
))
CLOSED = register(Rule(
    "BOOK016", "A div and a code block are closed where they end",
    "Everything up to the end of the page falls into the callout, the tab or the code block.",
    "Close a div with three colons and a code block with as many backticks as opened it, on lines of their own.",
    "sec-contributing-rules",
))
MARKDOWN = register(Rule(
    "BOOK017", "The Markdown says what it seems to say",
    "Footnotes and links without target, cells beyond a table's columns and broken formulas vanish or show as text.",
    "Mend the place as the message says.",
    "sec-contributing-rules",
))
SPELLING = register(Rule(
    "BOOK018", "Words are spelt right",
    "A misspelt word can't be searched for and makes the reader doubt the rest.",
    "Correct it; a word that is right goes into .codespellrc, under ignore-words-list.",
    "sec-contributing-rules",
))
SHELL = register(Rule(
    "BOOK019", "Bash accepts every shell block",
    "Readers paste these lines; a missing quote leaves them at a prompt that waits.",
    "Run `bash -n` on the block and mend the line it names.",
    "sec-contributing-rules",
))
PLACEHOLDER = register(Rule(
    "BOOK020", "No shell block has bare placeholders",
    "Pasted as it is, <name> makes the shell read from one file and overwrite another.",
    'Write "${NAME:?set NAME to ...}": pasted too early, it stops and says what to set.',
    "sec-contributing-rules",
))
UNUSED = register(Rule(
    "BOOK021", "Every entry of the bibliography is cited",
    "The list of references shows only what is cited, so nobody ever sees the entry or notices that it is wrong.",
    "Cite it, or remove it.",
    "sec-contributing-rules",
))
DOUBLED = register(Rule(
    "BOOK022", "A work stands once in the bibliography",
    "Of two entries with one key the second is dropped; of two for one work each is mended without the other.",
    "Merge the two and cite what remains.",
    "sec-contributing-rules",
))
ADDRESS = register(Rule(
    "BOOK023", "An entry of the bibliography has a DOI or an address",
    "The reader can't get from the list to the work.",
    "Add doi = {...}, or url = {...} where there is no DOI.",
    "sec-contributing-rules",
))
STAMPS = register(Rule(
    "BOOK024", "A fact has its source and its days",
    "Nobody can tell whether a value without them still holds, or where to look it up.",
    "Add source:, checked: and review-by: (days as 2026-11-22) to the value or to a mapping above it.",
    "sec-contributing-facts",
))
REVIEW = register(Rule(
    "BOOK025", "A fact is looked up again in time",
    "Limits, hosts and names change; a value past its day misleads as surely as a wrong one.",
    "Look it up at its source, correct it, and set checked: and review-by: anew.",
    "sec-contributing-facts",
))
SITE_LINK = register(Rule(
    "BOOK026", "Every internal link of the built site resolves",
    "This is what the reader clicks on: what leads nowhere here leads nowhere once it is published.",
    "Mend the link in the chapter, and render again.",
    "sec-contributing-check",
))
SITE_ID = register(Rule(
    "BOOK027", "An id stands once on a built page",
    "Links and the browser's accessibility tree find only the first of two.",
    "Give one of the two another id in the chapter, and render again.",
    "sec-contributing-check",
))
SITE_PAGE = register(Rule(
    "BOOK028", "Every chapter has a built page with text",
    "An empty or missing page is an error page that looks finished.",
    "Render again; if the page stays empty, look at the top of its chapter for an unclosed block or comment.",
    "sec-contributing-check",
))
CLUSTER_FACT = register(Rule(
    "BOOK029", "Limits, quotas and partitions of clusters come from their facts",
    "A number in the text is forgotten when the cluster changes; readers then ask for what they can't have.",
    "Write the variable that the message names; a partition must be one of clusters.yml.",
    "sec-contributing-facts",
))
PATH_COMPLETE = register(Rule(
    "BOOK030", "A work says its place in a reading path",
    "Without topic, level, kind, minutes and reason the reader can't choose what to read or plan the time.",
    "Give the entry one keyword each of topic:, level:, kind: and minutes:, a shorttitle and an annotation.",
    "sec-contributing-reading",
))
PATH_ORDER = register(Rule(
    "BOOK031", "A reading path can be followed",
    "Who reads in order meets a work before the one that explains it, or is sent to one that is not there.",
    "Move the entry behind those that its after: keywords name, or drop the keyword.",
    "sec-contributing-reading",
))
PATH_SHOWN = register(Rule(
    "BOOK032", "Every work of a path is shown",
    "A work in a path that no page shows is an orphan: recommended, and never read.",
    "Show the path with the shortcode reading-path and its topic, in the levels of its works, or correct the topic.",
    "sec-contributing-reading",
))
