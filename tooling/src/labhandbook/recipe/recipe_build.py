"""`handbook recipe build`: render, build and test a recipe, then install the package and import it."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

from labhandbook.core import process
from labhandbook.core.errors import HandbookError
from labhandbook.core.process import environment, isolated
from labhandbook.core.rules import REGISTRY, Finding, Severity
from labhandbook.package.index_addresses import index
from labhandbook.package.machine import Interpreter, reach_loopback
from labhandbook.package.project import normalise
from labhandbook.package.simple_index import sha256
from labhandbook.recipe import conda_forge_channel
from labhandbook.recipe.build_machine import interpreter
from labhandbook.recipe.build_outcome import findings
from labhandbook.recipe.conda_forge_facts import python_min
from labhandbook.recipe.local_channel import Channel
from labhandbook.recipe.local_dists import Local, gather
from labhandbook.recipe.recipe_lint import shown
from labhandbook.recipe.recipe_reader import Reading, find, read
from labhandbook.recipe.recipe_rules import build_proof
from labhandbook.recipe.recipe_rules.recipe_file import accepted, readable
from labhandbook.recipe.released_sdist import keep
from labhandbook.recipe.renderer import Exhausted, costly, said_of
from labhandbook.recipe.source_address import Answer, check_address, named
from labhandbook.recipe.wheel_solver import Resolver, solve

SECTION = "sec-conda-forge-build"
SECONDS = 1800


@dataclass
class Built:
    """What a build found; `package` is the file that was made, empty when it failed."""

    findings: list[Finding]
    package: Path | None = None
    python: str = ""
    log: list[str] = field(default_factory=list)


def build(path: Path, output: Path, *, dists: Sequence[Path] = (), target: str = "pypi", offline: bool = False,
          stage: Callable[[str], None] = lambda word: None) -> Built:
    """Build the recipe at a path with conda-forge's packages; the package goes to `output`.

    `dists` are files and folders in place of what the index doesn't have yet: the source, and wheels that the package
    needs. Where conda-forge can't be reached, where it lacks such a dist, and when `offline` is asked for, the other
    packages are made of PyPI's wheels.

    Raises HandbookError when the recipe can't be built here at all, or the network is down.
    """
    reading = read(find(path), shown(find(path)))
    problems = [Finding(reading.file, at.line, REGISTRY[code], at.message)
                for code, rule in (("RCP001", readable), ("RCP002", accepted)) for at in rule(reading)]
    if problems:
        return Built(problems)
    refuse(reading)
    lowest = reading.context.get("python_min", python_min())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage("source")
        local = gather(dists, lowest)
        reason = "--offline was asked for" if offline else no_conda_forge(reading, local)
        python = interpreter(lowest) if reason else None
        local = gather(dists, python.line) if python else local
        answer = check_address(reading, index(target))
        source = fetch(reading, answer, local, folder)
        wrong = [one for one in [*answer.findings, *mismatch(reading, source)] if one.weight is Severity.ERROR]
        if wrong:
            return Built(wrong)
        address, pins = conda_forge_channel.address(), list[str]()
        if python:
            stage("solving")
            pins, unsolved = solve(reading, Resolver(python, local, folder))
            if unsolved:
                return Built(unsolved)
            stage(f"{len(set(pins))} wheels")
            channel = Channel(folder / "channel", python, local)
            channel.fill(pins)
            address = channel.address
        result = run(job(reading, source, address, folder, python), folder, stage)
        answer.findings += unproven(reading, python, reason, [pin for pin in pins if local.find(*pin.split("=="))])
        return judge(reading, answer.findings, result, output)


def no_conda_forge(reading: Reading, local: Local) -> str:
    """Why a build can't use conda-forge's packages; empty when it can."""
    wanted = named(reading)
    own = normalise(wanted.project) if wanted else ""
    if others := sorted(set(local.newest) - {own}):
        return f"this machine's dists of {', '.join(others)} are in no channel"
    silent = conda_forge_channel.silent()
    return f"conda-forge can't be reached ({silent})" if silent else ""


def refuse(reading: Reading) -> None:
    """Raise HandbookError for recipes that can't be built here."""
    if reading.compilers or not reading.noarch:
        raise HandbookError("a compiled package can't be built here", where=reading.file,
                            why="conda-forge's pinning says which compilers and libraries it is built with",
                            todo="build it with build-locally.py in the clone of staged-recipes, which needs Docker, "
                                 "or let the checks of the pull request do it", section=SECTION)
    if reading.form == "v0":
        raise HandbookError("a v0 recipe can't be built here", where=reading.file,
                            why="rattler-build reads v1 only",
                            todo=f"write the v1 recipe: handbook recipe new {reading.get('package.name')}",
                            section=SECTION)
    if not reading.written("source.url"):
        raise HandbookError("the recipe has no source, or several", where=f"{reading.file}:{reading.line('source')}",
                            todo="name the sdist on PyPI alone, under source.url", section=SECTION)


def fetch(reading: Reading, answer: Answer, local: Local, folder: Path) -> Path:
    """The source of a recipe: this machine's, else what its address served, else the index's file of that name.

    Raises HandbookError when there is none.
    """
    wanted = named(reading)
    where = f"{reading.file}:{reading.line('source.url')}"
    if wanted is None:
        raise HandbookError("the source's address names no file", where=where, todo="use PyPI's address",
                            section=SECTION)
    if wanted.file in local.sdists:
        return Path(shutil.copy(local.sdists[wanted.file], folder))
    if answer.data is not None:
        (folder / wanted.file).write_bytes(answer.data)
        return folder / wanted.file
    if answer.listed is not None:
        return keep(answer.listed, folder).path
    todo = "check the network and try again" if answer.down else "publish the sdist, or correct the address"
    raise HandbookError(answer.findings[0].message, where=where,
                        why="the source is fetched from the index only",
                        todo=f"{todo}, or name the folder that has the sdist: --dist dist", section=SECTION)


def mismatch(reading: Reading, source: Path) -> list[Finding]:
    """The finding of a source that isn't the file that the recipe means."""
    held, found = reading.get("source.sha256").lower(), sha256(source.read_bytes())
    named_hash = f"the recipe names {held[:16]}…" if held else "the recipe names none"
    return [] if held == found else [Finding(reading.file, reading.line("source.sha256"), build_proof.HASH,
                                             f"{source.name} has sha256 {found[:16]}…, {named_hash}")]


def job(reading: Reading, source: Path, channel: str, folder: Path, python: Interpreter | None) -> dict[str, Any]:
    """The worker's job: a copy of the recipe whose source is the file at hand, and whose Python is that of the
    channel: of wheels this machine's, else the one that the recipe asks for.
    """
    copied = folder / "recipe"
    shutil.copytree(reading.path.parent, copied, ignore=shutil.ignore_patterns("output", ".git"))
    url = reading.node("source.url")
    text = reading.text[:url.start] + source.resolve().as_uri() + reading.text[url.stop:]
    lowest = python.line if python else python_min()
    if python:
        text = re.sub(r"^(\s+python_min:).*$", rf'\1 "{lowest}"', text, count=1, flags=re.MULTILINE)
    try:
        said_of(text, {"python_min": [lowest]})
    except Exhausted:
        raise HandbookError("rendering the recipe needs too much memory or time",
                            where=f"{reading.file}:{costly(reading)}",
                            why="the build would run out of memory or time",
                            todo="write the value out instead of computing it", section=SECTION) from None
    (copied / "recipe.yaml").write_text(text, encoding="utf-8")
    (folder / "output").mkdir()
    return {"recipe": str(copied / "recipe.yaml"), "output": str(folder / "output"),
            "channel": channel, "python_min": lowest, "prefix": str(folder / "prefix"),
            "imports": [value.text for value in reading.tests("python.imports")]}


def run(task: dict[str, Any], folder: Path, stage: Callable[[str], None]) -> dict[str, Any]:
    """Run the worker, which writes the names of its stages to a pipe. Raises HandbookError without a result."""
    (folder / "job.json").write_text(json.dumps(task), encoding="utf-8")
    # What comes from conda-forge is kept in rattler's own cache.
    kept = {"RATTLER_CACHE_DIR": str(folder / "cache")} if task["channel"].startswith("file:") else {}
    env = environment({**reach_loopback(), **kept, "PIP_NO_INDEX": "1", "TMPDIR": str(folder)},
                      names=("RATTLER_CACHE_DIR",))
    reader, writer = os.pipe()
    words = isolated("-m", "labhandbook.recipe.rattler_worker", str(folder / "job.json"), str(folder / "result.json"),
                     str(writer))
    with (folder / "said.txt").open("w+", encoding="utf-8") as said:
        running = process.start(words, cwd=folder, env=env, stdout=said.fileno(), stderr=said.fileno(),
                                pass_fds=[writer])
        os.close(writer)
        late: list[bool] = []

        def end() -> None:
            late.append(True)
            process.stop(running)

        timer = Timer(SECONDS, end)
        timer.start()
        try:
            with os.fdopen(reader) as stages:
                for word in stages:
                    stage(word.strip())
            running.wait()
        finally:
            timer.cancel()
            process.stop(running)
    if late:
        raise HandbookError("the build took longer than half an hour", todo="leave slow tests out of the recipe",
                            section="sec-conda-forge-mend-tests")
    try:
        return dict(json.loads((folder / "result.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise HandbookError("rattler-build ended without a result",
                            why=(folder / "said.txt").read_text("utf-8").strip()[-400:],
                            todo="report it to the handbook's authors, with the recipe", section=SECTION) from None


def judge(reading: Reading, unsure: list[Finding], result: dict[str, Any], output: Path) -> Built:
    """The findings of a build, and the package in its place; `unsure` is what one that went well leaves open."""
    log = [*result["log"], *(line for test in result.get("tests", []) for line in test["output"])]
    if found := findings(reading, result):
        return Built(found, None, "", log)
    made = Path(result["package"])
    target = output / made.parent.name / made.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, target)
    except OSError as error:
        raise HandbookError(f"{target} can't be written: {error.strerror}",
                            todo="choose another folder with --output", section=SECTION) from None
    return Built(unsure, target, result["python"], log)


def unproven(reading: Reading, python: Interpreter | None, reason: str, own: Sequence[str]) -> list[Finding]:
    """What a build here doesn't prove.

    `reason` says why it was without conda-forge, `own` are the pins that came from this machine's dists.
    """
    if python is None:
        return [Finding(reading.file, 0, build_proof.ELSEWHERE, "not proven: other systems")]
    lowest = reading.context.get("python_min", python_min())
    words = ["that conda-forge has these packages in these versions: they were made of wheels",
             "what conda-forge's packages bring beside Python modules",
             f"other systems and other Pythons than {python.line}" + ("" if python.line == lowest else
                                                                       f", though python_min is {lowest}")]
    if own:
        words.append(f"that others can get {', '.join(dict.fromkeys(own))}: this machine's files were used")
    return [Finding(reading.file, 0, build_proof.ELSEWHERE, f"{reason}; not proven: {'; '.join(words)}")]
