"""For every rule of the gate: a file with a seeded defect, and one that just misses it."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from labhandbook.release.release_rules import archive_form
from tooling.tests.package import sample_packages
from tooling.tests.package.sample_packages import METADATA, MODULES

Make = Callable[[Path], Path]


def of_wheel(**given: object) -> Make:
    return lambda folder: sample_packages.wheel(folder, **given)  # type: ignore[arg-type]


def of_sdist(**given: object) -> Make:
    return lambda folder: sample_packages.sdist(folder, **given)  # type: ignore[arg-type]


def says(*replacements: tuple[str, str], name: str = "") -> Make:
    """A wheel whose metadata read otherwise."""
    text = METADATA
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return of_wheel(metadata=text, **({"name": name} if name else {}))


def more(*lines: str) -> Make:
    """A wheel with more lines of metadata."""
    return says(("Requires-Python", "\n".join([*lines, "Requires-Python"])))


def zipped(change: Callable[[bytes], bytes]) -> Make:
    """A wheel whose bytes were changed."""

    def make(folder: Path) -> Path:
        path = sample_packages.wheel(folder)
        path.write_bytes(change(path.read_bytes()))
        return path

    return make


def twice(folder: Path) -> Path:
    """A wheel that holds a file twice."""
    path = sample_packages.wheel(folder)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("demo/cli.py", "import evil\n")
    return path


def streamed(folder: Path) -> Path:
    """A wheel whose sizes follow the data, as a program writes that can't seek."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise OSError

    path, pipe = sample_packages.wheel(folder), Pipe()
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as written:
        for entry in given.infolist():
            written.writestr(entry.filename, given.read(entry))
    path.write_bytes(pipe.getvalue())
    return path


def packed(method: int) -> Make:
    def make(folder: Path) -> Path:
        path = sample_packages.wheel(folder)
        with zipfile.ZipFile(path) as given:
            contents = {name: given.read(name) for name in given.namelist()}
        with zipfile.ZipFile(path, "w", method) as written:
            for name, data in contents.items():
                written.writestr(name, data)
        return path

    return make


def linked(to: str) -> Make:
    """An sdist with a symbolic link."""

    def make(folder: Path) -> Path:
        path = sample_packages.sdist(folder)
        with tarfile.open(path) as given:
            contents = [(entry, given.extractfile(entry)) for entry in given.getmembers()]
            with tarfile.open(folder / "new", "w:gz") as written:
                for entry, data in contents:
                    written.addfile(entry, data)
                link = tarfile.TarInfo("demo-1.2.0/link")
                link.type, link.linkname = tarfile.SYMTYPE, to
                written.addfile(link)
        return (folder / "new").replace(path)

    return make


ENTRY = "demo-1.2.0.dist-info/"
PYE = b"---BEGIN PYE " + b"FILE---\n"
LONG = "word " * 110
BOMB = {**MODULES, "demo/zeros.bin": b"\0" * (65 << 20)}

CASES: dict[str, list[tuple[str, Make, Make]]] = {
    "REL301": [
        ("provides-extra", more("Provides-Extra: no good!"), more("Provides-Extra: fine-1")),
        ("requires-python", says((">=3.11", "3.11 or so")), says((">=3.11", ">=3.11,<4"))),
        ("dynamic field", more("Dynamic: Name"), more("Dynamic: Classifier")),
        ("is not a name that PyPI accepts", says(("Name: demo", "Name: -demo")), of_wheel()),
        ("requires-dist", says(("click>=8.1", "click>>8")), says(("click>=8.1", "click (>=8.1)"))),
        ("the field no-such-field can't be read", more("No-Such-Field: x"), more("Keywords: x")),
        ("other>>1 is no requirement", more("Provides-Dist: other>>1"), more("Provides-Dist: other (>=1)")),
    ],
    "REL302": [
        ("9.9", says(("Metadata-Version: 2.4", "Metadata-Version: 9.9")), says(("Version: 2.4", "Version: 2.5"))),
        ("introduced in metadata version 2.4", says(("Version: 2.4", "Version: 2.1")),
         says(("Version: 2.4", "Version: 2.1"), ("License-Expression: MIT\nLicense-File: LICENSE", "License: MIT"))),
        ("there is no demo-1.2.0.dist-info/METADATA", of_wheel(info={"METADATA": None}), of_wheel()),
    ],
    "REL303": [
        ("1.2.0+g1 is a local version",
         says(("Version: 1.2.0", "Version: 1.2.0+g1"), name="demo-1.2.0+g1-py3-none-any.whl"),
         says(("Version: 1.2.0", "Version: 1.2.0.post1"), name="demo-1.2.0.post1-py3-none-any.whl")),
        ("'one' is invalid", says(("Version: 1.2.0", "Version: one")), of_wheel()),
    ],
    "REL304": [
        ("gpyreg @ https://example.org/g.zip", more("Requires-Dist: gpyreg @ https://example.org/g.zip"),
         more("Requires-Dist: gpyreg>=1")),
        ("other @", more("Provides-Extra: x", "Requires-Dist: other @ https://e.org/g.zip ; extra == 'x'"),
         more("Provides-Extra: x", "Requires-Dist: other ; extra == 'x'")),
    ],
    "REL305": [
        ("Framework :: Homemade", more("Classifier: Framework :: Homemade"),
         more("Classifier: Framework :: Jupyter")),
        ("is deprecated", more("Classifier: Natural Language :: Ukranian"),
         more("Classifier: Natural Language :: Ukrainian")),
    ],
    "REL306": [("Private :: Do Not Upload", more("Classifier: Private :: Do Not Upload"), of_wheel())],
    "REL307": [
        ("demo-1.2.0.tar.gz", of_sdist(name="Demo-1.2.0.tar.gz"), of_sdist()),
        ("demo-1.2.0.tar.gz", of_sdist(name="demo-1.2.tar.gz"), of_sdist()),
        ("demo-1.2.0-", of_wheel(name="Demo-1.2.0-py3-none-any.whl"), of_wheel(name="demo-1.2.0-1-py3-none-any.whl")),
        ("demo-1.2.0-", of_wheel(name="demo-1.3.0-py3-none-any.whl"),
         of_wheel(name="demo-1.2.0-py2.py3-none-any.whl")),
        ("lab_demo-1.2.0-", says(("Name: demo", "Name: Lab.Demo"), name="lab.demo-1.2.0-py3-none-any.whl"),
         says(("Name: demo", "Name: Lab.Demo"), name="lab_demo-1.2.0-py3-none-any.whl")),
        ("can't be printed", of_sdist(name="demo-1.2.0\x7f.tar.gz"), of_sdist()),
        ("can't be printed", of_sdist(name="demo-1.2.0\n.tar.gz"), of_sdist()),
        ("Invalid wheel filename", of_wheel(name="demo-1.2.0-py3-any.whl"), of_wheel()),
    ],
    "REL308": [("linux_x86_64", of_wheel(name="demo-1.2.0-cp311-cp311-linux_x86_64.whl"),
                of_wheel(name="demo-1.2.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"))],
    "REL310": [
        ("content-type", says(("text/markdown", "text/html")),
         says(("text/markdown", "text/markdown; charset=UTF-8"))),
        ("reStructuredText", says(("text/markdown", "text/x-rst"), ("A package.", "`broken <\n\n.. image::")),
         says(("text/markdown", "text/x-rst"), ("# Demo", "Demo\n===="))),
    ],
    "REL311": [
        ("License-Expression", more("License: MIT"), says(("License-Expression: MIT", "License: MIT"))),
        ("license-expression", says(("License-Expression: MIT", "License-Expression: My own")),
         says(("License-Expression: MIT", "License-Expression: MIT OR Apache-2.0"))),
    ],
    "REL312": [
        ("AUTHORS", more("License-File: AUTHORS"), of_wheel(metadata=METADATA.replace("LICENSE", "AUTHORS"),
                                                            info={"licenses/AUTHORS": "A Group"})),
        ("LICENSE", of_sdist(files={"LICENSE": None}), of_sdist()),
    ],
    "REL313": [
        ("33 characters", more(f"Project-URL: {'l' * 33}, https://example.org"),
         more(f"Project-URL: {'l' * 32}, https://example.org")),
        ("no web address", more("Project-URL: Home, example.org"),
         more("Project-URL: Home, http://example.org/a%20b")),
        ("no web address", more("Home-page: UNKNOWN"), more("Home-page: https://example.org")),
        ("has no label", more("Project-URL: , https://example.org"), more("Project-URL: H, https://example.org")),
    ],
    "REL314": [
        ("characters", says(("A package to be released in a test.", "w" * 513)),
         says(("A package to be released in a test.", "w" * 512))),
        ("summary", says(("A package to be released in a test.", "Two\n        lines.")), of_wheel()),
    ],
    "REL315": [
        ("group@", says(("group@example.org", "group@nowhere")), says(("group@example.org", "o'neil@example.co.uk"))),
    ],
    "REL320": [
        ("top folders", of_sdist(top=""), of_sdist(top="./demo-1.2.0/")),
        ("lacks demo-1.2.0/PKG-INFO", of_sdist(files={"PKG-INFO": None}), of_sdist()),
        ("WHEEL", of_wheel(info={"WHEEL": None}), of_wheel()),
    ],
    "REL321": [
        ("lead out", of_wheel(files={**MODULES, "../evil.py": ""}),
         of_wheel(files={**MODULES, "demo/..evil.py": ""})),
        ("lead out", of_wheel(files={**MODULES, "/etc/evil": ""}), of_wheel()),
        ("twice", twice, of_wheel()),
        ("follows its data", streamed, of_wheel()),
        ("follow its end", zipped(lambda data: data + b"more"), of_wheel()),
        ("belong to no file", zipped(lambda data: b"#!/bin/sh\n" + data), of_wheel()),
        ("compressed in a way", packed(zipfile.ZIP_BZIP2), packed(zipfile.ZIP_STORED)),
        ("times its size", of_wheel(files=BOMB), of_wheel(files={**MODULES, "demo/zeros.bin": b"\0" * (1 << 20)})),
        ("outside the folder", linked("../../etc/passwd"), linked("README.md")),
    ],
    "REL322": [
        ("lacks", of_wheel(record=""), of_wheel()),
        ("doesn't list demo-1.2.0.dist-info/METADATA", of_wheel(record=f"{ENTRY}RECORD,,\n"), of_wheel()),
        ("another hash for demo/cli.py", zipped(lambda data: _swapped(data)), of_wheel()),
    ],
    "REL323": [
        ("can't be read", of_wheel(info={"entry_points.txt": "demo.cli:main\n"}),
         of_wheel(info={"entry_points.txt": ""})),
        ("not a name for a command",
         of_wheel(info={"entry_points.txt": "[console_scripts]\n../demo = demo.cli:main\n"}),
         of_wheel(info={"entry_points.txt": "[console_scripts]\nde.mo-1_x = demo.cli:main\n"})),
    ],
    "REL324": [
        ("demo/cli.py", of_wheel(files={**MODULES, "demo/cli.py": archive_form.ARMOUR + b"enter__()"}),
         of_wheel(files={**MODULES, "demo/cli.txt": archive_form.ARMOUR + b"enter__()"})),
        ("demo/x.pye", of_wheel(files={**MODULES, "demo/x.pye": PYE + PYE.replace(b"BEGIN", b"END")}),
         of_wheel(files={**MODULES, "demo/x.pye": PYE})),
    ],
}
def _swapped(data: bytes) -> bytes:
    """A wheel whose file was exchanged without its list."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(out, "w") as written:
        for name in given.namelist():
            written.writestr(name, b"evil = 1\n" if name == "demo/cli.py" else given.read(name))
    return out.getvalue()
