"""Rules on the file: that it can be read, that its fields exist, how it is written."""

from __future__ import annotations

import contextlib
import importlib
import re
import tempfile
from collections.abc import Callable, Iterator
from functools import cache

from labhandbook.core.rules import WARNING, At
from labhandbook.recipe.conda_forge_facts import facts
from labhandbook.recipe.recipe_reader import Reading
from labhandbook.recipe.recipe_rules.recipe_rule import ADVICE, CHECK, FIXING, RECIPE
from labhandbook.recipe.recipe_variables import misspelt
from labhandbook.recipe.renderer import problem

V1_ORDER = ["schema_version", "context", "package", "source", "build", "requirements", "tests", "about", "extra"]
V1_OUTPUTS_ORDER = ["schema_version", "context", "recipe", "source", "build", "outputs", "about", "extra"]
V0_ORDER = ["package", "source", "build", "requirements", "test", "app", "outputs", "about", "extra"]
SECTIONS = ["build", "host", "run"]
PARSERS = [("conda-souschef (grayskull)", "souschef.recipe", "Recipe"),
           ("conda-recipe-manager", "conda_recipe_manager.parser.recipe_parser", "RecipeParser")]


@RECIPE.rule("RCP001", "A recipe is valid YAML", source="conda-forge R-036",
      why="Tools can't read a recipe that is not valid YAML.",
      fix="Correct the indentation, the quotes or the colon on that line.", section=FIXING)
def readable(reading: Reading) -> Iterator[At]:
    """What the parser of YAML says."""
    if reading.problem:
        yield At(f"it {reading.problem}", line=reading.problem_line)


@RECIPE.rule("RCP002", "py-rattler-build accepts a v1 recipe", source="conda-forge R-000, R-018, R-036",
      why="conda-forge builds v1 recipes with rattler-build, which refuses unknown fields and values.",
      fix="Correct what the message names; rattler-build's recipe reference lists the fields.", section=CHECK)
def accepted(reading: Reading) -> Iterator[At]:
    """What py-rattler-build says of a v1 recipe, at the line that it means."""
    if reading.form == "v1" and not reading.problem:
        found = problem(reading)
        if found:
            message, line = found
            yield At(message, line=line)


@ADVICE.rule("RCP003", "A new recipe is v1",
      why="staged-recipes has deprecated meta.yaml: reviewers ask for recipe.yaml. Feedstocks may keep meta.yaml.",
      fix="Write the recipe as recipe.yaml: handbook recipe "
          "new NAME.", section="sec-conda-forge-generate", severity=WARNING)
def version_one(reading: Reading) -> Iterator[At]:
    """A v0 recipe under either name, feedstocks apart."""
    if reading.form == "v0":
        if reading.path.name == "recipe.yaml":
            yield At("recipe.yaml holds a v0 recipe, as grayskull leaves it when it can't write v1", line=1)
        elif reading.path.parent.name != "recipe":
            yield At("meta.yaml is the old format, v0", line=1)


@RECIPE.rule("RCP004", "A folder holds one recipe", source="conda-forge R-051",
      why="conda-forge's tools can't choose between two recipes.", fix="Delete meta.yaml.", section=FIXING)
def alone(reading: Reading) -> Iterator[At]:
    """Two recipes side by side."""
    both = [reading.path.with_name(name) for name in ("recipe.yaml", "meta.yaml")]
    if all(path.is_file() for path in both):
        yield At("recipe.yaml and meta.yaml are in one folder")


@RECIPE.rule("RCP047", "conda-forge's other programs can read the recipe", source="conda-forge R-037",
      severity=WARNING, why="A program that can't read a recipe can't update or convert it.",
      fix="You can leave the recipe as it is. To correct it, write each key once: most often there are two lines "
          "with the same key under different selectors.",
      section=CHECK)
def other_parsers(reading: Reading) -> Iterator[At]:
    """What conda-souschef and conda-recipe-manager can't read, where they are installed; conda-smithy asks so too."""
    for program, parser in installed_parsers(reading.form).items():
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            file.write(reading.text)
            file.flush()
            try:
                parser(load_file=file.name) if program.startswith("conda-souschef") else parser(reading.text)
            except Exception as problem:  # whatever it raises, it could not read the recipe
                said = str(getattr(problem, "problem", None) or problem).splitlines() or [type(problem).__name__]
                mark = getattr(problem, "problem_mark", None)
                yield At(f"{program} can't read it: {said[0][:120]}", line=mark.line + 1 if mark else 0)


@cache
def installed_parsers(form: str) -> dict[str, Callable[..., object]]:
    """The parsers that are installed here, for recipes of a form."""
    found = {}
    for program, module, name in PARSERS if form == "v0" else PARSERS[1:]:
        with contextlib.suppress(ImportError):
            found[program] = getattr(importlib.import_module(module), name)
    return found


@RECIPE.rule("RCP005", "Sections are in the usual order", source="conda-forge R-001, R-009",
      why="Reviewers read many recipes a day, and conda-forge's linter refuses sections in any other order.",
      fix="Move the section to its place.", section=FIXING)
def ordered(reading: Reading) -> Iterator[At]:
    """Top-level sections and those of requirements."""
    top = V0_ORDER if reading.form == "v0" else V1_OUTPUTS_ORDER if reading.root["outputs"] else V1_ORDER
    for path, order in (("", top), ("requirements", SECTIONS)):
        last, before = -1, ""
        for key, line in reading.keys(path):
            place = order.index(key) if key in order else last
            if place < last:
                yield At(f"{key} comes after {before}; the order is {', '.join(order)}", line=line)
                break
            last, before = place, key


@RECIPE.rule("RCP006", "A v1 recipe has no selectors in comments", source="conda-forge R1-001",
      why="v1 reads `# [win]` as a comment, so the line applies everywhere.",
      fix="Write the condition with if and then. Other comments must not end with square brackets.", section=FIXING)
def no_selectors(reading: Reading) -> Iterator[At]:
    """`# [win]` in a v1 recipe."""
    for number, words, comment in selected(reading) if reading.form == "v1" else ():
        if comment:
            yield At(f"[{words}] in a comment is no selector", line=number)


def selected(reading: Reading) -> Iterator[tuple[int, str, bool]]:
    """The lines that conda-build takes for lines with a selector: number, selector, and whether it is in a comment.

    A comment may have words before the selector and after it; without a comment the selector ends the line.
    """
    for number, line in enumerate(reading.lines, 1):
        if "]" not in line or line.lstrip().startswith("#"):
            continue
        comment = line[1:].partition("#")[2]
        if found := re.findall(r"\[([^\[\]]+)\]", comment):
            yield number, found[-1], True
        elif match := re.search(r"\[([^\[\]]+)\]$", line[1:].rstrip()):
            yield number, match[1], False


@RECIPE.rule("RCP007", "The file ends with one line break", source="conda-forge R-011, R-012",
      why="conda-forge's linter refuses empty lines at the end, and a last line without a line break.",
      fix="End the file after its last line with one line break.", section=FIXING)
def end(reading: Reading) -> Iterator[At]:
    """No line break at the end, or several."""
    if reading.text and not reading.text.endswith("\n"):
        yield At("the last line has no line break", line=len(reading.lines))
    elif reading.text.endswith("\n\n"):
        yield At("there are empty lines at the end", line=len(reading.lines))


@ADVICE.rule("RCP008", "A recipe has no comments left by a generator", why="Reviewers ask to have them removed.",
      fix="Delete the line, or do what it says.", section=FIXING, severity=WARNING)
def no_leftovers(reading: Reading) -> Iterator[At]:
    """The words that grayskull and other generators write."""
    for number, line in enumerate(reading.lines, 1):
        comment = line.partition("#")[2]
        if re.search(r"grayskull|Ensure your license|conda-recipe-manager|TODO: (add|fill)", comment, re.IGNORECASE):
            yield At(f"a comment is left: {line.strip()}", line=number)


@RECIPE.rule("RCP009", "The fields of a recipe are those that its format has", source="conda-forge R-000, R-018",
      why="conda-build ignores unknown fields, so such a field has no effect.",
      fix="Correct the spelling; homepage, documentation, repository and tests are names of v1.", section=FIXING)
def known(reading: Reading) -> Iterator[At]:
    """Sections, and in v0 fields, that the format does not have."""
    if reading.form == "v1":
        if (version := reading.root["schema_version"].text or "1") != "1":
            yield At(f"conda-forge does not know schema_version {version}", line=reading.line("schema_version"))
        for section, line in reading.root.keys.items():
            if section not in V1_ORDER + V1_OUTPUTS_ORDER:
                yield At(f"conda-forge's linter knows no section {section}", line=line)
        return
    sections = facts()["v0"]
    for section, line in reading.root.keys.items():
        if section not in sections:
            yield At(f"there is no section {section}", line=line)
            continue
        held = reading.root[section]
        for inner in held.items or [held]:
            for name in inner.map:
                if sections[section] and name not in sections[section]:
                    yield At(f"{section} has no field {name}", line=inner.at(name))


@RECIPE.rule("RCP046", "Variables and selectors are spelt in conda-forge's way",
             source="conda-forge R-025, R0-001, R0-002, R0-003, R0-005",
      why="conda-forge's bots find versions and selectors by their spelling.",
      fix='Write {{ version }}, {% set version = "1.0" %}, and in v0 two spaces, then # [win].', section=FIXING)
def spelt(reading: Reading) -> Iterator[At]:
    """Braces without spaces, and in v0 definitions and selectors that are spelt otherwise."""
    for number, line in enumerate(reading.lines, 1):
        for inner in re.findall(r"\{\{(.*?)\}\}", line):
            if inner != f" {inner.strip()} " and (reading.form == "v0" or f"${{{{{inner}" in line):
                yield At(f"the braces around {inner.strip()} need one space on each side", line=number,
                         severity=WARNING)
        if (re.match(r"\s*\{%\s*set\s+\S+\s*=\s*\S+\s*%\}", line)
                and not re.match(r"\s*\{%\sset\s\S+\s=\s\S+\s%\}", line)):
            yield At("the definition is not spelt with single spaces", line=number)
    for number, words, _ in selected(reading) if reading.form == "v0" else ():
        line = reading.lines[number - 1]
        if not re.search(r"\S\s{2,}#\s\[.", line):
            yield At(f"the selector [{words}] is not preceded by two spaces, # and a space", line=number)
        if old := re.search(r"#\s*\[.*?(py\d{2,3})", line):
            yield At(f"[{words}] is an old way to name Python; write py==311 and the like", line=number,
                     severity=WARNING if old[1] in ("py27", "py34", "py35", "py36") else None)


@RECIPE.rule("RCP048", "The variables of a recipe have a definition",
      why="Nothing builds a recipe with a name that nothing defines: rattler-build says undefined value.",
      fix="Write the variable as its definition does.", section=FIXING)
def variables(reading: Reading) -> Iterator[At]:
    """Names that are a slip away from a variable of the recipe; what conda-forge's settings define is left alone."""
    for line, name, meant in misspelt(reading.text, reading.context, _variant_names(reading)):
        yield At(f"nothing defines {name}; did you mean {meant}?", line=line)


def _variant_names(reading: Reading) -> set[str]:
    """What the variants beside the recipe define, and those for which the feedstock is built."""
    built = (reading.feedstock / ".ci_support").glob("*.yaml") if reading.feedstock else ()
    return {name for file in ("conda_build_config.yaml", "variants.yaml", *map(str, built))
            for name in reading.variants(file).map}
