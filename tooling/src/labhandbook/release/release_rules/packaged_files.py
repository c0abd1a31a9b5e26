"""Rules on which files of the source tree reach the package."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from labhandbook.core.rules import ERROR, WARNING, At, unverified
from labhandbook.core.wording import listed
from labhandbook.package.source_layout import folders_of, survey
from labhandbook.release.project_facts import Facts
from labhandbook.release.release_rules.project_rule import PROJECT

SECTION = "sec-pypi-metadata-packages"


@PROJECT.rule("REL070", "The package is found",
      why="A build without modules makes an empty wheel, or stops because it can't tell which folder is meant.",
      fix="Name the folder: [tool.setuptools.packages.find] with include = [\"NAME\", \"NAME.*\"], or the like for "
           "your "
           "backend.",
      section=SECTION)
def found(facts: Facts) -> Iterator[At]:
    """No package, a listed package without a folder, or several folders to choose from."""
    project = facts.project
    layout = survey(project, facts.files, facts.texts)
    line = project.line(layout.key or f"[{layout.table}]", layout.table) if layout.table else 1
    if layout.problem:
        yield unverified(f"which modules the wheel gets is not known before the build: {layout.problem}", line=line)
    if layout.absent:
        yield At(f"there is no module {listed(layout.absent)}", line=line)
    if layout.strays:
        yield At(f"{listed(layout.strays)} all look like packages, and automatic discovery stops at more than one",
                 line=line)
    if not (layout.problem or layout.absent or layout.strays or layout.shipped or layout.key == "py-modules"):
        yield At("no package or module is found", line=line)


@PROJECT.rule("REL071", "Every importable package is in the package list",
      why="An editable install finds a subpackage that the list forgets; the wheel lacks it, and users get an "
          "ImportError.",
      fix="Let setuptools find the packages with [tool.setuptools.packages.find], or add the missing ones to the "
           "list.",
      section=SECTION)
def complete(facts: Facts) -> Iterator[At]:
    """Subpackages that a list or its patterns leave out."""
    project = facts.project
    layout = survey(project, facts.files, facts.texts)
    line = project.line(layout.key or f"[{layout.table}]", layout.table)
    if layout.missing:
        beside = not any(name.startswith(f"{owner}.") for name in layout.missing for owner in layout.shipped)
        told = "isn't in the wheel" if len(layout.missing) == 1 else "aren't in the wheel"
        yield At(f"{listed(layout.missing)} {told}", line=line, severity=WARNING if beside else None)
    if layout.data:
        told = "is" if len(layout.data) == 1 else "are"
        yield At(f"{listed(layout.data)} {told} not in the list: only while setuptools takes everything in git for "
                 f"data of "
                 f"the parent does the wheel hold them", line=line, severity=WARNING)


@PROJECT.rule("REL072", "Every folder with modules is a package",
      why="Without __init__.py some tools take a folder for a package and others don't: it works here and is "
          "missing there.",
      fix="Add an empty __init__.py, or move the files out of the package.",
      section=SECTION, severity=WARNING)
def with_init(facts: Facts) -> Iterator[At]:
    """Folders with modules inside a package, but without `__init__.py`."""
    layout = survey(facts.project, facts.files, facts.texts)
    tops = {place for place in layout.shipped.values() if f"{place}/__init__.py" in facts.files}
    bare = {}
    for folder in folders_of(facts.files):
        owner = max((top for top in tops if folder.startswith(f"{top}/")), key=len, default=None)
        if owner is None or folder in layout.unwanted or f"{folder}/__init__.py" in facts.files:
            continue
        inside = posixpath.relpath(folder, owner).split("/")
        if all(part.isidentifier() for part in inside):
            bare[folder] = owner
    for folder in sorted(bare):
        if posixpath.dirname(folder) not in bare:
            lost = "; the list takes only packages with one" if not layout.namespaces else ""
            yield At(f"{folder} has modules and no __init__.py{lost}", folder,
                     severity=ERROR if not layout.namespaces else None)
