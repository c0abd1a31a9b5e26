"""Rules on what is beside a recipe: conda-forge.yml, the variants, and the other files of a feedstock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from os.path import normpath, relpath
from pathlib import Path
from typing import Any

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.process import TimeoutExpired, environment, find_program, run, run_git
from labhandbook.core.rules import UNVERIFIED, WARNING, At
from labhandbook.core.yaml_reader import Value, read_yaml
from labhandbook.recipe.recipe_reader import Reading
from labhandbook.recipe.recipe_rules.recipe_rule import CHECK, FIXING, RECIPE
from labhandbook.recipe.settings_schema import faults, schema

BASELINE = "11.0"  # the oldest macOS that conda-forge builds for
SYSTEMS = {"linux", "osx", "win"}
CONDITIONS = ("os", "platform", "provider")
REPLACED = {"CONDA_BLD_PATH": "workflow_settings.build_workspace_dir",
            "CONDA_FORGE_DOCKER_RUN_ARGS": "docker.run_args",
            "MINIFORGE_HOME": "workflow_settings.tools_install_dir",
            "SET_PAGEFILE": "workflow_settings.pagefile_size"}


def _shown(reading: Reading, path: Path) -> str:
    """The path of another file in the words in which the recipe's was given."""
    return normpath(Path(reading.file).parent / relpath(path, reading.path.resolve().parent))


def _lines(path: Path | None) -> str:
    try:
        return untrusted_data.text(path) if path else ""
    except HandbookError:
        return ""


@RECIPE.rule("RCP033", "The feedstock has the recipe's name", source="conda-forge R-039, CF-013",
      why="conda-forge's bots find a feedstock by that name.",
      fix="Write extra.feedstock-name as the repository is named, without -feedstock.", section=FIXING)
def feedstock_name(reading: Reading) -> Iterator[At]:
    """A name that ends with -feedstock, or another one than the repository's."""
    path = "extra.feedstock-name"
    if (found := reading.get(path)).endswith("-feedstock"):
        yield At(f"feedstock-name is {found}, with -feedstock", line=reading.line(path))
    own = found or reading.fill((reading.root["recipe"]["name"] or reading.root["package"]["name"]).text)
    if reading.feedstock and own and "{{" not in own:
        for remote in ("upstream", "origin"):
            url = run_git(reading.feedstock, "config", f"remote.{remote}.url", timeout=30).stdout.strip()
            if url:
                match = re.search(r"github\.com[:/]conda-forge/([^/]+)-feedstock(?:\.git)?/?$", url)
                if match and match[1] != own:
                    yield At(f"the repository is {match[1]}-feedstock, the recipe {own}", line=reading.line(path))
                return


@RECIPE.rule("RCP034", "The variants beside a recipe are what conda-forge can build",
             source="conda-forge RC-000, RC-001, RC-002, CBC-001, CF-004",
      why="These variants replace conda-forge's own settings, with which all other packages were built.",
      fix="Use one file, and c_stdlib_version for the oldest macOS, no lower than conda-forge's.", section=FIXING)
def variants(reading: Reading) -> Iterator[At]:
    """Two files, an empty one, and versions of macOS that are too low."""
    files = [name for name in ("conda_build_config.yaml", "variants.yaml") if reading.settings(name)]
    if len(files) == 2:
        yield At("conda_build_config.yaml and variants.yaml are both there")
    for name in files:
        path = reading.path.resolve().with_name(name)
        text = _lines(path) if path.is_file() else "-"
        if name == "conda_build_config.yaml" and not text.strip():
            yield At("conda_build_config.yaml is empty", file=_shown(reading, path))
        elif path.is_file():
            for message, line in _macos(text, name):
                yield At(message, file=_shown(reading, path), line=line)


def _macos(text: str, name: str) -> Iterator[tuple[str, int]]:
    """What a file says of macOS: too old a target, or an SDK that is older than the target."""
    if name == "conda_build_config.yaml":
        other = re.compile(r"[^:#]*?\s+#\s\[[^\n]*(not\s(osx|unix)|(?<!not\s)(linux|win))[^\n]*\]\s*")
        text = "\n".join("" if "#" in line and other.fullmatch(line) else line for line in text.splitlines())
    try:
        held = read_yaml(text, name)
    except HandbookError:
        return
    if "MACOSX_DEPLOYMENT_TARGET" in held.map:
        yield "MACOSX_DEPLOYMENT_TARGET is called c_stdlib_version now", held.at("MACOSX_DEPLOYMENT_TARGET")
    target = _versions(held["c_stdlib_version"]) or [_number(BASELINE)] * 2
    base = [_number(BASELINE)] * len(target)
    if held["c_stdlib_version"] and len(target) < 3 and any(one < two for one, two in zip(target, base, strict=True)):
        yield f"c_stdlib_version is below {BASELINE} on macOS", held.at("c_stdlib_version")
    sdk = _versions(held["MACOSX_SDK_VERSION"]) or [_number(BASELINE)] * 2
    if (any(one < two for one, two in zip(sdk, target, strict=True)) if len(sdk) == len(target) else
            len(sdk) == 1 and all(sdk[0] < one for one in target)):
        yield "MACOSX_SDK_VERSION is below c_stdlib_version", held.at("MACOSX_SDK_VERSION") or held.line


def _versions(value: Value) -> list[tuple[int, ...]]:
    """The versions of a key for macOS, the lower first."""
    found = []
    for item in value.items or ([value] if value.text else []):
        words = item["if"].text.split()
        linux = any(word in ("linux", "win") for word in words) and "not" not in words
        inner = [item] if item.text else list((item["else"] if linux else item["then"]).scalars())
        found += [_number(one.text) for one in inner if re.fullmatch(r"[\d.]+", one.text)]
    return sorted(found) if len(found) == 2 else found


def _number(text: str) -> tuple[int, ...]:
    parts = [int(part) for part in text.split(".") if part]
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


@RECIPE.rule("RCP035", "conda-forge.yml has the settings that conda-forge knows",
             source="conda-forge FC-001, FC-002, CF-007, CF-009, CF-010, CF-011, CF-012",
      why="conda-smithy makes the jobs of a feedstock from this file. An unknown setting has no effect.",
      fix="Correct the setting; conda-forge's documentation of conda-forge.yml lists them.", section=CHECK)
def settings(reading: Reading) -> Iterator[At]:
    """Keys twice, settings and values that the schema does not have, what is deprecated, and jobs that overlap."""
    path = reading.settings("conda-forge.yml")
    if path is None:
        return
    file = _shown(reading, path)
    try:
        held = read_yaml(untrusted_data.text(path), path.name)
    except untrusted_data.Unreadable as error:
        yield At(f"it {error.problem}", file=file, line=error.line)
        return
    for key, line in _repeated(held) if reading.feedstock else ():
        yield At(f"{key} is there twice", file=file, line=line)
    for message, line, refused in faults(held, schema()) if held else ():
        yield At(message, file=file, line=line, severity=None if refused else WARNING)
    for key, value in held["os_version"].map.items():
        if value.text in ("cos7", "alma8", "ubi8"):
            yield At(f"os_version of {key} is {value.text}, below the usual alma9", file=file, line=value.line,
                     severity=WARNING)
    for system in ("linux", "osx", "win"):
        for key, value in held["azure"][f"settings_{system}"]["variables"].map.items():
            if key in REPLACED:
                yield At(f"{key} is deprecated: use {REPLACED[key]}", file=file, line=value.line, severity=WARNING)
    for message, line in _jobs(held["workflow_settings"]):
        yield At(message, file=file, line=line)


def _repeated(value: Value) -> Iterator[tuple[str, int]]:
    yield from value.repeated.items()
    for inner in chain(value.map.values(), value.items):
        yield from _repeated(inner)


def _jobs(held: Value) -> Iterator[tuple[str, int]]:
    """Settings for some jobs only that overlap, exclude each other, or need more conditions."""
    for key, value in held.map.items():
        wanted = [_condition(one) for one in value.items] if value.items else [_condition(Value(line=value.line))]
        yield from _overlaps(key, wanted)
        for one in wanted:
            platforms = {name.split("_")[0] for name in one["platform"] or ()}
            if one["platform"] and one["os"] and platforms != one["os"]:
                yield f"{key}: os and platform do not agree", one["line"]
            systems = (one["os"] or SYSTEMS) & (platforms or SYSTEMS)
            if key in ("tools_install_dir", "build_workspace_dir") and "win" in systems and systems != {"win"}:
                yield f"{key} is one path for Windows and for other systems", one["line"]
            if key == "resize_partitions" and (systems != {"win"} or one["provider"] != {"github_actions"}):
                yield f"{key} is only for Windows on github_actions", one["line"]


def _condition(value: Value) -> dict[str, Any]:
    """The jobs that a setting is for: None where it is for all."""
    named = {key: {one.text for one in value[key].words} if value[key] else None for key in CONDITIONS}
    return {**named, "line": value.line}


def _overlaps(key: str, wanted: list[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    """Pairs of settings where one is for all the jobs of the other."""
    for number, one in enumerate(wanted):
        for other in wanted[:number]:
            fields = [(one[name], other[name]) for name in CONDITIONS]
            if all(not a or not b or a & b for a, b in fields) and (
                    all(not a or b for a, b in fields) or all(not b or a for a, b in fields)):
                yield f"{key}: line {other['line']} has a setting for the same jobs", one["line"]
                break


@RECIPE.rule("RCP036", "A feedstock has the files that conda-smithy makes, and no others",
             source="conda-forge CF-003, CF-005",
      why="Without these files nothing is built, and other workflows could misuse the feedstock's rights.",
      fix="Ask for a rerender in the pull request: @conda-forge-admin, please rerender.", section=FIXING)
def rendered(reading: Reading) -> Iterator[At]:
    """No variants in .ci_support, and workflows of GitHub Actions of one's own."""
    if reading.feedstock is None:
        return
    if not list((reading.feedstock / ".ci_support").glob("*.yaml")):
        yield At("the feedstock has no .ci_support/*.yaml, so nothing is built")
    folder = reading.feedstock / ".github/workflows"
    found = sorted(path.name for path in [*folder.glob("*.yml"), *folder.glob("*.yaml")])
    own = [name for name in found if name != "conda-build.yml"]
    if own:
        yield At(f"the feedstock has workflows of its own: {', '.join(own)}")


@RECIPE.rule("RCP037", "rattler-build's own names are used", source="conda-forge R1-003, R1-006", severity=WARNING,
      why="rattler-build runs build.bat on Windows, and sets SP_DIR itself.",
      fix="Rename bld.bat to build.bat, and use $SP_DIR (%SP_DIR% on Windows).", section=FIXING)
def own_names(reading: Reading) -> Iterator[At]:
    """bld.bat beside a v1 recipe, and site-packages named by hand."""
    if reading.form != "v1":
        return
    if reading.path.with_name("bld.bat").is_file():
        yield At("bld.bat is conda-build's name")
    for number, line in enumerate(reading.lines, 1):
        if re.match(r"\s*(?:-\s+)?(?:then:\s+)?(?:export\s+)?SP_DIR\s*=", line) or re.search(
                r"%PREFIX%[\\/]+Lib[\\/]+site-packages", line, re.IGNORECASE):
            yield At("the place of site-packages is written by hand", line=number)


@RECIPE.rule("RCP038", "Build scripts have no findings of shellcheck, where conda-forge.yml asks for it",
      source="conda-forge R-042, R-043", severity=WARNING,
      why="A mistake in a shell script shows only when it runs, on conda-forge's machines.",
      fix="Correct what shellcheck names; its wiki has a page for each code.", section=FIXING)
def checked_scripts(reading: Reading) -> Iterator[At]:
    """What shellcheck says of the scripts beside a recipe, with the options that conda-forge's linter gives."""
    scripts = sorted(reading.path.resolve().parent.glob("*.sh"))
    if not scripts or reading.config["shellcheck"]["enabled"].word != "true":
        return
    program = find_program("shellcheck")
    if program is None:
        yield At("shellcheck isn't installed, so the scripts were not checked", severity=UNVERIFIED)
        return
    try:
        done = run([program, "--norc", "--enable=all", "--shell=bash", "--exclude=SC2154", "--format=gcc",
                    *(script.name for script in scripts)], cwd=scripts[0].parent, env=environment(), timeout=60)
    except TimeoutExpired:
        yield At("shellcheck gave no answer within 60 s", severity=UNVERIFIED)
        return
    for name, line, message in re.findall(r"(?m)^([^:]+):(\d+):\d+: (.+)$", done.stdout):
        yield At(message, file=_shown(reading, scripts[0].parent / name), line=int(line))
    if done.returncode > 1:
        yield At(f"shellcheck could not check the scripts: {' '.join(done.stderr.split())[:200]}")
