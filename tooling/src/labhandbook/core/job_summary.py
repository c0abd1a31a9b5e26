"""What GitHub's runner shows of a command: the job's summary, and annotations on files.

Few people read a workflow's log. On a runner every command therefore writes what it found, or what stopped it, into
the summary that GitHub shows on the run's page, and as annotations that GitHub shows at the lines they name.
Elsewhere nothing happens. https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.escapes import Safe, visible
from labhandbook.core.report import code, plain, report
from labhandbook.core.rules import Finding, Severity
from labhandbook.core.section_addresses import address

SUMMARY = "GITHUB_STEP_SUMMARY"
OUTPUT = "GITHUB_OUTPUT"
LARGEST = 1024 * 1024  # GitHub drops a step's summary that is larger, in bytes.
MOST = 10  # GitHub shows this many annotations of each level a step.
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.UNVERIFIED: "notice"}


def here() -> bool:
    """Whether this process runs in a step of a workflow."""
    return bool(os.environ.get(SUMMARY))


def summarise(markdown: str) -> None:
    """Add Markdown to the job's summary; what GitHub would drop for its length is cut instead."""
    if not here():
        return
    path = Path(os.environ[SUMMARY])
    room = LARGEST - (path.stat().st_size if path.exists() else 0)
    data = (visible(markdown).rstrip() + "\n\n").encode()
    if len(data) > room:
        data = data[:max(room - 40, 0)].rpartition(b"\n")[0] + b"\n\nThe rest is in the log.\n"
    with path.open("ab") as stream:
        stream.write(data)


def give(name: str, value: str) -> None:
    """Give later jobs of the workflow a value, as an output of this step."""
    if path := os.environ.get(OUTPUT):
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(f"{name}={value}\n")


def tell_findings(findings: Sequence[Finding], title: str) -> None:
    """Findings in the summary and at their lines."""
    if here():
        summarise(report(findings, "markdown", title=title))
        annotate(findings)


def tell_steps(title: str, rows: Iterable[tuple[str, str, float, str]]) -> None:
    """Steps in the summary: name, state, seconds and one line each."""
    lines = [f"## {plain(title)}", "", "| | Step | Time | |", "|-|------|-----:|-|"]
    lines += [f"| {'✗' if state == 'failed' else '✓'} | {name} | {'kept' if state == 'kept' else f'{seconds:.1f} s'} "
              f"| {plain(text)} |" for name, state, seconds, text in rows]
    summarise("\n".join(lines))


def tell_error(error: HandbookError) -> None:
    """What stopped a command, in the summary and at the file that it names."""
    if not here():
        return
    where = f"{code(error.where)}: " if error.where else ""
    link = f"[The handbook says more]({address(error.section)})." if address(error.section) else ""
    parts = [f"**{where}{plain(error.what)}**", *_quoted(error.why), *_quoted(error.todo, "To do: "), link]
    summarise("## Stopped\n\n" + "\n\n".join(filter(None, parts)))
    file, _, line = error.where.rpartition(":")
    place = {"file": file, "line": line} if line.isdigit() else {"file": error.where}
    _command("error", {**place, "title": "handbook"}, f"{error.what}. {error.todo}".strip())


def annotate(findings: Iterable[Finding]) -> None:
    """Findings at their lines, the worst first, as many as GitHub shows."""
    for weight, level in LEVELS.items():
        for finding in [each for each in findings if each.weight is weight][:MOST]:
            _command(level, {"file": finding.file, "line": str(finding.line or ""), "title": finding.rule.code},
                     f"{finding.message}. {finding.fix}")


def _quoted(text: str, before: str = "") -> list[str]:
    """Text that may have lines of its own: the first as a sentence, the rest unchanged."""
    first, _, rest = text.strip().partition("\n")
    fence = "`" * max([2, *(len(ticks) for ticks in re.findall("`+", rest))]) + "`"
    return [f"{before}{plain(first)}", f"{fence}text\n{rest}\n{fence}" if rest else ""] if first else []


def _command(name: str, properties: Mapping[str, str], message: str) -> None:
    """One workflow command. It goes to standard error, which the runner reads too: results own standard output."""
    given = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items() if value)
    line = f"::{name} {given}::{_escaped(message)}"
    if isinstance(sys.stderr, Safe):
        sys.stderr.command(line)
    else:
        print(visible(line), file=sys.stderr, flush=True)


def _escaped(text: str, more: str = "") -> str:
    """Text with the characters that end a command or a property written as their codes."""
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
