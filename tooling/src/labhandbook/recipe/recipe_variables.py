"""The recipe's own variables in the places where it uses them, as far as recipes on conda-forge do.

Nothing is evaluated: names, positions, `lower`, `upper` and `replace` are all there is. Variables of variables of
variables could grow without end, so what becomes too long stays as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PLACE = re.compile(r"(?:\$\{\{|\{\{)([^{}]+)\}\}")
EXPRESSION = re.compile(r"(\w+)(?:\[(\d{1,4})\])?\s*((?:\|[^|]+)*)")
REPLACE = re.compile(r"replace\(\s*(['\"])(.*?)\1\s*,\s*(['\"])(.*?)\3\s*\)")
LONGEST = 1_000  # characters of a value that is put in
MOST = 1_000_000  # characters that are put into one text


def fill(text: str, variables: Mapping[str, str]) -> str:
    """A text with the variables put in; what it doesn't know, functions for example, stays as it is."""
    added = 0

    def put_in(place: re.Match[str]) -> str:
        nonlocal added
        value = _value(place[1].strip(), variables, place[0]) if added < MOST else place[0]
        added += len(value)
        return value

    return PLACE.sub(put_in, text)


def _value(expression: str, variables: Mapping[str, str], otherwise: str) -> str:
    """`name`, `name[0]`, and either with `lower`, `upper` or `replace("a", "b")` behind bars."""
    match = EXPRESSION.fullmatch(expression) if len(expression) <= LONGEST else None
    value = variables.get(match[1]) if match else None
    if match is None or value is None or len(value) > LONGEST:
        return otherwise
    if match[2]:
        value = value[int(match[2])] if int(match[2]) < len(value) else ""
    for word in filter(None, (part.strip() for part in match[3].split("|"))):
        if word in ("lower", "upper"):
            value = getattr(value, word)()
        elif found := REPLACE.fullmatch(word):
            value = value.replace(found[2], found[4])
        elif word != "string":
            return otherwise
        if len(value) > LONGEST:
            return otherwise
    return str(value)
