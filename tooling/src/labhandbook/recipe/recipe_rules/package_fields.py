"""Rules on name, version, source and build of a recipe."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At
from labhandbook.core.yaml_reader import Value, plain
from labhandbook.recipe.recipe_reader import Part, Reading, flat
from labhandbook.recipe.recipe_rules.recipe_file import selected
from labhandbook.recipe.recipe_rules.recipe_rule import ADVICE, FIELDS, FIXING, RECIPE

PLATFORMS = {"win", "linux", "osx", "unix"}


def _named(reading: Reading, key: str) -> tuple[str, int]:
    """Name or version of a recipe and its line; v1 has it under `recipe` where there are outputs."""
    section = "recipe" if reading.form == "v1" and not reading.root["package"][key] else "package"
    value = reading.root[section][key]
    return reading.fill(value.text).strip(), value.line or reading.line(f"package.{key}")


@RECIPE.rule("RCP010", "The package's name is lower case", source="conda-forge R-014",
      why="conda-forge's packages have lower-case names of letters, digits, hyphens, dots and underscores; "
          "py-rattler-build accepts capitals.",
      fix="Write the name in lower case, even if PyPI shows capitals.", section=FIELDS)
def name(reading: Reading) -> Iterator[At]:
    """Capitals and other characters in the name, or no name."""
    found, line = _named(reading, "name")
    if not found and reading.root:
        yield At("the package has no name", line=line)
    elif found and "{{" not in found and not re.fullmatch(r"[a-z0-9_\-.]+", found):
        yield At(f"the name is {found}", line=line)


@RECIPE.rule("RCP011", "The version is given as text", source="conda-forge R-015, R-016, R-040",
      why="Without quotes 1.10 is the number 1.1, and another version is built.",
      fix="Put the version in quotes, as in version: \"1.10.0\".", section=FIELDS)
def version(reading: Reading) -> Iterator[At]:
    """A number with a point anywhere; a version that is missing or that conda can't order."""
    for value in reading.root.scalars():
        if isinstance(_meant(reading, value), float):
            yield At(f"{reading.fill(value.text)} is a number here, and a zero at its end is lost", line=value.line)
    found, line = _named(reading, "version")
    if not found and reading.root:
        yield At("the package has no version", line=line)
    elif found and "{{" not in found and not orderable(found):
        yield At(f"conda can't compare the version {found} with others", line=line)


def _meant(reading: Reading, value: Value) -> object:
    """What YAML makes of a scalar; in v0 of one whose variables were put in first."""
    if reading.form == "v0" and value.style == "'" and value.text.startswith("{{"):
        written = reading.lines[value.line - 1].split(":", 1)[-1].lstrip(" -")
        return plain(reading.fill(value.text)) if written.startswith("{{") else value.text
    return value.data


def orderable(text: str) -> bool:
    """Whether conda takes a text as a version (its VersionOrder)."""
    text = text.strip().lower()
    if "-" in text:
        if "_" in text:
            return False
        text = text.replace("-", "_")
    if not re.fullmatch(r"(\d+!)?[*.+!_0-9a-z]+", text) or text.count("+") > 1 or text.count("!") > 1:
        return False
    main, _, local = text.rpartition("!")[2].partition("+")
    main = main[:-1] if main.endswith("_") else main
    parts = re.split(r"[._]", main) + (re.split(r"[._]", local) if "+" in text else [])
    return all(re.search(r"[0-9a-z*]", part) for part in parts) and "!" not in main + local


def _sources(reading: Reading) -> list[Value]:
    """The sources of a recipe, and in v1 those of its outputs too."""
    found = flat(reading.root["source"])
    if reading.form == "v1":
        found += [source for part in reading.parts[1:] for source in flat(part.value["source"])]
    return found


def _urls(reading: Reading) -> Iterator[tuple[str, int]]:
    for source in _sources(reading):
        for value in source["url"].words:
            yield reading.fill(value.text), value.line


@RECIPE.rule("RCP012", "The source is not at PyPI's old address", source="conda-forge R-050",
      why="PyPI's old address may stop working.", severity=WARNING,
      fix="Use PyPI's address: packages/source/, the first letter, the name, the file.", section=FIELDS)
def old_address(reading: Reading) -> Iterator[At]:
    """PyPI's old name."""
    for url, line in _urls(reading):
        if re.match(r"https://pypi\.io/", url):
            yield At(f"{url.split('/')[2]} is PyPI's old name", line=line)


@ADVICE.rule("RCP070", "The source is a released file at an address with https", severity=WARNING,
      why="conda-forge builds from the released file: a git address or a path of your computer can't be checked.",
      fix="Use the address of the sdist, on PyPI packages/source/, the first letter, the name, the file.",
      section=FIELDS)
def sdist(reading: Reading) -> Iterator[At]:
    """Git addresses, paths, other schemes, and no source at all."""
    found = _sources(reading)
    if reading.root and not found and len(reading.parts) == 1:
        yield At("the recipe has no source", line=reading.line("source.url"))
    for source in found:
        for kind in ("git", "git_url", "path"):
            if source[kind]:
                yield At(f"the source is a {kind.removesuffix('_url')} address, not a released file",
                         line=source.at(kind))
    for url, line in _urls(reading):
        if re.match(r"(?!https)[a-z]+:", url):
            yield At(f"the source is at {url.partition(':')[0]}:, not https:", line=line)


@RECIPE.rule("RCP013", "The source has its sha256", source="conda-forge R-019",
      why="Without the sha256 nobody can check that the file that is built is the released one.",
      fix="Copy the sha256 from the file's page on PyPI, or let handbook recipe new write it.", section=FIELDS)
def checksum(reading: Reading) -> Iterator[At]:
    """A hash that is missing, has another length or is a placeholder."""
    for source in _sources(reading):
        if source["url"] and not source.keys.keys() & {"sha256", "sha1", "md5"}:
            yield At("the source has no sha256", line=source.at("url"))
        found = reading.fill(source["sha256"].text)
        if found and "{{" not in found and (not re.fullmatch(r"[0-9a-fA-F]{64}", found) or not found.strip("0")):
            yield At("the sha256 is not a file's", line=source["sha256"].line)


@RECIPE.rule("RCP014", "The source is not a wheel", source="conda-forge R-028, R-029, R-030",
      why="conda-forge builds from source; reviewers refuse wheels.", fix="Publish the sdist and build from it.",
      section=FIELDS)
def no_wheel(reading: Reading) -> Iterator[At]:
    """Wheels as sources; a pure one in a noarch recipe only gets a hint."""
    for url, line in _urls(reading):
        if url.endswith(".whl"):
            yield At("the source is a wheel", line=line, severity=WARNING
                     if reading.noarch and url.endswith("-none-any.whl") else None)


@RECIPE.rule("RCP015", "The build number is given", source="conda-forge R-008",
      why="The build number distinguishes two builds of one version; a new version starts at 0.",
      fix="Write number: 0 under build. In a recipe with outputs, write it under build at the top as well.",
      section=FIELDS)
def number(reading: Reading) -> Iterator[At]:
    """A missing build number."""
    if reading.root and not reading.root["build"]["number"]:
        yield At("the build number is missing", line=reading.line("build.number"))


@RECIPE.rule("RCP016", "A package without compiled code is noarch: python", source="conda-forge R-020, R-041",
      why="One build is enough for all systems and Pythons, instead of dozens.",
      fix="Write noarch: python under build.", section=FIELDS)
def noarch(reading: Reading) -> Iterator[At]:
    """A noarch that doesn't exist; in a recipe for staged-recipes neither a compiler nor noarch."""
    part = reading.parts[0]
    if part.noarch and part.noarch not in ("python", "generic"):
        yield At(f"noarch: {part.noarch} does not exist", line=reading.line("build.noarch"))
    elif (not part.noarch and len(reading.parts) == 1 and reading.path.resolve().parent.name != "recipe"
          and reading.requirement("host", "python") and not reading.compilers and not part.value["build"]["skip"]
          and not any(entry.selector for entry in part.requirements())):
        yield At("it uses no compiler and is not noarch", line=reading.line("build.noarch"), severity=WARNING)


def scripts(part: Part) -> Iterator[tuple[str, int]]:
    """The lines of a part's build script."""
    script = part.value["build"]["script"] or part.value["script"]
    for value in script.scalars():
        for line, text in value.lines:
            yield text, line


@RECIPE.rule("RCP017", "pip installs the package, not setup.py", source="conda-forge R-049", severity=WARNING,
      why="setup.py install is deprecated, and it downloads what is missing.",
      fix="Write script: python -m pip install . -vv --no-deps --no-build-isolation, with the PYTHON variable.",
      section=FIELDS)
def script(reading: Reading) -> Iterator[At]:
    """`python setup.py install`."""
    for part in reading.parts:
        for text, line in scripts(part):
            if re.search(r"setup\.py\s+(install|develop|build)\b", text):
                yield At("setup.py installs the package, not pip", line=line)


@ADVICE.rule("RCP071", "pip downloads nothing", severity=WARNING,
      why="conda-forge's scripts switch pip's downloads off by environment variables; with the options the script "
          "does the same everywhere.",
      fix="Add --no-deps and --no-build-isolation.", section=FIELDS)
def options(reading: Reading) -> Iterator[At]:
    """Missing options of pip."""
    for part in reading.parts:
        for text, line in scripts(part):
            lacking = [option for option in ("--no-deps", "--no-build-isolation") if option not in text]
            if "pip install" in text and lacking:
                yield At(f"pip runs without {' and '.join(lacking)}", line=line)


@RECIPE.rule("RCP018", "A noarch recipe has no selectors", source="conda-forge R0-004, R1-002",
      why="One package is built for all systems, so a line can't apply to some of them only.",
      fix="Let the line apply everywhere, leave it out, or drop noarch. Or build the package once for each kind of "
          "system, with two noarch_platforms in conda-forge.yml.", section=FIXING)
def no_conditions(reading: Reading) -> Iterator[At]:
    """Requirements that hold on some systems only, and skips; `noarch_platforms` allows conditions on the system."""
    if not reading.parts[0].noarch or "lint_noarch_selectors" in reading.skipped:
        return
    several = len(reading.config["noarch_platforms"].items) > 1
    allowed = PLATFORMS if several else set()
    if reading.form == "v0":
        variants = reading.variants("conda_build_config.yaml")
        allowed = allowed | set(variants.map)
        lines = {value.line for section in ("host", "run") for part in reading.parts
                 for value in part.requirements(section)}
        for number, words, _ in selected(reading):
            begun = reading.lines[number - 1].strip()
            bad = set(words.split()) - {"not", "and", "or"} - (allowed if number in lines else set())
            if bad and (number in lines or begun.startswith("skip:")):
                yield At(f"{begun.partition('#')[0].strip().removeprefix('- ')} holds only for {words}", line=number)
        return
    part = reading.parts[0]
    for section, held in part.value["requirements"].map.items():
        for value in part.requirements(section) if held.items else ():
            asked = set(value.selector.split()) - {"not", "and", "or"}
            if asked and not (several and (section not in ("host", "run") or asked <= allowed)):
                yield At(f"{value.text} holds only for {value.selector}", line=value.line)
    if part.value["build"]["skip"]:
        yield At("build.skip leaves out systems or Pythons", line=reading.line("build.skip"))


@ADVICE.rule("RCP019", "The commands of a noarch package are listed", severity=WARNING,
      why="conda makes the commands of a noarch package from entry_points; each must be a name and a function.",
      fix="Write each as name = module:function, as in the project's scripts.", section=FIELDS)
def commands(reading: Reading) -> Iterator[At]:
    """Entry points of another form."""
    for value in reading.values("build.python.entry_points"):
        if not re.fullmatch(r"[\w.-]+\s*=\s*[\w.]+:[\w.]+", value.text):
            yield At(f"{value.text} is not name = module:function", line=value.line)
