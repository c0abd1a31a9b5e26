"""conda-forge.yml held against conda-smithy's schema of it: the few words of JSON Schema that the schema uses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from labhandbook.core.yaml_reader import Value

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "boolean": bool, "integer": int, "number": (int, float), "null": type(None), "array": list,
    "object": dict}


@cache
def schema() -> dict[str, Any]:
    """The schema of conda-forge.yml, with the version of conda-smithy that it is from."""
    path = Path(__file__).with_name("conda_forge_yml.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["schema"]
    return found


def faults(value: Value, rule: dict[str, Any], name: str = "") -> Iterator[tuple[str, int, bool]]:
    """What a value breaks: message, line, and whether it is refused; what is deprecated is not."""
    while "$ref" in rule:
        rest = {key: held for key, held in rule.items() if key != "$ref"}
        rule = schema()["$defs"][rule["$ref"].rpartition("/")[2]] | rest
    if rule.get("deprecated") and value.data:
        yield f"{name} is deprecated", value.line, False
    if (kind := rule.get("type")) and (not isinstance(value.data, TYPES[kind])
                                       or (kind in ("integer", "number") and isinstance(value.data, bool))):
        yield f"{name or 'the file'} is no {kind}", value.line, True
        return
    if "enum" in rule and value.data not in rule["enum"]:
        choice = ", ".join(map(str, rule["enum"]))
        yield f"{name} is {value.text or value.data}, not one of {choice}", value.line, True
    if "anyOf" in rule:
        yield from _best(value, rule["anyOf"], name)
    for item in value.items if "items" in rule else ():
        yield from faults(item, rule["items"], name)
    known, others = rule.get("properties", {}), rule.get("additionalProperties", True)
    for key, inner in value.map.items():
        path = f"{name}.{key}" if name else key
        if key in known:
            yield from faults(inner if inner else Value(line=value.at(key)), known[key], path)
        elif others is False:
            yield f"there is no setting {path}", value.at(key), True
        elif isinstance(others, dict):
            yield from faults(inner, others, path)


def _best(value: Value, choices: list[dict[str, Any]], name: str) -> Iterator[tuple[str, int, bool]]:
    """What the choice finds that fits best: one that allows the value's type, if there is one."""
    found = [list(faults(value, choice, name)) for choice in choices]
    if any(not any(refused for *_, refused in one) for one in found):
        yield from next(one for one in found if not any(refused for *_, refused in one))
        return
    yield from min(found, key=lambda one: (one[0][0].startswith(f"{name or 'the file'} is no "), len(one)))
