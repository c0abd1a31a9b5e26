"""`handbook recipe build`: render, build and test a recipe, then install the package and import it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from labhandbook.errors import HandbookError
from labhandbook.recipe.channel import Channel, Interpreter, Unsolvable, interpreter, resolve
from labhandbook.recipe.facts import pypi_name, python_min
from labhandbook.recipe.lint import shown
from labhandbook.recipe.reading import Reading, Value, find, read
from labhandbook.recipe.rules import proof
from labhandbook.recipe.rules.form import accepted, readable
from labhandbook.recipe.source import ask, keep
from labhandbook.recipe.specs import pep508, split
from labhandbook.release.simple import sha256
from labhandbook.rules import REGISTRY, Finding, Rule, Severity

SECTION = "sec-conda-forge-build"
NOT_PROVEN = ("conda-forge's own packages and their solve, other systems and Pythons, and the address of the source: "
              "the channel was made of PyPI's wheels, and the sdist was fetched by its name")


@dataclass
class Built:
    """What a build found; `package` is the file that was made, empty when it failed."""

    findings: list[Finding]
    package: Path | None = None
    python: str = ""
    log: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether a finding is an error."""
        return any(finding.weight is Severity.ERROR for finding in self.findings)


def build(path: Path, output: Path, *, sdist: Path | None = None, target: str = "pypi",
          stage: Callable[[str], None] = lambda word: None) -> Built:
    """Build the recipe at a path; the package goes to `output`. `sdist` stands in for a file not on PyPI yet.

    Raises HandbookError when the recipe can't be built here at all, or the network is down.
    """
    reading = read(find(path), shown(find(path)))
    problems = [Finding(reading.file, at.line, REGISTRY[code], at.message)
                for code, look in (("RCP001", readable), ("RCP002", accepted)) for at in look(reading)]
    if problems:
        return Built(problems)
    python = interpreter()
    refuse(reading, python)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage("source")
        source = fetch(reading, folder, sdist, target)
        if source is None or sha256(source.read_bytes()) != reading.get("source.sha256").lower():
            told = "the recipe names another" if source else "there is none"
            line = reading.line("source.sha256")
            return Built([Finding(reading.file, line, proof.HASH,
                                  f"the file has sha256 {sha256(source.read_bytes())[:16]}…, {told}"
                                  if source else "the source names no file")])
        stage("solving")
        pins, unsolved = solve(reading, python)
        if unsolved:
            return Built(unsolved)
        stage("channel")
        channel = Channel(folder / "channel", python)
        channel.fill(pins)
        stage("building")
        result = run(job(reading, source, channel, folder, python), folder)
        return judge(reading, result, output, python)


def refuse(reading: Reading, python: Interpreter) -> None:
    """Raise HandbookError for recipes that can't be built here."""
    what = why = ""
    if reading.form == "v0":
        what, why = "a v0 recipe can't be built here", "py-rattler-build reads v1 only"
        todo = "write the v1 recipe with handbook recipe new, or build with conda-build"
    elif reading.compilers or not reading.noarch:
        what, why = "a compiled package can't be built here", "conda-forge's compilers are on conda-forge only"
        todo = "build it with conda-forge's build-locally.py, or in the pull request"
    elif _minor(reading.context.get("python_min", python_min())) > _minor(python.minor):
        what = f"this Python is {python.minor}, and the recipe asks for {reading.context.get('python_min')}"
        why, todo = "the test at python_min needs that version", "run handbook with a newer Python"
    if what:
        raise HandbookError(what, where=reading.file, why=why, todo=todo, section=SECTION)


def _minor(version: str) -> int:
    return int(re.sub(r"\D.*", "", version.partition(".")[2]) or 0)


def fetch(reading: Reading, folder: Path, sdist: Path | None, target: str) -> Path | None:
    """The source of a recipe, from PyPI by its file name, or the file given. Raises HandbookError."""
    from labhandbook.release.addresses import index

    if sdist is not None:
        if not sdist.is_file():
            raise HandbookError(f"there is no file {sdist}", todo="give the path of the sdist", section=SECTION)
        return Path(shutil.copy(sdist, folder))
    url = reading.get("source.url")
    if not url:
        values = reading.values("source.url")
        url = values[0].text if values else ""
    if not url:
        return None
    parts = urlsplit(url)
    file = unquote(parts.path.rpartition("/")[2])
    if parts.scheme == "file":
        if not Path(unquote(parts.path)).is_file():
            raise HandbookError(f"the source {url} isn't there", where=f"{reading.file}:{reading.line('source.url')}",
                                todo="use PyPI's address", section=SECTION)
        return Path(shutil.copy(unquote(parts.path), folder))
    place = index(target)
    found = ask(place, file.rpartition("-")[0] or file).get(file)
    if found is None:
        raise HandbookError(f"{place.name} has no file {file}", where=f"{reading.file}:{reading.line('source.url')}",
                            why="the source of a recipe is fetched from there and from nowhere else",
                            todo="correct the address, or give the file with --sdist", section=SECTION)
    return keep(found, folder).path


def solve(reading: Reading, python: Interpreter) -> tuple[list[str], list[Finding]]:
    """The pins of all wheels that the recipe needs, or what can't be fulfilled with its line."""
    pins: list[str] = []
    found: list[Finding] = []
    tests = reading.tests("requirements.run")
    for rule, section, values in ((proof.HOST, "host", reading.requirements("host")),
                                  (proof.RUN, "run", [*reading.requirements("run"), *tests])):
        wanted = {value: words for value in values if (words := _wanted(value, reading))}
        try:
            pins += resolve([*wanted.values(), "pip"], python)
        except Unsolvable as error:
            found += _culprits(rule, section, wanted, python, reading, str(error))
    return pins, found


def _wanted(value: Value, reading: Reading) -> str:
    name = split(value.text)[0]
    if name in ("python", "python_abi") or name.startswith(("__", "$")) or "{{" in name:
        return ""
    return pep508(value.text, pypi_name(name))


def _culprits(rule: Rule, section: str, wanted: dict[Value, str], python: Interpreter, reading: Reading,
              said: str) -> list[Finding]:
    """The lines that can't be fulfilled alone; the whole section when only together they can't."""
    found = []
    for value, words in wanted.items():
        try:
            resolve([words], python)
        except Unsolvable as error:
            found.append(Finding(reading.file, value.line, rule, f"{value.text} can't be installed: {_short(error)}"))
    return found or [Finding(reading.file, reading.line(f"requirements.{section}"), rule,
                             f"the lines of {section} exclude each other: {_short(said)}")]


def _short(said: object) -> str:
    words = str(said).partition("hint:")[0].removeprefix("No solution found when resolving dependencies: ").strip()
    return words[:240].rstrip(". ")


def job(reading: Reading, source: Path, channel: Channel, folder: Path, python: Interpreter) -> dict[str, Any]:
    """What the worker is told: a copy of the recipe whose source is the file at hand."""
    copied = folder / "recipe"
    shutil.copytree(reading.path.parent, copied, ignore=shutil.ignore_patterns("output", ".git"))
    node = reading.node("source.url")
    if not isinstance(node, yaml.ScalarNode):
        raise HandbookError("a recipe with several source addresses can't be built here",
                            where=f"{reading.file}:{reading.line('source.url')}", todo="name the sdist on PyPI alone",
                            section=SECTION)
    text = reading.text[:node.start_mark.index] + source.resolve().as_uri() + reading.text[node.end_mark.index:]
    own = reading.context.get("python_min")
    if own and _minor(own) < _minor(python.minor):
        text = re.sub(r"^(\s+python_min:).*$", rf'\1 "{python.minor}"', text, count=1, flags=re.MULTILINE)
    (copied / reading.path.name).write_text(text, encoding="utf-8")
    (folder / "output").mkdir()
    return {"recipe": str(copied / reading.path.name), "output": str(folder / "output"),
            "channel": channel.address, "python_min": python.minor, "prefix": str(folder / "prefix"),
            "imports": [value.text for value in reading.tests("python.imports")]}


def run(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Let the worker do the job. Raises HandbookError when it breaks."""
    (folder / "job.json").write_text(json.dumps(task), encoding="utf-8")
    words = [sys.executable, "-m", "labhandbook.recipe.worker", str(folder / "job.json"), str(folder / "result.json")]
    env = {**os.environ, "RATTLER_CACHE_DIR": str(folder / "cache"), "PIP_NO_INDEX": "1",
           "PIP_CONFIG_FILE": os.devnull, "NO_COLOR": "1"}
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_FIND_LINKS"):
        env.pop(name, None)
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=1800, env=env, cwd=folder)
        return dict(json.loads((folder / "result.json").read_text(encoding="utf-8")))
    except subprocess.TimeoutExpired:
        raise HandbookError("the build took longer than half an hour", todo="leave slow tests out of the recipe",
                            section="sec-conda-forge-mend-tests") from None
    except (OSError, ValueError):
        raise HandbookError("rattler-build broke down", why=done.stderr.strip()[-400:],
                            todo="tell the handbook's authors, with the recipe", section=SECTION) from None


def judge(reading: Reading, result: dict[str, Any], output: Path, python: Interpreter) -> Built:
    """The findings of a build, and the package in its place."""
    from labhandbook.recipe.outcome import findings

    found = findings(reading, result)
    log = [*result["log"], *(line for test in result.get("tests", []) for line in test["output"])]
    if found:
        return Built(found, None, python.minor, log)
    made = Path(result["package"])
    target = output / made.parent.name / made.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, target)
    except OSError as error:
        raise HandbookError(f"{target} can't be written: {error.strerror}",
                            todo="choose another folder with --output", section=SECTION) from None
    others = "" if python.minor == reading.context.get("python_min", python_min()) else (
        f"; python_min was {python.minor} here, for that is the Python of this machine")
    told = Finding(reading.file, 0, proof.ELSEWHERE, f"not proven: {NOT_PROVEN}{others}")
    return Built([told], target, python.minor, log)
