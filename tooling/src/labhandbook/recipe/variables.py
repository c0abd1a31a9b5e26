"""The recipe's own variables in the places where it uses them, as far as recipes on conda-forge do."""

from __future__ import annotations

import re
from collections.abc import Mapping

PLACE = re.compile(r"(?:\$\{\{|\{\{)\s*([^{}]+?)\s*\}\}")
EXPRESSION = re.compile(r"(\w+)(?:\[(\d+)\])?((?:\s*\|\s*[^|]+)*)")
REPLACE = re.compile(r"replace\(\s*(['\"])(.*?)\1\s*,\s*(['\"])(.*?)\3\s*\)")


def fill(text: str, variables: Mapping[str, str]) -> str:
    """A text with the variables put in; what it doesn't know, functions for example, stays as it is."""
    return PLACE.sub(lambda place: _value(place[1], variables, place[0]), text)


def _value(expression: str, variables: Mapping[str, str], otherwise: str) -> str:
    """`name`, `name[0]`, and either with `lower`, `upper` or `replace("a", "b")` behind bars."""
    match = EXPRESSION.fullmatch(expression)
    value = variables.get(match[1]) if match else None
    if match is None or value is None:
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
    return str(value)
