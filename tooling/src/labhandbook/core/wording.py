"""Words that many messages share: what a misspelt name was meant to be, and lists of names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 200
# `<name>` in a command, which the shell takes for redirection.
PLACEHOLDER = re.compile(r"(?<![<\w])<[A-Za-z][\w.-]*(?: [\w.-]+)*>")


def nearest(word: str, known: Iterable[str], alike: float = 0.7) -> str | None:
    """The name among `known` that looks most like `word`; None when none comes near, which `alike` measures."""
    # A name of that length was never meant, and comparing takes time with its square.
    found = get_close_matches(word, list(known), n=1, cutoff=alike) if len(word) <= LONGEST else []
    return found[0] if found else None


def hint(word: str, known: Iterable[str], *, prefix: str = "") -> str:
    """`; did you mean ...?` for the end of a message, or nothing."""
    found = nearest(word, known)
    return f"; did you mean {prefix}{found}?" if found else ""


def listed(names: Iterable[str], most: int = 5) -> str:
    """`a, b and c`, shortened to the first few and how many more there are."""
    found = list(names)
    if len(found) > most:
        return f"{', '.join(found[:most])} and {len(found) - most} more"
    return " and ".join(filter(None, [", ".join(found[:-1]), *found[-1:]]))
