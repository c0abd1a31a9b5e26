"""A v0 recipe of a pure Python package in v1's words, so that rattler-build can build what it says."""

from __future__ import annotations

import re
from typing import Any

from labhandbook.recipe.recipe_reader import Reading, Value
from labhandbook.recipe.requirement_specs import split
from labhandbook.recipe.yaml_text import Quoted, emit

# What conda-build and rattler-build both put in themselves.
KNOWN = re.compile(r"\{\{\s*(PYTHON|python_min)\s*\}\}")


def untranslatable(reading: Reading) -> str:
    """What in a v0 recipe this module can't say in v1's words; empty where it can say all."""
    if reading.node("outputs") is not None:
        return "it has several outputs"
    for path in ("source.url", "build.script", "requirements.host", "requirements.run", "test.requires",
                 "test.commands"):
        for value in reading.values(path):
            if "{{" in KNOWN.sub("", value.text):
                return f"line {value.line} calls a function of conda-build"
            if value.selector:
                return f"line {value.line} holds only for {value.selector}"
    return ""


def as_v1(reading: Reading, url: str) -> str:
    """The text of a v1 recipe that says what a v0 recipe says, with another address of the source."""
    source = {"url": url, "sha256": reading.get("source.sha256")}
    patches = _texts(reading, "source.patches")
    scripts = _texts(reading, "build.script")
    entry_points = _texts(reading, "build.python.entry_points")
    about = {key: reading.get(f"about.{key}") for key in ("homepage", "summary", "license")}
    return "\n".join(emit({
        "schema_version": 1,
        "package": {"name": reading.get("package.name"), "version": Quoted(reading.get("package.version"))},
        "source": {**source, **({"patches": patches} if patches else {})},
        "build": {"number": 0, "noarch": "python", "script": scripts,
                  **({"python": {"entry_points": entry_points}} if entry_points else {})},
        "requirements": {section: [_requirement(value) for value in reading.requirements(section)]
                         for section in ("host", "run") if reading.requirements(section)},
        "tests": _tests(reading),
        "about": {**{key: text for key, text in about.items() if text},
                  "license_file": _texts(reading, "about.license_file")},
    })) + "\n"


def _texts(reading: Reading, path: str) -> list[str]:
    return [_v1(value.text) for value in reading.values(path)]


def _v1(text: str) -> str:
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", r"${{ \1 }}", text)


def _requirement(value: Value) -> str:
    """A line of requirements; a version alone means all that begin with it to conda-build, and only itself to v1."""
    name, bounds = split(_v1(value.text))
    if bounds and re.fullmatch(r"[\d.]+|\$\{\{ python_min \}\}", bounds):
        bounds += ".*"
    return f"{name} {bounds}".strip()


def _tests(reading: Reading) -> list[Any]:
    commands = _texts(reading, "test.commands")
    tests: list[Any] = []
    if imports := _texts(reading, "test.imports"):
        tests.append({"python": {"imports": imports, "pip_check": "pip check" in commands}})
    if scripts := [line for line in commands if line != "pip check"]:
        files = _texts(reading, "test.source_files")
        tests.append({**({"files": {"source": files}} if files else {}), "script": scripts,
                      "requirements": {"run": [_requirement(value) for value in reading.values("test.requires")]}})
    return tests
