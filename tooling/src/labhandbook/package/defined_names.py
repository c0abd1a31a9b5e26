"""The names that Python modules define, read from their text: nothing of a package is run to look at it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from labhandbook.package.distribution import EXTENSIONS, Distribution


@dataclass
class Names:
    """What one module's text defines at its top level.

    `imported` maps names to the module and the name there, `stars` are modules of which every name is taken;
    `dynamic` says that names may come to be that the text doesn't show.
    """

    defined: dict[str, ast.AST] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    exported: list[str] | None = None
    dynamic: bool = False


def names(source: str, module: str, *, package: bool) -> Names | None:
    """The names in a module's text, or None when it isn't Python that this Python reads."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None
    found = Names()
    for node in _statements(tree.body):
        _note(node, found, module, package)
    return found


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported, branches and loops included."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody"):
            if isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
                yield from _statements(getattr(node, part, []))
        for handler in getattr(node, "handlers", []):
            yield from _statements(handler.body)


def _note(node: ast.stmt, found: Names, module: str, package: bool) -> None:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        found.defined[node.name] = node
        found.dynamic |= node.name == "__getattr__"
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for name in (leaf.id for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)):
            found.defined[name] = node
            if name == "__all__":
                found.exported = None if isinstance(node, ast.AugAssign) else _strings(node.value)
    elif isinstance(node, ast.Import):
        for alias in node.names:
            found.imported[alias.asname or alias.name.partition(".")[0]] = (
                alias.name if alias.asname else alias.name.partition(".")[0], "")
    elif isinstance(node, ast.ImportFrom):
        origin = _origin(node, module, package)
        for alias in node.names:
            if alias.name == "*":
                found.stars.append(origin)
            else:
                found.imported[alias.asname or alias.name] = (origin, alias.name)
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        found.dynamic |= isinstance(node, ast.Delete) or any(
            (isinstance(leaf, ast.Name) and leaf.id in ("globals", "exec", "vars"))
            or (isinstance(leaf, ast.Attribute) and leaf.attr == "modules") for leaf in ast.walk(node))


def _origin(node: ast.ImportFrom, module: str, package: bool) -> str:
    """The absolute name of the module that an import takes from."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    base = parts[:len(parts) - node.level + (1 if package else 0)]
    return ".".join([*base, *([node.module] if node.module else [])])


def _strings(value: ast.expr | None) -> list[str] | None:
    try:
        found = ast.literal_eval(value) if value is not None else None
    except ValueError:
        return None
    return [name for name in found if isinstance(name, str)] if isinstance(found, list | tuple | set) else None


class Reader:
    """Looks up modules and names in a wheel."""

    def __init__(self, wheel: Distribution) -> None:
        self.wheel = wheel
        self.modules = wheel.modules
        self._read: dict[str, Names | None] = {}
        self.packages = {".".join(name.split(".")[:count]) for name in self.modules
                         for count in range(1, name.count(".") + 2)}

    def of(self, module: str) -> Names | None:
        """The names in a module; None where its text can't be read."""
        if module not in self._read:
            path = self.modules[module]
            self._read[module] = names(self.wheel.text(path), module, package=path.endswith("/__init__.py")) \
                if path in self.wheel.held else None
        return self._read[module]

    def has(self, module: str, name: str, seen: frozenset[tuple[str, str]] = frozenset()) -> bool | None:
        """Whether a module has a name; None when its text doesn't tell."""
        if f"{module}.{name}" in self.packages:
            return True
        if module not in self.modules:
            return False if module in self.packages else None
        found = self.of(module)
        if found is None or self.modules[module].endswith(EXTENSIONS):
            return None
        if name in found.defined:
            return True
        if name in found.imported:
            origin, other = found.imported[name]
            if origin.partition(".")[0] not in self.packages or not other or (origin, other) in seen:
                return True
            return self.has(origin, other, seen | {(origin, other)})
        unsure = found.dynamic
        for star in found.stars:
            answer = self.has(star, name, seen | {(module, name)}) if (star, name) not in seen else False
            if answer:
                return True
            unsure |= answer is None
        return None if unsure else False

    def public(self) -> set[str]:
        """The dotted names that users may rely on: `__all__` where there is one, else what has no underscore."""
        result: set[str] = set()
        for module, path in self.modules.items():
            parts = module.split(".")
            if any(part.startswith(("_", "test_")) or part in ("tests", "test", "conftest") for part in parts):
                continue
            result.add(module)
            if (found := self.of(module)) is None:
                continue
            if found.exported is not None:
                result |= {f"{module}.{name}" for name in found.exported}
                continue
            own = {name for name, (origin, _) in found.imported.items()
                   if path.endswith("/__init__.py") and origin.partition(".")[0] == parts[0]}
            result |= {f"{module}.{name}" for name in {*found.defined, *own} if not name.startswith("_")}
        return result
