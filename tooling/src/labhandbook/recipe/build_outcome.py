"""Findings from the worker's result, each at the line of the recipe that caused it."""

from __future__ import annotations

import re
from typing import Any

from labhandbook.core.rules import Finding, Rule
from labhandbook.recipe.conda_forge_names import conda_name
from labhandbook.recipe.recipe_reader import Reading
from labhandbook.recipe.recipe_rules import build_proof


def findings(reading: Reading, result: dict[str, Any]) -> list[Finding]:
    """The findings of a build that failed; none of one that went well."""
    if result["ok"]:
        return []
    text = "\n".join(result["log"])
    if compiled := result.get("compiled"):
        return [Finding(reading.file, reading.line("build.noarch"), build_proof.BUILT,
                        f"the noarch package has compiled files: {', '.join(compiled[:3])}",
                        remedy="Remove noarch, and name the compilers under requirements.build.")]
    if result["stage"] == "building":
        return [_build(reading, result["error"], text)]
    if result["stage"] == "testing":
        found = [_test(reading, test, number) for number, test in enumerate(result["tests"]) if not test["ok"]]
        return list(dict.fromkeys(found)) or [_solve(reading, result["error"], build_proof.RUN, "run")]
    return [Finding(reading.file, reading.line("requirements.run"), build_proof.INSTALLED, _last(result["error"]))]


def _build(reading: Reading, error: str, log: str) -> Finding:
    if re.search(r"sha256|checksum", error, re.IGNORECASE):
        return Finding(reading.file, reading.line("source.sha256"), build_proof.HASH, _last(error))
    if re.search(r"solve|Cannot|candidates", error) and "Script" not in error:
        return _solve(reading, error, build_proof.HOST, "host")
    if re.search(r"no licen[sc]e files|licen[sc]e file.*not found", error, re.IGNORECASE):
        names = ", ".join(value.text for value in reading.values("about.license_file"))
        return Finding(reading.file, reading.line("about.license_file"), build_proof.BUILT,
                       f"the sdist has no {names}")
    missing = re.search(r"No module named '?([\w.]+)'?|Cannot import '([\w.]+)'", log)
    if missing:
        name = (missing[1] or missing[2]).split(".")[0]
        return Finding(reading.file, reading.line("requirements.host"), build_proof.BUILT,
                       f"the build needs the module {name}: a package is missing under host")
    _, said, _ = _script(log)
    return Finding(reading.file, reading.line("build.script"), build_proof.BUILT, said or _last(error))


def _script(log: str) -> tuple[list[str], str, str]:
    """What a script ran, as its shell traced it, the last of what it said, and how it ended."""
    ran, _, rest = log.partition("Script failed with status ")
    lines = ran.rpartition("Testing commands:")[2].splitlines()
    steps = [number for number, line in enumerate(lines) if line.strip().startswith("+ ")]
    telling = [line for line in lines if re.search(r"Error\b|^\s*(ERROR|error|FAILED)\b|no such option", line)]
    after = [line for line in lines[steps[-1] + 1 if steps else 0:] if line.strip()]
    last = (telling or after or [""])[-1]
    return [lines[number].strip()[2:] for number in steps], " ".join(last.split())[:300], (rest.split() or [""])[0]


def _solve(reading: Reading, error: str, rule: Rule, section: str) -> Finding:
    """A solve that failed: the line of the first package that it names."""
    for value in reading.requirements(section):
        name = re.split(r"[\s<>=!~]", value.text, maxsplit=1)[0]
        if name != "python" and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", error):
            return Finding(reading.file, value.line, rule, f"{value.text} can't be installed: {_unsolved(error)}")
    return Finding(reading.file, reading.line(f"requirements.{section}"), rule, _unsolved(error))


def _unsolved(error: str) -> str:
    """The reason that the solver gives, which is not its last line."""
    found = [f"No candidates were found for {(one or other).lstrip(' └├│─')}" for one, other in re.findall(
        r"No candidates were found for ([^\n]*)|([^\n]*), for which no candidates were found", error)]
    found = found or re.findall(r"[^\n]* cannot be installed because[^\n]*|"
                                r"[^\n]*which (?:does not exist|cannot be installed)[^\n]*", error)
    return "; ".join(dict.fromkeys(" ".join(one.strip(" ×╰─▶│├").split()) for one in found))[:300] or _last(error)


def _test(reading: Reading, test: dict[str, Any], number: int) -> Finding:
    text = "\n".join(test["output"])
    if asked := re.search(r"^(\S+) \S+ requires (\S+), which is not installed", text, re.MULTILINE):
        return Finding(reading.file, reading.line("requirements.run"), build_proof.COMPLETE,
                       f"{asked[1]} requires {asked[2]}: run lacks {conda_name(asked[2])}")
    if other := re.search(r"^(\S+) \S+ has requirement (\S+(?:[^,]*)), but you have (.+?)\.?$", text, re.MULTILINE):
        name = conda_name(re.split(r"[<>=!~ ]", other[2], maxsplit=1)[0])
        value = reading.requirement("run", name)
        return Finding(reading.file, value.line if value else reading.line("requirements.run"), build_proof.COMPLETE,
                       f"{other[1]} requires {other[2]}, and {other[3]} was installed")
    if test["kind"] == "PythonTest":
        return _imports(reading, text)
    traced, said, status = _script(text)
    ran = [value for value in reading.commands(number) if any(one in value.text for one in traced)]
    if not ran:
        return Finding(reading.file, reading.test_line(number), build_proof.COMMANDS, said or _last(text))
    return Finding(reading.file, ran[-1].line, build_proof.COMMANDS,
                   f"{ran[-1].text} ended with status {status}{f': {said}' if said else ''}")


def _imports(reading: Reading, text: str) -> Finding:
    """An import that failed: its own line, or run's if it is another package that is missing."""
    known = {value.text: value.line for value in reading.tests("python.imports")}
    tried = re.findall(r'conda_build_script\.py", line \d+, in <module>\n\s*import ([\w.]+)', text)
    name = tried[-1] if tried and tried[-1] in known else next(iter(known), "")
    missing = re.search(r"(?:ModuleNotFoundError|ImportError): (.+)", text)
    blamed = re.search(r"No module named '([\w.]+)'", missing[1]) if missing else None
    if blamed and blamed[1].split(".")[0] not in {own.split(".")[0] for own in known}:
        return Finding(reading.file, reading.line("requirements.run"), build_proof.COMPLETE,
                       f"importing {name} needs the module {blamed[1]}: run lacks "
                       f"{conda_name(blamed[1].split('.')[0])}")
    return Finding(reading.file, known.get(name, reading.line("tests")), build_proof.IMPORTS,
                   f"{name} can't be imported: {missing[1] if missing else _last(text)}")


def _last(text: str) -> str:
    """The last line that says something, shortened."""
    lines = [line.strip(" ×╰─▶│├") for line in text.splitlines() if line.strip(" ×╰─▶│├")]
    return " ".join(lines[-1].split())[:300] if lines else "it failed without a message"
