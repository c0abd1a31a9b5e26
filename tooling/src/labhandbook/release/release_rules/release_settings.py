"""Rules on the settings of the release itself."""

from __future__ import annotations

from collections.abc import Iterator

from labhandbook.core.rule_pages import load
from labhandbook.core.rules import REGISTRY, WARNING, At
from labhandbook.core.wording import hint
from labhandbook.package.project import TABLE
from labhandbook.release.project_facts import PROJECT, Facts

SECTION = "sec-pypi-metadata"


@PROJECT.rule("REL090", "A rule is ignored for a reason",
      why="Without the reason nobody can decide later whether the rule may be applied again.",
      fix='Write the reason: REL042 = "numpy has no version that we fail with".',
      section=SECTION)
def with_reason(facts: Facts) -> Iterator[At]:
    """`ignore` with an empty reason."""
    for code, reason in facts.project.settings.ignore.items():
        if not reason.strip():
            yield At(f"{code} is ignored without a reason", line=facts.project.line(code, f"{TABLE}.ignore"))


@PROJECT.rule("REL091", "An ignored rule exists",
      why="A misspelt code ignores nothing, so the findings of the rule that was meant remain.",
      fix="Correct the code; the reference page of rules lists all of them.",
      section=SECTION)
def known_code(facts: Facts) -> Iterator[At]:
    """`ignore` with a code that no rule has."""
    for code in facts.project.settings.ignore:
        line = facts.project.line(code, f"{TABLE}.ignore")
        if code in ("REL090", "REL091"):
            yield At(f"{code} can't be ignored", line=line)
        elif code not in REGISTRY and not later(code):
            yield At(f"there is no rule {code}{hint(code, REGISTRY)}", line=line)


@PROJECT.rule("REL092", "Files of a release stay out of the sdist of a build by hand",
      why="hatchling reads no .gitignore but the one at the top of the project, so python -m build puts .handbook "
          "into the sdist. handbook release build works on a copy of the commit and keeps its own files outside the "
          "project. Only in GitHub Actions are they in .handbook.",
      fix="Add /.handbook/ to .gitignore at the top of the project.",
      section="sec-pypi-build", severity=WARNING)
def state_hidden(facts: Facts) -> Iterator[At]:
    """Built files in a project of hatchling whose own .gitignore does not name them."""
    shipped = facts.project.tool == "hatchling" and facts.project.state.parent.name == ".handbook"
    if facts.built and shipped and ".handbook" not in facts.texts.get(".gitignore", ""):
        yield At("the .gitignore at the top does not name .handbook, which hatchling would ship", ".gitignore")


def later(code: str) -> bool:
    """Whether a code belongs to rules that are applied elsewhere: to built files, or by the doctor to workflows."""
    if code.startswith("GHA"):
        load("GHA")
        return code in REGISTRY
    return code.startswith("REL") and code[3:].isdigit() and len(code) == 6 and int(code[3:]) >= 100
