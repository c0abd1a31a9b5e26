"""A recipe as its file says it, with the line of every value; v1 and v0 are asked by the same names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.yaml_reader import Value, read_yaml

# What v1 calls a field, and v0.
V0 = {"about.homepage": "about.home", "about.documentation": "about.doc_url", "about.repository": "about.dev_url",
      "build.python.entry_points": "build.entry_points"}
SET = re.compile(r"^\s*\{%-?\s*set\s+(\w+)\s*=((?:(?!%\}).)+)%\}")
SELECTOR = re.compile(r"#\s*\[([^]#]+)\]")
BRACES = re.compile(r"^\s*(?:- )?(?:[\w-]+: )?(?=\{\{)")
LARGEST = 1024 * 1024  # bytes of a recipe; the largest on conda-forge has less than a tenth
LONGEST = 20_000  # characters of one of its lines
# Where a recipe uses its own variables. Nothing is evaluated: names, positions, `lower`, `upper` and `replace` are
# all that recipes on conda-forge need. Variables of variables could grow without end, so a value that becomes
# too long stays as it is written.
PLACE = re.compile(r"(?:\$\{\{|\{\{)([^{}]+)\}\}")
EXPRESSION = re.compile(r"(\w+)(?:\[(\d{1,4})\])?\s*((?:\|[^|]+)*)")
REPLACE = re.compile(r"replace\(\s*(['\"])(.*?)\1\s*,\s*(['\"])(.*?)\3\s*\)")
LONGEST_VALUE = 1_000  # characters of a value that is put in
MOST = 1_000_000  # characters that are put into one text


@dataclass(frozen=True)
class Entry:
    """A scalar of a recipe: what YAML makes of it, its text with variables put in, its line, its selector (v0)."""

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
    root: Value = field(default_factory=Value)
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

    def _own(self, path: str) -> str:
        """The path by which the recipe's format calls a field of v1."""
        return V0.get(path, path) if self.form == "v0" else path

    def node(self, path: str) -> Value:
        """The value of a dotted path, in v1's words."""
        return _within(self.root, self._own(path))

    def line(self, path: str) -> int:
        """The line of a field's key; the nearest section above it when the field is missing, else 1."""
        path = self._own(path)
        while path:
            parent, _, key = path.rpartition(".")
            if number := _first(_within(self.root, parent)).keys.get(key):
                return number
            path = parent
        return 1

    def get(self, path: str) -> str:
        """The text of a field with the recipe's own variables put in, empty without it."""
        return self.fill(self.written(path))

    def written(self, path: str) -> str:
        """The text of a field as written."""
        return self.node(path).text

    def keys(self, path: str = "") -> list[tuple[str, int]]:
        """The keys of a mapping with their lines."""
        return list(self.node(path).keys.items())

    def values(self, path: str) -> list[Entry]:
        """The scalars of a field: of a list, of the lists inside it (`if`, `then`, `else`), or one alone."""
        return list(self._walk(self.node(path), ""))

    def _walk(self, value: Value, selector: str) -> Iterator[Entry]:
        if isinstance(value.held, str):
            yield Entry(value.data, self.fill(value.text), value.line, self.selectors.get(value.line, selector),
                        not value.style)
        for item in value.items:
            yield from self._walk(item, selector)
        chosen = value["if"].text or selector
        for name, inner in value.map.items():
            if name != "if":
                yield from self._walk(inner, chosen)

    def requirements(self, section: str) -> list[Entry]:
        """The lines of a section of `requirements`."""
        return self.values(f"requirements.{section}")

    def requirement(self, section: str, name: str) -> Entry | None:
        """The line that requires a package."""
        return next((value for value in self.requirements(section)
                     if re.split(r"[\s<>=!~]", value.text, maxsplit=1)[0] == name), None)

    def tests(self, path: str) -> list[Entry]:
        """The values of `python.imports` and the like in all tests; in v0 of the field of that name in `test`."""
        if self.form == "v0":
            return self.values(f"test.{path.rpartition('.')[2]}")
        return [entry for test in self.node("tests").items for entry in self._walk(_within(test, path), "")]

    def commands(self, number: int) -> list[Entry]:
        """The commands of the test of that number in a v1 recipe."""
        tests = self.node("tests").items
        return list(self._walk(_within(tests[number], "script"), "")) if number < len(tests) else []

    def test_line(self, number: int) -> int:
        """The line of the test of that number in a v1 recipe."""
        tests = self.node("tests").items
        return tests[number].line if number < len(tests) else self.line("tests")

    def fill(self, text: str) -> str:
        """A text with the recipe's own variables in their places; others stay as they are."""
        return fill(text, self.context)

    @property
    def noarch(self) -> bool:
        """Whether one build is for all systems."""
        return self.get("build.noarch") == "python"

    @property
    def compilers(self) -> list[Entry]:
        """The compilers that it requires."""
        return [value for value in self.requirements("build") if re.search(r"compiler\(", value.text)]


def _first(value: Value) -> Value:
    """The first entry of a list, else the value itself: a recipe may write one source as a list."""
    return value.items[0] if value.items else value


def _within(value: Value, path: str) -> Value:
    """The value of a dotted path below another; of a list its first entry counts."""
    for key in filter(None, path.split(".")):
        value = _first(value)[key]
    return value


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
    """Read the text of a recipe; `problem` says why it can't be parsed."""
    form = "v0" if path.name == "meta.yaml" or re.search(r"^[ \t]*\{%", text, re.MULTILINE) else "v1"
    reading = Reading(path, shown, form, text)
    if long := next((number for number, line in enumerate(reading.lines, 1) if len(line) > LONGEST), 0):
        reading.problem, reading.problem_line = f"has a line of more than {LONGEST} characters", long
        return reading
    if form == "v0":
        text = _without_jinja(text, reading.context)
    try:
        reading.root = read_yaml(text, shown)
    except untrusted_data.Unreadable as error:
        reading.problem, reading.problem_line = error.problem, error.line
        return reading
    if not isinstance(reading.root.held, dict):
        reading.problem, reading.problem_line, reading.root = "has no sections", 1, Value()
    elif form == "v1":
        for name, value in reading.node("context").map.items():
            if value.text:
                reading.context[name] = reading.fill(value.text)
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


def fill(text: str, variables: Mapping[str, str]) -> str:
    """A text with the variables put in; anything else, such as a function, stays as it is."""
    added = 0

    def put_in(place: re.Match[str]) -> str:
        nonlocal added
        value = _value(place[1].strip(), variables, place[0]) if added < MOST else place[0]
        added += len(value)
        return value

    return PLACE.sub(put_in, text)


def _value(expression: str, variables: Mapping[str, str], otherwise: str) -> str:
    """`name`, `name[0]`, and either with `lower`, `upper` or `replace("a", "b")` behind bars."""
    match = EXPRESSION.fullmatch(expression) if len(expression) <= LONGEST_VALUE else None
    value = variables.get(match[1]) if match else None
    if match is None or value is None or len(value) > LONGEST_VALUE:
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
        if len(value) > LONGEST_VALUE:
            return otherwise
    return str(value)
