"""The version that setuptools-scm reads from git, asked in a process of its own.

A repository's settings can name programs and functions for setuptools-scm to run. Here none runs: the process sees no
secret, starts git alone, without its hooks and helpers, and knows only the schemes that are installed.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labhandbook.core.process import Limits, TimeoutExpired, environment, git_env, isolated, run
from labhandbook.package.project import PYPROJECT, Project

# Options that say what the version is; the others say where to write it, or are functions.
OPTIONS = ("version_scheme", "local_scheme", "tag_regex", "parentdir_prefix_version", "fallback_version", "normalize")
GIT_OPTIONS = ("pre_parse", "distance_scope", "distance_count")
DESCRIBE = re.compile(r"--(all|tags|contains|long|first-parent|exact-match|always|dirty(=.*)?|broken(=.*)?"
                      r"|(abbrev|candidates|match|exclude)(=.*)?)$")
# What a person sets to overrule git; the build gets them too.
PRETEND = re.compile(r"(SETUPTOOLS_SCM|VCS_VERSIONING)_PRETEND_(VERSION|METADATA)(_FOR_\w+)?$")
SECONDS = 5
ASK = """
import json, logging, os, subprocess, sys, warnings

job = json.load(sys.stdin)


class Git(subprocess.Popen):
    def __init__(self, args, *more, env=None, **options):
        words = [os.fspath(word) for word in args] if not isinstance(args, (str, bytes)) else [""]
        if words[0] != "git" or options.get("shell"):
            raise FileNotFoundError(f"{words[0] or args} is not run here")
        super().__init__(words, *more, env={**(os.environ if env is None else env), **job["git"]}, **options)


subprocess.Popen = Git
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
try:
    from importlib.metadata import entry_points

    import setuptools_scm

    for kind in ("version_scheme", "local_scheme"):
        given = job["options"].get(kind, [])
        for name in [given] if isinstance(given, str) else given:
            if not any(each.name == name and each.group.endswith("." + kind) for each in entry_points()):
                raise LookupError(f"the {kind} {name} is not installed here")
    answer = {"version": setuptools_scm.get_version(**job["options"])}
except BaseException as error:
    answer = {"problem": (str(error).strip().splitlines() or [type(error).__name__])[0]}
print("\\n" + json.dumps(answer))
"""


class NotRun(Exception):
    """A setting that would run something of the repository; the message says which."""


def ask(project: Project, options: dict[str, Any]) -> tuple[str | None, str]:
    """The version, or why there is none."""
    try:
        given = safe(project, options)
    except NotRun as problem:
        return None, str(problem)
    top = project.git.root if project.git else project.root
    quiet = {name: value for name, value in git_env(top).items() if name.startswith("GIT_")}
    with tempfile.TemporaryDirectory(prefix="handbook-version-") as folder:
        try:
            done = run(isolated("-c", ASK), cwd=folder, stdin=json.dumps({"options": given, "git": quiet}),
                       env=environment(names=pretended()), timeout=60, limits=Limits(seconds=SECONDS))
        except TimeoutExpired:
            return None, "setuptools-scm gave no answer within a minute"
    if done.returncode:
        return None, f"setuptools-scm needs more than {SECONDS} s: shorten tag_regex, or the history it looks at"
    answer: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return answer.get("version"), answer.get("problem", "")


def pretended() -> list[str]:
    """The names of the variables in which this process's user says what the version is."""
    return [name for name in os.environ if PRETEND.match(name)]


def safe(project: Project, options: dict[str, Any]) -> dict[str, Any]:
    """The options that say what the version is. Raises NotRun where one of them names something to run."""
    given = {name: options[name] for name in OPTIONS if name in options}
    given |= {"relative_to": str(project.root / PYPROJECT), "dist_name": project.name or None}
    given |= {name: str(folder) for name, folder in _folders(project, options)}
    scm = options.get("scm")
    table = scm.get("git") if isinstance(scm, dict) else None
    inner = {name: table[name] for name in GIT_OPTIONS if name in table} if isinstance(table, dict) else {}
    if inner.get("pre_parse") == "fetch_on_shallow":
        inner["pre_parse"] = "warn_on_shallow"  # Looking at a version fetches nothing.
    described = options.get("git_describe_command") or (table or {}).get("describe_command")
    if described:
        inner["describe_command"] = plain_describe(described)
    return given | ({"scm": {"git": inner}} if inner else {})


def plain_describe(command: object) -> list[str]:
    """A command of `git describe` that does nothing but describe, in words. Raises NotRun for any other."""
    try:
        words = shlex.split(command) if isinstance(command,
                                                   str) else list(map(str, command))  # type: ignore[call-overload]
    except (TypeError, ValueError):
        words = []
    if words[:2] == ["git", "describe"]:
        left = iter(words[2:])
        if all(DESCRIBE.match(word) and (word not in ("--match", "--exclude", "--candidates") or next(left, ""))
               for word in left):
            return words
    raise NotRun(f"describe_command is not run here, because it is not plain git describe: {shown(command)}")


def _folders(project: Project, options: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    """The folders to look in, which must not lie outside the repository. Raises NotRun."""
    top = (project.git.root if project.git else project.root).resolve()
    if options.get("search_parent_directories") is True and project.git:
        yield "root", top
        return
    for name in ("root", "fallback_root"):
        if name in options:
            folder = (project.root / str(options[name])).resolve()
            if folder not in (top, project.root.resolve()) and not (
                    project.root.resolve().is_relative_to(folder) and folder.is_relative_to(top)):
                raise NotRun(f"{name} = {shown(options[name])} lies outside the repository, where git is not asked")
            yield name, folder


def shown(value: object) -> str:
    """A setting's value, short enough for a message."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 80 else f"{text[:79]}…"
