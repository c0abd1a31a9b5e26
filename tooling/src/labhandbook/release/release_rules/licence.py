"""Rules on the licence: declared in today's form, and its text in every file that is published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from labhandbook.core.rules import WARNING, At
from labhandbook.core.wording import listed
from labhandbook.package.version import requires
from labhandbook.package.version_tables import minimum
from labhandbook.release.project_facts import PROJECT, Facts

SECTION = "sec-pypi-metadata-licence"
# What backends include when license-files is not given; PEP 639 names these.
USUAL = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")
STRICT = ("setuptools", "flit", "pdm")  # They refuse an expression beside a classifier; PyPI takes both.
LICENCE = re.compile(r"(?i)(licen[cs]e|copying|unlicense)([-.].*)?$")


def patterns(facts: Facts) -> list[str] | None:
    """The declared patterns for licence files; None when there are none and the usual ones count."""
    project = facts.project
    value = project.table.get("license-files")
    if isinstance(value, list):
        return project.strings("project", "license-files")
    if isinstance(value, dict):
        return [pattern for key in ("paths", "globs") for pattern in project.strings("project", "license-files", key)]
    if old := project.strings("tool", "setuptools", "license-files"):
        return old
    licence = project.table.get("license")
    return [licence["file"]] if isinstance(licence, dict) and isinstance(licence.get("file"), str) else None


def matching(pattern: str, names: frozenset[str]) -> list[str]:
    """The files that a pattern of license-files names: a star stays in its folder, two stars don't."""
    if "**" in pattern:
        return [name for name in names if fnmatchcase(name, pattern) or fnmatchcase(name, pattern.replace("**/", ""))]
    return [name for name in names if name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)]


@PROJECT.rule("REL020", "The licence is an SPDX expression",
      why="Tools and people read the licence from this expression. The table form is deprecated, and setuptools "
          "stops reading it.",
      fix="Write license = \"BSD-3-Clause\" (your licence's SPDX name) and license-files = [\"LICEN[CS]E*\"].",
      section=SECTION)
def expression(facts: Facts) -> Iterator[At]:
    """No licence, the deprecated table, or a text that is no SPDX expression."""
    project = facts.project
    if not project.table:
        return
    licence, line = project.table.get("license"), project.line("license", "project")
    if isinstance(licence, dict):
        ends = minimum("licence-table").get(project.tool)
        until = f"; {project.tool} reads it until {ends}" if ends else ""
        yield At(f"license is a table, the deprecated form{until}", line=line, severity=WARNING)
    elif isinstance(licence, str):
        from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

        try:
            canonicalize_license_expression(licence)
        except InvalidLicenseExpression:
            yield At(f"{licence!r} is not an SPDX expression", line=line)
    elif "license" not in project.dynamic:
        if any(text.startswith("License ::") for text in project.strings("project", "classifiers")):
            yield At("the licence is only in a classifier", line=project.line("classifiers", "project"),
                     severity=WARNING)
        else:
            yield At("no licence is declared", line=project.line("[project]"), severity=WARNING)
    for table in ("license-files", "license_files"):
        if table in project.section("tool", "setuptools"):
            yield At(f"tool.setuptools.{table} is deprecated: project.license-files replaces it",
                     line=project.line(table, "tool.setuptools"), severity=WARNING)


@PROJECT.rule("REL021", "There is no licence classifier beside the licence expression",
      why="The classifiers are deprecated. If there is an expression too, setuptools, flit and pdm refuse to build.",
      fix="Delete the classifiers that begin with License ::.",
      section=SECTION)
def no_classifier(facts: Facts) -> Iterator[At]:
    """`License ::` classifiers beside an expression."""
    project = facts.project
    found = [text for text in project.strings("project", "classifiers") if text.startswith("License ::")]
    if found and isinstance(project.table.get("license"), str):
        verb = "are" if len(found) > 1 else "is"
        yield At(f"{listed(map(repr, found))} {verb} beside license = \"{project.table['license']}\"",
                 line=project.line(found[0]), severity=None if project.tool in STRICT else WARNING)


@PROJECT.rule("REL022", "There is a licence file, and license-files names it",
      why="Without the licence's text nobody may use the package, and conda-forge refuses the package. A pattern "
          "that matches nothing stops the build.",
      fix="Add the text as LICENSE in the project's root, and license-files = [\"LICEN[CS]E*\"].",
      section=SECTION)
def file_named(facts: Facts) -> Iterator[At]:
    """No licence file, one that no pattern matches, or a pattern without a file that is no submodule's."""
    project = facts.project
    if not project.table:
        return
    every = facts.files | facts.loose
    given = patterns(facts)
    key = "license-files" if "license-files" in project.table else "license"
    line = project.line(key, "project")
    if given is not None:
        for pattern in given:
            if pattern.startswith("/") or ".." in PurePosixPath(pattern).parts:
                yield At(f"{pattern} leaves the project's folder", line=line)
            elif not matching(pattern, every) and not pattern.startswith(tuple(f"{name}/" for name in facts.absent)):
                yield At(f"{pattern} matches no file", line=line)
    found = {name for pattern in (USUAL if given is None else given) for name in matching(pattern, every)}
    texts = sorted(name for name in every if "/" not in name and LICENCE.match(name) and not name.endswith(".py"))
    if not texts and not found and not given:
        if requires(project, "coherent.licensed"):  # It writes the file into the sdist.
            return
        if any(name.startswith("LICENSES/") for name in every):  # REUSE keeps the texts there.
            yield At("the licences in LICENSES are not named by license-files", line=line, severity=WARNING,
                     fix='Write license-files = ["LICENSES/*"].')
        else:
            yield At("there is no licence file", "LICENSE", severity=WARNING)
    elif unnamed := [name for name in texts if name not in found]:
        yield At(f"{listed(unnamed)} is not named by license-files", unnamed[0], severity=WARNING)


@PROJECT.rule("REL023", "The licence file gets into the sdist",
      why="An sdist made in CI comes from what git has: without the licence's text in it, conda-forge refuses it.",
      fix="git add the licence file, and remove it from the exclude patterns.",
      section=SECTION)
def file_shipped(facts: Facts) -> Iterator[At]:
    """A licence file that git doesn't track, or that the backend's settings leave out."""
    project = facts.project
    given = patterns(facts)
    every = facts.files | facts.loose
    named = sorted({name for pattern in (USUAL if given is None else given) for name in matching(pattern, every)})
    for name in named:
        if project.git is not None and name not in facts.files:
            yield At(f"git doesn't track {name}", name)
    # setuptools and hatchling add licence files whatever the patterns say; these backends obey them.
    for table, key in (("tool.flit.sdist", "exclude"), ("tool.pdm.build", "excludes"), ("tool.poetry", "exclude"),
                       ("tool.uv.build-backend", "source-exclude")):
        for pattern in project.strings(*table.split("."), key):
            if out := [name for name in named if fnmatchcase(name, pattern.removeprefix("/").removeprefix("**/"))]:
                yield At(f"{table}.{key} leaves out {listed(out)}", line=project.line(key, table))
