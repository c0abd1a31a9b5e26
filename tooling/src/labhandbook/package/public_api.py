"""The modules and names of a package as griffe reads them from its text: nothing of the package runs."""

from __future__ import annotations

import ast
import logging
import re
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from labhandbook.core.errors import HandbookError
from labhandbook.core.kit_extras import kit_with

if TYPE_CHECKING:
    from griffe import Alias, Module, Object

REFERENCE = re.compile(r"(?P<module>[\w.]+)\s*(:\s*(?P<attr>[\w.]+))?\s*(\[.*\])?$")
# What can give a module names that its text does not show.
DYNAMIC = re.compile(r"(?m)\b(__getattr__|globals|exec|vars|setattr)\b|\bsys\.modules\b|^from \S+ import \*")
# The changes that griffe finds after which calls can fail. A new default or another annotation seldom breaks one.
BREAKING = ("PARAMETER_MOVED", "PARAMETER_REMOVED", "PARAMETER_CHANGED_KIND", "PARAMETER_CHANGED_REQUIRED",
            "PARAMETER_ADDED_REQUIRED", "OBJECT_CHANGED_KIND", "CLASS_REMOVED_BASE")


class Api:
    """The importable modules of a wheel. `sources` has the text of each, None for a compiled or an unreadable one.

    `packages` names those of them that are folders with an `__init__.py`.
    """

    def __init__(self, sources: Mapping[str, str | None], packages: frozenset[str]) -> None:
        self.sources, self.packages = sources, packages
        self.known = {".".join(name.split(".")[:end]) for name in sources for end in range(1, name.count(".") + 2)}

    @cached_property
    def tops(self) -> list[Module]:
        """The topmost modules with all below them. Raises HandbookError without griffe."""
        try:
            from griffe import GriffeError, GriffeLoader
        except ImportError:
            raise HandbookError("griffe isn't installed", why="it reads the public names of a package",
                                todo=kit_with("release"), section="sec-kit-extras") from None
        logging.getLogger("griffe").setLevel(logging.CRITICAL + 1)
        found = []
        with tempfile.TemporaryDirectory(prefix="handbook-api-") as folder:
            for name, text in self.sources.items():
                place = Path(folder, *name.split("."))
                place = place / "__init__.py" if name in self.packages else place.with_suffix(".py")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text or "", encoding="utf-8", errors="replace")
            loader = GriffeLoader(search_paths=[folder], allow_inspection=False)
            for top in sorted({name.partition(".")[0] for name in self.sources}):
                try:
                    found.append(loader.load(top, try_relative_path=False))
                    loader.resolve_aliases(implicit=False, external=False)
                except (GriffeError, ImportError, SyntaxError, ValueError, LookupError, RecursionError, MemoryError):
                    continue  # Text that griffe can't read has no names to compare.
        return [module for module in found if not module.is_alias]  # type: ignore[misc]

    @cached_property
    def modules(self) -> dict[str, Module]:
        """The modules that griffe could read, by dotted name."""
        found: dict[str, Module] = {}
        waiting = list(self.tops)
        while waiting:
            module = waiting.pop()
            if module.path not in found and module.path in self.known:
                found[module.path] = module
                waiting += [below for below in module.modules.values() if not below.is_alias]
        return found

    def public(self) -> set[str]:
        """The dotted names that users may rely on: those that griffe calls public, and what `__init__.py` imports."""
        result: set[str] = set()
        for name, module in self.modules.items():
            parts = name.split(".")
            if any(part.startswith(("_", "test_")) or part in ("tests", "test", "conftest") for part in parts):
                continue
            result.add(name)
            for key, member in module.members.items():
                target = getattr(member, "target_path", "") if member.is_alias else ""
                offered = (name in self.packages and module.exports is None and not key.startswith("_")
                           and target.startswith(f"{parts[0]}."))
                if offered or (member.is_public and (target or not member.is_module)):
                    result.add(f"{name}.{key}")
        return result

    def problem(self, target: str) -> tuple[str, bool]:
        """Why an entry point leads nowhere, and whether that is sure; empty where it leads to something."""
        match = REFERENCE.match(target.strip())
        if not match or ".." in target or target.startswith("."):
            return "is no reference of the form module:function", True
        module, attribute = match["module"], match["attr"]
        if module not in self.known:
            if module.partition(".")[0] in self.known:
                return f"names the module {module}, which the wheel doesn't hold", True
            return f"names {module}, which another package must bring", False
        if not attribute or self.has(module, attribute):
            return "", True
        if self.has(module, attribute) is False:
            return f"names {attribute}, which {module} doesn't define", True
        return f"can't be followed into {module} without running it", False

    def has(self, module: str, attribute: str, depth: int = 0) -> bool | None:
        """Whether a module has a name, such as `main` or `App.run`; None when its text does not show that."""
        from griffe import Class

        if f"{module}.{attribute}" in self.known:
            return True
        if module not in self.sources:
            return False
        here: Object | Alias | None = self.modules.get(module)
        for name in attribute.split("."):
            here = _target(here) if here is not None else None
            if here is None:
                return None
            member = here.members.get(name)
            if member is None:
                text = self.sources[module] or ""
                plain = isinstance(here, Class) and not (here.bases or here.decorators or "metaclass" in text)
                sure = text and (plain or (here.is_module and not DYNAMIC.search(text)))
                # griffe passes over some statements, such as a, b = 1, 2.
                return False if sure and not re.search(rf"\b{re.escape(name)}\b", text) else None
            here = member
        if here is not None and here.is_alias and depth < 50:
            owner, _, name = str(getattr(here, "target_path", "")).rpartition(".")
            return self.has(owner, name, depth + 1) if owner in self.known else True
        return True


@lru_cache(maxsize=4096)
def imported(text: str, name: str, package: bool) -> tuple[str, ...]:
    """The modules whose import at the top of a module of this name and text can't be skipped."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    found = []
    for node in body:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = name.split(".")
            base = parts[:len(parts) - node.level + package] if node.level else []
            if node.module or not node.level:
                found.append(".".join([*base, *([node.module] if node.module else [])]))
    return tuple(found)


def breaking(before: Api, after: Api) -> Iterator[str]:
    """The changes of signatures and kinds that can break a call, in griffe's words."""
    from griffe import BreakageKind, find_breaking_changes

    kinds = {BreakageKind[name] for name in BREAKING}
    new = {module.path: module for module in after.tops}
    for old in before.tops:
        for change in find_breaking_changes(old, new[old.path]) if old.path in new else ():
            if change.kind in kinds:
                names = [str(getattr(value, "name", "")) for value in (change.old_value, change.new_value)]
                part = f"({names[0] or names[1]})" if change.kind.name.startswith("PARAMETER") else ""
                yield f"{change.obj.path}{part}: {change.kind.value}"


def _target(here: Object | Alias) -> Object | None:
    """What a name stands for; None where that is in another package."""
    from griffe import AliasResolutionError, CyclicAliasError

    try:
        return here.final_target if here.is_alias else here  # type: ignore[return-value,union-attr]
    except (AliasResolutionError, CyclicAliasError):
        return None
