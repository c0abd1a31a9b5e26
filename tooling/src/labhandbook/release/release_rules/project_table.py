"""Rules on the [project] table as a whole, its classifiers and the tools that build it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING

from labhandbook.core.rules import WARNING, At, unverified
from labhandbook.core.wording import hint
from labhandbook.package.project import normalise
from labhandbook.package.version_tables import minimum
from labhandbook.release.project_facts import PROJECT, Facts

if TYPE_CHECKING:
    from packaging.requirements import Requirement

SECTION = "sec-pypi-metadata"
PACKAGES = {"setuptools": "setuptools", "hatchling": "hatchling", "flit": "flit-core", "pdm": "pdm-backend",
            "poetry": "poetry-core", "uv_build": "uv-build", "mesonpy": "meson-python", "maturin": "maturin",
            "scikit_build_core": "scikit-build-core"}
# Other rules check these, with better messages than a schema has.
OWN_RULES = ("classifiers", "license", "license-files", "readme", "requires-python", "version", "dynamic",
             "dependencies", "optional-dependencies")


@PROJECT.rule("REL050", "The metadata is in [project]",
      why="[project] is the one form that every tool reads; the rules can't read the older forms either.",
      fix="Move name, version, dependencies and the rest to [project], as the chapter shows.",
      section=SECTION, severity=WARNING)
def standard_table(facts: Facts) -> Iterator[At]:
    """No [project] table: metadata in setup.py, setup.cfg or a tool's own table."""
    if not facts.project.table:
        yield At("there is no [project] table, so licence, Python versions, dependencies and description are checked "
                 "only once the package is built")


@PROJECT.rule("REL051", "pyproject.toml follows its standards",
      why="A backend stops at a misplaced or misspelt field, or ignores it without a warning.",
      fix="Compare the field with the guide to pyproject.toml on packaging.python.org.",
      section=SECTION)
def valid(facts: Facts) -> Iterator[At]:
    """What the schemas of validate-pyproject refuse, beyond what other rules check."""
    if not facts.project.table:
        return
    data = deepcopy({key: value for key, value in facts.project.data.items() if key in ("project", "build-system")})
    for key in OWN_RULES:
        data["project"].pop(key, None)
    data["project"]["version"] = "1"
    try:
        from validate_pyproject.api import Validator
        from validate_pyproject.errors import ValidationError
    except ImportError:
        yield unverified("validate-pyproject is not installed, so the fields were not checked")
        return
    try:
        # Without the schemas of tools: each is checked by the tool itself.
        Validator(plugins=[])(data)
    except ValidationError as error:
        field = str(error.name).replace("`", "").replace("data.", "")
        name = field.rpartition(".")[2].partition("[")[0]
        yield At(error.summary.replace("`", "").replace("data.", "").rstrip("."),
                 line=facts.project.line(name, field.rpartition(".")[0] or ""))


@PROJECT.rule("REL052", "Classifiers are known",
      why="PyPI refuses a file with an unknown classifier; twine accepts it.",
      fix="Take classifiers from the list on PyPI (the package trove-classifiers has it).",
      section=SECTION)
def known_classifiers(facts: Facts) -> Iterator[At]:
    """Unknown and deprecated classifiers."""
    project = facts.project
    texts = [text for text in project.strings("project", "classifiers") if not text.startswith("Private ::")]
    if not texts:
        return
    try:
        from trove_classifiers import classifiers, deprecated_classifiers
    except ImportError:
        yield unverified("trove-classifiers is not installed, so classifiers were not checked")
        return
    for text in texts:
        if text in deprecated_classifiers:
            new = deprecated_classifiers[text]
            yield At(f"{text!r} is deprecated{'; use ' + new[0] if new else ''}", line=project.line(text),
                     severity=WARNING)
        elif text not in classifiers:
            yield At(f"{text!r} is not a known classifier{hint(text, classifiers)}", line=project.line(text))


@PROJECT.rule("REL053", "The package is meant to be published",
      why="A classifier that begins with Private :: makes PyPI refuse every upload.",
      fix="Delete the classifier if the package is to be public; if not, don't release it to PyPI.",
      section=SECTION)
def public(facts: Facts) -> Iterator[At]:
    """`Private ::` classifiers."""
    for text in facts.project.strings("project", "classifiers"):
        if text.startswith("Private ::"):
            yield At(f"{text!r} keeps the package off PyPI", line=facts.project.line(text))


@PROJECT.rule("REL054", "The build system is named, with its package",
      why="An isolated build installs what build-system.requires names and nothing else.",
      fix="Add a [build-system] table with requires and build-backend.",
      section=SECTION)
def build_system(facts: Facts) -> Iterator[At]:
    """No [build-system], or requires without the backend."""
    project = facts.project
    table = project.section("build-system")
    if not table:
        yield At("there is no [build-system] table: every tool guesses the oldest setuptools", severity=WARNING)
        return
    wanted = PACKAGES.get(project.tool)
    if wanted and "backend-path" not in table and wanted not in _requirements(facts):
        yield At(f"build-system.requires lacks {wanted}", line=project.line("requires", "build-system"))


@PROJECT.rule("REL055", "The build tools are new enough for the metadata",
      why="An older version stops the build at an unknown field, or leaves the field out without a warning.",
      fix="Raise the lower bound in build-system.requires.",
      section=SECTION)
def new_enough(facts: Facts) -> Iterator[At]:
    """Lower bounds in build-system.requires below what the metadata ask for."""
    project = facts.project
    asked = _requirements(facts)
    package = PACKAGES.get(project.tool, "")
    # hatchling read an expression long before it read a list of licence files.
    modern = isinstance(project.table.get("license-files"), list) or (
        isinstance(project.table.get("license"), str) and package != "hatchling")
    reasons = []
    if modern:
        reasons.append((package, minimum("licence-expression").get(package), "an SPDX licence or license-files"))
    elif project.table:
        reasons.append((package, minimum("project-table").get(package), "the [project] table"))
    if "setuptools-scm" in asked and "simple" in asked["setuptools-scm"][0].extras:
        reasons.append(("setuptools-scm", minimum("plug-in")["setuptools-scm[simple]"], "the extra simple"))
    elif "version_file" in project.section("tool", "setuptools_scm"):
        reasons.append(("setuptools-scm", minimum("plug-in")["setuptools-scm"], "version_file"))
    old = []
    for name, least, reason in reasons:
        # An isolated build takes the newest version there is, so the mistake hides until someone has an older one.
        if least and name in asked and _admits_below(asked[name][0], least):
            text = asked[name][1]
            old.append((text, f"{text} admits versions older than {least}, the first that reads {reason}"))
    if old:
        yield At("; ".join(said for _, said in old), line=project.line(old[0][0], "build-system"), severity=WARNING)


def _requirements(facts: Facts) -> dict[str, tuple[Requirement, str]]:
    """What the build requires by name, as it is meant and as it is written."""
    from packaging.requirements import InvalidRequirement, Requirement

    found = {}
    for text in facts.project.strings("build-system", "requires"):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        found[normalise(requirement.name)] = requirement, text
    return found


def _admits_below(requirement: Requirement, least: str) -> bool:
    from packaging.version import Version

    bounds = [Version(specifier.version.removesuffix(".*")) for specifier in requirement.specifier
              if specifier.operator in (">=", ">", "~=", "==")]
    return not bounds or max(bounds) < Version(least)
