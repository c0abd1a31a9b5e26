"""The house's rules that import-linter does not hold: names, imports at the top, no circles in research projects."""

from __future__ import annotations

import ast
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tooling.tests.conftest import ROOT

SOURCE = ROOT / "tooling" / "src" / "labhandbook"
PROJECTS = sorted((ROOT / "chapters" / "research").glob("*/src/*/__init__.py"))


def imports(path: Path, package: str, *, inside: bool) -> list[tuple[int, str]]:
    """Lines and names of the package's own modules that a file imports: at its top, or `inside` functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {id(node) for function in ast.walk(tree) if isinstance(function, ast.FunctionDef)
                 for node in ast.walk(function)}
    return [(node.lineno, f"{node.module}.{alias.name}") for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package
            and inside == (id(node) in functions) for alias in node.names]


def test_only_the_commands_import_inside_functions() -> None:
    found = [f"{path.relative_to(ROOT)}:{line}: {name}" for path in sorted(SOURCE.rglob("*.py"))
             if path.relative_to(SOURCE).parts[0] != "cli"
             for line, name in imports(path, "labhandbook", inside=True)]
    assert not found, "\n".join(found)


def test_no_two_modules_share_a_name() -> None:
    places = defaultdict(list)
    for path in SOURCE.rglob("*.py"):
        if not path.name.startswith("__"):
            places[path.stem].append(path.relative_to(SOURCE).as_posix())
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("package", PROJECTS, ids=lambda path: path.parent.name)
def test_a_research_project_has_no_circle_of_imports(package: Path) -> None:
    folder = package.parent
    modules = {f"{folder.name}.{path.stem}": path for path in folder.glob("*.py")}
    graph = {name: {base for _, target in imports(path, folder.name, inside=False)
                    for base in (target, target.rpartition(".")[0]) if base in modules}
             for name, path in modules.items() if path.stem != "__init__"}
    list(TopologicalSorter(graph).static_order())
