"""`handbook recipe diff`: a recipe compared with its release."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding, Findings, Rule, Severity
from labhandbook.recipe.conda_forge_facts import facts, python_min
from labhandbook.recipe.conda_forge_names import names, pypi_name
from labhandbook.recipe.line_edits import Edits, version_line
from labhandbook.recipe.new_recipe import Wishes, describe
from labhandbook.recipe.patches import changed, outdated
from labhandbook.recipe.recipe_lint import shown
from labhandbook.recipe.recipe_reader import Part, Reading, find, read
from labhandbook.recipe.recipe_rules import release_agreement as rules
from labhandbook.recipe.recipe_text import Recipe, Requirement
from labhandbook.recipe.recipe_variables import fill
from labhandbook.recipe.release_metadata import spdx
from labhandbook.recipe.released_sdist import fetch, sdist_in
from labhandbook.recipe.requirement_specs import same_bounds, split
from labhandbook.recipe.source_address import LASTING

SECTION = "sec-conda-forge-update"


@dataclass
class Drift:
    """What differs between a recipe and a release, and the changes of version, hash and build number."""

    reading: Reading
    release: Recipe
    findings: Findings
    edits: Edits

    @property
    def left(self) -> list[Finding]:
        """The differences that a person must correct."""
        return [one for one in self.findings if one not in self.edits.settled]


def diff(path: Path, dist: Path | None = None, version: str = "", target: str = "pypi", change: str = "") -> Drift:
    """Compare a recipe (file, folder or feedstock) with an sdist, a folder of one, or the newest release on PyPI.

    With `change`, a branch of the feedstock or the file of a diff, the recipe that it leaves is compared with the
    release that it names. Raises HandbookError when the recipe can't be read or the release can't be fetched.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = find(path)
        reading = changed(file, change, Path(folder)) if change else read(file, shown(file))
        return _against(reading, dist, version or (reading.get("package.version") if change else ""), target)


def _against(reading: Reading, dist: Path | None, version: str, target: str) -> Drift:
    if reading.problem:
        raise HandbookError(f"it can't be read: {reading.problem}", where=f"{reading.file}:{reading.problem_line}",
                            todo="correct it first: handbook recipe lint", section="sec-conda-forge-check")
    with tempfile.TemporaryDirectory() as folder:
        named = (str(sdist_in(dist, project(reading) if dist.is_dir() else "").resolve()) if dist else
                 project(reading) + (f"=={version}" if version else ""))
        source = fetch(named, Path(folder), target, build=False)
        stated = source.wheel.metadata.get("license_expression")
        release = describe(source, Wishes(licence="" if stated else spdx(reading.get("about.license")),
                                          target=target))
        # The patches are for the file that the recipe names.
        same = named_source(reading, release) == source.sdist.file
        patched = list(outdated(reading, source.sdist)) if same else []
    edits = Edits(reading)
    found = [*_differences(reading, release, edits), *_about(reading, release), *patched]
    return Drift(reading, release, Findings.of(found), edits)


def project(reading: Reading) -> str:
    """The project on PyPI that a recipe builds. Raises HandbookError when its source doesn't say."""
    values = reading.values("source.url")
    file = values[0].text.rpartition("/")[2] if values else ""
    name = re.sub(r"\.(tar\.gz|zip|tar\.bz2|whl)$", "", file).rpartition("-")[0]
    if values and re.match(r"https://(github|gitlab)\.com/", values[0].text):
        own = [reading.get("package.name") or reading.get("recipe.name"), *(part.name for part in reading.parts[1:])]
        return pypi_name(next((one for one in own if one in names().packages), own[0]))
    if not name or "{{" in name:
        raise HandbookError("the recipe's source names no file of a project",
                            where=f"{reading.file}:{reading.line('source.url')}", why="the release is found by it",
                            todo="give the sdist: handbook recipe diff RECIPE dist", section=SECTION)
    return name


def _differences(reading: Reading, release: Recipe, edits: Edits) -> Iterator[Finding]:
    yield from _version(reading, release, edits)
    yield from _source(reading, release, edits)
    part = project_part(reading, release.name)
    if part is None:
        yield _found(reading, rules.REMOVED, "requirements", "no part of the recipe has a build backend under host, "
                     "so its requirements were not compared", Severity.UNVERIFIED)
        return
    for section, wanted in (("host", release.host), ("run", release.run)):
        yield from _requirements(part, section, wanted, release.extras)
    yield from _python(part, release)
    yield from _commands(part, release)


def _about(reading: Reading, release: Recipe) -> Iterator[Finding]:
    yield from _licence(reading, release)
    for field in ("homepage", "documentation", "repository"):
        right, is_now = getattr(release, field), reading.get(f"about.{field}")
        if right and is_now and right.rstrip("/") != is_now.rstrip("/") and "/project/" not in right:
            yield _found(reading, rules.ADDRESSES, f"about.{field}",
                         f"{field} is {is_now} in the recipe, {right} in the release")


def project_part(reading: Reading, name: str) -> Part | None:
    """The part of a recipe that installs the project: that with its name, else the first with pip or a backend."""
    makers = [part for part in reading.parts
              if {one.text.partition(" ")[0] for one in part.requirements("host")} & {"pip", *facts()["backends"]}]
    usual = [part for part in makers
             if part.top or part.name in (name, f"{name}-base", f"{name}-core", f"{name}-python")]
    return next(iter([*usual, *makers]), None)


def named_source(reading: Reading, release: Recipe) -> str:
    """The file that a recipe names as its source, with the version of a release."""
    return fill(reading.written("source.url"), {**reading.context, "version": release.version}).rpartition("/")[2]


def _found(reading: Reading, rule: Rule, path: str, message: str, weight: Severity | None = None) -> Finding:
    return Finding(reading.file, reading.line(path), rule, message, weight)


def _version(reading: Reading, release: Recipe, edits: Edits) -> Iterator[Finding]:
    """Version and build number."""
    old, new = reading.get("package.version"), release.version
    if old == new:
        return
    line = version_line(reading, old)
    found = Finding(reading.file, line, rules.VERSION, f"the version is {old}, the release is {new}")
    edits.swap(line, old, new, found)
    yield found
    number = reading.get("build.number")
    if number not in ("", "0"):
        found = _found(reading, rules.VERSION, "build.number",
                       f"the build number is {number}; a new version starts at 0")
        edits.build_number(0, found)
        yield found


def _source(reading: Reading, release: Recipe, edits: Edits) -> Iterator[Finding]:
    """The sdist's name and hash."""
    url, held = reading.written("source.url"), reading.get("source.sha256")
    named = named_source(reading, release)
    right = release.url.rpartition("/")[2].replace("{version}", release.version)
    if LASTING in url and named != right:
        yield _found(reading, rules.VERSION, "source.url", f"the source is {named}, the release has {right}")
    if re.match(r"https://(github|gitlab)\.com/", url) and named != right:
        edits.drop()  # The hash of a new version is not known.
        yield _found(reading, rules.VERSION, "source.url", f"the source is {url.split('/')[2]}'s and not the sdist, "
                     "so its sha256 was not compared", Severity.UNVERIFIED)
        return
    if held.lower() == release.sha256:
        return
    line = next((number for number, text in enumerate(reading.lines, 1) if held and held in text),
                reading.line("source.sha256"))
    found = Finding(reading.file, line, rules.VERSION,
                    f"the sha256 begins with {held[:12] or 'nothing'}, the sdist's with {release.sha256[:12]}")
    if LASTING in url and named == right:
        edits.swap(line, held, release.sha256, found)
    else:  # The hash is that of the index's sdist, not of the file at the recipe's address.
        edits.drop()
    yield found


def _commands(part: Part, release: Recipe) -> Iterator[Finding]:
    """Entry points, which a noarch recipe lists."""
    build = part.value["build"] if part.reading.form == "v0" else part.value["build"]["python"]
    listed = build["entry_points"]
    if part.noarch == "python" and ({_bare(value.text) for value in part.entries(listed)}
                                    != {_bare(one) for one in release.entry_points}):
        line = build.keys.get("entry_points") or part.value["build"].keys.get("python") or part.value.at("build") or 1
        yield Finding(part.reading.file, line, rules.COMMANDS,
                      f"the release has the commands {', '.join(release.entry_points) or 'none'}")


def _licence(reading: Reading, release: Recipe) -> Iterator[Finding]:
    """The licence and its files; files beside the recipe count too."""
    held = reading.get("about.license")
    if held != release.license:
        yield _found(reading, rules.LICENCE, "about.license",
                     f"the licence is {held or 'missing'}, in the release {release.license}")
    path = "about.license_file"
    files = [value.text for value in reading.values(path)]
    kept = [name for name in files if name in release.license_files or (reading.path.parent / name).is_file()]
    lost, new = set(files) - set(kept), set(release.license_files) - set(files)
    if release.license_files and (lost or new):
        yield _found(reading, rules.LICENCE, path,
                     f"the sdist has the licence files {', '.join(release.license_files)}, "
                     f"the recipe names {', '.join(files) or 'none'}",
                     None if lost or not files else Severity.WARNING)


def _bare(text: str) -> str:
    return re.sub(r"\s*=\s*", "=", text)


def _requirements(part: Part, section: str, wanted: list[Requirement], extras: dict[str, str]) -> Iterator[Finding]:
    reading = part.reading
    release = {split(one.text)[0]: one for one in wanted}
    seen = {part.name for part in reading.parts}
    source = "[build-system]" if section == "host" else "the release"
    for value in part.requirements(section):
        name, bounds = split(value.text)
        if name == "python" or name.startswith("__") or "{{" in name or name in seen:
            continue
        other = _same_name(name, release)
        seen.add(other)
        if other in release:
            right = split(release[other].text)[1]
            if not same_bounds(bounds, right) and not value.selector and "{{" not in bounds:
                yield Finding(reading.file, value.line, rules.CHANGED,
                              f"{section}: {value.text} is {f'{name} {right}'.strip()} in the release"
                              f"{_reason(source, release[other])}")
        elif section == "run" and name in extras:
            if extras[name].startswith("the extra"):
                yield Finding(reading.file, value.line, rules.REMOVED,
                              f"run: only {extras[name]} of the release requires {name}")
        # conda-forge adds some tools to host.
        elif section != "host" or name not in ("pip", "wheel", "setuptools") or name in facts()["backends"]:
            yield Finding(reading.file, value.line, rules.REMOVED, f"{section}: the release doesn't require {name}")
    # An output may leave what it needs to another one of the recipe.
    others = {split(value.text)[0] for other_part in reading.parts if not part.top and other_part != part
              for value in other_part.requirements(section)}
    # A package built with numpy gets the versions that it works with from numpy itself (run_exports).
    built = {split(value.text)[0] for value in part.requirements("host")} & {"numpy"} if not part.noarch else set()
    for name, one in release.items():
        if name not in seen | others | (built if section == "run" else set()):
            yield Finding(reading.file, part.line(section), rules.ADDED,
                          f"{section} lacks {one.text}{_reason(source, one)}")


def _reason(source: str, one: Requirement) -> str:
    """What the release itself says, where it says more than the line."""
    return f": {source} requires {one.asked}" if re.search(r"[;\[]|, |~=", one.asked) else ""


def _same_name(name: str, names: Iterable[str]) -> str:
    """The name among the release's that is this one in another spelling."""
    spelt = {one.replace("_", "-").removesuffix("-base"): one for one in names}
    return spelt.get(name.replace("_", "-").removesuffix("-base"), name)


def _python(part: Part, release: Recipe) -> Iterator[Finding]:
    reading = part.reading
    held, wanted = reading.context.get("python_min", ""), release.python_min
    if not (part.noarch == "python" and release.noarch) or held == wanted:
        return
    line = next((number for number, text in enumerate(reading.lines, 1) if re.search(r"python_min\s*[:=]", text)), 0)
    if held and not wanted:
        message = f"python_min is {held}; the release works from conda-forge's {python_min()} on"
    elif held:
        message = f"python_min is {held}, the release needs {wanted}"
    else:
        line = version_line(reading, reading.get("package.version"))
        message = f"python_min isn't set, and the release needs {wanted}"
    yield Finding(reading.file, line, rules.MINIMUM, message)
