"""Small packages of every build backend and shape, written into a folder as git repositories with a tag."""

from __future__ import annotations

import atexit
import base64
import functools
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.package import index_addresses, simple_index

Files = Mapping[str, str | bytes | None]

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
    "meson": {
        "pyproject.toml": _head("mesonpy", '"meson-python>=0.18"'),
        **_modules("src/demo"),
        "meson.build": "project('demo', version: '1.2.0')\npy = import('python').find_installation(pure: true)\n"
                       "install_subdir('src/demo', install_dir: py.get_install_dir(), strip_directory: false)\n"},
    "maturin": {
        "pyproject.toml": _head("maturin", '"maturin>=1.9.2,<2"', '\n[tool.maturin]\nbindings = "cffi"\n'
                                'python-source = "src"\nmodule-name = "demo._fast"\n').replace(
                                    '"click>=8.1"', '"click>=8.1", "cffi>=1.15"'),
        **_modules("src/demo"),
        "Cargo.toml": '[package]\nname = "demo"\nversion = "1.2.0"\nedition = "2021"\n\n[lib]\n'
                      'path = "rust/lib.rs"\ncrate-type = ["cdylib"]\n',
        "Cargo.lock": 'version = 4\n\n[[package]]\nname = "demo"\nversion = "1.2.0"\n',
        "rust/lib.rs": '#[no_mangle]\npub extern "C" fn answer() -> i32 { 42 }\n'},
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


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files by path."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def make(folder: Path, kind: str = "setuptools", changes: Files | None = None, tag: str = "v1.2.0") -> Path:
    """Write a package of one kind, commit and tag it. `changes` adds files, replaces or takes them out (None)."""
    files: Files = {**COMMON, **KINDS[kind], **(changes or {})}
    write(folder, {name: text for name, text in files.items() if text is not None})
    git(folder, "init", "--quiet")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", "Everything")
    if tag:
        git(folder, "tag", "--annotate", tag, "--message", tag)
    return folder


def pyproject(kind: str, *replacements: tuple[str, str]) -> Files:
    """A change of `pyproject.toml` by replacing text, for `make`."""
    text = KINDS[kind]["pyproject.toml"]
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return {"pyproject.toml": text}


@functools.cache
def download(*arguments: str) -> Path | None:
    """The folder with what pip downloads, once in a session and gone with it; None without a network."""
    folder = Path(tempfile.mkdtemp(prefix="handbook-download-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    return folder if done.returncode == 0 else None


def published(project: str, name: str, folder: Path) -> Path | None:
    """The folder that PyPI's sdist `name`.tar.gz unpacks to in `folder`; None without a network."""
    try:
        data = simple_index.download(simple_index.listing(index_addresses.index("pypi"), project)[f"{name}.tar.gz"])
    except (simple_index.IndexDown, HandbookError, KeyError):
        return None
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(folder, filter="data")
    return folder / name


METADATA = """Metadata-Version: 2.4
Name: demo
Version: 1.2.0
Summary: A package to be released in a test.
Author-email: A Group <group@example.org>
License-Expression: MIT
License-File: LICENSE
Project-URL: Source, https://example.org/demo
Classifier: Programming Language :: Python :: 3 :: Only
Requires-Python: >=3.11
Requires-Dist: click>=8.1
Description-Content-Type: text/markdown

# Demo

A package.
"""
WHEEL = "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
MODULES: Files = {"demo/__init__.py": "from .cli import main\n", "demo/cli.py": "def main():\n    return 0\n"}


def wheel(folder: Path, files: Files | None = None, metadata: str = METADATA, *, info: Files | None = None,
          name: str = "demo-1.2.0-py3-none-any.whl", record: str | None = None,
          modes: Mapping[str, int] | None = None) -> Path:
    """Write a wheel by hand. `files` replace the modules, `info` adds to the .dist-info or takes out (None).

    `modes` are the permissions of files; the others have the usual ones.
    """
    top = "-".join(name.split("-")[:2]) + ".dist-info"
    inside: Files = {"METADATA": metadata, "WHEEL": WHEEL, "licenses/LICENSE": LICENCE, **(info or {})}
    everything = {**(MODULES if files is None else files), **{f"{top}/{key}": value for key, value in inside.items()}}
    data = {key: value if isinstance(value, bytes) else value.encode() for key, value in everything.items()
            if value is not None}
    rows = [f"{key},sha256={_digest(value)},{len(value)}" for key, value in data.items()]
    data[f"{top}/RECORD"] = (record if record is not None else "\n".join([*rows, f"{top}/RECORD,,", ""])).encode()
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, value in data.items():
            if key != f"{top}/RECORD" or record != "":
                entry = zipfile.ZipInfo(key)
                entry.external_attr = (0o100000 | (modes or {}).get(key, 0o644)) << 16
                archive.writestr(entry, value, zipfile.ZIP_DEFLATED)
    return path


def sdist(folder: Path, files: Files | None = None, metadata: str = METADATA, *, name: str = "demo-1.2.0.tar.gz",
          top: str = "demo-1.2.0/") -> Path:
    """Write an sdist by hand; `files` are added or, if None, taken out."""
    everything: Files = {"PKG-INFO": metadata, "README.md": "# Demo\n", "LICENSE": LICENCE, "pyproject.toml": "",
                         **MODULES, **(files or {})}
    path = folder / name
    with tarfile.open(path, "w:gz") as archive:
        for key, value in everything.items():
            if value is not None:
                data = value if isinstance(value, bytes) else value.encode()
                entry = tarfile.TarInfo(top + key)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    return path


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
