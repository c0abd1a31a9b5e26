"""Rules on a recipe's requirements."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At
from labhandbook.recipe.conda_forge_facts import avoided, facts, python_min
from labhandbook.recipe.recipe_reader import Entry, Reading
from labhandbook.recipe.recipe_rules.recipe_rule import FIELDS, RECIPE
from labhandbook.recipe.requirement_specs import split

SECTIONS = ("build", "host", "run")
MIN = re.compile(r"\{\{\s*python_min\s*\}\}")


def _each(reading: Reading) -> Iterator[tuple[str, Entry]]:
    for section in SECTIONS:
        for value in reading.requirements(section):
            yield section, value


def _uses_pip(reading: Reading) -> bool:
    return any("pip install" in value.text for value in reading.values("build.script"))


@RECIPE.rule("RCP020", "host names the build backend and pip", source="conda-forge R-046",
      why="pip downloads nothing at conda-forge, so what builds the package must be installed.",
      fix="List pip and what [build-system] in pyproject.toml requires.", section=FIELDS)
def backend(reading: Reading) -> Iterator[At]:
    """A recipe built by pip without pip or a backend in host."""
    if _uses_pip(reading):
        names = {split(value.text)[0].replace("_", "-") for value in reading.requirements("host")}
        line = reading.line("requirements.host")
        if "pip" not in names:
            yield At("host lacks pip", line=line)
        if not names & {one.replace("_", "-") for one in facts()["backends"]}:
            yield At("host names no build backend", line=line)


@RECIPE.rule("RCP021", "A noarch recipe bounds python by python_min", source="conda-forge R-026, R-047",
      why="conda-forge raises python_min for all recipes at once; your own number goes out of date (CFEP-25).",
      fix="In host python at python_min, in run python >= python_min.", section=FIELDS)
def lower_bound(reading: Reading) -> Iterator[At]:
    """Host and run of a noarch recipe."""
    if not reading.noarch:
        return
    for section, sign in (("host", ""), ("run", ">=")):
        value = reading.requirement(section, "python")
        if value is None:
            yield At(f"{section} lacks python", line=reading.line(f"requirements.{section}"))
            continue
        written = _written(reading, value)
        if not MIN.search(written) or (sign and not re.search(r">=\s*\$?\{\{\s*python_min", written)):
            yield At(f"{section} has {written}, not {'at least ' if sign else ''}python_min", line=value.line)


def _written(reading: Reading, value: Entry) -> str:
    """A line of the recipe without its list mark and comment."""
    line = reading.lines[value.line - 1]
    return re.sub(r"^\s*-\s*|\s+#.*$", "", line).strip("'\" ")


@RECIPE.rule("RCP022", "python_min is set only when it must be higher", source="conda-forge R-052",
      why="conda-forge raises it for all recipes at once; your own value stays behind.",
      fix="Remove the line.", severity=WARNING, section=FIELDS)
def redefined(reading: Reading) -> Iterator[At]:
    """python_min at or below conda-forge's."""
    found = reading.context.get("python_min", "")
    if re.fullmatch(r"3\.\d+", found) and int(found[2:]) <= int(python_min()[2:]):
        lines = (number for number, text in enumerate(reading.lines, 1) if re.search(r"python_min\s*[:=]", text))
        line = next(lines, 1)
        yield At(f"python_min is set to {found}, and conda-forge has {python_min()}", line=line)


@RECIPE.rule("RCP023", "A package with python under host has it under run too", source="conda-forge R-023",
      why="Without python under run the package installs without a Python.",
      fix="Add python to run.", section=FIELDS)
def python_in_run(reading: Reading) -> Iterator[At]:
    """python in host, not in run."""
    if not reading.noarch and reading.requirement("host", "python") and not reading.requirement("run", "python"):
        yield At("host has python, run does not have it", line=reading.line("requirements.run"))


@RECIPE.rule("RCP024", "A compiled package sets no bound for python", source="conda-forge R-024",
      why="conda-forge builds it for each Python; a bound hides some of them.",
      fix="Write python alone, and leave out versions with build.skip.", section=FIELDS)
def free_python(reading: Reading) -> Iterator[At]:
    """Bounds of python in a recipe that isn't noarch."""
    if reading.compilers and not reading.noarch:
        for section in ("host", "run"):
            value = reading.requirement(section, "python")
            if value and split(value.text)[1]:
                yield At(f"{section} has {value.text}", line=value.line)


@RECIPE.rule("RCP025", "A requirement is a name, a space and its bounds",
             source="conda-forge R-017, R-021, R-022, R-048",
      why="conda reads `numpy>=1.26` and `numpy >= 1.26` differently from pip, or refuses them.",
      fix="Write it like numpy >=1.26,<3.", section=FIELDS)
def spelling(reading: Reading) -> Iterator[At]:
    """Spaces in the wrong places, extras, markers and pip's operators."""
    for section, value in _each(reading):
        text = re.sub(r"\$?\{\{[^{}]*\}\}", "0", value.text)
        if text.startswith("0"):
            continue
        if "[" in text.partition(" ")[0] or ";" in text:
            yield At(f"{section}: {value.text} has an extra or a marker, which conda does not have", line=value.line)
        elif re.match(r"[\w.-]+[<>=!~]", text):
            yield At(f"{section}: {value.text} has no space before its bounds", line=value.line)
        elif re.search(r"[<>=!~]\s+[\d*]", text) or re.search(r",\s", text):
            yield At(f"{section}: {value.text} has a space inside its bounds", line=value.line)
        elif text.endswith(" x.x"):
            yield At(f"{section}: {value.text} is an old way to pin numpy; write numpy alone", line=value.line)


@RECIPE.rule("RCP026", "Requirements have conda-forge's names", source="conda-forge CF-002",
      why="matplotlib brings a graphical toolkit where matplotlib-base is enough, and torch or build are other "
          "packages there.",
      fix="Use the name that the message gives.", section=FIELDS)
def names(reading: Reading) -> Iterator[At]:
    """Names that mean another package on conda-forge."""
    for section, value in _each(reading):
        name = split(value.text)[0]
        if name in avoided():
            yield At(f"{section}: {name} is {avoided()[name]} on conda-forge", line=value.line)


@RECIPE.rule("RCP027", "A compiler comes with stdlib", source="conda-forge R-033",
      why="It says on which systems the result runs; conda-forge's linter refuses compilers without it.",
      fix='Add stdlib("c") beside the compiler.', section=FIELDS)
def stdlib(reading: Reading) -> Iterator[At]:
    """Compilers alone."""
    if reading.compilers and not any("stdlib(" in value.text for value in reading.requirements("build")):
        yield At("a compiler is used without stdlib", line=reading.compilers[0].line)


@RECIPE.rule("RCP028", "A requirement is listed once in its section", severity=WARNING,
      why="With two lines for one package, readers and updates may see only one.",
      fix="Join the bounds with a comma on one line.", section=FIELDS)
def once(reading: Reading) -> Iterator[At]:
    """Two lines for one package."""
    for section in SECTIONS:
        seen: dict[str, int] = {}
        for value in reading.requirements(section):
            name = split(value.text)[0]
            if "{{" not in name and not value.selector and name in seen:
                yield At(f"{section}: {name} is on line {seen[name]} already", line=value.line)
            seen.setdefault(name, value.line)
