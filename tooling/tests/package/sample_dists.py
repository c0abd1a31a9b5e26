"""Tiny distributions, written without a build: a wheel with a module and a test, and an sdist to upload beside it."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from labhandbook.package.distribution import read
from labhandbook.package.index_addresses import Index
from tooling.tests.package.sample_packages import git, write
from tooling.tests.release.faulty_index import Server

PASSING = "def test_it():\n    import demo\n    assert demo.ANSWER == 42\n"
CANARY = "pypi-CANARYcanary0123456789"


def metadata(name: str = "demo", version: str = "1.0", requires: Sequence[str] = (),
             extras: Sequence[str] = ()) -> str:
    """The metadata of a distribution."""
    lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", "Summary: A demo.",
             "Requires-Python: >=3.11", "Description-Content-Type: text/markdown",
             *(f"Requires-Dist: {each}" for each in requires), *(f"Provides-Extra: {each}" for each in extras)]
    return "\n".join(lines) + "\n\n# Demo\n"


def wheel(folder: Path, name: str = "demo", version: str = "1.0", *, test: str = PASSING,
          requires: Sequence[str] = (), extras: Sequence[str] = (), more: dict[str, str] | None = None,
          tag: str = "py3-none-any") -> Path:
    """Write a wheel with a package and its test."""
    info = f"{name}-{version}.dist-info"
    files = {f"{name}/__init__.py": "ANSWER = 42\n", f"{name}/tests/__init__.py": "",
             f"{name}/tests/test_it.py": test.replace("demo", name),
             f"{info}/METADATA": metadata(name, version, requires, extras),
             f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
             **(more or {})}
    record = [f"{path},sha256={_hash(text)},{len(text)}" for path, text in files.items()]
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in {**files, f"{info}/RECORD": "\n".join([*record, f"{info}/RECORD,,"]) + "\n"}.items():
            archive.writestr(zipfile.ZipInfo(inside), text)
    return path


def sdist(folder: Path, name: str = "demo", version: str = "1.0") -> Path:
    """Write an sdist."""
    path = folder / f"{name}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for inside, text in {"PKG-INFO": metadata(name, version), "pyproject.toml": "[build-system]\n"}.items():
            member = tarfile.TarInfo(f"{name}-{version}/{inside}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


PYPROJECT = """[build-system]
requires = ["flit-core >= 3.12"]
build-backend = "flit_core.buildapi"

[project]
name = "NAME"
version = "VERSION"
description = "A package to be released in a test."
readme = "README.md"
license = "BSD-3-Clause"
license-files = ["LICENSE"]
requires-python = ">=3.11"
authors = [{ name = "A Group", email = "group@example.org" }]
classifiers = ["Programming Language :: Python :: 3 :: Only"]
dependencies = [REQUIRES]

[project.optional-dependencies]
test = ["pytest >= 8"]

[project.urls]
Source = "https://example.org/NAME"

[tool.handbook.release]
compare-with = "none"
"""


def project(folder: Path, name: str = "labdemo", version: str = "1.2.0", requires: str = "",
            test: str = "def test_it():\n    import NAME\n\n    assert NAME.ANSWER == 42\n") -> Path:
    """Write a package with a test, a commit and a tag, which passes every rule."""
    texts = {"pyproject.toml": PYPROJECT.replace("REQUIRES", requires), "README.md": "# NAME\n\nA package.\n",
             "LICENSE": "BSD 3-Clause License\n\nRedistribution and use in source and binary forms is permitted.\n",
             "CHANGELOG.md": "# Changes\n\n## VERSION\n\n- First.\n", ".gitignore": "__pycache__/\n",
             "NAME/__init__.py": '"""A demo."""\n\n__version__ = "VERSION"\nANSWER = 42\n',
             "NAME/tests/__init__.py": "", "NAME/tests/test_it.py": test}
    write(folder, {path.replace("NAME", name): text.replace("NAME", name).replace("VERSION", version)
                   for path, text in texts.items()})
    git(folder, "init", "--quiet")
    commit(folder, f"v{version}")
    return folder


def commit(folder: Path, tag: str) -> None:
    """Commit everything and tag it."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Everything")
    git(folder, "tag", "--annotate", tag, "--message", tag)


def sha256(path: Path) -> str:
    """The hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def at(server: Server) -> Index:
    """The address of a running index."""
    return Index("loopback", f"{server.url}/legacy/", f"{server.url}/simple/", server.url)


def put(server: Server, *paths: Path) -> None:
    """Bring files onto a running index without an upload."""
    for path in paths:
        found = read(path)
        server.store.add({":action": ["file_upload"], "protocol_version": ["1"], "name": [found.name],
                          "version": [found.version], "filetype": [found.kind], "metadata_version": ["2.4"]},
                         path.name, path.read_bytes())


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
