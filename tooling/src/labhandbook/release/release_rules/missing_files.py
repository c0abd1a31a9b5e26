"""What the files of a release must hold, and what must fit together in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from labhandbook.core.rules import Finding, Rule, Severity, register
from labhandbook.core.wording import listed
from labhandbook.package.distribution import Distribution
from labhandbook.package.entry_points import doubtful
from labhandbook.package.project import PYPROJECT
from labhandbook.release.release_difference import Difference
from labhandbook.release.release_rules.unwanted_files import CACHES, Contents

if TYPE_CHECKING:
    from packaging.version import Version

LICENCE = register(Rule(
    "REL220", "The licence is in every file",
    "Nearly every licence asks that its text goes with every copy; without it others may not pass the package on, "
    "and conda-forge refuses it.",
    'Write license-files = ["LICEN[CS]E*"] and see that the pattern matches.',
    "sec-pypi-metadata-licence"))
TYPED = register(Rule(
    "REL221", "A package that says it is typed has py.typed",
    "Without this file type checkers pass over the package's annotations.",
    "Put an empty py.typed into the package's folder and include it as package data.",
    "sec-pypi-metadata-packages"))
README = register(Rule(
    "REL222", "The README is in the sdist",
    "People who get only the sdist, such as packagers, read it first.",
    "Name it as readme in [project], or in MANIFEST.in.",
    "sec-pypi-inspect", Severity.WARNING))
ENTRY_POINT = register(Rule(
    "REL223", "Entry points lead to something",
    "The command would be installed and fail with an ImportError at its first use.",
    "Correct the reference in [project.scripts] or [project.entry-points], or include the module in the wheel.",
    "sec-pypi-inspect"))
NOTHING = register(Rule(
    "REL224", "The wheel holds a module to import",
    "An empty wheel builds, uploads and installs without a word.",
    "See that package discovery looks where the package is, as with where in [tool.setuptools.packages.find].",
    "sec-pypi-metadata-packages"))
LEFT_OUT = register(Rule(
    "REL225", "The wheel holds what the package's folder holds",
    "A list of packages by hand forgets the next subpackage, and data files are left out unless they are named; in "
    "the checkout all of them are there, so no test notices.",
    "Use package discovery, and name data files as package data; leave out on purpose what isn't needed, and ignore "
    "this rule with that reason.",
    "sec-pypi-metadata-packages", Severity.WARNING))
VERSION = register(Rule(
    "REL226", "The version built is the version tagged",
    "Without its settings a backend builds 0.0.0 without a word, and what is uploaded once can't be uploaded again.",
    "Commit, tag the commit, and see that the version comes from the tag, or is the same in pyproject.toml.",
    "sec-pypi-metadata-version"))
PROMISE = register(Rule(
    "REL230", "Public names go only with a version that says so",
    "Code that uses them stops working, and by semantic versioning only a new major version may do that.",
    "Keep the names, perhaps with a warning that they will go, or raise the major version. Names with an underscore, "
    "and those that __all__ leaves out, are not public.",
    "sec-pypi-tag", Severity.WARNING))

BACKENDS = ("setuptools", "hatch", "flit", "pdm", "poetry", "uv")

# Sources that a build turns into something else, and notes for developers: no wheel needs them.
NOT_INSTALLED = re.compile(r"\.(c|cc|cpp|cxx|cu|h|hh|hpp|pyx|pxd|pxi|f|f90|for|rs|go|m|mm|in|tmpl|toml|cfg|lock|build"
                           r"|cmake|md|rst|txt|ya?ml|po|pot)$|(^|/)(Makefile|CMakeLists\.txt|\.[^/]+|Cargo\.\w+)$"
                           r"|(^|/)(tests?|testdata|docs?|benchmarks?|examples?)/|(^|/)(conftest|setup|test_\w+)\.py$")


def licence(contents: Contents) -> Iterator[Finding]:
    """A licence file in the sdist and in the wheel's metadata."""
    for file in contents.both:
        if not file.licences:
            yield Finding(file.file, 0, LICENCE, "it holds no licence file")


def typed(contents: Contents) -> Iterator[Finding]:
    """py.typed where the metadata or the sources say that the package is typed."""
    wheel = contents.wheel
    if any(path.endswith("py.typed") for path in wheel.files) or not wheel.modules:
        return
    if "Typing :: Typed" in wheel.classifiers:
        yield Finding(PYPROJECT, contents.project.line("Typing :: Typed"), TYPED,
                      "the classifier says Typing :: Typed, and the wheel holds no py.typed")
    elif source := next((path for path in contents.sdist.files if path.endswith("/py.typed")), ""):
        yield Finding(wheel.file, 0, TYPED, f"{source} is in the sources and not in the wheel")
    elif stubs := [path for path in wheel.installed if path.endswith(".pyi") and "-stubs/" not in path]:
        yield Finding(wheel.file, 0, TYPED, f"it holds types ({listed(stubs, 2)}) and no py.typed", Severity.WARNING)


def readme(contents: Contents) -> Iterator[Finding]:
    """A README at the top of the sdist."""
    declared = contents.project.table.get("readme")
    name = declared.get("file") if isinstance(declared, dict) else declared
    if isinstance(name, str) and PurePosixPath(name).as_posix() not in contents.sdist.files:
        yield Finding(contents.sdist.file, 0, README, f"it lacks {name}, which pyproject.toml names as readme")
    elif not any(path.lower().startswith("readme") for path in contents.sdist.files if "/" not in path):
        yield Finding(contents.sdist.file, 0, README, "it holds no README")


def entry_points(contents: Contents) -> Iterator[Finding]:
    """Entry points that lead nowhere; unverified those that only running the package would tell."""
    for entry in doubtful(contents.wheel):
        yield Finding(PYPROJECT, contents.project.line(entry.name), ENTRY_POINT,
                      f"{entry.name} in {entry.group} {entry.problem}: {entry.target}",
                      None if entry.sure else Severity.UNVERIFIED)


def something(contents: Contents) -> Iterator[Finding]:
    """A module, or for a package of types its stubs."""
    if not contents.wheel.modules and not any(path.endswith(".pyi") for path in contents.wheel.installed):
        yield Finding(contents.wheel.file, 0, NOTHING, "no module in it can be imported")


def whole(contents: Contents) -> Iterator[Finding]:
    """Modules and data files that lie in the package's folder in the sources and aren't in the wheel."""
    wheel, sources = contents.wheel, contents.tree | contents.sdist.files.keys()
    meant = set(re.findall(r"[\w.-]+", " ".join(_excluded({
        name: contents.project.section("tool", name) for name in BACKENDS}))))
    for package in sorted(topmost(wheel)):
        folder = _folder(package, sources)
        if folder is None:
            continue
        inside = {path[len(folder):] for path in sources if path.startswith(f"{folder}{package}/")}
        left = sorted(path for path in inside if path not in wheel.installed and not CACHES.search(path)
                      and not NOT_INSTALLED.search(path[len(package):])
                      and not meant & set(PurePosixPath(path[len(package):]).parts))
        code = [path for path in left if path.endswith(".py")]
        data = [path for path in left if not path.endswith(".py")]
        if code:
            yield Finding(wheel.file, 0, LEFT_OUT, f"modules in the sources and not in it: {listed(code)}")
        if data:
            yield Finding(wheel.file, 0, LEFT_OUT, f"files of the package and not in it: {listed(data)}")


def version(contents: Contents) -> Iterator[Finding]:
    """The built version belongs to a tag on the commit; files with another one are a mistake."""
    project, built = contents.project, contents.wheel.version
    before, _, after = project.settings.tag.partition("{version}")
    if contents.sdist.version != built:
        yield Finding(contents.sdist.file, 0, VERSION,
                      f"it says version {contents.sdist.version}, the wheel {built}")
    written = [tag[len(before):len(tag) - len(after)] for tag in (project.git.tags if project.git else ())
               if tag.startswith(before) and tag.endswith(after)]
    number, tagged = _number(built), [number for text in written if (number := _number(text))]
    if number is None:
        return
    if tagged and number not in tagged:
        said = listed(sorted(map(str, tagged)))
        yield Finding(PYPROJECT, project.line("version", "project"), VERSION,
                      f"the files are of version {built}, the tag on the commit says {said}")
    elif not tagged and number.release == (0, 0, 0):
        yield Finding(PYPROJECT, project.line("version", "project"), VERSION,
                      f"the files are of version {built}: the backend was told no version")


def kept_promises(contents: Contents, change: Difference) -> Iterator[Finding]:
    """Names of the last release that are gone although the version says that nothing breaks; below 1.0 it doesn't."""
    old, new = _number(change.before), _number(change.after)
    if change.removed and old and new and old.major >= 1 and new.major == old.major:
        yield Finding(contents.wheel.file, 0, PROMISE,
                      f"{change.before} had {listed(change.removed)}, {change.after} doesn't")


def _number(text: str) -> Version | None:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion:
        return None


def topmost(wheel: Distribution) -> set[str]:
    """The folders of packages that lie in no other package, as paths in site-packages."""
    folders = {path.rpartition("/")[0] for path in wheel.installed if path.endswith("/__init__.py")}
    return {folder for folder in folders if folder.rpartition("/")[0] not in folders}


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


def _folder(package: str, sources: Collection[str]) -> str | None:
    """What comes before a package's folder in the sdist: empty, `src/` or the like; None where it isn't there."""
    end = f"{package}/__init__.py"
    found = [path[:-len(end)] for path in sources if path == end or path.endswith(f"/{end}")]
    return min(found, key=len, default=None)


RULES = (licence, typed, readme, entry_points, something, whole, version)
