"""Whether the entry points of a wheel lead to something, found without running it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from labhandbook.package.defined_names import Reader
from labhandbook.package.distribution import Distribution

REFERENCE = re.compile(r"(?P<module>[\w.]+)\s*(:\s*(?P<attr>[\w.]+))?\s*(\[.*\])?$")


@dataclass(frozen=True)
class Entry:
    """An entry point that leads nowhere (`sure`), or of which the text of the modules doesn't tell."""

    group: str
    name: str
    target: str
    problem: str
    sure: bool = True


def doubtful(wheel: Distribution) -> list[Entry]:
    """The entry points of a wheel that don't resolve, or can't be resolved without running it."""
    reader = Reader(wheel)
    found = []
    for group, entries in wheel.entry_points.items():
        for name, target in entries.items():
            problem, sure = _problem(reader, target)
            if problem:
                found.append(Entry(group, name, target, problem, sure))
    return found


def _problem(reader: Reader, target: str) -> tuple[str, bool]:
    match = REFERENCE.match(target.strip())
    if not match or ".." in target or target.startswith("."):
        return "is no reference of the form module:function", True
    module, attribute = match["module"], match["attr"]
    if module not in reader.packages:
        if module.partition(".")[0] in reader.packages:
            return f"names the module {module}, which the wheel doesn't hold", True
        return f"names {module}, which another package must bring", False
    if not attribute:
        return "", True
    first, _, rest = attribute.partition(".")
    answer = reader.has(module, first)
    if answer is False:
        return f"names {first}, which {module} doesn't define", True
    if answer is None:
        return f"can't be followed into {module} without running it", False
    return _below(reader, module, first, rest) if rest else ("", True)


def _below(reader: Reader, module: str, first: str, rest: str) -> tuple[str, bool]:
    """The attribute of a class; of anything else it can't be told."""
    names = reader.of(module) if module in reader.modules else None
    node = names.defined.get(first) if names else None
    if isinstance(node, ast.ClassDef) and not node.bases and not node.keywords and not node.decorator_list:
        inside = {part.name for part in node.body
                  if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
        inside |= {leaf.id for part in node.body if isinstance(part, ast.Assign | ast.AnnAssign)
                   for leaf in ast.walk(part) if isinstance(leaf, ast.Name)}
        if rest.partition(".")[0] not in inside:
            return f"names {first}.{rest}, which {module} doesn't define", True
        return "", True
    return f"can't be followed into {module}.{first} without running it", False
