"""A recipe as it stands in its file, with the line of every value; v1 and v0 are asked by the same names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.recipe.recipe_variables import fill

# What v1 calls a field, and v0.
V0 = {"about.homepage": "about.home", "about.documentation": "about.doc_url", "about.repository": "about.dev_url",
      "build.python.entry_points": "build.entry_points"}
SET = re.compile(r"^\s*\{%-?\s*set\s+(\w+)\s*=((?:(?!%\}).)+)%\}")
SELECTOR = re.compile(r"#\s*\[([^]#]+)\]")
BRACES = re.compile(r"^\s*(?:- )?(?:[\w-]+: )?(?=\{\{)")
LARGEST = 1024 * 1024  # bytes of a recipe; the largest on conda-forge has less than a tenth
LONGEST = 20_000  # characters of one of its lines


@dataclass(frozen=True)
class Value:
    """A value of a recipe: what YAML makes of it, its own text, its line, and a selector behind it (v0)."""

    held: Any
    text: str
    line: int
    selector: str = ""
    plain: bool = True


@dataclass
class Reading:
    """A recipe that was read. `problem` says why it couldn't be, `problem_line` where."""

    path: Path
    file: str
    form: str
    text: str
    root: yaml.Node | None = None
    context: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    problem_line: int = 0

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the file."""
        return self.text.splitlines()

    @cached_property
    def selectors(self) -> dict[int, str]:
        """The selectors behind the lines of a v0 recipe, by the number of the line."""
        return {number: found[1] for number, line in enumerate(self.lines, 1)
                if (found := SELECTOR.search(line))} if self.form == "v0" else {}

    def node(self, path: str) -> yaml.Node | None:
        """The node of a dotted path, in v1's words."""
        if self.form == "v0":
            path = V0.get(path, path)
        return _within(self.root, path)

    def line(self, path: str) -> int:
        """The line of a field's key; the nearest section above it when the field is missing, else 1."""
        while path:
            parent, _, key = path.rpartition(".")
            holder = self.node(parent) if parent else self.root
            wanted = V0.get(path, path).rpartition(".")[2] if self.form == "v0" else key
            for name, _ in holder.value if isinstance(holder, yaml.MappingNode) else []:
                if name.value == wanted:
                    return int(name.start_mark.line) + 1
            path = parent
        return 1

    def get(self, path: str) -> str:
        """The text of a field with the recipe's own variables put in, empty without it."""
        node = self.node(path)
        return self.fill(str(node.value)) if isinstance(node, yaml.ScalarNode) else ""

    def written(self, path: str) -> str:
        """The text of a field as it stands there."""
        node = self.node(path)
        return str(node.value) if isinstance(node, yaml.ScalarNode) else ""

    def keys(self, path: str = "") -> list[tuple[str, int]]:
        """The keys of a mapping with their lines."""
        node = self.node(path) if path else self.root
        return [(str(name.value), name.start_mark.line + 1) for name, _ in
                (node.value if isinstance(node, yaml.MappingNode) else [])]

    def values(self, path: str) -> list[Value]:
        """The scalars of a field: of a list, of the lists inside it (`if`, `then`, `else`), or one alone."""
        node = self.node(path)
        return list(self._walk(node, "")) if node is not None else []

    def _walk(self, node: yaml.Node, selector: str) -> Iterator[Value]:
        if isinstance(node, yaml.ScalarNode):
            line = node.start_mark.line + 1
            behind = self.selectors.get(line, selector)
            if node.value or node.style:
                yield Value(_held(node.value) if not node.style and node.value else node.value,
                            self.fill(node.value), line, behind, not node.style)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                yield from self._walk(item, selector)
        elif isinstance(node, yaml.MappingNode):
            named = {name.value: value for name, value in node.value}
            chosen = str(named["if"].value) if "if" in named else selector
            for name, value in node.value:
                if name.value != "if":
                    yield from self._walk(value, chosen)

    def requirements(self, section: str) -> list[Value]:
        """The lines of a section of `requirements`."""
        return self.values(f"requirements.{section}")

    def requirement(self, section: str, name: str) -> Value | None:
        """The line that asks for a package."""
        return next((value for value in self.requirements(section)
                     if re.split(r"[\s<>=!~]", value.text, maxsplit=1)[0] == name), None)

    def test_nodes(self) -> list[yaml.Node]:
        """The tests of a v1 recipe."""
        node = self.node("tests")
        return node.value if isinstance(node, yaml.SequenceNode) else []

    def tests(self, path: str) -> list[Value]:
        """The values of `python.imports` and the like in all tests; in v0 of the field of that name in `test`."""
        if self.form == "v0":
            return self.values(f"test.{path.rpartition('.')[2]}")
        found = []
        for node in self.test_nodes():
            inner = _within(node, path)
            if inner is not None:
                found += list(self._walk(inner, ""))
        return found

    def commands(self, number: int) -> list[Value]:
        """The commands of the test of that number; v0 has one list of commands."""
        if self.form == "v0":
            return self.values("test.commands")
        node = _within(self.test_nodes()[number], "script") if number < len(self.test_nodes()) else None
        return list(self._walk(node, "")) if node is not None else []

    def test_line(self, number: int) -> int:
        """The line of the test of that number; v0 has one list of commands."""
        nodes = self.test_nodes()
        if number < len(nodes):
            return int(nodes[number].start_mark.line) + 1
        return self.line("tests" if self.form == "v1" else "test.commands")

    def fill(self, text: str) -> str:
        """A text with the recipe's own variables in their places; others stay as they are."""
        return fill(text, self.context)

    @property
    def noarch(self) -> bool:
        """Whether the recipe says that one build serves all systems."""
        return self.get("build.noarch") == "python"

    @property
    def compilers(self) -> list[Value]:
        """The compilers that it asks for."""
        return [value for value in self.requirements("build") if re.search(r"compiler\(", value.text)]


def _held(text: str) -> Any:
    """What YAML makes of a plain scalar; the text itself where that can't be told."""
    try:
        return untrusted_data.yaml_data(text, "")
    except HandbookError:
        return text


def _within(node: yaml.Node | None, path: str) -> yaml.Node | None:
    """The node of a dotted path below another; of a list its first entry counts."""
    for key in filter(None, path.split(".")):
        if isinstance(node, yaml.SequenceNode) and node.value:
            node = node.value[0]
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for name, value in pairs if name.value == key), None)
    return node


def read(path: Path, shown: str = "") -> Reading:
    """Read a recipe file.

    Raises HandbookError when there is no file, or it is neither recipe.yaml nor meta.yaml.
    """
    path = find(path)
    text = untrusted_data.text(path, shown, largest=LARGEST, section="sec-conda-forge-check")
    return parse(text, path, shown or str(path))


def find(path: Path) -> Path:
    """The recipe that a user means by a file, by its folder, or by a checkout of a feedstock.

    Raises HandbookError when there is none.
    """
    if path.is_file():
        return path
    for folder in (path, path / "recipe"):
        for name in ("recipe.yaml", "meta.yaml"):
            if (folder / name).is_file():
                return folder / name
    raise HandbookError(f"no recipe at {path}", why="a recipe is a file recipe.yaml or meta.yaml",
                        todo="give its path, or write one: handbook recipe new NAME",
                        section="sec-conda-forge-generate")


def parse(text: str, path: Path, shown: str) -> Reading:
    """Read the text of a recipe; what can't be parsed is told by `problem`."""
    form = "v0" if path.name == "meta.yaml" or re.search(r"^[ \t]*\{%", text, re.MULTILINE) else "v1"
    reading = Reading(path, shown, form, text)
    if long := next((number for number, line in enumerate(reading.lines, 1) if len(line) > LONGEST), 0):
        reading.problem, reading.problem_line = f"has a line of more than {LONGEST} characters", long
        return reading
    if form == "v0":
        text = _without_jinja(text, reading.context)
    try:
        reading.root = untrusted_data.yaml_nodes(text, shown)
    except untrusted_data.Unreadable as error:
        reading.problem, reading.problem_line = error.problem, error.line
        return reading
    if not isinstance(reading.root, yaml.MappingNode):
        reading.problem, reading.problem_line, reading.root = "has no sections", 1, None
    elif form == "v1":
        held = reading.node("context")
        for name, value in held.value if isinstance(held, yaml.MappingNode) else []:
            if isinstance(value, yaml.ScalarNode):
                reading.context[str(name.value)] = reading.fill(value.value)
    return reading


def _without_jinja(text: str, context: dict[str, str]) -> str:
    """v0's text with its Jinja turned into plain YAML, line by line."""
    lines = []
    for line in text.splitlines():
        if match := SET.match(line):
            context[match[1]] = match[2].strip().removesuffix("-").rstrip().strip("'\"")
            line = ""
        elif re.match(r"^\s*\{[%#].*[%#]\}\s*$", line):
            line = ""
        # A value that begins with {{ would be a mapping to YAML.
        elif match := BRACES.match(line):
            value = line[match.end():].partition("#")[0].rstrip()
            quoted = value.replace("'", '"')
            line = f"{match[0]}'{quoted}'{line[match.end() + len(value):]}"
        lines.append(line)
    return "\n".join(lines) + "\n"
