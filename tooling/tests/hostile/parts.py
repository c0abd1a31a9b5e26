"""What hostile inputs are made of: texts that hurt a reader, and trees of files that say what lies where."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Sets a terminal's title, clears it, turns the direction of text round.
ESCAPE = "\x1b]0;owned\x07\x1b[2J\x9b\u202e"
# What a file name can hold of that: any byte but a slash and NUL.
NAME = "a\x1b[2J\n::error::\u202eb"
BYTES = os.fsdecode(b"a\xff\xfe")
LONG = "a" * 5_000
DIGITS = "9" * 6_000
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(12))
BILLION = "[" * 20_000
DEEP = "{a: " * 5_000
ROUND = "&a [*a]"
# Values of a wrong type for nearly everything in a settings file.
VALUES: dict[str, Any] = {"null": None, "number": 5, "list": [[None, 1]], "mapping": {"1": {"2": []}},
                          "escapes": ESCAPE}
# YAML that some parsers choke on, whatever is expected of it.
YAML: dict[str, str | bytes] = {
    "empty": "", "bomb": BOMB, "brackets": BILLION, "deep": DEEP, "round": ROUND, "nul": "a: \0", "tab": "\ta: 1",
    "object": "!!python/object/apply:os.system ['touch owned']", "digits": f"a: {DIGITS}", "key": "? [a]\n: b",
    "merge": "<<: 5\na: *b", "day": "a: 9999-99-99", "binary": "a: !!binary '%%%'", "not-utf8": b"a: \xff\xfe",
    "infinite": "a: .inf\nb: 1e999\nc: .nan", "two": "a: 1\n---\nb: 2", "scalar": ESCAPE, "tag": "a: !<x> b",
    "octal": "a: 0o99\nb: 1:99:99", "long": f"a: {LONG * 200}", "surrogate": 'a: "\\ud800"', "null-key": "~: 1",
}


@dataclass(frozen=True)
class Link:
    """A symbolic link to `to`."""

    to: str


@dataclass(frozen=True)
class Pipe:
    """A named pipe, which nobody writes to."""


@dataclass(frozen=True)
class Folder:
    """A folder; `closed` ones can be read but not written to."""

    closed: bool = False


@dataclass(frozen=True)
class Program:
    """A file that leaves a mark when it is run: what nothing of a repository may be."""


Node = str | bytes | Link | Pipe | Folder | Program | None
Files = Mapping[str, Any]  # a Node by its path, or a function that makes one


def write(folder: Path, files: Files) -> None:
    """Write a tree; None takes a file away. A value that is a function is called, so that large ones cost nothing
    until they are needed."""
    for name, given in files.items():
        path, node = folder / name, given() if callable(given) else given
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.is_dir() and not isinstance(node, Folder):
            shutil.rmtree(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(node, str | bytes):
            path.write_bytes(node.encode("utf-8", "surrogateescape") if isinstance(node, str) else node)
        elif isinstance(node, Link):
            path.symlink_to(node.to)
        elif isinstance(node, Pipe):
            os.mkfifo(path)
        elif isinstance(node, Folder):
            path.mkdir(exist_ok=True)
            path.chmod(0o555 if node.closed else 0o755)
        elif isinstance(node, Program):
            path.write_text("#!/bin/sh\ntouch \"$(dirname \"$0\")/owned\"\n", encoding="utf-8")
            path.chmod(0o755)


def changed(data: Mapping[str, Any], place: str, value: Any) -> dict[str, Any]:
    """Nested mappings in which the entry at `place`, such as "book.title", has another value."""
    name, _, rest = place.partition(".")
    inner = data.get(name)
    return {**data, name: changed(inner if isinstance(inner, dict) else {}, rest, value) if rest else value}
