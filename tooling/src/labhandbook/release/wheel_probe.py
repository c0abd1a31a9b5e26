"""Imports all that an installed package brings, in the package's own environment, and writes down what fails.

This file runs alone, on the Python of that environment: `python -I wheel_probe.py NAME REPORT`. The report has one
line of JSON for each thing that was tried. A last line without `done` names what ended or stopped the interpreter.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import warnings
from importlib import metadata
from pathlib import Path
from typing import Any

NOT_FOR_USERS = re.compile(r"(^|\.)(__main__|conftest|tests?|testing|test_\w+|\w+_tests?|setup|_vendor\w*|vendor\w*)"
                           r"(\.|$)")
# Libraries for plug-ins bring entry points that must fail, for their own tests.
OF_TESTS = re.compile(r"\.tests?(\.|:|$)")


def names(package: metadata.Distribution) -> list[str]:
    """The dotted names of a package's modules, those that only tests need left out."""
    found = set()
    for file in package.files or ():
        parts = list(file.parts)
        stem, _, ending = parts[-1].partition(".")
        if ".." in parts or (ending != "py" and not ending.endswith(("so", "pyd"))):
            continue
        parts = parts[:-1] if stem == "__init__" else [*parts[:-1], stem]
        if parts and all(part.isidentifier() for part in parts) and not NOT_FOR_USERS.search(".".join(parts)):
            found.add(".".join(parts))
    return sorted(found)


def attempt(report: Path, kind: str, name: str, group: str, action: Any) -> None:
    """Try one thing; write down that it began, and how it ended."""
    entry = {"kind": kind, "name": name, "group": group}
    with report.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry) + "\n")
    error: BaseException | None = None
    value = None
    try:
        value = action()
    except BaseException as raised:  # What a module raises when it is imported can be anything.
        error = raised
    entry["done"] = "yes"
    if error is not None:
        entry["error"] = "{}: {}".format(type(error).__name__, str(error).partition("\n")[0])
        entry["missing"] = str(getattr(error, "name", None) or "") if isinstance(error, ModuleNotFoundError) else ""
        entry["file"] = str(error.filename or "") if isinstance(error, FileNotFoundError) else ""
    elif isinstance(value, str):
        entry["value"] = value
    with report.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry) + "\n")


def follow(target: str) -> None:
    """Load what an entry point names."""
    module, _, attributes = re.sub(r"\[.*", "", target).strip().partition(":")
    place: Any = importlib.import_module(module.strip())
    for name in filter(None, attributes.strip().split(".")):
        place = getattr(place, name)


def main(name: str, report: Path) -> None:
    """Try every module, every entry point and every `__version__`."""
    warnings.simplefilter("ignore")
    package = metadata.distribution(name)
    modules = names(package)
    for module in modules:
        attempt(report, "module", module, "", lambda module=module: importlib.import_module(module) and None)
    for point in package.entry_points:
        attempt(report, "entry", f"{point.name} = {point.value}", point.group,
                lambda point=point: follow(point.value))
    for module in modules:
        if module in sys.modules and "." not in module:
            attempt(report, "version", module, "", lambda module=module: vars(sys.modules[module]).get("__version__"))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
