"""Rules on the file: that it can be read, that its fields exist, that nothing is left over."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At
from labhandbook.recipe.conda_forge_facts import facts
from labhandbook.recipe.recipe_reader import SET, Reading
from labhandbook.recipe.recipe_rules.recipe_rule import CHECK, FIXING, RECIPE
from labhandbook.recipe.renderer import problem

V1_ORDER = ["schema_version", "context", "recipe", "package", "cache", "source", "build", "outputs", "requirements",
            "tests", "about", "extra"]
V0_ORDER = ["package", "source", "build", "requirements", "test", "app", "outputs", "about", "extra"]
SECTIONS = ["build", "host", "run", "run_exports", "run_constraints", "run_constrained", "ignore_run_exports"]


@RECIPE.rule("RCP001", "A recipe is valid YAML", source="conda-forge R-036",
      why="No tool can read it otherwise.", fix="Correct the indentation, the quotes or the colon on that line.",
      section=FIXING)
def readable(reading: Reading) -> Iterator[At]:
    """What the parser of YAML says."""
    if reading.problem:
        yield At(f"it {reading.problem}", line=reading.problem_line)


@RECIPE.rule("RCP002", "py-rattler-build accepts a v1 recipe", source="conda-forge R-000, R-018",
      why="conda-forge builds v1 recipes with rattler-build, which refuses unknown fields and values.",
      fix="Correct what it names; rattler-build's recipe reference lists the fields.", section=CHECK)
def accepted(reading: Reading) -> Iterator[At]:
    """What py-rattler-build says of a v1 recipe, at the line that it means."""
    if reading.form == "v1" and not reading.problem:
        found = problem(reading)
        if found:
            message, line = found
            yield At(message, line=line)


@RECIPE.rule("RCP003", "A new recipe is v1",
      why="staged-recipes has deprecated meta.yaml: reviewers ask for recipe.yaml. Feedstocks may keep theirs.",
      fix="Write it as recipe.yaml: handbook recipe new NAME.", section="sec-conda-forge-generate", severity=WARNING)
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


@RECIPE.rule("RCP005", "Sections are in the usual order", source="conda-forge R-001, R-009",
      why="Reviewers read many recipes a day, and conda-forge's linter refuses another order.",
      fix="Move the section to its place.", section=FIXING)
def ordered(reading: Reading) -> Iterator[At]:
    """Top-level sections and those of requirements."""
    for path, order in (("", V1_ORDER if reading.form == "v1" else V0_ORDER), ("requirements", SECTIONS)):
        last, before = -1, ""
        for key, line in reading.keys(path):
            place = order.index(key) if key in order else last
            if place < last:
                yield At(f"{key} comes after {before}; the order is {', '.join(order)}", line=line)
                break
            last, before = place, key


@RECIPE.rule("RCP006", "A v1 recipe has no selectors in comments", source="conda-forge R1-001",
      why="v1 reads `# [win]` as a comment, so the line holds everywhere.",
      fix="Write it with if and then.", section=FIXING)
def no_selectors(reading: Reading) -> Iterator[At]:
    """`# [win]` in a v1 recipe."""
    if reading.form == "v1":
        for number, line in enumerate(reading.lines, 1):
            before, _, comment = line.rpartition("#")
            if before.strip() and before[-1].isspace() and re.fullmatch(r"\s*\[[^]]+\]\s*", comment):
                yield At(f"{comment.strip()} is only a comment here", line=number)


@RECIPE.rule("RCP007", "The file ends with one line break", source="conda-forge R-011, R-012",
      why="conda-forge's linter refuses empty lines at the end, and a last line without a line break.",
      fix="End the file after its last line with one line break.", section=FIXING)
def end(reading: Reading) -> Iterator[At]:
    """No line break at the end, or several."""
    if reading.text and not reading.text.endswith("\n"):
        yield At("the last line has no line break", line=len(reading.lines))
    elif reading.text.endswith("\n\n"):
        yield At("there are empty lines at the end", line=len(reading.lines))


@RECIPE.rule("RCP008", "A recipe has no comments left by a generator", why="Reviewers ask to have them removed.",
      fix="Delete the line, or do what it says.", section=FIXING, severity=WARNING)
def no_leftovers(reading: Reading) -> Iterator[At]:
    """TODO and the words that grayskull writes."""
    for number, line in enumerate(reading.lines, 1):
        comment = line.partition("#")[2]
        if re.search(r"TODO|FIXME|grayskull|Ensure your license|conda-recipe-manager", comment, re.IGNORECASE):
            yield At(f"a comment is left: {line.strip()}", line=number)


@RECIPE.rule("RCP009", "The fields of a v0 recipe are those of conda-build", source="conda-forge R-000, R-018",
      why="conda-build ignores a field that it doesn't have, so the field has no effect.",
      fix="Correct the spelling; homepage, documentation, repository and tests are names of v1.", section=FIXING)
def known(reading: Reading) -> Iterator[At]:
    """Sections and fields that conda-build does not have."""
    sections = facts()["v0"] if reading.form == "v0" else {}
    for section, line in reading.keys() if sections else []:
        if section not in sections:
            yield At(f"there is no section {section}", line=line)
            continue
        for name, place in reading.keys(section):
            if sections[section] and name not in sections[section]:
                yield At(f"{section} has no field {name}", line=place)


@RECIPE.rule("RCP046", "Variables and selectors are spelt in conda-forge's way",
             source="conda-forge R-025, R0-001, R0-002, R0-005",
      why="conda-forge's bots find versions and selectors by their spelling.",
      fix='Write {{ version }}, {% set version = "1.0" %}, and in v0 two spaces, then # [win].', section=FIXING)
def spelt(reading: Reading) -> Iterator[At]:
    """Braces without spaces, and in v0 definitions and selectors that are spelt otherwise."""
    for number, line in enumerate(reading.lines, 1):
        for inner in re.findall(r"\{\{([^{}]*)\}\}", line):
            if inner != f" {inner.strip()} ":
                yield At(f"the braces around {inner.strip()} need one space on each side", line=number,
                         severity=WARNING)
        if reading.form != "v0":
            continue
        if SET.match(line) and not re.match(r"\s*\{%\sset\s\S+\s=\s\S+\s%\}", line):
            yield At("the definition is not spelt with single spaces", line=number)
        selector = re.search(r"#\s*\[([^#]+)\]\s*$", line)
        if selector and not re.search(r"\S\s{2,}#\s\[", line):
            yield At(f"the selector [{selector[1]}] is not preceded by two spaces", line=number)
        if selector and re.search(r"\bpy[23]\d{1,2}\b", selector[1]):
            yield At(f"[{selector[1]}] is an old way to name Python; write py==311 and the like", line=number)
