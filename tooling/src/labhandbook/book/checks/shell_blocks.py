"""Rules for shell blocks, because readers paste them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from labhandbook.book.checks.check_input import BOOK, Block, Chapter, Reading
from labhandbook.book.source_lines import Line
from labhandbook.core.rules import At
from labhandbook.core.wording import PLACEHOLDER

CLASSES = {"bash", "sh", "shell"}
QUIET = re.compile(r"'[^']*'|(?:^|(?<=\s))#.*$")
HEREDOC = re.compile(r"<<-?\s*([\"']?)(\w+)\1")
ANSWER = re.compile(r"^(?:.*/)?(\d+)\.sh: (?:line (\d+): )?(.*)$")


def shell_blocks(chapter: Chapter) -> Iterator[Block]:
    """The shell blocks of a page as pandoc read them, with the lines of the source that hold them."""
    fenced = _fenced(chapter)
    for code in chapter.survey["code"]:
        if CLASSES.isdisjoint(code["classes"]):
            continue
        wanted = [line.strip() for line in code["text"].split("\n")]
        while fenced:
            lines, texts = fenced.pop(0)
            if [text.strip() for text in texts] == wanted:
                yield Block(code["text"], lines)
                break
        else:
            fenced = _fenced(chapter)
            yield Block(code["text"], [chapter.source.find(line) or Line("", chapter.page.path, 0)
                                       for line in code["text"].split("\n")])


def _fenced(chapter: Chapter) -> list[tuple[list[Line], list[str]]]:
    """The fenced blocks of a source: their inner lines, and these with variables filled in, a text for a line."""
    found: list[tuple[list[Line], list[str]]] = []
    for line, text in zip(chapter.source.lines, chapter.source.filled, strict=True):
        if line.opens:
            found.append(([], []))
        elif line.code and found:
            for part in text.split("\n"):
                found[-1][0].append(line)
                found[-1][1].append(part)
    return [(lines[:-1], texts[:-1]) for lines, texts in found]


def placeholders(block: Block) -> Iterator[tuple[Line, str]]:
    """The bare placeholders of a shell block: not in single quotes, comments or here-documents."""
    end = ""
    for line, text in zip(block.lines, block.text.split("\n"), strict=False):
        if end:
            end = "" if text.strip() == end else end
            continue
        spoken = QUIET.sub("", text)
        for match in PLACEHOLDER.finditer(spoken):
            yield line, match[0]
        heredoc = HEREDOC.search(text.replace("<<<", "   "))
        if heredoc and text.count("'", 0, heredoc.start()) % 2 == 0:
            end = heredoc[2]


@BOOK.rule("BOOK020", "No shell block has a bare <placeholder>", section="sec-contributing-rules",
           why="Pasted as it is, <name> makes the shell read from one file and overwrite another.",
           fix="Write \"${NAME:?set it to ...}\": if a reader pastes the line too early, the shell stops and says "
               "what to set.")
def placeholder(reading: Reading) -> Iterator[At]:
    """`<name>` where the shell would redirect."""
    for block in reading.blocks:
        for line, text in placeholders(block):
            yield line.at(f"{text} is a bare placeholder")


@BOOK.rule("BOOK019", "Bash accepts every shell block", section="sec-contributing-rules",
           why="Readers paste these lines; a missing quote leaves them at a prompt that waits.",
           fix="Run `bash -n` on the block and correct the line it names.")
def shell(reading: Reading) -> Iterator[At]:
    """What `bash -n` says of the blocks, without lines whose placeholder is a finding already."""
    ran = reading.tools["bash"].result()
    yield from ran.missing()
    seen: set[int] = set()
    for answer in (ran.output or "").splitlines():
        match = ANSWER.match(answer)
        if not match or int(match[1]) in seen or int(match[1]) >= len(reading.blocks):
            continue
        block = reading.blocks[int(match[1])]
        line = _line(block.lines, int(match[2] or 1))
        seen.add(int(match[1]))
        if line not in [place for place, _ in placeholders(block)]:
            yield line.at(f"bash: {match[3]}")


def _line(lines: Sequence[Line], number: int) -> Line:
    return lines[min(max(number, 1), len(lines)) - 1] if lines else Line("", "", 0)
