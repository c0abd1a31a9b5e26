"""Rules on what the files of a release must hold, and on what in them must agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from labhandbook.core.rules import UNVERIFIED, WARNING, At
from labhandbook.core.wording import listed
from labhandbook.package.backend_settings import places, remedy
from labhandbook.package.project import PYPROJECT
from labhandbook.release.release_rules.commit import tag_versions
from labhandbook.release.release_rules.opened_files import opened, package_folder, topmost
from labhandbook.release.release_rules.unwanted_files import CACHES, CONTENTS, Contents
from labhandbook.release.wheel_probe import OF_TESTS

if TYPE_CHECKING:
    from packaging.version import Version

BACKENDS = ("setuptools", "hatch", "flit", "pdm", "poetry", "uv")

# Sources that a build turns into something else, and notes for developers: no wheel needs them.
NOT_INSTALLED = re.compile(r"\.(c|cc|cpp|cxx|cu|h|hh|hpp|pyx|pxd|pxi|f|f90|for|rs|go|m|mm|in|tmpl|toml|cfg|lock|build"
                           r"|cmake|md|rst|txt|ya?ml|po|pot)$|(^|/)(Makefile|CMakeLists\.txt|\.[^/]+|Cargo\.\w+)$"
                           r"|(^|/)(tests?|testdata|docs?|benchmarks?|examples?)/|(^|/)(conftest|setup|test_\w+)\.py$")
WRITTEN = re.compile(r"(^|\.)_*(version|about)_*(\.|$)|\.__?version")


@CONTENTS.rule("REL220", "The licence is in every file",
      why="Nearly every licence asks that its text goes with every copy; without it others may not pass the package "
          "on, and conda-forge refuses it.",
      fix='Write license-files = ["LICEN[CS]E*"] and see that the pattern matches.',
      section="sec-pypi-metadata-licence")
def licence(contents: Contents) -> Iterator[At]:
    """A licence file in the sdist and in the wheel's metadata."""
    for file in contents.both:
        if not file.licences:
            yield At("it holds no licence file", file.file)


@CONTENTS.rule("REL221", "A package that says it is typed has py.typed",
      why="Without this file type checkers ignore the package's annotations.",
      fix="Put an empty py.typed into the package's folder and include it as package data.",
      section="sec-pypi-metadata-packages")
def typed(contents: Contents) -> Iterator[At]:
    """py.typed where the metadata or the sources say that the package is typed."""
    wheel = contents.wheel
    if any(path.endswith("py.typed") for path in wheel.files) or not wheel.modules:
        return
    if "Typing :: Typed" in wheel.classifiers:
        yield At("the classifier says Typing :: Typed, and the wheel holds no py.typed", PYPROJECT,
                 contents.project.line("Typing :: Typed"))
    elif source := next((path for package in sorted(topmost(wheel))
                         if (path := f"{package_folder(package, contents.sdist.files)}{package}/py.typed")
                         in contents.sdist.files), ""):
        yield At(f"{source} is in the sources and not in the wheel")
    elif stubs := [path for path in wheel.installed if path.endswith(".pyi") and "-stubs/" not in path]:
        yield At(f"it holds types ({listed(stubs, 2)}) and no py.typed", severity=WARNING)


@CONTENTS.rule("REL222", "The README is in the sdist",
      why="People who get only the sdist, such as packagers, read it first.",
      fix="Name the README as readme in [project], or in MANIFEST.in.",
      section="sec-pypi-inspect", severity=WARNING)
def readme(contents: Contents) -> Iterator[At]:
    """A README at the top of the sdist."""
    declared = contents.project.table.get("readme")
    name = declared.get("file") if isinstance(declared, dict) else declared
    if isinstance(name, str) and PurePosixPath(name).as_posix() not in contents.sdist.files:
        yield At(f"it lacks {name}, which pyproject.toml names as readme", contents.sdist.file,
                 fix=remedy(places(contents.project).sdist))
    elif not any(path.lower().startswith("readme") for path in contents.sdist.files if "/" not in path):
        yield At("it holds no README", contents.sdist.file, fix=remedy(places(contents.project).sdist))


@CONTENTS.rule("REL223", "Entry points lead to something",
      why="The command would be installed and fail with an ImportError at its first use.",
      fix="Correct the reference in [project.scripts] or [project.entry-points], or include the module in the "
          "wheel.",
      section="sec-pypi-inspect")
def entry_points(contents: Contents) -> Iterator[At]:
    """Entry points that lead nowhere; unverified where only running the package would show it."""
    for group, entries in contents.wheel.entry_points.items():
        for name, target in entries.items():
            problem, sure = contents.wheel.api.problem(target)
            top = target.partition(":")[0].partition(".")[0].strip()
            if problem and not sure and group in ("console_scripts", "gui_scripts") and any(
                    path in contents.tree for place in ("", "src/") for path in (f"{place}{top}.py",
                                                                                 f"{place}{top}/__init__.py")):
                problem, sure = f"names {top}, which is in the sources and not in the wheel", True
            weight = UNVERIFIED if not sure else WARNING if OF_TESTS.search(target) else None
            if problem:
                yield At(f"{name} in {group} {problem}: {target}", PYPROJECT, contents.project.line(name), weight)


@CONTENTS.rule("REL224", "The wheel holds a module to import",
      why="An empty wheel builds, uploads and installs without a message.",
      fix="See that package discovery looks where the package is, as with where in [tool.setuptools.packages.find].",
      section="sec-pypi-metadata-packages")
def something(contents: Contents) -> Iterator[At]:
    """A module, or for a package of types its stubs."""
    if not contents.wheel.modules and not any(path.endswith(".pyi") for path in contents.wheel.installed):
        yield At("no module in it can be imported", fix=remedy(places(contents.project).modules))


@CONTENTS.rule("REL232", "The import names in the metadata are modules of the wheel",
      why="Tools look up in this field which package brings a missing module. With a wrong name they find a package "
          "that does not have the module.",
      fix="Correct import-names in [project] (PEP 794), or include the module in the wheel.",
      source="Core metadata: Import-Name", section="sec-pypi-metadata-packages", severity=WARNING)
def promised_names(contents: Contents) -> Iterator[At]:
    """Import names that no module of the wheel has."""
    names = [name.partition(";")[0].strip() for name in contents.wheel.metadata.get("import_names", [])]
    held = {".".join(words[:count]) for module in contents.wheel.modules if (words := module.split("."))
            for count in range(1, len(words) + 1)}
    if absent := sorted({*filter(None, names)} - held):
        yield At(f"Import-Name names {listed(absent)}, which the wheel does not have")


@CONTENTS.rule("REL225", "The wheel holds what the package's folder holds",
      why="A list of packages that you write by hand lacks the next subpackage, and data files are left out unless "
          "you name them. In the checkout all of them are there, so no test notices.",
      fix="Use package discovery, and name data files as package data. If you leave files out on purpose, ignore "
          "this rule with that reason.",
      section="sec-pypi-metadata-packages", severity=WARNING)
def whole(contents: Contents) -> Iterator[At]:
    """Modules and data files of the package's folder in the sources that aren't in the wheel."""
    wheel, sources = contents.wheel, contents.tree | contents.sdist.files.keys()
    meant = set(re.findall(r"[\w.-]+", " ".join(_excluded({
        name: contents.project.section("tool", name) for name in BACKENDS}))))
    said = {path for files, _ in opened(contents).values() for path in files}
    for package in sorted(topmost(wheel)):
        folder = package_folder(package, sources)
        if folder is None:
            continue
        inside = {path[len(folder):] for path in sources if path.startswith(f"{folder}{package}/")}
        left = sorted(path for path in inside - said if path not in wheel.installed and not CACHES.search(path)
                      and not NOT_INSTALLED.search(path[len(package):])
                      and not meant & set(PurePosixPath(path[len(package):]).parts))
        code = [path for path in left if path.endswith(".py")]
        data = [path for path in left if not path.endswith(".py")]
        if code:
            yield At(f"modules in the sources and not in it: {listed(code)}",
                     fix=remedy(places(contents.project).modules))
        if data:
            yield At(f"files of the package and not in it: {listed(data)}",
                     fix=remedy(places(contents.project).data))


@CONTENTS.rule("REL226", "The version built is the version tagged",
      why="Without its settings a backend builds 0.0.0 without a warning, and what is uploaded once can't be "
          "uploaded again.",
      fix="Commit, tag the commit, and see that the version comes from the tag, or is the same in pyproject.toml.",
      section="sec-pypi-metadata-version")
def version(contents: Contents) -> Iterator[At]:
    """A built version that belongs to no tag on the commit, or to another one in the sdist."""
    project, built = contents.project, contents.wheel.version
    place = PYPROJECT, project.line("version", "project")
    if contents.sdist.version != built:
        yield At(f"it says version {contents.sdist.version}, the wheel {built}", contents.sdist.file)
    number = _number(built)
    tagged = [found for text in tag_versions(project, project.git.tags if project.git else ())
              if (found := _number(text))]
    if number and tagged and number not in tagged:
        said = listed(sorted(map(str, tagged)))
        yield At(f"the files are of version {built}, the tag on the commit says {said}", *place)
    elif number and not tagged and number.release == (0, 0, 0):
        yield At(f"the files are of version {built}: the backend knew no version", *place)


@CONTENTS.rule("REL227", "Every folder with modules is a package",
      why="Some tools treat a folder without __init__.py as a package, and others do not. So its modules can be "
          "missing for users.",
      fix="Add an empty __init__.py, or move the files out of the package.",
      section="sec-pypi-metadata-packages", severity=WARNING)
def with_init(contents: Contents) -> Iterator[At]:
    """Folders of the wheel with modules, inside a package and without `__init__.py`."""
    files = contents.wheel.installed
    folders = {path.rpartition("/")[0] for path in files if path.endswith((".py", ".so", ".pyd"))}
    bare = [folder for folder in sorted(folders) if f"{folder}/__init__.py" not in files
            and f"{folder.rpartition('/')[0]}/__init__.py" in files and folder.rpartition("/")[2].isidentifier()]
    if bare:
        yield At(f"{listed(bare)} {'have' if len(bare) > 1 else 'has'} modules and no __init__.py")


@CONTENTS.rule("REL230", "What breaks code that uses the package comes with a new major version",
      why="Code that uses a public name stops working when the name is gone or is called in another way. By "
          "semantic versioning only a new major version may do that.",
      fix="Keep the name and its parameters, perhaps with a warning that they will go, or raise the major version. "
          "Names with an underscore, and those that __all__ leaves out, are not public.",
      source="griffe: breaking changes", section="sec-pypi-tag", severity=WARNING)
def kept_promises(contents: Contents) -> Iterator[At]:
    """Names of the last release that are gone or changed; below 1.0 no version promises to keep them."""
    change = contents.change
    if change is None:
        return
    old, new = _number(change.before), _number(change.after)
    if not (old and new and old.major >= 1 and new.major == old.major):
        return
    # Builds write these modules, each version of a build tool in another way.
    removed = [name for name in change.removed if not WRITTEN.search(name)]
    broken = [name for name in change.breaking if not WRITTEN.search(name.partition(":")[0])]
    if removed:
        yield At(f"{change.before} had {listed(removed)}, {change.after} doesn't")
    if broken:
        yield At(f"calls that work with {change.before} can fail: {listed(broken)}")


def _number(text: str) -> Version | None:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion:
        return None


def _excluded(table: object, inside: bool = False) -> Iterator[str]:
    """The patterns under every key of the backend's settings that speaks of excluding."""
    if isinstance(table, dict):
        for key, value in table.items():
            yield from _excluded(value, inside or "exclude" in str(key))
    elif isinstance(table, list):
        for value in table:
            yield from _excluded(value, inside)
    elif inside and isinstance(table, str):
        yield re.sub(r"[./]", " ", table)
