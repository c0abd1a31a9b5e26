"""What a new recipe says, and its text: `recipe.yaml`, conda-forge's format v1."""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass, field
from typing import Any

FILE = "recipe.yaml"
SCRIPT = "${{ PYTHON }} -m pip install . -vv --no-deps --no-build-isolation"
MIN = "${{ python_min }}"


@dataclass
class Requirement:
    """A line of `requirements`; with `systems` it holds only there, which only compiled packages can say."""

    text: str
    systems: tuple[str, ...] = ()

    @property
    def entry(self) -> Any:
        """The line as the recipe writes it; one for some systems has `if` and `then`."""
        return {"if": " or ".join(self.systems), "then": [self.text]} if self.systems else self.text


@dataclass
class Recipe:
    """What a recipe says. `url` has `{version}` in the version's place; `python_min` is set only where it must be."""

    name: str
    version: str
    url: str
    sha256: str
    build: list[Requirement] = field(default_factory=list)
    host: list[Requirement] = field(default_factory=list)
    run: list[Requirement] = field(default_factory=list)
    noarch: bool = True
    number: int = 0
    python_min: str = ""
    python_upper: str = ""
    entry_points: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    pytest: list[str] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    homepage: str = ""
    documentation: str = ""
    repository: str = ""
    summary: str = ""
    description: str = ""
    license: str = ""
    license_files: list[str] = field(default_factory=list)
    maintainers: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def render(recipe: Recipe) -> str:
    """The text of a recipe, one empty line between its sections."""
    from ruamel.yaml import YAML
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

    quoted = DoubleQuotedScalarString  # a version without quotes may be a number: 1.10
    writer = YAML()
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.width = 100_000
    context = {"version": quoted(recipe.version)}
    if recipe.python_min:
        context["python_min"] = quoted(recipe.python_min)
    about: dict[str, Any] = {
        "homepage": recipe.homepage, "summary": recipe.summary,
        "description": LiteralScalarString(_folded(recipe.description)) if recipe.description else "",
        "license": recipe.license,
        "license_file": recipe.license_files[0] if len(recipe.license_files) == 1 else recipe.license_files,
        "documentation": recipe.documentation, "repository": recipe.repository,
    }
    sections: dict[str, Any] = {
        "schema_version": 1,
        "context": context,
        "package": {"name": recipe.name, "version": "${{ version }}"},
        "source": {"url": recipe.url.replace("{version}", "${{ version }}"), "sha256": recipe.sha256},
        "build": {"number": recipe.number, **({"noarch": "python"} if recipe.noarch else {}), "script": SCRIPT,
                  **({"python": {"entry_points": recipe.entry_points}}
                     if recipe.entry_points and recipe.noarch else {})},
        "requirements": _requirements(recipe),
        "tests": _tests(recipe, quoted("*")),
        "about": {key: value for key, value in about.items() if value},
        "extra": {"recipe-maintainers": recipe.maintainers or ["your-github-name"]},
    }
    blocks = []
    for name, held in sections.items():
        made = io.StringIO()
        writer.dump({name: held}, made)
        blocks.append(made.getvalue())
    return "\n".join(blocks)


def _requirements(recipe: Recipe) -> dict[str, Any]:
    host, run = "python", "python"
    if recipe.noarch:
        host, run = f"python {MIN}.*", ",".join(filter(None, (f"python >={MIN}", recipe.python_upper)))
    return {**({"build": [one.entry for one in recipe.build]} if recipe.build else {}),
            "host": [host, *(one.entry for one in recipe.host)], "run": [run, *(one.entry for one in recipe.run)]}


def _tests(recipe: Recipe, newest: str) -> list[Any]:
    test: dict[str, Any] = {"imports": recipe.imports, "pip_check": True}
    if recipe.noarch:
        test["python_version"] = [f"{MIN}.*", newest]
    tests: list[Any] = [{"python": test}]
    if recipe.commands:
        tests.append({"script": recipe.commands})
    if recipe.pytest:
        needs = {"run": [f"python {MIN}.*" if recipe.noarch else "python", *recipe.pytest]}
        tests.append({"files": {"source": recipe.tests}, "requirements": needs,
                      "script": [f"pytest {' '.join(path.rstrip('/') for path in recipe.tests)}"]})
    return tests


def _folded(text: str) -> str:
    """A paragraph on lines that fit a recipe."""
    return "\n".join(textwrap.wrap(text, 88, break_long_words=False, break_on_hyphens=False)) + "\n"
