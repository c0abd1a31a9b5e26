"""Rules on the tests of a recipe."""

from __future__ import annotations

from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At
from labhandbook.recipe.recipe_reader import Reading
from labhandbook.recipe.recipe_rules.recipe_rule import RECIPE, TESTS


def _section(reading: Reading) -> str:
    return "tests" if reading.form == "v1" else "test"


@RECIPE.rule("RCP030", "The package is imported in a test", source="conda-forge R-005", section=TESTS,
      why="A package that fails to import would be published otherwise; py-rattler-build accepts an empty list.",
      fix="List the modules that users import under imports.")
def imported(reading: Reading) -> Iterator[At]:
    """No test with an import."""
    if not reading.root or reading.node("outputs"):
        return
    if not reading.tests("python.imports"):
        yield At("no test imports the package" if reading.node(_section(reading)) else "the recipe has no tests",
                 line=reading.line(_section(reading)))


@RECIPE.rule("RCP031", "pip check runs", section=TESTS,
      why="Only this test finds a dependency that is missing under run, or a bound that differs.",
      fix="Write pip_check: true beside imports; in v0 pip check under commands and pip under requires.")
def pip_check(reading: Reading) -> Iterator[At]:
    """No pip check."""
    if not reading.root or not reading.tests("python.imports"):
        return
    if reading.form == "v1":
        for value in reading.tests("python.pip_check"):
            if value.held is False:
                yield At("pip_check is switched off", line=value.line)
    elif not any("pip check" in value.text for value in reading.tests("commands")):
        yield At("no pip check among the commands", line=reading.line("test.commands"))


@RECIPE.rule("RCP032", "The oldest and the newest Python are tested", source="conda-forge R1-004", section=TESTS,
             severity=WARNING,
      why="A noarch package is installed on every Python from python_min on.",
      fix='List python_min and "*" under python_version; in v0 require python at python_min.')
def both_ends(reading: Reading) -> Iterator[At]:
    """A noarch package tested with one Python."""
    if not reading.noarch or not reading.tests("python.imports"):
        return
    if reading.form == "v0":
        if not any(value.text.startswith("python ") and "python_min" in reading.lines[value.line - 1]
                   for value in reading.tests("requires")):
            yield At("the tests don't require python at python_min", line=reading.line("test.requires"))
        return
    found = reading.tests("python.python_version")
    if len(found) < 2 or not any("python_min" in reading.lines[value.line - 1] for value in found):
        line = found[0].line if found else reading.tests("python.imports")[0].line
        yield At("the tests run with one Python", line=line)
