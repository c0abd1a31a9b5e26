"""Rules on the tests of a recipe."""

from __future__ import annotations

from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At
from labhandbook.core.yaml_reader import Value
from labhandbook.recipe.recipe_reader import Part, Reading
from labhandbook.recipe.recipe_rules.recipe_rule import ADVICE, RECIPE, TESTS

FILES = ("run_test.py", "run_test.sh", "run_test.bat", "run_test.pl")


def _tested(part: Part) -> bool:
    """Whether a part has a test in the eyes of conda-forge's linter."""
    if part.reading.form == "v1":
        return bool(part.tests())
    test = part.value["test"]
    return bool(test.keys.keys() & {"imports", "commands"}) or (
        not part.top and test["script"].text.endswith((".bat", ".sh")))


@RECIPE.rule("RCP030", "The package is tested", source="conda-forge R-005, R-006", section=TESTS,
      why="Without a test, conda-forge publishes a package that fails to import.",
      fix="List the modules that users import under imports, or commands that must succeed.")
def tested(reading: Reading) -> Iterator[At]:
    """No test in the recipe; a hint for each output without one."""
    section, (top, *outputs) = "tests" if reading.form == "v1" else "test", reading.parts
    beside = reading.form == "v0" and any(reading.path.with_name(name).is_file() for name in FILES)
    if not reading.root or _tested(top) or beside:
        return
    lacking = [part for part in outputs if not _tested(part) and not part.value["staging"]]
    if not outputs or not any(_tested(part) for part in outputs):
        yield At("the recipe has no tests", line=reading.line(section))
        return
    for part in lacking:
        yield At(f"the output {part.name} has no tests", line=part.value.line, severity=WARNING)


@ADVICE.rule("RCP031", "pip check runs", section=TESTS, severity=WARNING,
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


@RECIPE.rule("RCP032", "The oldest and the newest Python are tested", source="conda-forge R-047, R1-004, R1-005",
      section=TESTS, severity=WARNING,
      why="A noarch or abi3 package is installed on every Python from python_min on.",
      fix='List python_min and "*" under python_version; in v0 require python at python_min.')
def both_ends(reading: Reading) -> Iterator[At]:
    """A package for all Pythons that is tested with one."""
    for part in reading.parts[1:] or reading.parts:
        if reading.form == "v0":
            if part.noarch == "python" and "hint_python_min" not in reading.skipped and not any(
                    value.text.startswith("python ") and "python_min" in reading.lines[value.line - 1]
                    for value in part.entries(part.value["test"]["requires"])):
                yield At("the tests don't require python at python_min", line=_line(part))
            continue
        hint = "hint_noarch_python_test_latest" if part.noarch == "python" else \
            "hint_python_version_independent_test_latest"
        capped = any(value.text.split()[:1] == ["python"] and "<" in value.text for value in part.requirements("run"))
        if (part.noarch == "python" or part.abi3) and not capped and hint not in reading.skipped:
            for test in part.tests():
                versions = part.entries(test["python"]["python_version"])
                if test["python"] and "*" not in [value.text for value in versions]:
                    yield At("the tests don't run with the newest Python", line=_line(part, test["python"]))
                    break
        if part.noarch == "python" and "hint_python_min" not in reading.skipped and not any(
                "python_min" in reading.lines[value.line - 1] for test in part.tests()
                for value in (*part.entries(test["python"]["python_version"]),
                              *part.entries(test["requirements"]["run"]))):
            python = next((test["python"] for test in part.tests() if test["python"]), None)
            yield At("the tests don't run with python_min", line=_line(part, python))


def _line(part: Part, python: Value | None = None) -> int:
    """The line of the Python versions in a test, else of the tests."""
    if python is not None:
        return python.at("python_version")
    return part.value.at("tests" if part.reading.form == "v1" else "test") or 1
