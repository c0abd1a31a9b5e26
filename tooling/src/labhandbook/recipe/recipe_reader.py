"""A recipe as its file says it, with the line of every value; v1 and v0 are asked by the same names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.yaml_reader import Value, read_yaml
from labhandbook.recipe.recipe_variables import fill, without_jinja

# What v1 calls a field, and v0.
V0 = {"about.homepage": "about.home", "about.documentation": "about.doc_url", "about.repository": "about.dev_url",
      "build.python.entry_points": "build.entry_points"}
SELECTOR = re.compile(r"#\s*\[([^]#]+)\]")
LARGEST = 1024 * 1024  # bytes of a recipe; the largest on conda-forge has less than a tenth
LONGEST = 20_000  # characters of one of its lines


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

    @cached_property
    def parts(self) -> list[Part]:
        """The recipe's own sections, then its outputs."""
        return [Part(self, self.root, "", top=True),
                *(Part(self, output, self.fill(output["package"]["name"].text or output["name"].text))
                  for output in flat(self.root["outputs"]))]

    @cached_property
    def feedstock(self) -> Path | None:
        """The folder of the feedstock that holds the recipe in its folder `recipe`."""
        folder = self.path.resolve().parent
        return folder.parent if folder.name == "recipe" and (folder.parent / "conda-forge.yml").is_file() else None

    def settings(self, name: str) -> Path | None:
        """A settings file beside the recipe or in the two folders above it, where conda-smithy looks for it."""
        folder = self.path.resolve().parent
        places = (place / name for place in (folder, folder.parent, folder.parent.parent))
        return next((place for place in places if place.is_file()), None)

    @cached_property
    def config(self) -> Value:
        """What `conda-forge.yml` says."""
        return self.variants("conda-forge.yml")

    def variants(self, name: str) -> Value:
        """What a settings file says, nothing where there is none or it can't be read."""
        path = self.settings(name)
        try:
            return read_yaml(untrusted_data.text(path), path.name) if path else Value()
        except HandbookError:
            return Value()

    @cached_property
    def skipped(self) -> set[str]:
        """The checks of conda-smithy that `conda-forge.yml` switches off."""
        return {item.text for item in self.config["linter"]["skip"].items}


@dataclass(frozen=True)
class Part:
    """The recipe's own sections, or those of one of its outputs."""

    reading: Reading
    value: Value
    name: str
    top: bool = False

    @property
    def noarch(self) -> str:
        """What it says of `noarch`."""
        return self.value["build"]["noarch"].text

    @property
    def abi3(self) -> bool:
        """Whether one build is for all versions of Python, in one of its variants at least."""
        build = self.value["build"]
        said = build["python"]["version_independent"] or build["python_version_independent"]
        return said.word not in ("", "false")

    def requirements(self, *sections: str) -> list[Entry]:
        """The requirements of these sections, those of each condition too; without a section those of all."""
        held = self.value["requirements"]
        if held.items:  # an output of an old v0 recipe has one list
            return self.entries(held) if not sections or "run" in sections else []
        return [entry for section in sections or tuple(held.map) for entry in self.entries(held[section])]

    def line(self, section: str) -> int:
        """The line of a section of the requirements, else of the part."""
        return self.value["requirements"].at(section) or self.value.line or 1

    def tests(self) -> list[Value]:
        """Its tests; in v0 there is one."""
        return flat(self.value["tests"]) if self.reading.form == "v1" else [self.value["test"]]

    def entries(self, value: Value, selector: str = "") -> list[Entry]:
        """The scalars of a list, those of each condition too; mappings of another kind are left out."""
        if value.text:
            return [Entry(value.data, self.reading.fill(value.text), value.line,
                          self.reading.selectors.get(value.line, selector), not value.style)]
        found = [entry for item in value.items for entry in self.entries(item, selector)]
        if "if" in value.map:
            for branch in ("then", "else"):
                found += self.entries(value[branch], value["if"].text)
        elif value.keys.keys() & {"weak", "strong", "noarch", "weak_constrains", "strong_constrains", "from_package"}:
            found += [entry for inner in value.map.values() for entry in self.entries(inner, selector)]
        return found


def flat(value: Value) -> list[Value]:
    """The entries of a list, those of each condition too; a mapping counts as a list of one."""
    if "if" in value.map:
        return [*flat(value["then"]), *flat(value["else"])]
    if value.map:
        return [value]
    return [entry for item in value.items for entry in flat(item)]


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
    form = "v0" if path.name == "meta.yaml" or re.search(r"^\{%", text, re.MULTILINE) else "v1"
    reading = Reading(path, shown, form, text)
    if long := next((number for number, line in enumerate(reading.lines, 1) if len(line) > LONGEST), 0):
        reading.problem, reading.problem_line = f"has a line of more than {LONGEST} characters", long
        return reading
    if form == "v0":
        text = without_jinja(text, reading.context)
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
