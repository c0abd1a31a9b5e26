"""Recipes, releases and a small index for the tests, made when they are needed: these files have no address."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from labhandbook.package.index_addresses import index
from labhandbook.release.local_index import running
from tooling.tests.conftest import LACKS

LICENCE = "MIT License\n\nPermission is hereby granted, free of charge, to any person.\n"


def v1() -> str:
    """A v1 recipe without a fault."""
    return f"""schema_version: 1

context:
  version: "1.2.0"

package:
  name: demo
  version: ${{{{ version }}}}

source:
  url: {index("pypi").web}/packages/source/d/demo/demo-${{{{ version }}}}.tar.gz
  sha256: {"ab" * 32}

build:
  number: 0
  noarch: python
  script: ${{{{ PYTHON }}}} -m pip install . -vv --no-deps --no-build-isolation
  python:
    entry_points:
      - demo = demo.cli:main

requirements:
  host:
    - python ${{{{ python_min }}}}.*
    - pip
    - setuptools >=80
  run:
    - python >=${{{{ python_min }}}}
    - click >=8.1

tests:
  - python:
      imports:
        - demo
      pip_check: true
      python_version:
        - ${{{{ python_min }}}}.*
        - "*"

about:
  homepage: https://example.org/demo
  summary: A package to be proposed in a test.
  license: MIT
  license_file: LICENSE

extra:
  recipe-maintainers:
    - someone
"""


V0 = """{% set name = "demo" %}
{% set version = "1.2.0" %}

package:
  name: {{ name|lower }}
  version: {{ version }}

source:
  url: https://example.org/packages/source/d/demo/demo-{{ version }}.tar.gz
  sha256: abababababababababababababababababababababababababababababababab

build:
  noarch: python
  script: {{ PYTHON }} -m pip install . -vv --no-deps --no-build-isolation
  number: 0

requirements:
  host:
    - python {{ python_min }}
    - pip
    - setuptools >=80
  run:
    - python >={{ python_min }}
    - click >=8.1

test:
  imports:
    - demo
  requires:
    - pip
    - python {{ python_min }}
  commands:
    - pip check

about:
  home: https://example.org/demo
  summary: A package to be proposed in a test.
  license: MIT
  license_file: LICENSE

extra:
  recipe-maintainers:
    - someone
"""


def stale(form: str) -> str:
    """A recipe of the old release with a dependency that was dropped and a build number of its own."""
    text = v1() if form == "v1" else V0.replace("number: 0", "number: 0\n  entry_points:\n    - demo = demo.cli:main")
    return text.replace("    - click >=8.1\n", "    - click >=8.1\n    - attrs\n").replace("number: 0", "number: 2")


@dataclass
class Release:
    """The files of a release, made by hand: an sdist and a pure wheel."""

    name: str = "Demo"
    version: str = "1.2.0"
    requires: tuple[str, ...] = ("click>=8.1",)
    licence: str = "License-Expression: MIT"
    text: str = LICENCE
    python: str = ">=3.10"
    extra: str = ""
    build: str = 'requires = ["setuptools>=80"]\nbuild-backend = "setuptools.build_meta"'
    tag: str = "py3-none-any"
    files: dict[str, str] = field(default_factory=dict)
    commands: str = "[console_scripts]\ndemo = demo.cli:main\n"
    modules: tuple[str, ...] = ("demo/__init__.py", "demo/cli.py")
    readme: str = "Demo is a package that exists so that a test can propose it somewhere.\n"
    homepage: str = "https://example.org/demo"
    builds: str = ""  # the tag of the wheel that the sdist builds, where the published one has another
    says: str = ""  # what that build says
    real: bool = False  # build with the backend itself, not with one in the sdist that has the wheel already

    @property
    def metadata(self) -> str:
        """The core metadata."""
        lines = ["Metadata-Version: 2.4", f"Name: {self.name}", f"Version: {self.version}",
                 "Summary: A package to be proposed in a test.", f"Requires-Python: {self.python}",
                 *([f"Project-URL: Homepage, {self.homepage}"] if self.homepage else []),
                 *([self.licence] if self.licence else []),
                 *([self.extra] if self.extra else []), *(f"Requires-Dist: {one}" for one in self.requires)]
        return "\n".join(lines) + "\n\n" + self.readme

    @property
    def stem(self) -> str:
        """The names of the files without their endings."""
        return f"{self.name.lower()}-{self.version}"

    def sdist(self) -> tuple[str, bytes]:
        """Name and bytes of the sdist."""
        own = "" if self.real else 'backend-path = ["."]\nbuild-backend = "made_already"\n'
        build = self.build if self.real else re.sub("(?m)^build-backend.*$", "", self.build)
        files = {"PKG-INFO": self.metadata, "pyproject.toml": f"[build-system]\n{build}\n{own}\n[project]\n"
                 f'name = "{self.name}"\nversion = "{self.version}"\ndependencies = {list(self.requires)}\n'
                 f'requires-python = "{self.python}"\n[project.scripts]\ndemo = "demo.cli:main"\n',
                 "demo/__init__.py": "", "demo/cli.py": "def main():\n    return 0\n",
                 **({"LICENSE": self.text} if self.text else {}), **self.files}
        if not self.real and "made_already.py" not in files:
            name, data = self.wheel(self.builds)
            files["made_already.py"] = (
                "import base64, pathlib\n\ndef build_wheel(folder, config_settings=None, metadata_directory=None):\n"
                f"    print({self.says!r})\n"
                f"    pathlib.Path(folder, {name!r}).write_bytes(base64.b64decode({base64.b64encode(data)!r}))\n"
                f"    return {name!r}\n")
        held = io.BytesIO()
        with gzip.GzipFile(fileobj=held, mode="wb", mtime=0) as packed, tarfile.open(
                fileobj=packed, mode="w") as archive:
            for path, text in files.items():
                entry = tarfile.TarInfo(f"{self.stem}/{path}")
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))
        return f"{self.stem}.tar.gz", held.getvalue()

    def wheel(self, tag: str = "") -> tuple[str, bytes]:
        """Name and bytes of the wheel, published with its own tag."""
        tag = tag or self.tag
        info = f"{self.name.lower()}-{self.version}.dist-info"
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            for path, text in {**{one: self.files.get(one, "") for one in self.modules},
                               f"{info}/METADATA": self.metadata,
                               f"{info}/WHEEL": f"Wheel-Version: 1.0\nTag: {tag}\n",
                               f"{info}/entry_points.txt": self.commands,
                               f"{info}/RECORD": ""}.items():
                archive.writestr(zipfile.ZipInfo(path), text)  # the same bytes each time
        return f"{self.name.lower()}-{self.version}-{tag}.whl", held.getvalue()


@contextmanager
def serving(files: dict[str, bytes], *, lost: bool = False, mirror: bool = False,
            lasting: dict[str, bytes] | None = None) -> Iterator[str]:
    """The address of an index with these files of a project `demo`.

    With `lost` the files can't be downloaded, with `mirror` not by their lasting address, `packages/source/`, which
    serves `lasting` instead if that is given.
    """
    page = "".join(f'<a href="../../files/{name}#sha256={hashlib.sha256(data).hexdigest()}">{name}</a>'
                   for name, data in files.items())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            lead = "/packages/source/"
            held = files if lasting is None or not self.path.startswith(lead) else lasting
            body = page.encode() if self.path == "/simple/demo/" and files else held.get(name)
            if mirror and self.path.startswith(lead):
                body = None
            down = lost and self.path.startswith("/files/")
            self.send_response(503 if down else 200 if body else 404)
            self.end_headers()
            if body and not down:
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def need_network() -> None:
    """Skip the test where PyPI can't be reached."""
    try:
        urlopen(index("pypi").simple + "pip/", timeout=10).close()
    except (URLError, OSError):
        pytest.skip(LACKS + "the network")


def line_of(text: str, words: str) -> int:
    """The first line that holds some words."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


def write(folder: Path, text: str, name: str = "recipe.yaml") -> Path:
    """A recipe in a folder of its own."""
    path = folder / "recipes" / "demo" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
