"""For every rule on the contents of files: files with a seeded defect, and files that just miss it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from labhandbook.core.git import GitState
from labhandbook.core.rules import Severity
from labhandbook.package.distribution import read
from labhandbook.package.project import Project, Settings
from labhandbook.release.inspection import Inspection, inspect
from labhandbook.release.package_build import Built
from tooling.tests.package import sample_packages
from tooling.tests.package.sample_packages import METADATA, MODULES, Files

# Made of pieces, so that no scanner takes this file for one that leaks.
TOKEN = "pypi-" + "AgEIcHlwaS5vcmcCJDdhMWY1ZjQ4LTRjNjktNGIxMy1hZjQ2LWQ3ZGQ5YzE4NjA5MwACKlszLCI4"
GITHUB = "ghp" + "_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5"
KEY = "-----BEGIN " + "OPENSSH PRIVATE KEY-----\n" \
      "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"
ENTRY = "[console_scripts]\ndemo = {}\n"


@dataclass(frozen=True)
class Case:
    """A wheel and an sdist by what is in them beside the ordinary, and words of the finding."""

    says: str = ""
    wheel: Files = field(default_factory=dict)
    info: Files = field(default_factory=dict)
    sdist: Files = field(default_factory=dict)
    metadata: str = METADATA
    only: Files | None = None
    pyproject: str = ""
    tags: tuple[str, ...] = ("v1.2.0",)
    name: str = "demo-1.2.0-py3-none-any.whl"
    readme: str = 'readme = "README.md"'
    severity: Severity | None = None


def project(root: Path, text: str = "", tags: tuple[str, ...] = ("v1.2.0",), readme: str = Case.readme) -> Project:
    """A project that was tagged."""
    written = f'[project]\nname = "demo"\nversion = "1.2.0"\n{readme}\n[project.scripts]\ndemo = "x"\n{text}'
    state = GitState(root, "c0ffee", 1_700_000_000, tags, "main", "main", True, (), False, None)
    return Project(root, tomllib.loads(written), written, state, Settings())


def look(tmp_path: Path, case: Case) -> Inspection:
    wheel = sample_packages.wheel(tmp_path, {**(MODULES if case.only is None else case.only), **case.wheel},
                                  case.metadata,
                                  info=case.info, name=case.name)
    built = Built(tmp_path, read(sample_packages.sdist(tmp_path, case.sdist)), read(wheel))
    return inspect(built, project(tmp_path, case.pyproject, case.tags, case.readme))


def importing(*names: str) -> str:
    """Metadata that say under which names the package is imported."""
    said = "".join(f"Import-Name: {name}\n" for name in names)
    text = METADATA.replace("Metadata-Version: 2.4", "Metadata-Version: 2.5")
    return text.replace("Classifier: ", f"{said}Classifier: ", 1)


def typed(text: str = METADATA) -> str:
    return text.replace("Classifier: ", "Classifier: Typing :: Typed\nClassifier: ", 1)


NO_LICENCE = METADATA.replace("License-File: LICENSE\n", "")

CASES: dict[str, list[tuple[Case, Case]]] = {
    "REL210": [
        (Case("__pycache__", {"demo/__pycache__/cli.cpython-311.pyc": b"x"}), Case(wheel={"demo/pycache.py": ""})),
        (Case(".DS_Store", sdist={"docs/.DS_Store": b"x"}), Case(sdist={"docs/DS_Store.md": ""})),
        (Case("old.py.orig", sdist={"old.py.orig": "x"}), Case(sdist={"pyproject.toml.orig": "made by the backend"})),
        (Case("demo/_c.so", sdist={"demo/_c.so": b"x"}), Case(sdist={"demo/_c.c": "int x;", "demo/run.exe": b"MZ"})),
    ],
    "REL211": [
        (Case("an environment file", sdist={".env": "A=1\n"}), Case(sdist={".env.example": "A=\n"})),
        (Case("SSH key", {"demo/id_rsa": "x"}), Case(wheel={"demo/id_rsa.pub": "ssh-rsa AAAA"})),
        (Case("twine's passwords", sdist={".pypirc": "[pypi]\n"}), Case(sdist={"docs/pypirc.md": "[pypi]\n"})),
    ],
    "REL212": [
        (Case("a PyPI token", sdist={"notes.txt": f"one\n{TOKEN}\n"}),
         Case(sdist={"notes.txt": "pypi-AgEIcHlwaS5vcmc...\n"})),
        (Case("a private key", {"demo/key.pem": KEY}),
         Case(wheel={"demo/key.md": KEY.splitlines()[0] + "\n...\n"})),
        (Case("private keys among the tests", sdist={"tests/certs/ca.key": KEY}, severity=Severity.WARNING),
         Case(sdist={"tests/certs/ca.md": KEY.splitlines()[0] + "\n...\n"})),
        (Case("a GitHub token", {"demo/cfg.py": f'T = "{GITHUB}"\n'}),
         Case(wheel={"demo/cfg.py": f'T = "x{GITHUB}"\n'})),
        (Case("an AWS key", sdist={"a.ini": "AKIA" + "Q7RTX2LMNB4KZPWE\n"}),
         Case(sdist={"a.ini": "AKIA" + "IOSFODNN7EXAMPLE\n"})),
    ],
    "REL213": [(Case("big.csv (1.2 MB)", sdist={"data/big.csv": b"1,2\n" * 300_000}),
                Case(sdist={"data/big.csv": b"1,2\n" * 200_000, "demo.egg-info/SOURCES.txt": b"x" * 2_000_000}))],
    "REL214": [
        (Case("demo/_c.so", {"demo/_c.so": b"\x7fELF"}),
         Case(wheel={"demo/_c.so": b"\x7fELF"}, name="demo-1.2.0-cp311-cp311-manylinux_2_17_x86_64.whl")),
        (Case("demo/tool", {"demo/tool": b"\x7fELF\x02\x01"}), Case(wheel={"demo/tool": b"#!/bin/sh\n"})),
    ],
    "REL215": [
        (Case("tests", {"tests/__init__.py": "", "tests/test_demo.py": ""}),
         Case(wheel={"demo/tests/__init__.py": "", "demo/tests/test_demo.py": ""})),
        (Case("LICENSE", {"LICENSE": "MIT"}), Case(wheel={"demo/LICENSE": "MIT"})),
        (Case("conftest.py", {"conftest.py": ""}), Case(wheel={"demo_extra.py": ""})),
        (Case("src", only={"src/demo/__init__.py": ""}),
         Case(only={"demo/src/__init__.py": "", "demo/__init__.py": ""})),
        (Case("tests", only={"tests/__init__.py": ""}), Case(only={"tools/__init__.py": ""})),
        (Case("tools", {"tools/__init__.py": ""}), Case(wheel={"demo/tools/__init__.py": ""})),
        (Case("runs at every start", {"demo.pth": "import demo"}, severity=Severity.WARNING), Case()),
    ],
    "REL220": [
        (Case("no licence", info={"licenses/LICENSE": None}, metadata=NO_LICENCE),
         Case(info={"licenses/LICENSE": None, "LICENCE.txt": "MIT"}, metadata=NO_LICENCE)),
        (Case("no licence", sdist={"LICENSE": None}, metadata=NO_LICENCE),
         Case(sdist={"LICENSE": None, "COPYING": "MIT"}, metadata=NO_LICENCE)),
    ],
    "REL221": [
        (Case("Typing :: Typed", metadata=typed()), Case(wheel={"demo/py.typed": ""}, metadata=typed())),
        (Case("not in the wheel", sdist={"demo/py.typed": ""}),
         Case(wheel={"demo/py.typed": ""}, sdist={"demo/py.typed": ""})),
        (Case("no py.typed", {"demo/cli.pyi": ""}, severity=Severity.WARNING),
         Case(only={"demo-stubs/cli.pyi": ""}, info={"entry_points.txt": None})),
    ],
    "REL222": [
        (Case("README.md", sdist={"README.md": None}), Case(sdist={"docs/index.md": ""})),
        (Case("holds no README", sdist={"README.md": None, "docs/README.md": ""}, readme=""),
         Case(sdist={"README.md": None, "Readme.rst": ""}, readme='readme = { file = "Readme.rst" }')),
    ],
    "REL223": [
        (Case("doesn't define", info={"entry_points.txt": ENTRY.format("demo.cli:run")}),
         Case(info={"entry_points.txt": ENTRY.format("demo.cli:main")})),
        (Case("doesn't hold", info={"entry_points.txt": ENTRY.format("demo.commands:main")}),
         Case(info={"entry_points.txt": ENTRY.format("demo:main")})),
        (Case("no reference", info={"entry_points.txt": ENTRY.format("demo/cli.py")}),
         Case(info={"entry_points.txt": ENTRY.format("demo.cli : main [extra]")})),
        (Case("without running it", {"demo/lazy.py": "def __getattr__(name):\n    return name\n"},
              info={"entry_points.txt": ENTRY.format("demo.lazy:main")}, severity=Severity.UNVERIFIED),
         Case(wheel={"demo/star.py": "from .cli import *\n"},
              info={"entry_points.txt": ENTRY.format("demo.star:main")})),
        (Case("App.start", {"demo/app.py": "class App:\n    def run(self): ...\n"},
              info={"entry_points.txt": ENTRY.format("demo.app:App.start")}),
         Case(wheel={"demo/app.py": "class App:\n    def run(self): ...\n"},
              info={"entry_points.txt": ENTRY.format("demo.app:App.run")})),
        (Case("another package", info={"entry_points.txt": ENTRY.format("click.cli:main")},
              severity=Severity.UNVERIFIED),
         Case(wheel={"demo/__main__.py": "if True:\n    def main(): ...\n"},
              info={"entry_points.txt": ENTRY.format("demo.__main__:main")})),
    ],
    "REL224": [
        (Case("no module", only={}), Case(only={"demo.py": ""})),
        (Case("no module", only={"demo/data.csv": "1"}), Case(only={"demo-stubs/cli.pyi": ""})),
    ],
    "REL232": [
        (Case("names demo_lib, which", metadata=importing("demo_lib", "demo")),
         Case(metadata=importing("demo", "demo.cli ; private", ""))),
        (Case("names other", metadata=importing("other")), Case()),
    ],
    "REL225": [
        (Case("demo/testing/__init__.py", sdist={"demo/testing/__init__.py": ""}),
         Case(sdist={"demo/testing/__init__.py": ""},
              pyproject='[tool.setuptools.packages.find]\nexclude = ["demo.testing*"]\n')),
        (Case("demo/data/table.csv", sdist={"demo/data/table.csv": "1"}),
         Case(sdist={"demo/data/table.csv": "1"}, wheel={"demo/data/table.csv": "1"})),
        (Case("demo/sub/__init__.py", sdist={"demo/sub/__init__.py": ""}),
         Case(sdist={"demo/_fast.pyx": "", "demo/tests/test_x.py": "", "other/x.py": ""})),
    ],
    "REL227": [
        (Case("demo/bare has modules", wheel={"demo/bare/x.py": ""}),
         Case(wheel={"demo/bare/x.csv": "", "demo/not-a-name/x.py": "", "demo/deep/deeper/x.py": ""})),
    ],
    "REL226": [
        (Case("the tag on the commit says 1.3.0", tags=("v1.3.0",)), Case(tags=("v1.2.0", "other-1.0", "v1.2"))),
        (Case("no version", metadata=METADATA.replace("1.2.0", "0.0.0"), tags=()), Case(tags=())),
        (Case("it says version 1.3.0, the wheel 1.2.0",
              sdist={"PKG-INFO": METADATA.replace("1.2.0", "1.3.0")}), Case()),
        (Case("the tag on the commit says 1.3.0", tags=("v1.3.0", "x1.2.0")),
         Case(metadata=METADATA.replace("1.2.0", "0.0.0"), sdist={"PKG-INFO": METADATA.replace("1.2.0", "0.0.0")},
              tags=("v0.0.0",))),
    ],
}
