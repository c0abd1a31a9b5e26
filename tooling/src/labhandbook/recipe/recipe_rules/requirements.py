"""Rules on the requirements of a recipe and of its outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.errors import HandbookError
from labhandbook.core.regular_file import content
from labhandbook.core.rules import WARNING, At
from labhandbook.core.yaml_reader import read_yaml
from labhandbook.recipe.conda_forge_facts import avoided, facts, python_min
from labhandbook.recipe.conda_forge_names import names
from labhandbook.recipe.recipe_reader import Entry, Part, Reading
from labhandbook.recipe.recipe_rules.recipe_rule import ADVICE, FIELDS, RECIPE
from labhandbook.recipe.requirement_specs import split

SECTIONS = ("build", "host", "run")
MIN = re.compile(r"\{\{\s*python_min\s*\}\}")
COMPILER = re.compile(r"^\$?\{\{ ?compiler\(\s*['\"](m2w64_)?(c|cxx|fortran|rust|go-cgo)['\"]")
PIN = re.compile(r"\{\{\s*(pin_subpackage|pin_compatible)\(\s*['\"]?([^'\",)]+)['\"]?")
OPERATORS = {"!=", "=", "==", ">", "<", "<=", ">="}


def _each(reading: Reading) -> Iterator[tuple[Part, str, Entry]]:
    for part in reading.parts:
        for section in SECTIONS:
            for value in part.requirements(section):
                yield part, section, value


def _names(part: Part, *sections: str) -> set[str]:
    return {split(value.text)[0].replace("_", "-") for value in part.requirements(*sections)}


def written(reading: Reading, value: Entry) -> str:
    """A line of the recipe without its list mark and comment."""
    line = reading.lines[value.line - 1]
    return re.sub(r"^[\s-]*|\s+#.*$", "", line).strip("'\" ")


@RECIPE.rule("RCP020", "A package that pip builds names its build backend", source="conda-forge R-046",
      severity=WARNING, why="pip downloads nothing at conda-forge, so what builds the package must be installed.",
      fix="List what [build-system] in pyproject.toml requires under host.", section=FIELDS)
def backend(reading: Reading) -> Iterator[At]:
    """pip in host, and no backend."""
    backends = {one.replace("_", "-") for one in facts()["backends"]}
    for part in reading.parts if "hint_pip_no_build_backend" not in reading.skipped else ():
        section = "host" if part.requirements("host") else "build"
        names = _names(part, section)
        own = part.name or reading.get("package.name")
        if "pip" in names and not names & backends and own not in ("hatchling", "pdm-backend", "setuptools"):
            yield At(f"{section} names no build backend", line=part.line(section))


@RECIPE.rule("RCP021", "A noarch recipe bounds python by python_min", source="conda-forge R-026, R-047",
      why="conda-forge raises python_min for all recipes at once; your own number goes out of date (CFEP-25).",
      fix="Write python at python_min under host, and python >= python_min under run.", section=FIELDS)
def lower_bound(reading: Reading) -> Iterator[At]:
    """No bound of python in run of a noarch recipe; a hint where the bound is another one."""
    parts = reading.parts[1:] or reading.parts
    for part in (one for one in parts if one.noarch == "python"):
        for section, sign in (("host", r"=?=?"), ("run", ">=")):
            lines = [value for value in part.requirements(section) if split(value.text)[0] == "python"]
            texts = [written(reading, value) for value in lines]
            if section == "run" and part.top and not any(text != "python" for text in texts):
                yield At("run has no lower bound for python", line=lines[0].line if lines else part.line("run"))
            elif "hint_python_min" not in reading.skipped and not any(
                    re.search(rf"python\s+{sign}\$?{{{{ python_min", text) for text in texts):
                yield At(f"{section} has {', '.join(texts) or 'no python'}, not "
                         f"{'at least ' if section == 'run' else ''}python_min", severity=WARNING,
                         line=lines[0].line if lines else part.line(section))


@RECIPE.rule("RCP022", "python_min is set only when it must be higher", source="conda-forge R-052",
      why="conda-forge raises python_min for all recipes at once; your own value would stay as it is.",
      fix="Remove the line.", severity=WARNING, section=FIELDS)
def redefined(reading: Reading) -> Iterator[At]:
    """python_min at or below conda-forge's."""
    found = reading.context.get("python_min", "")
    if re.fullmatch(r"3\.\d+", found) and int(found[2:]) <= int(python_min()[2:]):
        lines = (number for number, text in enumerate(reading.lines, 1) if re.search(r"python_min\s*[:=]", text))
        yield At(f"python_min is set to {found}, and conda-forge has {python_min()} since "
                 f"{facts()['python-min-since']}", line=next(lines, 1))


@RECIPE.rule("RCP023", "A package with python or r-base under host has it under run too", source="conda-forge R-023",
      why="Without python under run the package installs without a Python.",
      fix="Add the package to run.", section=FIELDS)
def python_in_run(reading: Reading) -> Iterator[At]:
    """python or r-base in host, not in run."""
    part = reading.parts[0]
    for language in ("python", "r-base") if not part.noarch and len(reading.parts) == 1 else ():
        if language in _names(part, "host") and language not in _names(part, "run"):
            yield At(f"host has {language}, run does not have it", line=part.line("run"))


@RECIPE.rule("RCP024", "A compiled package sets no bound for python or r-base", source="conda-forge R-024",
      why="conda-forge builds such a package for each Python; with a bound, some of them are left out.",
      fix="Write python alone, and leave out versions with build.skip.", section=FIELDS)
def free_python(reading: Reading) -> Iterator[At]:
    """Bounds of python in a recipe that isn't noarch and doesn't run on every version."""
    part = reading.parts[0]
    if part.noarch or len(reading.parts) > 1:
        return
    for language in ("python", "r-base"):
        for section in ("host", "run") if language != "python" or not part.abi3 else ():
            lines = [value for value in part.requirements(section) if value.text.partition(" ")[0] == language]
            for value in lines if language not in {value.text for value in lines} else ():
                if split(value.text)[1].startswith((">", "<")):
                    yield At(f"{section} has {value.text}", line=value.line)


@RECIPE.rule("RCP025", "A requirement is a name, a space and its bounds",
             source="conda-forge R-017, R-021, R-022, R-048, R0-006",
      why="conda reads `numpy>=1.26` and `numpy >= 1.26` differently from pip, or refuses them.",
      fix="Write the requirement like numpy >=1.26,<3.", section=FIELDS)
def spelling(reading: Reading) -> Iterator[At]:
    """Spaces in the wrong places, extras, markers and pip's operators; conda-smithy looks at the top level only."""
    for part in reading.parts:
        held = part.value["requirements"].map
        for section in held if part.top else SECTIONS:
            for value in part.requirements(section):
                if message := _misspelt(value, reading.form):
                    yield At(f"{section}: {message[0]}", line=value.line,
                             severity=None if part.top and message[1] else WARNING)
                elif part.top and section == "build" and value.text in ("numpy x.x", "toolchain"):
                    yield At(f"build: {value.text} is no longer used", line=value.line)


def _misspelt(value: Entry, form: str) -> tuple[str, bool] | None:
    """What is wrong with a requirement, and whether conda-forge refuses it."""
    text = value.text
    if "{{" in text or not text.split():
        return None
    first, *rest = text.split()
    if len(rest) > 1 and rest[0] in OPERATORS:
        return f"{text} has a space inside its bounds", True
    if re.search(r"[<>=]", first) and "[" not in first:
        return f"{text} has no space before its bounds", True
    if re.search(r"[<>=]", first):
        return None if re.fullmatch(r"[\w.-]+\[.+\]", text) else (f"{text} is no requirement of conda", True)
    if "[" in first or ";" in text:
        return f"{text} has an extra or a marker, which conda does not have", False
    if len(rest) > 2 or re.search(r"[,|]\s|\s[,|]|[<>=!~]\s", text) or (
            len(rest) == 1 and form == "v0" and re.search(r"[\d*]=[\w*]", rest[0])):
        return f"{text} has its bounds and its build string in a way that conda misreads", False
    return None


@RECIPE.rule("RCP026", "Requirements have conda-forge's names", source="conda-forge CF-002", severity=WARNING,
      why="matplotlib brings a graphical toolkit where matplotlib-base is enough, and torch and build are names of "
          "other packages there.",
      fix="Use the name that the message gives.", section=FIELDS)
def renamed(reading: Reading) -> Iterator[At]:
    """Names that mean another package on conda-forge, or one that has a newer name."""
    seen: set[str] = set()
    for _, section, value in _each(reading):
        name = split(value.text)[0]
        if name in avoided() and name not in seen:
            seen.add(name)
            yield At(f"{section}: {name} is {avoided()[name]} on conda-forge", line=value.line)


@RECIPE.rule("RCP075", "Requirements are on conda-forge", severity=WARNING,
      why="A package that requires what conda-forge does not have can't be installed.",
      fix="Correct the name, or bring that package to conda-forge first; its recipe may be in the same pull "
          "request.", section=FIELDS, asks="conda-forge")
def there(reading: Reading) -> Iterator[At]:
    """Names that conda-forge does not have, by the published mapping of its names."""
    known = names()
    own = {part.name for part in reading.parts} | {reading.get("package.name")} | siblings(reading) | set(avoided())
    for _, section, value in _each(reading):
        name = split(value.text)[0].rpartition("::")[2].partition("[")[0]
        if name.lower() not in known.packages and name not in own and not re.search(r"^__|[{}]", name):
            right = known.conda(name)
            hint = f"; conda-forge calls it {right}" if right else ""
            yield At(f"{section}: conda-forge has no {name} ({known.source}){hint}", line=value.line)


def siblings(reading: Reading) -> set[str]:
    """The recipes that the same pull request to staged-recipes may bring."""
    folder = reading.path.resolve().parent.parent
    return {path.name for path in folder.iterdir() if path.is_dir()} if folder.name == "recipes" else set()


@RECIPE.rule("RCP076", "A new recipe is for a package that conda-forge does not have", severity=WARNING,
      why="A package has one feedstock; staged-recipes refuses a second recipe for it.",
      fix="Change the package's feedstock instead: handbook recipe update.", section=FIELDS, asks="conda-forge")
def new(reading: Reading) -> Iterator[At]:
    """A package that is there already."""
    name, known = reading.get("package.name"), names()
    if reading.path.resolve().parent.parent.name == "recipes" and name in known.packages:
        yield At(f"conda-forge has {name} already ({known.source})", line=reading.line("package.name"))


@RECIPE.rule("RCP027", "A compiler comes with stdlib", source="conda-forge R-033, R-034, R-035",
      why="stdlib says on which systems the result runs; conda-forge's linter refuses a compiler without stdlib.",
      fix="Add ${{ stdlib('c') }} beside the compiler, and remove sysroot_linux and bounds of __osx.", section=FIELDS)
def stdlib(reading: Reading) -> Iterator[At]:
    """Compilers alone, and what stdlib replaces."""
    for part in reading.parts if "lint_stdlib" not in reading.skipped else ():
        lines = part.requirements("build")
        found = next((value for value in lines if COMPILER.match(value.text)), None)
        # An output may bring it for the recipe's own sections.
        beside = [value for one in reading.parts for value in one.requirements("build")] if part.top else lines
        if found and not any(re.search(r"\{\{ ?stdlib\(\s*['\"](m2w64_)?c['\"]", value.text) for value in beside):
            yield At("a compiler is used without stdlib", line=found.line)
        for value in lines:
            if value.text.startswith("sysroot_linux"):
                yield At(f"{value.text} is what stdlib brings", line=value.line)
        for value in part.requirements("run", "run_constraints", "run_constrained"):
            if value.text.startswith("__osx >"):
                yield At(f"{value.text} is what stdlib brings", line=value.line)


@ADVICE.rule("RCP028", "A requirement is listed once in its section", severity=WARNING,
      why="With two lines for one package, readers and updates may see only one.",
      fix="Join the bounds with a comma on one line.", section=FIELDS)
def once(reading: Reading) -> Iterator[At]:
    """Two lines for one package."""
    for part in reading.parts:
        for section in SECTIONS:
            seen: dict[str, int] = {}
            for value in part.requirements(section):
                name = split(value.text)[0]
                if "{{" not in name and not value.selector and name in seen:
                    yield At(f"{section}: {name} is on line {seen[name]} already", line=value.line)
                seen.setdefault(name, value.line)


@RECIPE.rule("RCP072", "Outputs are pinned with pin_subpackage, other packages with pin_compatible",
      source="conda-forge R-027",
      why="pin_subpackage takes the version from this recipe, pin_compatible from what was installed to build it.",
      fix="Use the other function.", section=FIELDS)
def pins(reading: Reading) -> Iterator[At]:
    """Functions that pin the wrong kind of package; in v1 conda-forge's linter looks at run_exports only."""
    own = {part.name for part in reading.parts[1:]} | {reading.fill(reading.root["package"]["name"].text)}
    for part in reading.parts:
        exports = part.entries(part.value["build" if reading.form == "v0" else "requirements"]["run_exports"])
        for value in [*part.requirements("host", "run"), *exports]:
            if (found := PIN.search(value.text)) and "{{" not in (name := reading.context.get(found[2], found[2])):
                makes = name in own
                if makes is (found[1] == "pin_compatible"):
                    yield At(f"{found[1]} pins {name}, which this recipe {'makes' if makes else 'does not make'}",
                             line=value.line, severity=None if reading.form == "v0" or value in exports else WARNING)


@RECIPE.rule("RCP073", "Packages that conda-forge pins have no bound of their own", source="conda-forge CF-006",
      severity=WARNING, why="A bound under host overrides the version that all of conda-forge builds with.",
      fix="Write the name alone under host.", section=FIELDS)
def overridden(reading: Reading) -> Iterator[At]:
    """Bounds under host of what the feedstock's variants pin."""
    pinned: set[str] = set()
    for path in sorted((reading.feedstock / ".ci_support").glob("*.yaml")) if reading.feedstock else ():
        try:
            pinned |= set(read_yaml(content(path).decode(errors="replace"), path.name).map)
        except (HandbookError, OSError):
            continue
    for part in reading.parts if pinned else ():
        lines = [value for value in part.requirements("host") if "{{" not in written(reading, value)]
        names = [split(value.text)[0] for value in lines]
        for name, value in zip(names, lines, strict=True):
            if name in pinned and names.count(name) == 1 and split(value.text)[1] not in ("", "*"):
                yield At(f"host: {value.text} overrides conda-forge's pinning", line=value.line)


@RECIPE.rule("RCP074", "A package for all Pythons (abi3) is marked and tested as such",
      source="conda-forge R-038, R-053, R1-007",
      why="Such a package is built once and installed on every later Python, so an error shows only on a later "
          "Python.",
      fix="Compare is_abi3 with true or false without quotes, run abi3audit in the tests, and don't ignore what "
          "cross-python exports.", section=FIELDS)
def abi3(reading: Reading) -> Iterator[At]:
    """`is_abi3` compared with text, no abi3audit, and a workaround that is no longer needed."""
    for number, line in enumerate(reading.lines, 1):
        if re.search(r"is_abi3\s*(==|!=)\s*['\"](true|false)['\"]", line):
            yield At("is_abi3 is true or false, not a text", line=number)
    for part in reading.parts[1:] or reading.parts:
        names = {split(value.text)[0] for value in part.requirements("host")}
        tests = [scalar.text for test in part.tests() for scalar in test.scalars()]
        audited = any("abi3audit" in one for one in tests) or "hint_abi3_missing_abi3audit" in reading.skipped
        if part.abi3 and part.noarch != "python" and "python-abi3" in names and not audited:
            yield At("no test runs abi3audit", line=part.line("host"), severity=WARNING)
        ignored = part.value["requirements"]["ignore_run_exports"]["from_package"]
        if reading.form == "v1" and (part.abi3 or part.noarch == "python"):
            for value in part.entries(ignored):
                if re.match(r"cross-python(_|\s|$)", value.text):
                    yield At("rattler-build ignores what cross-python exports by itself", line=value.line,
                             severity=WARNING)


