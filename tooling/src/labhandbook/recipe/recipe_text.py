"""What a new recipe says, and its text: `recipe.yaml`, conda-forge's format v1."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

FILE = "recipe.yaml"
SCRIPT = "${{ PYTHON }} -m pip install . -vv --no-deps --no-build-isolation"
MIN = "${{ python_min }}"


@dataclass
class Requirement:
    """A line of `requirements`; with `systems` it holds only there. `asked` is the release's own text of it.

    A noarch package can say that too if it is built once for each kind of system (`noarch_platforms`).
    """

    text: str
    systems: tuple[str, ...] = ()
    asked: str = ""

    @property
    def entry(self) -> Any:
        """The line as the recipe writes it; one for some systems has `if` and `then`."""
        return {"if": " or ".join(self.systems), "then": [self.text]} if self.systems else self.text


@dataclass
class Recipe:
    """What a recipe says. `url` has `{version}` in the version's place; `python_min` is set only where it must be.

    `extras` are packages that only extras bring: the release's own, or those of its requirements.
    """

    name: str
    version: str
    url: str
    sha256: str
    script: list[str] = field(default_factory=list)
    build: list[Requirement] = field(default_factory=list)
    host: list[Requirement] = field(default_factory=list)
    run: list[Requirement] = field(default_factory=list)
    noarch: bool = True
    number: int = 0
    python_min: str = ""
    python_upper: str = ""
    entry_points: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    pytest: list[str] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    homepage: str = ""
    documentation: str = ""
    repository: str = ""
    summary: str = ""
    license: str = ""
    license_files: list[str] = field(default_factory=list)
    maintainers: list[str] = field(default_factory=list)
    systems: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    extras: dict[str, str] = field(default_factory=dict)


def render(recipe: Recipe) -> str:
    """The text of a recipe, one empty line between its sections."""
    from ruamel.yaml import YAML
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    quoted = DoubleQuotedScalarString  # a version without quotes may be a number: 1.10
    writer = YAML()
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.width = 100_000
    context = {"version": quoted(recipe.version)}
    if recipe.python_min:
        context["python_min"] = quoted(recipe.python_min)
    about: dict[str, Any] = {
        "homepage": recipe.homepage, "summary": recipe.summary,
        "license": recipe.license,
        "license_file": recipe.license_files[0] if len(recipe.license_files) == 1 else recipe.license_files,
        "documentation": recipe.documentation, "repository": recipe.repository,
    }
    sections: dict[str, Any] = {
        "schema_version": 1,
        "context": context,
        "package": {"name": recipe.name, "version": "${{ version }}"},
        "source": {"url": recipe.url.replace("{version}", "${{ version }}"), "sha256": recipe.sha256},
        "build": {"number": recipe.number, **({"noarch": "python"} if recipe.noarch else {}),
                  "script": [*recipe.script, SCRIPT] if recipe.script else SCRIPT,
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
            "host": [host, *(one.entry for one in recipe.host)],
            "run": [run, *(one.entry for one in recipe.run), *_virtual(recipe)]}


def _virtual(recipe: Recipe) -> list[Any]:
    """The virtual packages by which conda distinguishes the packages of the systems."""
    kinds = [platform.partition("_")[0] for platform in _platforms(recipe)] if recipe.systems else []
    if len(kinds) == 2:
        return [{"if": "win", "then": ["__win"], "else": ["__unix"]}]
    return [{"if": kind, "then": [f"__{kind}"]} for kind in kinds]


def _platforms(recipe: Recipe) -> list[str]:
    """The systems that a noarch package with conditions is built on: macOS where it differs from Linux."""
    lines = [set(one.systems) for one in (*recipe.host, *recipe.run) if one.systems]
    return ["linux_64", *(["osx_64"] if any(("linux" in one) != ("osx" in one) for one in lines) else []), "win_64"]


def platforms(recipe: Recipe) -> str:
    """The text of conda-forge.yml beside a noarch recipe with conditions."""
    return "noarch_platforms:\n" + "".join(f"  - {platform}\n" for platform in _platforms(recipe))


def _tests(recipe: Recipe, newest: str) -> list[Any]:
    test: dict[str, Any] = {"imports": recipe.imports, "pip_check": True}
    if recipe.noarch:
        test["python_version"] = [f"{MIN}.*", newest]
    # A package without modules, such as type stubs, has files only.
    tests: list[Any] = [{"python": test} if recipe.imports else {"package_contents": {"files": recipe.contents}}]
    commands = [*recipe.commands, *([] if recipe.imports else ["pip check"])]
    if commands:
        where = {"requirements": {"run": [f"python {MIN}.*" if recipe.noarch else "python", "pip"]}}
        tests.append({"script": commands, **({} if recipe.imports else where)})
    if recipe.pytest:
        needs = {"run": [f"python {MIN}.*" if recipe.noarch else "python", *recipe.pytest]}
        tests.append({"files": {"source": recipe.tests}, "requirements": needs,
                      "script": [f"pytest {' '.join(path.rstrip('/') for path in recipe.tests)}"]})
    return tests
