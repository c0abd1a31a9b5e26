"""Words that a tired reader has to read twice, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.book.checks.check_input import BOOK, Reading
from labhandbook.core.rules import At

# A regular expression for the words, and what to write instead.
BANNED = {
    r"mend(s|ed|ing)?": "fix, correct",
    r"told|tells|tell you": "says, lists, shows, reports",
    r"belongs? into": "belongs in",
    r"so manieth": "the first, the 21st",
    r"too shortly": "ended too soon, too short",
    r"give \w+ \w+ free": "release, free",
    r"all the same": "still, anyway",
    r"for who": "anyone who, if you",
    r"stands(?! (for|out)\b)|stand (now )?(here|there)": "is, is listed in",
    r"what (builds|relates) (on|to) what": "say which, and how",
    r"here is (what|how) (to|you)": "this page lists, this page shows",
    r"ha(s|ve|d)n't": "does not have",
    # The title of a paper holds "Go through Self-Play".
    r"(go|goes|going|gone|went) through(?! self-play)": "run, carry out, use",
    r"as before": "also, as well, still, as it was",
}
# Ids of sections stay: other places link to them.
IDS = re.compile(r"sec-[\w-]+")


def banned_words(line: str) -> Iterator[tuple[str, str]]:
    """Each banned word of a line and what to write instead; an underscore counts as a space."""
    text = IDS.sub("", line).replace("_", " ")
    for words, better in BANNED.items():
        for found in re.finditer(rf"(?<![^\W_])(?:{words})(?![^\W_])", text, re.IGNORECASE):
            yield found[0], better


@BOOK.rule("BOOK033", "Chapters use words that everyone understands at once", section="sec-contributing-rules",
           why="Readers whose first language is not English have to read these words twice.",
           fix="Write one of the words that the message names.")
def plain_words(reading: Reading) -> Iterator[At]:
    """Lines of chapters with a banned word."""
    for chapter in reading.chapters.values():
        for line in chapter.source.lines:
            for word, better in banned_words(line.text):
                yield At(f"“{word}”: write {better}", line.file, line.number)
