"""Rules on a recipe's description of its package and its maintainers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At
from labhandbook.recipe import release_metadata
from labhandbook.recipe.conda_forge_facts import LICENCE_TOOLS, facts
from labhandbook.recipe.recipe_reader import Reading
from labhandbook.recipe.recipe_rules.recipe_rule import ADVICE, FIELDS, RECIPE

MAINTAINERS = "RCP043"  # GitHub is asked about them too


@RECIPE.rule("RCP040", "Home page, summary and licence are given", source="conda-forge R-002",
      why="Users see these three on the package's page, and conda-forge's linter requires them.",
      fix="Copy what is missing from pyproject.toml.", section=FIELDS)
def described(reading: Reading) -> Iterator[At]:
    """Missing fields of about."""
    for field in ("homepage", "summary", "license"):
        if reading.root and not reading.get(f"about.{field}"):
            yield At(f"about lacks {field if reading.form == 'v1' else field.replace('homepage', 'home')}",
                     line=reading.line("about"))


@RECIPE.rule("RCP041", "The licence is an SPDX expression", source="conda-forge R-007, R-010, R-044, R-045",
      why="Programs that check licences read nothing else.",
      fix="Write the licence as in pyproject.toml: BSD-3-Clause, MIT, Apache-2.0 OR MIT.", section=FIELDS)
def spdx(reading: Reading) -> Iterator[At]:
    """Licences that SPDX does not have or writes differently; `unknown` and names with `license` are refused."""
    found, line = reading.get("about.license"), reading.line("about.license")
    right = release_metadata.spdx(found) if found else ""
    word = found.lower()
    if word.strip() == "unknown" or ("license" in word and not re.search("unlicense|licenseref|-license", word)):
        yield At(f"{found} is not a licence's name", line=line)
    elif found and not right:
        meant = release_metadata.CLASSIFIERS.get(found)
        yield At(f"{found} is not an SPDX expression" + (f"; SPDX calls it {meant}" if meant else ""), line=line,
                 severity=WARNING)
    elif re.sub(r" (and|or|with) ", lambda match: match[0].upper(), found) != right:
        yield At(f"SPDX writes {right}, not {found}", line=line, severity=WARNING)
    family = reading.root["about"]["license_family"].text if reading.form == "v0" else ""
    if family and re.sub(r"[^A-Z0-9]", "", family.upper()) not in facts()["licence-families"]:
        yield At(f"conda-build knows no license_family {family}", line=reading.line("about.license_family"))


@RECIPE.rule("RCP042", "The licence file is named", source="conda-forge R-013",
      why="Most licences require that their text comes with the package.",
      fix="Name the file of the sdist under license_file.", section=FIELDS)
def licence_file(reading: Reading) -> Iterator[At]:
    """No licence file; in v0 conda-forge insists on it for the usual licences."""
    if reading.root and not reading.values("about.license_file"):
        family = (reading.root["about"]["license_family"].text or reading.get("about.license")).lower()
        usual = reading.form == "v1" or re.search("gpl|bsd|mit|apache|psf", family)
        yield At("about lacks license_file", line=reading.line("about.license"), severity=None if usual else WARNING)


@RECIPE.rule("RCP045", "Rust and Go packages carry the licences of what they link", source="conda-forge R-031, R-032",
      why="The crates and modules are linked into the package, so their licences must come with it.",
      fix="Name the tool under requirements.build, run it in the script and name the file that it writes under "
           "license_file.", section=FIELDS)
def linked_licences(reading: Reading) -> Iterator[At]:
    """A compiler of Rust or Go without the program that gathers licences, which may be the package itself.

    conda-forge's linter sees compilers of v1 in single quotes only, and none in outputs or in v0.
    """
    for part in reading.parts:
        lines = part.requirements("build")
        asked = {value.text.split()[0] for value in lines} | {reading.get("package.name")}
        for value in lines:
            for language, tool in LICENCE_TOOLS.items():
                if (found := re.search(rf"compiler\((['\"]){language}\1", value.text)) and tool not in asked:
                    seen = part.top and reading.form == "v1" and found[1] == "'" and not value.selector
                    yield At(f"build has a compiler of {language.title()} and no {tool}", line=value.line,
                             severity=None if seen else WARNING)


@RECIPE.rule(MAINTAINERS, "Maintainers are a list of GitHub names", source="conda-forge R-003, R-004, CF-001, CF-008",
      why="conda-forge gives maintainers the rights in the feedstock, and its bots mention them.",
      fix="List GitHub names without @, your own first.", section=FIELDS, asks="GitHub")
def maintainers(reading: Reading) -> Iterator[At]:
    """No maintainers, no list, or names that GitHub can't have."""
    path = "extra.recipe-maintainers"
    if not reading.root:
        return
    node = reading.node(path)
    values = reading.values(path)
    if node and not isinstance(node.held, list):
        yield At("recipe-maintainers is not a list", line=reading.line(path))
    elif not values:
        yield At("the recipe names no maintainer", line=reading.line(path))
    for value in values:
        if value.text == "your-github-name":
            yield At("your-github-name is a placeholder for your own name", line=value.line)
        elif "/" in value.text and not re.fullmatch(r"conda-forge/[\w.-]+", value.text):
            yield At(f"{value.text} is not a team of conda-forge; no other team can be a maintainer", line=value.line)
        elif not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})|conda-forge/.*", value.text):
            yield At(f"{value.text} is not a name on GitHub", line=value.line)


@ADVICE.rule("RCP044", "Addresses begin with http or https", severity=WARNING,
      why="The package's page links to these addresses.", fix="Write each address in full, beginning with "
                                                   "https.", section=FIELDS)
def addresses(reading: Reading) -> Iterator[At]:
    """Addresses without a scheme."""
    for field in ("homepage", "documentation", "repository"):
        found = reading.get(f"about.{field}")
        if found and not re.match(r"https?://[\w.-]+\.\w+", found):
            yield At(f"{found} is not an address", line=reading.line(f"about.{field}"))
