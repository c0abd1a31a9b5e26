"""Executed cells: what their options say, read without running them.

Quarto runs a cell and puts what it makes into the page. The embedded engine shows its code and says that it was not
run; what the cell labels is there in both, so that cross-references find it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from labhandbook.core.untrusted_data import Unreadable
from labhandbook.core.yaml_reader import read_yaml

CELL = re.compile(r"^([\s>*+-]*)(`{3,}|~{3,})\s*\{([A-Za-z][\w-]*)(?:[\s,]+(.*?))?\s*\}\s*$")
# pandoc gets a longer fence than any in the code: text in a string of a program may look like one.
FENCE_OF_CELL = "`" * 30
# Options are comments of the cell's language: #| in Python and R, //| in OJS, %%| in Mermaid, --| in SQL.
OPTION = re.compile(r"^\s*(?:#|//|%%|--)\|\s?(.*)$")
HEADER = re.compile(r"""([\w.-]+)\s*=\s*("[^"]*"|'[^']*'|[^,\s]+)""")
KEPT = ("label", "fig-cap", "tbl-cap", "lst-label", "lst-cap", "echo", "include", "eval", "code-fold")


def cell_fence(match: re.Match[str], body: Iterable[str]) -> str:
    """The fence that pandoc gets for the one that opens a cell: the options that matter are its attributes.

    `match` is what `CELL` found, `body` are the lines that follow.
    """
    options = cell_options(match[4] or "", body)
    kept = " ".join(f'{name}="{_quoted(value)}"' for name in KEPT if (value := options.get(name)) is not None)
    parts = len(options["fig-subcap"]) if isinstance(options.get("fig-subcap"), list) else 0
    return f"{match[1]}{FENCE_OF_CELL}{{.{match[3]} .hb-cell {kept}{f' parts={parts}' if parts else ''}}}"


def inner(match: re.Match[str]) -> str:
    """What is before the last fence of a cell: blanks where the first one begins an item of a list."""
    return re.sub(r"[*+-]", " ", match[1])


def cell_options(header: str, body: Iterable[str]) -> dict[str, Any]:
    """The options of a cell: those in its braces, as knitr writes them, and those in its first lines."""
    options: dict[str, Any] = {}
    for name, value in HEADER.findall(header):
        options[name.replace(".", "-")] = value.strip("\"'")
    first = re.match(r"([\w-]+)\s*(?:,|$)", header)
    if first:
        options.setdefault("label", first[1])
    lines = []
    for line in body:
        match = OPTION.match(line)
        if not match:
            break
        lines.append(match[1])
    try:
        read = read_yaml("\n".join(lines), "a cell").data
    except Unreadable:
        read = None
    return options | (read if isinstance(read, dict) else {})


def _quoted(value: Any) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = text.lower() if isinstance(value, bool) else " ".join(text.split())
    return text.replace("\\", "\\\\").replace('"', '\\"')
