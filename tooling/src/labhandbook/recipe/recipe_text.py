"""A recipe as text: v1 (`recipe.yaml`), which new recipes are written in, and v0 (`meta.yaml`)."""

from __future__ import annotations

from typing import Any

from labhandbook.recipe.recipe_model import Recipe, Requirement
from labhandbook.recipe.yaml_text import Quoted, emit, folded, scalar

FILES = {"v1": "recipe.yaml", "v0": "meta.yaml"}
SCRIPT = "{python} -m pip install . -vv --no-deps --no-build-isolation"
ABOUT_V0 = {"homepage": "home", "documentation": "doc_url", "repository": "dev_url"}


def render(recipe: Recipe, form: str = "v1") -> str:
    """The text of a recipe in a format of FILES."""
    return v1(recipe) if form == "v1" else v0(recipe)


def v1(recipe: Recipe) -> str:
    """`recipe.yaml`, one empty line between its sections."""
    context: dict[str, Any] = {"version": Quoted(recipe.version)}
    if recipe.python_min:
        context["python_min"] = Quoted(recipe.python_min)
    build: dict[str, Any] = {"number": recipe.number}
    if recipe.noarch:
        build["noarch"] = "python"
    build["script"] = SCRIPT.format(python="${{ PYTHON }}")
    if recipe.entry_points and recipe.noarch:
        build["python"] = {"entry_points": recipe.entry_points}
    needs = {"build": _v1_lines(recipe.build)} if recipe.build else {}
    if recipe.noarch:
        pythons = ["python ${{ python_min }}.*"], [f"python >=${{{{ python_min }}}}{_comma(recipe.python_upper)}"]
    else:
        pythons = ["python"], ["python"]
    sections: dict[str, Any] = {
        "context": context,
        "package": {"name": recipe.name, "version": "${{ version }}"},
        "source": {"url": recipe.url.replace("{version}", "${{ version }}"), "sha256": recipe.sha256},
        "build": build,
        "requirements": {**needs, "host": [*pythons[0], *_v1_lines(recipe.host)],
                         "run": [*pythons[1], *_v1_lines(recipe.run)]},
        "tests": _v1_tests(recipe),
        "about": _about(recipe, {}),
        "extra": {"recipe-maintainers": recipe.maintainers or ["your-github-name"]},
    }
    blocks = ["schema_version: 1", *("\n".join(emit({name: held})) for name, held in sections.items())]
    return "\n\n".join(blocks) + "\n"


def _comma(text: str) -> str:
    return f",{text}" if text else ""


def _v1_lines(requirements: list[Requirement]) -> list[Any]:
    """Requirements in their order; those for some systems as `if` and `then`."""
    return [{"if": " or ".join(one.systems), "then": [one.text]} if one.systems else one.text for one in requirements]


def _v1_tests(recipe: Recipe) -> list[Any]:
    test: dict[str, Any] = {"imports": recipe.imports, "pip_check": True}
    if recipe.noarch:
        test["python_version"] = ["${{ python_min }}.*", "*"]
    tests: list[Any] = [{"python": test}]
    if recipe.commands:
        tests.append({"script": recipe.commands})
    if recipe.pytest:
        needs = {"run": ["python ${{ python_min }}.*" if recipe.noarch else "python", *recipe.pytest]}
        tests.append({"files": {"source": recipe.tests}, "requirements": needs,
                      "script": [f"pytest {' '.join(path.rstrip('/') for path in recipe.tests)}"]})
    return tests


def _about(recipe: Recipe, names: dict[str, str]) -> dict[str, Any]:
    files = recipe.license_files
    said: dict[str, Any] = {
        "homepage": recipe.homepage, "summary": recipe.summary,
        "description": folded(recipe.description) if recipe.description else "",
        "license": recipe.license, "license_file": files[0] if len(files) == 1 else files,
        "documentation": recipe.documentation, "repository": recipe.repository,
    }
    return {names.get(key, key): value for key, value in said.items() if value}


def v0(recipe: Recipe) -> str:
    """`meta.yaml`, whose Jinja stands outside of YAML's quotes."""
    head = [f'{{% set name = "{recipe.name}" %}}', f'{{% set version = "{recipe.version}" %}}']
    if recipe.python_min:
        head.append(f'{{% set python_min = "{recipe.python_min}" %}}')
    lowest = "{{ python_min }}"
    pythons = ([f"    - python {lowest}"], [f"    - python >={lowest}{_comma(recipe.python_upper)}"])
    if not recipe.noarch:
        pythons = (["    - python"], ["    - python"])
    lines = [*head, "", "package:", "  name: {{ name|lower }}", "  version: {{ version }}", "", "source:",
             f"  url: {recipe.url.replace('{version}', '{{ version }}')}", f"  sha256: {recipe.sha256}", "", "build:"]
    if recipe.noarch:
        lines.append("  noarch: python")
    lines += [f"  script: {SCRIPT.format(python='{{ PYTHON }}')}", f"  number: {recipe.number}"]
    if recipe.entry_points:
        lines += ["  entry_points:", *(f"    - {scalar(one)}" for one in recipe.entry_points)]
    lines += ["", "requirements:"]
    if recipe.build:
        lines += ["  build:", *_v0_lines(recipe.build)]
    lines += ["  host:", *pythons[0], *_v0_lines(recipe.host), "  run:", *pythons[1], *_v0_lines(recipe.run)]
    lines += ["", "test:"]
    if recipe.pytest:
        lines += ["  source_files:", *(f"    - {path}" for path in recipe.tests)]
    lines += ["  imports:", *(f"    - {name}" for name in recipe.imports), "  requires:", "    - pip"]
    lines += [f"    - python {lowest}"] if recipe.noarch else []
    lines += [f"    - {one}" for one in recipe.pytest]
    lines += ["  commands:", "    - pip check", *(f"    - {scalar(one)}" for one in recipe.commands)]
    lines += [f"    - pytest {' '.join(path.rstrip('/') for path in recipe.tests)}"] if recipe.pytest else []
    about = emit({"about": _about(recipe, ABOUT_V0)})
    people = emit({"extra": {"recipe-maintainers": recipe.maintainers or ["your-github-name"]}})
    return "\n".join([*lines, "", *about, "", *people]) + "\n"


def _v0_lines(requirements: list[Requirement]) -> list[str]:
    lines = []
    for one in requirements:
        text = one.text.replace("${{", "{{")
        lines.append(f"    - {text}" + (f"  # [{' or '.join(one.systems)}]" if one.systems else ""))
    return lines
