"""`handbook recipe new`: the recipe of a release, from the release's own files."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.package.distribution import Distribution
from labhandbook.package.index_addresses import Index
from labhandbook.package.project import normalise
from labhandbook.recipe import grayskull_run, release_metadata
from labhandbook.recipe.conda_forge_facts import LICENCE_TOOLS, python_min, pythons
from labhandbook.recipe.conda_forge_names import conda_name
from labhandbook.recipe.recipe_text import FILE, Recipe, Requirement, platforms, render
from labhandbook.recipe.released_sdist import SECTION, Source, brings, fetch, modules_of
from labhandbook.recipe.requirement_specs import Asked, asked, lowest_python, parse, upper_python

# Pure-Python packages that wheels require on one system only; elsewhere they do no harm.
HARMLESS = {"colorama", "python-tzdata", "win_inet_pton"}
# Extras that a project keeps for its own developers: users of a package don't need them.
OWN_EXTRAS = {"dev", "doc", "docs", "lint", "test", "testing", "tests"}
# Extras without requirements today.
EMPTY_EXTRAS = {"setuptools-scm": {"toml", "simple"}, "coverage": {"toml"}}


@dataclass(frozen=True)
class Wishes:
    """What the user adds to the release's own data."""

    maintainers: tuple[str, ...] = ()
    licence: str = ""
    commands: tuple[str, ...] = ()
    pytest: bool = False
    target: str = "pypi"


@dataclass
class Made:
    """A recipe that was written: its path and its content."""

    path: Path
    recipe: Recipe


def new(wanted: str, output: Path, wishes: Wishes = Wishes(), *, force: bool = False) -> Made:
    """Write `recipes/NAME/recipe.yaml` below a folder, and nothing else.

    Raises HandbookError when the release can't be read, its licence is unclear, or the file exists already.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = fetch(wanted, Path(folder), wishes.target)
        name = conda_file_name(source)
        path = output / "recipes" / name / FILE
        refuse_existing(path, force=force)
        recipe = describe(source, wishes)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, render(recipe))
            if recipe.systems and not path.with_name("conda-forge.yml").exists():
                write_atomic(path.with_name("conda-forge.yml"), platforms(recipe))
        except OSError as error:
            raise HandbookError(f"{path} can't be written: {error.strerror or error}",
                                todo="choose another folder with --output", section=SECTION) from None
    return Made(path, recipe)


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise HandbookError when a recipe in either format is there already."""
    there = [path.with_name(file) for file in (FILE, "meta.yaml") if path.with_name(file).exists()]
    if there and not (force and there == [path]):
        raise HandbookError(f"{there[0].name} is there already", where=str(there[0]),
                            why="your own changes in it would be lost",
                            todo="see what would change: handbook recipe diff, or write it again with --force",
                            section=SECTION)


def conda_file_name(source: Source) -> str:
    """The name of the package on conda-forge: lower case, as its users write it on PyPI."""
    return re.sub(r"[^a-z0-9._-]", "-", source.sdist.name.lower())


def describe(source: Source, wishes: Wishes = Wishes()) -> Recipe:
    """The recipe of a release. Raises HandbookError when its licence is unclear."""
    sdist, wheel = source.sdist, source.wheel
    licence, doubt, problem = find_licence(source, wishes)
    notes = list(filter(None, [source.doubt, problem, doubt]))
    if source.optional:
        notes.append("the build here left out extension modules that it tried to make: they are optional, and "
                     "conda-forge builds them")
    requires = str(wheel.metadata.get("requires_python") or "")
    lowest = lowest_python(requires, python_min())
    recipe = Recipe(
        conda_file_name(source), wheel.version, source.url, sdist.sha256, noarch=not source.compiled,
        python_min=lowest if lowest != python_min() else "", python_upper=upper_python(requires),
        entry_points=release_metadata.entry_points(wheel),
        imports=release_metadata.imports(wheel, partial(modules_of, source.place)),
        contents=release_metadata.stubs(wheel), commands=list(wishes.commands),
        summary=" ".join(str(wheel.metadata.get("summary") or "").split()), license=licence,
        license_files=licence_files(sdist, notes),
        maintainers=maintainers(source, wishes.maintainers), notes=notes,
    )
    urls = release_metadata.addresses(wheel)
    recipe.homepage, recipe.documentation, recipe.repository = (
        urls.get(field, "") for field in ("homepage", "documentation", "repository"))
    if recipe.version not in recipe.url.replace("{version}", recipe.version):
        recipe.url = recipe.url.replace("{version}", sdist.file_parts[1])
    if not recipe.homepage:
        recipe.homepage = f"{source.place.public}/project/{normalise(sdist.name)}/"
        notes.append("the metadata name no home page, so homepage is the page on PyPI: name a better one")
    known = pythons(lowest)
    recipe.host = [Requirement("pip"),
                   *requirements(release_metadata.build_requires(sdist), lowest, known, recipe, "host")]
    recipe.run = requirements(wheel.requires, lowest, known, recipe, "run", place=source.place)
    if not recipe.noarch:
        compiled(recipe, source)
    if wishes.pytest:
        suite(recipe, source, lowest, known)
    for one in filter(None, map(parse, wheel.requires)):
        if found := re.search(r"extra\s*==\s*['\"]([^'\"]+)", str(one.marker or "")):
            recipe.extras.setdefault(conda_name(one.name), f"the extra {found[1]}")
    extras = [name for name in wheel.metadata.get("provides_extra") or [] if name not in OWN_EXTRAS]
    if extras:
        notes.append(f"conda has no extras: the requirements of {', '.join(extras)} are left out")
    return recipe


def find_licence(source: Source, wishes: Wishes) -> tuple[str, str, str]:
    """The licence as SPDX writes it, what to compare, and why grayskull had no answer where it was asked.

    grayskull takes seconds, so it runs only where the files of the release are not enough. Raises HandbookError
    when the licence is unclear, or the one that the user names is not an SPDX expression.
    """
    sdist, wheel = source.sdist, source.wheel
    licence, doubt = ((release_metadata.spdx(wishes.licence), "") if wishes.licence else
                      release_metadata.licence(sdist, wheel))
    if wishes.licence and not licence:
        raise HandbookError(f"{wishes.licence} is not an SPDX expression",
                            why="programs that check licences read nothing else",
                            todo="write it as in BSD-3-Clause, MIT or Apache-2.0 OR MIT",
                            section="sec-conda-forge-mend-fields")
    problem = ""
    if not licence:
        guess, problem = grayskull_run.ask_grayskull(sdist.path)
        licence, doubt = release_metadata.licence(sdist, wheel, guess)
    if not licence:
        said = str(wheel.metadata.get("license") or "nothing").strip().splitlines()[0][:60]
        raise HandbookError(f"the licence of {sdist.name} {sdist.version} is unclear",
                            why=f"its metadata say {said!r} and its licence file has none of the "
                                "texts that this program recognises",
                            todo="read it and name it: --license BSD-3-Clause", section="sec-conda-forge-mend-fields")
    return licence, doubt, problem


def licence_files(sdist: Distribution, notes: list[str]) -> list[str]:
    """The licence files of an sdist, and those of a folder of licences at its top."""
    inside = [path for path in sdist.files if re.match(r"licen[cs]es?/[^/]+$", path, re.IGNORECASE)]
    found = sorted({*sdist.licences, *inside})
    if not found:
        notes.append("the sdist has no licence file: add one to the package, or put it beside the recipe and name it "
                     "under license_file")
    return found


def maintainers(source: Source, given: Sequence[str]) -> list[str]:
    """The maintainers asked for, else those of `[tool.handbook.recipe]` here or in the sdist.

    In a workflow the last resort is the person who started it.
    """
    if given:
        return list(dict.fromkeys(one.removeprefix("@") for one in given))
    tables = [release_metadata.pyproject(source.sdist)]
    with contextlib.suppress(HandbookError):
        tables.insert(0, untrusted_data.toml(untrusted_data.text(Path("pyproject.toml")), "pyproject.toml"))
    for table in tables:
        listed = table.get("tool", {}).get("handbook", {}).get("recipe", {}).get("maintainers")
        if isinstance(listed, list) and listed:
            return [str(one).removeprefix("@") for one in listed]
    actor = os.environ.get("GITHUB_ACTOR", "")
    return [actor] if re.fullmatch(r"[A-Za-z0-9-]+", actor) else []


def requirements(texts: Sequence[str], lowest: str, known: Sequence[str], recipe: Recipe, section: str,
                 extras: Sequence[str] = ("",), place: Index | None = None) -> list[Requirement]:
    """The lines of a section, in the order of the metadata; what conda can't express goes into the notes."""
    lines: dict[str, Requirement] = {}
    for text in texts:
        try:
            one = asked(text, lowest, known, extras)
        except ValueError:
            recipe.notes.append(f"{section}: {text!r} can't be read; write its line yourself")
            continue
        if one is None or one.name in ("pip", "python"):
            continue
        if " @ " in text:
            recipe.notes.append(f"{section}: {one.name} is required by an address, which conda can't use")
        _note_conditions(one, recipe, section)
        if set(one.extras) - EMPTY_EXTRAS.get(one.name, set()):
            brought = brings(place, one.project, one.extras) if place else []
            recipe.extras.update(dict.fromkeys(brought, f"{one.project}[{','.join(one.extras)}]"))
            recipe.notes.append(
                f"{section}: {one.project}[{','.join(one.extras)}] is written as {one.name}; conda has no extras, so "
                f"add what they require: {', '.join(brought) or 'see its metadata'}"
            )
        before = lines.get(one.name)
        joined = ",".join(filter(None, dict.fromkeys([*(before.text.partition(" ")[2].split(",") if before else []),
                                                      *one.bounds.split(",")])))
        if before and before.text != one.text and one.pythons:
            recipe.notes.append(f"{section}: {one.name} has different bounds for different Pythons; all are kept")
        where = () if recipe.noarch and one.name in HARMLESS else one.systems
        recipe.systems.update(where if recipe.noarch and section != "tests" else ())
        lines[one.name] = Requirement(f"{one.name} {joined}".strip(), where,
                                      ", ".join(filter(None, [before.asked if before else "", text])))
    return list(lines.values())


def _note_conditions(one: Asked, recipe: Recipe, section: str) -> None:
    """Say what a requirement that doesn't always hold becomes."""
    if one.pythons:
        recipe.notes.append(f"{section}: {one.text} is only needed for Python {', '.join(one.pythons)}; "
                            "a noarch package has one list for all, so it is always installed"
                            if recipe.noarch else
                            f"{section}: {one.text} is only needed for Python {', '.join(one.pythons)}")
    if one.systems and recipe.noarch:
        recipe.notes.append(f"{section}: {one.text} is only needed on {', '.join(one.systems)}; " + (
            "it is pure Python and does no harm elsewhere, so it is always installed" if one.name in HARMLESS else
            "conda-forge.yml lets conda-forge build one package for each kind of system"))


def compiled(recipe: Recipe, source: Source) -> None:
    """Turn a recipe into the first draft of a compiled one, and say what is left to do."""
    found = release_metadata.languages(source.sdist.files) or ["c"]
    # conda-forge's linter looks for single quotes.
    recipe.build = [*(Requirement(f"${{{{ compiler('{name}') }}}}") for name in found),
                    Requirement("${{ stdlib('c') }}"),
                    *(Requirement(tool) for name, tool in LICENCE_TOOLS.items() if name in found)]
    tools = {line.text.split()[0] for line in recipe.host}
    moved = ("cmake", "ninja", "meson", "patchelf")
    recipe.host = [line for line in recipe.host if line.text.split()[0] not in moved]
    recipe.build += [Requirement(name) for name in ("cmake", "ninja", "meson", "pkg-config")
                     if name in tools or (name != "cmake" and "meson-python" in tools)]
    recipe.host = [Requirement("numpy") if line.text.split()[0] == "numpy" else line for line in recipe.host]
    recipe.entry_points = []
    recipe.python_min = recipe.python_upper = ""
    if "rust" in found:
        recipe.script.append("cargo-bundle-licenses --format yaml --output THIRDPARTY.yml")
        recipe.license_files.append("THIRDPARTY.yml")
    recipe.notes += [
        "this package is compiled: the recipe is a first draft, and handbook recipe build can't prove it",
        f"left to do: check the compilers, guessed from the sources ({', '.join(found)})",
        "left to do: name the libraries that the extension links to under host",
        "left to do: skip Pythons and systems that it doesn't support, with build.skip",
        "left to do: for systems that conda-forge cross-compiles, repeat python and host's tools under build, beside "
        "cross-python_${{ target_platform }}, where build_platform != target_platform",
        *(f"left to do: run {tool} in build.script and name what it writes under license_file"
          for name, tool in LICENCE_TOOLS.items() if name in found and name != "rust"),
    ]


def suite(recipe: Recipe, source: Source, lowest: str, known: Sequence[str]) -> None:
    """Let the recipe run the test suite that the sdist ships. Raises HandbookError when it ships none."""
    folders = sorted({path.partition("/")[0] + "/" for path in source.sdist.files
                      if re.match(r"tests?/.*test_?\w*\.py$|tests?/.*test\.py$", path)})
    if not folders:
        raise HandbookError(f"the sdist of {recipe.name} ships no tests/ folder",
                            todo="leave --pytest out, or add the tests to the sdist",
                            section="sec-conda-forge-mend-tests")
    extra = next((one for one in ("test", "tests", "testing")
                  if one in (source.wheel.metadata.get("provides_extra") or [])), "")
    wanted = [text for text in source.wheel.requires if extra and re.search(r"extra\s*==", text)]
    found = requirements(wanted, lowest, known, recipe, "tests", (extra,)) if extra else []
    recipe.pytest = list(dict.fromkeys(["pytest", *(line.text for line in found)]))
    if any(line.startswith("pytest ") for line in recipe.pytest):
        recipe.pytest.remove("pytest")
    recipe.tests = folders
