"""YAML as a person would write it: two spaces, quotes only where they are needed, long texts as blocks."""

from __future__ import annotations

import json
import re
from typing import Any

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError


class Quoted(str):
    """A string that is always written in quotes, as versions are: 1.10 would be a number."""


def scalar(value: object) -> str:
    """A value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    marks = re.search(r"^\s|\s$|: |:$| #|[\x00-\x1f]", text)
    if text and not marks and not isinstance(value, Quoted):
        try:
            if untrusted_data.yaml_data(text, "") == text:
                return text
        except HandbookError:
            pass
    return json.dumps(text, ensure_ascii=False)


def emit(value: Any, depth: int = 0) -> list[str]:
    """The lines of a mapping or a list."""
    pad = "  " * depth
    lines: list[str] = []
    if isinstance(value, dict):
        for key, held in value.items():
            if isinstance(held, dict | list):
                lines += [f"{pad}{key}:", *emit(held, depth + 1)]
            elif isinstance(held, str) and "\n" in held:
                lines += [f"{pad}{key}: |", *(f"{pad}  {line}".rstrip() for line in held.rstrip("\n").split("\n"))]
            else:
                lines.append(f"{pad}{key}: {scalar(held)}")
        return lines
    for held in value:
        if isinstance(held, dict | list):
            first, *rest = emit(held, depth + 1)
            lines += [f"{pad}- {first.lstrip()}", *rest]
        else:
            lines.append(f"{pad}- {scalar(held)}")
    return lines


def folded(text: str, width: int = 88) -> str:
    """A paragraph on lines that fit a recipe, ending with a line break so that it is written as a block."""
    import textwrap

    return "\n".join(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)) + "\n"
