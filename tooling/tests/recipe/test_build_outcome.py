"""The reason of a build that failed reaches the user, at the line that caused it."""

from __future__ import annotations

from pathlib import Path

import pytest

from labhandbook.recipe.build_outcome import findings
from labhandbook.recipe.recipe_reader import parse
from tooling.tests.recipe.samples import line_of, v1

SOLVER = """failed to solve the environment
  × Cannot solve the request because of: {reason}
  ╰─▶ see the log
"""


@pytest.mark.parametrize(("reason", "words"), [
    ("No candidates were found for setuptools >=80.\n", "No candidates were found for setuptools >=80"),
    ("demo ==1 cannot be installed because there are no viable options:\n└─ demo 1 would require\n   └─ setuptools "
     ">=80, for which no candidates were found.\n", "No candidates were found for setuptools >=80"),
    ("setuptools >=80 cannot be installed because there are no viable options:\n", "cannot be installed because"),
])
def test_the_solvers_reason_is_in_the_message(reason: str, words: str) -> None:
    reading = parse(v1(), Path("recipe.yaml"), "recipe.yaml")
    result = {"ok": False, "stage": "building", "error": SOLVER.format(reason=reason), "log": []}
    (found,) = findings(reading, result)
    assert (found.rule.code, found.line) == ("RCP061", line_of(v1(), "- setuptools"))
    assert words in found.message, found.message
