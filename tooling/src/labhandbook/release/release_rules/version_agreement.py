"""Rules on the version: there is one, it can be released, and all places agree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At, unverified
from labhandbook.package.changelog import heading
from labhandbook.package.version import requires, scm_is_on
from labhandbook.release.project_facts import PROJECT, Facts

SECTION = "sec-pypi-metadata-version"


@PROJECT.rule("REL001", "The version is known before the build",
      why="An unknown version can't be compared with the tag, the change log and the index.",
      fix="Take the version from the git tag with setuptools-scm, or write it into [project]. handbook release "
          "build asks the backend for any other version.",
      section=SECTION)
def findable(facts: Facts) -> Iterator[At]:
    """A version that only the backend knows."""
    found = facts.version
    if found.version is None:
        yield unverified(f"the version is unknown until the package is built: {found.problem}", found.file,
                         found.line)


@PROJECT.rule("REL002", "The version is one that indexes accept",
      why="An index refuses a version that doesn't follow PEP 440, and file names carry its normal form.",
      fix="Write the version as 1.2.3, or 1.2.3rc1 for a release candidate, without a v.",
      section=SECTION)
def readable(facts: Facts) -> Iterator[At]:
    """A version that is no version, or not in its normal form."""
    found = facts.version
    if found.version is None:
        return
    if facts.parsed is None:
        yield At(f"{found.version!r} is not a version", found.file, found.line)
    elif str(facts.parsed) != found.version:
        weight = None if found.version.lstrip().lower().startswith("v") else WARNING
        yield At(f"the version {found.version} becomes {facts.parsed} in file names", found.file, found.line, weight)


@PROJECT.rule("REL003", "The version comes from one place",
      why='A version in [project] beside dynamic = ["version"] stops the build. Without either of them, the build '
          "does not know the version.",
      fix='Keep dynamic = ["version"] and a tool that reads the git tag, or keep version = "..."; not both.',
      section=SECTION)
def one_source(facts: Facts) -> Iterator[At]:
    """A static version beside a dynamic one, or beside a tool that reads the tag; or none."""
    project = facts.project
    if not project.table:
        return
    static, dynamic = "version" in project.table, "version" in project.dynamic
    if static and dynamic:
        yield At("version is in [project] and in dynamic", line=project.line("version", "project"))
    elif static and scm_is_on(project):
        yield At("version is written out, and setuptools-scm is switched on to read it from the tag",
                 line=project.line("version", "project"), severity=WARNING)
    elif not static and not dynamic:
        yield At("[project] has neither version nor dynamic = [\"version\"]", line=project.line("[project]"))


@PROJECT.rule("REL004", "The version is not 0.0.0",
      why="A backend uses 0.0.0 when it finds no version. After an upload, that file name can never be used again.",
      fix="Choose a version, tag it, and check that the backend finds the tag.",
      section=SECTION)
def not_zero(facts: Facts) -> Iterator[At]:
    """0.0.0, written or by default."""
    if facts.parsed is not None and not any(facts.parsed.release):
        yield At(f"the version is {facts.version.version}", facts.version.file, facts.version.line)


@PROJECT.rule("REL005", "The version is a release, not a state between two releases",
      why="An index refuses a local version (with +), and a dev version can't be found again in git.",
      fix="Commit everything, tag the commit and check again; a shallow clone needs its tags first: git fetch "
          "--unshallow --tags.",
      section="sec-pypi-tag")
def released(facts: Facts) -> Iterator[At]:
    """A dev or local version."""
    found, version = facts.version, facts.parsed
    if version is None or not (version.is_devrelease or version.local):
        return
    git = facts.project.git
    reason = ""
    if found.from_git and git is not None:
        reasons = [text for text, holds in (("the clone is shallow", git.shallow),
                                            ("the commit has no tag", not git.tags)) if holds]
        reason = f": {' and '.join(reasons)}" if reasons else ""
    kind = "local" if version.local else "dev"
    yield At(f"{found.version} is a {kind} version{reason}", found.file, found.line)


@PROJECT.rule("REL006", "The tool that reads the version from the tag is switched on",
      why="Without its table setuptools-scm does nothing: the build succeeds and makes version 0.0.0.",
      fix="Add an empty [tool.setuptools_scm] table, and setuptools-scm to build-system.requires.",
      section=SECTION)
def switched_on(facts: Facts) -> Iterator[At]:
    """A dynamic version that nothing provides, or a table without its tool."""
    project = facts.project
    tables = {"setuptools": ("setuptools_scm", "setuptools-scm"), "hatchling": ("hatch.version", "hatch-vcs")}
    # A project with its own backend, or a setup.py that sets the version, may do this on purpose.
    own = "backend-path" in project.section("build-system") or "version" in (
        facts.texts.get("setup.py", "") + facts.texts.get("setup.cfg", ""))
    if own or project.tool not in tables or "version" not in project.dynamic:
        return
    table, tool = tables[project.tool]
    asked = isinstance(project.get("tool", "setuptools_scm"), dict) if project.tool == "setuptools" \
        else project.get("tool", "hatch", "version", "source") == "vcs"
    if asked and not requires(project, tool):
        yield At(f"[tool.{table}] is there, but build-system.requires lacks {tool}",
                 line=project.line(f"[tool.{table}"))
    elif tool == "setuptools-scm" and requires(project, tool) and not (
            scm_is_on(project) or project.section("tool", "setuptools", "dynamic").get("version")):
        yield At("setuptools-scm is required, but there is no [tool.setuptools_scm] table: the build would make "
                 "version 0.0.0", line=project.line("dynamic", "project"))


@PROJECT.rule("REL007", "`__version__` says the same version",
      why="People report the version that the package prints; if it is wrong, the bug can't be reproduced.",
      fix="Read it from the installed metadata: importlib.metadata.version(\"NAME\"), or delete `__version__`.",
      section=SECTION)
def module_agrees(facts: Facts) -> Iterator[At]:
    """A `__version__` written out that differs."""
    if facts.parsed is None:
        return
    from packaging.version import InvalidVersion, Version

    for file in sorted(facts.texts):
        # The top package of the project; packages below it may have their own versions.
        if not re.fullmatch(r"(?:[\w.-]+/)*?\w+/__init__\.py", file) or file == facts.version.file:
            continue
        if file.split("/")[-2].lower() != facts.project.module:
            continue
        place, said = _followed(facts, file)
        if said and place != facts.version.file:
            try:
                same = Version(said[0]) == facts.parsed
            except InvalidVersion:
                same = False
            if not same:
                yield At(f"__version__ is {said[0]}, the version is {facts.version.version}", place, said[1])


def _followed(facts: Facts, file: str) -> tuple[str, tuple[str, int] | None]:
    """The file, text and line of `__version__`, which a module may import from one beside it that no build writes."""
    text = facts.texts[file]
    if said := _assigned(text, "__version__"):
        return file, said
    found = re.search(r"(?m)^from (?:\.|\w+\.)(\w+) import (?:.*\b(\w+) as __version__|.*\b__version__\b)", text)
    place = f"{file.rpartition('/')[0]}/{found[1]}.py" if found else ""
    written = " ".join([facts.project.text, facts.texts.get("setup.py", ""), facts.texts.get("setup.cfg", "")])
    if found is None or place not in facts.texts or re.search(rf"\b{found[1]}\.(py\b|_*version)", written):
        return file, None
    return place, _assigned(facts.texts[place], found[2] or "__version__")


@PROJECT.rule("REL008", "The change log has a heading for the version",
      why="Users read there what breaks before they update, and the release notes are made from it.",
      fix="Add a heading with the version and the date, and move the entries under Unreleased below it.",
      section="sec-updating-prepare", severity=WARNING)
def changelog_agrees(facts: Facts) -> Iterator[At]:
    """A change log without this version, or none."""
    if facts.changelog is None:
        elsewhere = facts.fragments or any(re.search(r"(?i)change|history|release|news|what", f"{name} {address}")
                                           for name, address in facts.project.section("project", "urls").items())
        git = facts.project.git
        # In a repository of several packages the change log may be at its top, with a heading for each package.
        if git is not None and facts.project.root != git.root:
            return
        if git is None:
            yield unverified("there is no change log here; an unpacked sdist may lack it", "CHANGELOG.md")
        elif not elsewhere:
            yield At("there is no change log, and no address of one in [project.urls]", "CHANGELOG.md",
                     fix="Keep a CHANGELOG.md, or name the address of the release notes in [project.urls].")
        return
    version = facts.parsed
    if version is None or version.is_devrelease:
        return
    if facts.changelog not in facts.texts:
        yield unverified("the change log can't be read as UTF-8 text", facts.changelog)
        return
    if facts.line(facts.changelog, heading(str(version), str(facts.version.version))):
        return
    if re.search(r"(?i)\binclude\b|release-notes::|releases?/", facts.texts[facts.changelog]):
        return  # It is put together from other files.
    if facts.fragments:
        yield At(f"no heading for {version}, and the changes are still in fragments", facts.changelog,
                 fix="Make the section from the fragments: towncrier build, scriv collect, or what the project uses.")
    else:
        yield At(f"no heading for {version}", facts.changelog)


@PROJECT.rule("REL009", "CITATION.cff names this version",
      why="People who cite the package copy the version from it.",
      fix="Write the version and the day of the release (date-released) into CITATION.cff, or leave both out.",
      section="sec-updating-prepare", severity=WARNING)
def citation_agrees(facts: Facts) -> Iterator[At]:
    """Another version in CITATION.cff."""
    text = facts.texts.get("CITATION.cff")
    if text is None or facts.parsed is None:
        return
    from packaging.version import InvalidVersion, Version

    # The fields of the software are not indented; those of a reference are.
    found = re.search(r"^version:\s*[\"']?([^\s\"'#]+)", text, re.MULTILINE)
    if found is None:
        return
    try:
        same = Version(found[1]) == facts.parsed
    except InvalidVersion:
        same = False
    if not same and not facts.parsed.is_devrelease:
        yield At(f"CITATION.cff says {found[1]}, the version is {facts.parsed}", "CITATION.cff",
                 facts.line("CITATION.cff", r"^version:"))


def _assigned(text: str, name: str) -> tuple[str, int] | None:
    """The string that a module's text assigns to a name at its top level, and the line; None without one."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for node in body:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        targets, value = node.targets if isinstance(node, ast.Assign) else [node.target], node.value
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            plain = isinstance(value, ast.Constant) and isinstance(value.value, str)
            return (str(ast.literal_eval(value)), node.lineno) if plain and value else None
    return None
