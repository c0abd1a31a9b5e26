"""Small packages of every build backend and shape, written into a folder as git repositories with a tag."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LICENCE = "MIT License\n\nPermission is hereby granted, free of charge, to any person.\n"
CLASSIFIERS = '["Programming Language :: Python :: 3 :: Only", "Typing :: Typed"]'


def _head(backend: str, requires: str, extra: str = "", version: str = 'version = "1.2.0"',
          name: str = "demo") -> str:
    return f"""[build-system]
requires = [{requires}]
build-backend = "{backend}"

[project]
name = "{name}"
{version}
description = "A package to be released in a test."
readme = "README.md"
license = "MIT"
license-files = ["LICENSE"]
requires-python = ">=3.11"
classifiers = {CLASSIFIERS}
dependencies = ["click>=8.1"]
authors = [{{ name = "A Group", email = "group@example.org" }}]

[project.urls]
Source = "https://example.org/demo"

[project.scripts]
demo = "demo.cli:main"
{extra}"""


def _modules(root: str) -> dict[str, str]:
    return {
        f"{root}/__init__.py": '"""A demo."""\n\nfrom .cli import main\n\n__all__ = ["main"]\n',
        f"{root}/cli.py": '"""The command."""\n\n\ndef main() -> int:\n    """Do nothing."""\n    return 0\n',
        f"{root}/py.typed": "",
        f"{root}/data/table.csv": "a,b\n1,2\n",
        f"{root}/data/__init__.py": "",
    }


COMMON = {"README.md": "# Demo\n\nA package.\n", "LICENSE": LICENCE,
          ".gitignore": "__pycache__/\n*.egg-info/\nbuild/\n",
          "tests/test_demo.py": "import demo\n\n\ndef test_main():\n    assert demo.main() == 0\n"}
DATA = '\n[tool.setuptools.package-data]\ndemo = ["py.typed", "data/*.csv"]\n'
WHERE = '\n[tool.setuptools.packages.find]\nwhere = ["src"]\n'

KINDS: dict[str, dict[str, str]] = {
    "setuptools": {"pyproject.toml": _head("setuptools.build_meta", '"setuptools>=80"', WHERE + DATA),
                   **_modules("src/demo")},
    "setuptools-scm": {"pyproject.toml": _head("setuptools.build_meta", '"setuptools>=80", "setuptools-scm>=8"',
                                               "\n[tool.setuptools_scm]\n" + WHERE, 'dynamic = ["version"]'),
                       **_modules("src/demo")},
    "hatchling": {"pyproject.toml": _head("hatchling.build", '"hatchling>=1.27"'), **_modules("src/demo")},
    "flit": {"pyproject.toml": _head("flit_core.buildapi", '"flit-core>=3.12"'), **_modules("src/demo")},
    "pdm": {"pyproject.toml": _head("pdm.backend", '"pdm-backend>=2.4"'), **_modules("src/demo")},
    "poetry": {"pyproject.toml": _head("poetry.core.masonry.api", '"poetry-core>=2.2"'), **_modules("src/demo")},
    "uv": {"pyproject.toml": _head("uv_build", '"uv-build>=0.9"'), **_modules("src/demo")},
    "extension": {
        "pyproject.toml": _head("setuptools.build_meta", '"setuptools>=80"',
                                WHERE + DATA + '\n[[tool.setuptools.ext-modules]]\nname = "demo._fast"\n'
                                'sources = ["src/demo/_fast.c"]\n'),
        **_modules("src/demo"),
        "src/demo/_fast.c": "#include <Python.h>\n"
                            "static struct PyModuleDef fast = {PyModuleDef_HEAD_INIT, \"_fast\"};\n"
                            "PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&fast); }\n"},
    "namespace": {
        "pyproject.toml": _head("setuptools.build_meta", '"setuptools>=80"',
                                WHERE + '\n[tool.setuptools.package-data]\n"lab.demo" = ["py.typed", "data/*.csv"]\n',
                                name="lab-demo").replace("demo.cli:main", "lab.demo.cli:main"),
        **_modules("src/lab/demo")},
    "flat": {"pyproject.toml": _head("setuptools.build_meta", '"setuptools>=80"',
                                     '\n[tool.setuptools.packages.find]\ninclude = ["demo", "demo.*"]\n' + DATA),
             **_modules("demo")},
}


def git(folder: Path, *args: str) -> str:
    """Run git as a person with a name and a fixed time."""
    env = {**os.environ, "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z"}
    who = ["-c", "user.name=A Person", "-c", "user.email=a.person@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *who, *args], cwd=folder, capture_output=True, text=True, check=True, env=env)
    return done.stdout


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write files by path."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def make(folder: Path, kind: str = "setuptools", changes: dict[str, str | bytes | None] | None = None,
         tag: str = "v1.2.0") -> Path:
    """Write a package of one kind, commit and tag it. `changes` adds files, replaces or takes them out (None)."""
    files: dict[str, str | bytes | None] = {**COMMON, **KINDS[kind], **(changes or {})}
    write(folder, {name: text for name, text in files.items() if text is not None})
    git(folder, "init", "--quiet")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", "Everything")
    if tag:
        git(folder, "tag", "--annotate", tag, "--message", tag)
    return folder


def pyproject(kind: str, *replacements: tuple[str, str]) -> dict[str, str | bytes | None]:
    """A change of `pyproject.toml` by replacing text, for `make`."""
    text = KINDS[kind]["pyproject.toml"]
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return {"pyproject.toml": text}


@functools.cache
def download(*arguments: str) -> Path | None:
    """The folder with what pip downloads, once in a session; None without a network."""
    folder = Path(tempfile.mkdtemp(prefix="handbook-download-"))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    return folder if done.returncode == 0 else None
