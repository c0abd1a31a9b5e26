"""Rules on name, version, source and build of a recipe."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At
from labhandbook.recipe.recipe_reader import Reading
from labhandbook.recipe.recipe_rules.recipe_rule import FIELDS, FIXING, RECIPE


@RECIPE.rule("RCP010", "The package's name is lower case", source="conda-forge R-014",
      why="conda-forge's packages have lower-case names of letters, digits, hyphens, dots and underscores; "
          "py-rattler-build accepts capitals.",
      fix="Write it in lower case, whatever it is on PyPI.", section=FIELDS)
def name(reading: Reading) -> Iterator[At]:
    """Capitals and other characters in the name, or no name."""
    found = reading.get("package.name")
    if reading.root and not reading.node("outputs") and not found:
        yield At("the package has no name", line=reading.line("package.name"))
    elif found and not re.fullmatch(r"[a-z0-9_][a-z0-9._-]*", found):
        yield At(f"the name is {found}", line=reading.line("package.name"))


@RECIPE.rule("RCP011", "The version is given as text", source="conda-forge R-015, R-016, R-040",
      why="Without quotes 1.10 is the number 1.1, and another version is built.",
      fix='Put it in quotes, without a leading v: version: "1.10.0".', section=FIELDS)
def version(reading: Reading) -> Iterator[At]:
    """A version that is missing, a number, or not a version."""
    from packaging.version import InvalidVersion, Version

    for path in ("context.version", "package.version"):
        for value in reading.values(path):
            if isinstance(value.held, float) and value.plain:
                yield At(f"the version {value.text} is a number here", line=value.line)
                return
    found = reading.get("package.version")
    if reading.root and not found:
        yield At("the package has no version", line=reading.line("package.version"))
    elif found and "{{" not in found:
        try:
            if found.startswith("v"):
                raise InvalidVersion
            Version(found)
        except InvalidVersion:
            yield At(f"{found} is not a version of a Python package", line=reading.line("package.version"))


def _urls(reading: Reading) -> list[tuple[str, int]]:
    return [(value.text, value.line) for value in reading.values("source.url")]


@RECIPE.rule("RCP012", "The source is the sdist on PyPI", source="conda-forge R-050",
      why="conda-forge builds from the released file: a git address or a path of your computer can't be checked, and "
          "PyPI's old address may stop working.",
      fix="Use PyPI's address: packages/source/, the first letter, the name, the file.", section=FIELDS)
def sdist(reading: Reading) -> Iterator[At]:
    """Git addresses, paths, other schemes and PyPI's old name."""
    for kind in ("git", "git_url", "path"):
        if reading.node(f"source.{kind}"):
            yield At(f"the source is a {kind.removesuffix('_url')} address, not a released file",
                     line=reading.line(f"source.{kind}"))
            return
    if reading.root and not _urls(reading) and not reading.node("outputs"):
        yield At("the recipe has no source", line=reading.line("source.url"))
    for url, line in _urls(reading):
        if not url.startswith("https://"):
            yield At(f"the source is at {url.partition(':')[0]}:, not https:", line=line)
        elif re.match(r"https://pypi\.\w\w/", url):
            yield At(f"{url.split('/')[2]} is PyPI's old name", line=line)


@RECIPE.rule("RCP013", "The source has its sha256", source="conda-forge R-019",
      why="Without it nobody can check that the file that is built is the released one.",
      fix="Copy it from the file's page on PyPI, or let handbook recipe new write it.", section=FIELDS)
def checksum(reading: Reading) -> Iterator[At]:
    """A hash that is missing, has another length or is a placeholder."""
    found = reading.get("source.sha256")
    if not found and _urls(reading):
        yield At("the source has no sha256", line=reading.line("source.url"))
    elif found and "{{" not in found and (not re.fullmatch(r"[0-9a-fA-F]{64}", found) or not found.strip("0")):
        yield At("the sha256 is not a file's", line=reading.line("source.sha256"))


@RECIPE.rule("RCP014", "The source is not a wheel", source="conda-forge R-028, R-029, R-030",
      why="conda-forge builds from source; reviewers refuse wheels.", fix="Publish the sdist and build from it.",
             section=FIELDS)
def no_wheel(reading: Reading) -> Iterator[At]:
    """Wheels as sources."""
    for url, line in _urls(reading):
        if url.endswith(".whl"):
            yield At("the source is a wheel", line=line)


@RECIPE.rule("RCP015", "The build number is given", source="conda-forge R-008",
      why="It distinguishes two builds of one version; a new version starts at 0.",
      fix="Write number: 0 under build.",
             section=FIELDS)
def number(reading: Reading) -> Iterator[At]:
    """A missing build number, or one that is no number."""
    found = reading.get("build.number")
    if reading.root and not (found.isdigit() or ("{{" in found)):
        yield At(f"the build number is {found or 'missing'}", line=reading.line("build.number"))


@RECIPE.rule("RCP016", "A package without compiled code is noarch: python", source="conda-forge R-020, R-041",
      why="One build is enough for all systems and Pythons, instead of dozens.",
      fix="Write noarch: python under build.", section=FIELDS)
def noarch(reading: Reading) -> Iterator[At]:
    """Neither a compiler nor noarch, or a noarch that doesn't exist."""
    found = reading.get("build.noarch")
    if found and found not in ("python", "generic"):
        yield At(f"noarch: {found} does not exist", line=reading.line("build.noarch"))
    elif not found and reading.requirement("host", "python") and not reading.compilers:
        yield At("it uses no compiler and is not noarch", line=reading.line("build.noarch"))


@RECIPE.rule("RCP017", "pip builds the package with what conda installed", source="conda-forge R-049",
      why="Without --no-build-isolation and --no-deps pip downloads a backend and dependencies of its own, which "
          "conda-forge forbids.",
      fix="Write script: python -m pip install . -vv --no-deps --no-build-isolation, with the PYTHON variable.",
      section=FIELDS)
def script(reading: Reading) -> Iterator[At]:
    """Other ways to install than pip's, and missing options."""
    for value in reading.values("build.script"):
        if re.search(r"setup\.py\s+(install|develop|build)", value.text):
            yield At("setup.py installs the package, not pip", line=value.line)
        elif re.search(r"pip install", value.text):
            lacking = [option for option in ("--no-deps", "--no-build-isolation") if option not in value.text]
            if lacking:
                yield At(f"pip runs without {' and '.join(lacking)}", line=value.line)


@RECIPE.rule("RCP018", "A noarch recipe has no selectors", source="conda-forge R0-004, R1-002",
      why="One package is built for all systems, so a line can't hold on some of them only.",
      fix="Let the line hold everywhere, leave it out, or drop noarch.", section=FIXING)
def no_conditions(reading: Reading) -> Iterator[At]:
    """Lines of requirements that hold on some systems only, and skips."""
    if reading.noarch:
        for section in ("build", "host", "run"):
            for value in reading.requirements(section):
                if value.selector:
                    yield At(f"{value.text} holds only for {value.selector}", line=value.line)
        if reading.node("build.skip"):
            yield At("build.skip leaves out systems or Pythons", line=reading.line("build.skip"))


@RECIPE.rule("RCP019", "The commands of a noarch package are listed", severity=WARNING,
      why="conda makes the commands of a noarch package from entry_points; each must be a name and a function.",
      fix="Write each as name = module:function, as in the project's scripts.", section=FIELDS)
def commands(reading: Reading) -> Iterator[At]:
    """Entry points of another form."""
    for value in reading.values("build.python.entry_points"):
        if not re.fullmatch(r"[\w.-]+\s*=\s*[\w.]+:[\w.]+(\s*\[.*\])?", value.text):
            yield At(f"{value.text} is not name = module:function", line=value.line)
