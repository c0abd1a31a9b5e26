"""Hostile packages: settings of wrong types, workflows, ledgers, files that are something else."""

from __future__ import annotations

import json
from typing import Any

from tooling.tests.hostile.parts import (
    BILLION,
    BYTES,
    DEEP,
    ESCAPE,
    LONG,
    NAME,
    YAML,
    Files,
    Folder,
    Link,
    Pipe,
    Program,
)

PYPROJECT = """[build-system]
requires = ["setuptools>=80"]
build-backend = "setuptools.build_meta"

[project]
name = "demo"
version = "1.0.0"
description = "A demo."
readme = "README.md"
license = "MIT"
requires-python = ">=3.11"
"""
CHANGELOG = "# Changelog\n\n## 1.0.0\n\n- First.\n"
BASE: Files = {"pyproject.toml": PYPROJECT, "README.md": "# Demo\n\nText.\n", "LICENSE": "MIT\n",
               "CHANGELOG.md": CHANGELOG, "src/demo/__init__.py": ""}
VALUES = {"number": "5", "list": "[[1], {a = 1}]", "table": "{a = [5]}", "escape": json.dumps(ESCAPE), "true": "true",
          "day": "1979-05-27", "infinite": "inf", "long": json.dumps(LONG)}
FIELDS = ("name", "version", "description", "readme", "license", "license-files", "requires-python", "dependencies",
          "optional-dependencies", "scripts", "entry-points", "urls", "classifiers", "keywords", "authors", "dynamic")
TABLES = ("build-system", "build-system.requires", "build-system.build-backend", "build-system.backend-path",
          "project", "tool", "tool.handbook", "tool.handbook.release", "tool.handbook.release.tag",
          "tool.handbook.release.test-command", "tool.handbook.release.ignore", "tool.handbook.release.reruns",
          "tool.handbook.release.publisher", "tool.setuptools", "tool.setuptools.packages", "tool.setuptools_scm",
          "tool.hatch.version", "tool.poetry", "tool.flit", "dependency-groups")
TEXTS = {
    "empty": "", "nul": "a = 1\0", "brackets": "a = " + BILLION, "not-utf8": b"a = '\xff'", "cut": "[project\n",
    "array": "[project]\nname = 'demo'\nkeywords = [" + "'a'," * 200_000 + "]\n",
    "bom": b"\xef\xbb\xbf" + PYPROJECT.encode(),
    "digits": f"a = {'9' * 5_000}\n", "key": f"[{LONG}]\n", "dots": "a." * 3_000 + "b = 1\n",
    "large": "# " + LONG * 1_000,
    "hatch": '[build-system]\nbuild-backend = "hatchling.build"\nrequires = ["hatchling"]\n[project]\nname = "demo"\n'
             'dynamic = ["version"]\n[tool.hatch.version]\npath = "src/demo/__init__.py"\npattern = "(a+)+$"\n',
    "scm": PYPROJECT.replace('version = "1.0.0"', 'dynamic = ["version"]') + "[tool.setuptools_scm]\n"
           'git_describe_command = "touch owned"\n[tool.setuptools_scm.scm.git]\ndescribe_command = "touch owned"\n',
    "escapes": PYPROJECT.replace("A demo.", "\\u001b[2J\\u202e").replace('"demo"', '"de\\u001b[2Jmo"'),
    "names": PYPROJECT.replace('"README.md"', f'"{LONG}"'), "nul-name": PYPROJECT.replace("README.md", "a\\u0000b"),
    "out": PYPROJECT.replace("README.md", "../../../outside.txt"),
    "version-long": PYPROJECT.replace("1.0.0", "9" * 4_500),
    "attr": PYPROJECT.replace('version = "1.0.0"', 'dynamic = ["version"]') + '[tool.setuptools.dynamic]\n'
            'version = {attr = "demo.__version__"}\nreadme = {file = [5]}\n',
    "ignore": PYPROJECT + "[tool.handbook.release.ignore]\nREL001 = \"\\u001b[2J\"\n",
    "path": PYPROJECT.replace('"setuptools.build_meta"', '"evil"\nbackend-path = ["."]'),
}
LEDGERS: dict[str, str | bytes] = {
    "cut": '{"steps": {"build": {"key', "empty": "", "empty-steps": '{"steps": {}}', "list": "[]",
    "number": '{"steps": 5}', "text": '{"steps": {"build": "a"}}',
    "null": '{"steps": {"build": null}}', "facts": '{"steps": {"build": {"key": 1, "facts": 5, "summary": 5}}}',
    "files": '{"steps": {"build": {"key": "a", "summary": "", "facts": {"files": [1]}}}}', "not-utf8": b"\xff\xfe",
    "files-types": '{"steps": {"build": {"key": "a", "summary": "", "facts": {"files": {"a": 5, "../../x": {}}}}}}',
    "findings": '{"steps": {"build": {"key": "a", "summary": "", "facts": {}, "findings": [5]}}}', "deep": BILLION,
    "bare": '{"steps": {"build": {}, "test": {}, "inspect": {}, "rehearse": {}, "upload": {}, "verify": {}}}',
    "escape": json.dumps({"steps": {"build": {"key": "a", "summary": ESCAPE, "at": ESCAPE, "seconds": "x", "facts": {
        "files": {f"demo-1.0.0{ESCAPE}.whl": {"sha256": ESCAPE, "size": -1}}, "commit": ESCAPE}}}}),
}
WORKFLOWS: dict[str, Any] = {
    **YAML, "types": "on: 5\njobs: [1]\npermissions: {a: [1]}\n",
    "jobs": "on: push\njobs: {a: null, b: 5, c: {steps: 5}}\n",
    "steps": "on: push\njobs: {a: {runs-on: [5], steps: [null, 5, {uses: 5}, {run: [1]}, {with: 5, uses: a/b@c}]}}\n",
    "expressions": "on: push\njobs:\n  a:\n    if: ${{ " + "(" * 3_000 + " }}\n"
                   "    steps: [{run: '${{ " + "a." * 3_000 + "b }}'}]\n",
    "needs": "on: push\njobs: {a: {needs: [b]}, b: {needs: [a]}, c: {needs: {d: 1}}, d: {strategy: {matrix: 5}}}\n",
    "escapes": "on: push\njobs:\n  ab:\n    environment: \"\\e[2J\\u202e\"\n"
               "    steps:\n      - uses: \"pypa/gh-action-pypi-publish@\\e[2J\"\n",
    "calls": "on: workflow_call\njobs: {a: {uses: ./.github/workflows/x.yml}}\n", "uses": "jobs: {a: {uses: [1]}}\n",
}
SHAPES: dict[str, Files] = {
    "pyproject-pipe": {"pyproject.toml": Pipe()}, "pyproject-folder": {"pyproject.toml": Folder()},
    "pyproject-link": {"pyproject.toml": Link("pyproject.toml")}, "nothing": {"pyproject.toml": None},
    "readme-pipe": {"README.md": Pipe()}, "readme-folder": {"README.md": Folder()},
    "readme-out": {"README.md": Link("/dev/zero")},
    "readme-links": {"README.md": lambda: "[a](b) " * 200_000}, "readme-brackets": {"README.md": "[" * 20_000},
    "readme-escape": {"README.md": f"# {ESCAPE}\n[a](no{ESCAPE}where)"}, "readme-not-utf8": {"README.md": b"\xff"},
    "changelog-pipe": {"CHANGELOG.md": Pipe()}, "changelog-escape": {"CHANGELOG.md": f"## 1.0.0\n{ESCAPE}\n"},
    "licence-pipe": {"LICENSE": Pipe()}, "setup-cfg": {"setup.cfg": f"[metadata\nname = {ESCAPE}\n"},
    "setup-cfg-types": {
        "setup.cfg": "[metadata]\nname = %(x)s\nversion = attr: a.b.c\n[options]\npackages = find:\n"},
    "setup-py": {"setup.py": "import os; os.system('touch owned')\n"},
    "names": {f"src/demo/{NAME}.py": "", f"src/{BYTES}": ""},
    "names-deep": {"/".join(["a" * 200] * 12) + "/x.py": ""}, "source-pipe": {"src/demo/x.py": Pipe()},
    "source-loop": {"src/demo/x": Link("."), "src/demo/y": Link("/")}, "git-file": {".git": ESCAPE},
    "git-config": {".git/config": "[core]\n\tfsmonitor = touch owned\n\thooksPath = .\n[include\n"},
    "git-head": {".git/HEAD": ESCAPE}, "git-index": {".git/index": b"\0" * 100}, "programs": {
        name: Program() for name in ("git", "python", "python3", "uv", "pip", "gh", "twine")},
    "modules": {f"{name}.py": "raise SystemExit('owned')" for name in ("build", "twine", "click", "json",
        "packaging")},
    "state-file": {".handbook": "text"}, "state-link": {".handbook": Link("../../home")},
    "state-pipe": {".handbook": Pipe()},
    "state-lock": {".handbook/release/demo-1.0.0/lock": Pipe()},
    "state-log": {".handbook/release/demo-1.0.0/log.txt": Folder()},
    "state-dist": {".handbook/release/demo-1.0.0/dist": Link("../../../../../home")},
    "closed": {".": Folder(closed=True)},
    "state-closed": {".handbook": Folder(closed=True)}, "workflow-pipe": {".github/workflows/x.yml": Pipe()},
    "workflow-name": {f".github/workflows/{NAME}.yml": "on: push\n"},
    "workflow-folder": {".github/workflows/x.yml": Folder()},
    "workflows-file": {".github/workflows": "text"},
    "action": {"action.yml": DEEP, ".github/actions/a/action.yml": "5"},
    "pkg-info": {"pyproject.toml": None, "setup.py": "", "PKG-INFO": f"Name: {ESCAPE}\nVersion: {ESCAPE}\n"},
    "setup-name": {"pyproject.toml": None, "setup.py": "setup(" * 20_000},
}


def replaced(field: str, value: str) -> str:
    """The settings with another value of a field of [project]."""
    kept = [line for line in PYPROJECT.splitlines() if not line.startswith(f"{field} =")]
    return "\n".join([*kept, f"{field} = {value}", ""])


def table(place: str, value: str) -> str:
    """The settings with another value where a table or an option is expected."""
    text = PYPROJECT
    if place.startswith(("build-system", "project")):
        text = PYPROJECT.partition("[project]")[1 if place.startswith("build") else 0] + "".join(
            PYPROJECT.partition("[project]")[2:] if place.startswith("build") else ())
    return f"{place} = {value}\n{text}"


INPUTS: dict[str, Files] = {
    **{f"toml-{name}": {"pyproject.toml": text} for name, text in TEXTS.items()},
    **{f"{field}={name}": {"pyproject.toml": replaced(field, value)} for field in FIELDS for name,
        value in VALUES.items()},
    **{f"{place}={name}": {"pyproject.toml": table(place, value)} for place in TABLES for name,
        value in VALUES.items()
       if name in ("number", "list", "table", "escape")},
    **{f"ledger-{name}": {f".handbook/release/demo-1.0.0/{file}.json": text for file in ("ledger", "pypi",
        "testpypi")}
       for name, text in LEDGERS.items()},
    **{f"workflow-{name}": {".github/workflows/release.yml": text} for name, text in WORKFLOWS.items()},
    **SHAPES,
}
