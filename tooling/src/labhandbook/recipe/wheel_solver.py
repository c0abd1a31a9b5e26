"""Which wheels fulfil a recipe's requirements, and the lines that no wheel fulfils."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.process import run
from labhandbook.core.rules import Finding, Rule
from labhandbook.package.machine import Interpreter, installer_env
from labhandbook.recipe.build_machine import uv
from labhandbook.recipe.conda_forge_names import pypi_name
from labhandbook.recipe.local_dists import Local
from labhandbook.recipe.recipe_reader import Entry, Reading
from labhandbook.recipe.recipe_rules import build_proof
from labhandbook.recipe.requirement_specs import pep508, split

DOWN = re.compile(r"dns error|connect|timed out|client error|network|tunnel|HTTP status|request failed", re.I)
# Conditions of what this system does not install.
OTHERS = {"Linux": ("win", "osx"), "Darwin": ("win", "linux")}
UNKNOWN = re.compile(r"(\S+) was not found in the package registry", re.I)


class Unsolvable(Exception):
    """No set of wheels fulfils the requirements; the message is uv's."""


class Resolver:
    """uv, with this machine's Python and dists; a folder of its own holds its settings."""

    def __init__(self, python: Interpreter, local: Local, folder: Path) -> None:
        links = local.link(folder)
        constraints = folder / "constraints.txt"
        constraints.write_text("".join(f"{line}\n" for line in local.constraints), encoding="utf-8")
        self._folder = folder
        self._words = [uv(), "pip", "compile", "--quiet", "--python", str(python.path), "--no-header",
                       "--no-annotate", "--color", "never", "--find-links", str(links), "--constraints",
                       str(constraints), "-"]

    def pins(self, requirements: Sequence[str]) -> list[str]:
        """`name==version` of all that these requirements of PyPI need.

        Raises Unsolvable, and HandbookError when the index doesn't answer.
        """
        done = run(self._words, cwd=self._folder, stdin="\n".join(requirements) + "\n", timeout=300,
                   env=installer_env())
        if done.returncode == 0:
            return [line.split(";")[0].strip() for line in done.stdout.splitlines() if "==" in line]
        said = " ".join(done.stderr.replace("×", "").replace("╰─▶", "").replace("error:", "").split())
        if DOWN.search(said):
            raise HandbookError("the package index doesn't answer", why=said[:300],
                                todo="check the network and try again", section="sec-conda-forge-build")
        raise Unsolvable(said)


def solve(reading: Reading, resolver: Resolver) -> tuple[list[str], list[Finding]]:
    """The pins of all wheels that a recipe needs, or what can't be fulfilled with its line."""
    pins: list[str] = []
    found: list[Finding] = []
    run = [*reading.requirements("run"), *reading.tests("requirements.run")]
    for rule, section, values in ((build_proof.HOST, "host", reading.requirements("host")),
                                  (build_proof.RUN, "run", run)):
        wanted = {value: words for value in values if (words := _wanted(value))}
        try:
            pins += resolver.pins([*wanted.values(), "pip"])
        except Unsolvable as error:
            found += _culprits(rule, section, wanted, resolver, reading, str(error))
    return pins, found


def _wanted(value: Entry) -> str:
    name = split(value.text)[0]
    if value.selector.strip() in OTHERS.get(platform.system(), ()):
        return ""
    if name in ("python", "python_abi") or name.startswith(("__", "$")) or "{{" in name:
        return ""
    return pep508(value.text, pypi_name(name))


def _culprits(rule: Rule, section: str, wanted: dict[Entry, str], resolver: Resolver, reading: Reading,
              said: str) -> list[Finding]:
    """The lines that can't be fulfilled alone; the whole section when only together they can't."""
    found = []
    for value, words in wanted.items():
        try:
            resolver.pins([words])
        except Unsolvable as error:
            found.append(Finding(reading.file, value.line, rule, f"{value.text} can't be installed: {_short(error)}"))
    return found or [Finding(reading.file, reading.line(f"requirements.{section}"), rule,
                             f"the lines of {section} exclude each other: {_short(said)}")]


def _short(said: object) -> str:
    """uv's reason without its preface."""
    if unknown := UNKNOWN.search(str(said)):
        return (f"the index has no project {unknown[1]}; if you have its dist, name its folder with --dist, and if "
                "only conda-forge has it, only conda-forge can build this")
    words = str(said).partition("hint:")[0].removeprefix("No solution found when resolving dependencies: ").strip()
    return words[:240].rstrip(". ")
