"""A conda channel made of PyPI's wheels and this machine's Python, for builds without conda-forge (`--offline`).

Each wheel becomes a package with its own requirements. Its files are links to uv's unpacked copy.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.metadata import parse_email
from packaging.requirements import Requirement

from labhandbook.core.errors import HandbookError
from labhandbook.core.process import run
from labhandbook.package.machine import Interpreter, installer_env
from labhandbook.package.project import normalise
from labhandbook.package.simple_index import sha256
from labhandbook.recipe.build_machine import system, uv
from labhandbook.recipe.conda_forge_names import conda_name
from labhandbook.recipe.local_dists import Local
from labhandbook.recipe.requirement_specs import bounds, parse

SECTION = "sec-conda-forge-build"


@dataclass
class Package:
    """A package of the channel: its record, and what its project requires; Python has no project."""

    file: str
    record: dict[str, Any]
    requires: list[Requirement]
    project: str = ""


class Channel:
    """A folder that conda's tools read as a channel."""

    def __init__(self, folder: Path, python: Interpreter, local: Local) -> None:
        self.folder, self.python, self.local, self.platform = folder, python, local, system()
        for name in (self.platform, "noarch", "stage"):
            (folder / name).mkdir(parents=True)

    @property
    def address(self) -> str:
        """The address that a tool is given."""
        return self.folder.resolve().as_uri()

    def fill(self, pins: Iterable[str]) -> None:
        """Put Python and the wheels of these pins into the channel. Raises HandbookError when that fails."""
        with ThreadPoolExecutor(max_workers=2) as pool:
            made = [self._python(), *pool.map(self._wheel, dict.fromkeys(pins))]
        wanted: dict[str, set[str]] = {}
        while any(not one.extras <= wanted.setdefault(normalise(one.name), set())
                  for package in made for one in self._active(package, wanted)):
            for one in [one for package in made for one in self._active(package, wanted)]:
                wanted.setdefault(normalise(one.name), set()).update(one.extras)
        for package in made:
            package.record["depends"] = [f"python {self.python.line}.*"] if package.project else []
            package.record["depends"] += [f"{conda_name(one.name)} {bounds(one.specifier)}".strip()
                                          for one in self._active(package, wanted)]
        for subdir, records in (("noarch", {}), (self.platform, {one.file: one.record for one in made})):
            (self.folder / subdir / "repodata.json").write_text(
                json.dumps({"info": {"subdir": subdir}, "packages": {}, "packages.conda": records,
                            "repodata_version": 1}), encoding="utf-8")

    def _active(self, package: Package, wanted: dict[str, set[str]]) -> list[Requirement]:
        """A package's requirements here, with those of its extras that another package requires."""
        extras = {"", *wanted.get(normalise(package.project), set())}
        here = {"python_version": self.python.line, "python_full_version": self.python.version}
        return [one for one in package.requires
                if one.marker is None or any(one.marker.evaluate({**here, "extra": extra}) for extra in extras)]

    def _python(self) -> Package:
        """A package whose files lead to this machine's Python, as those of a virtual environment do."""
        stage = self.folder / "stage" / "python"
        packages = stage / "lib" / f"python{self.python.line}" / "site-packages"
        for folder in (stage / "bin", packages):
            folder.mkdir(parents=True)
        (stage / "bin" / f"python{self.python.line}").symlink_to(self.python.path)
        for name in ("python", "python3"):
            (stage / "bin" / name).symlink_to(f"python{self.python.line}")
        (stage / "pyvenv.cfg").write_text(
            f"home = {self.python.path.parent}\ninclude-system-site-packages = false\n"
            f"version = {self.python.version}\n", encoding="utf-8")
        (packages / "README.txt").write_text("Packages go here.\n", encoding="utf-8")
        return self._pack(stage, "python", self.python.version, "0_cpython", [])

    def _wheel(self, pin: str) -> Package:
        """The package of a pin, made of its wheel or of this machine's dist. Raises HandbookError."""
        project, _, version = pin.partition("==")
        given = self.local.find(project, version)
        stage = self.folder / "stage" / f"{project}-{version}"
        words = [uv(), "pip", "install", "--quiet", "--no-deps", "--break-system-packages", "--link-mode", "symlink",
                 "--python", str(self.python.path), "--prefix", str(stage), str(given.resolve()) if given else pin]
        done = run(words, cwd=self.folder, timeout=1800, env=installer_env())
        if done.returncode:
            raise HandbookError(f"{pin} can't be installed", why=done.stderr.strip()[-300:],
                                todo="check the network and try again", section=SECTION)
        for script in (stage / "bin").glob("*"):
            data = script.read_bytes()
            if data.startswith(b"#!"):
                script.unlink()  # It may be a link to uv's own copy.
                script.write_bytes(b"#!/usr/bin/env python\n" + data.partition(b"\n")[2])
                script.chmod(0o755)
        found = next(stage.glob("lib*/python*/site-packages/*.dist-info/METADATA"), None)
        raw = parse_email(found.read_bytes())[0] if found else {}
        requires = [one for text in raw.get("requires_dist", []) if (one := parse(text))]
        # conda's `==2.1` doesn't mean 2.1+cpu, as pip's does.
        return self._pack(stage, conda_name(project), version.partition("+")[0], "0", requires, project)

    def _pack(self, stage: Path, name: str, version: str, build: str, requires: list[Requirement],
              project: str = "") -> Package:
        """Make the package of a folder."""
        import rattler_build

        path = Path(rattler_build.assemble_package(
            name, version, self.platform, build, self.folder / self.platform, files_dir=stage, compression_level=0,
            detect_prefix=False).path)
        shutil.rmtree(stage)
        data = path.read_bytes()
        record = {"name": name, "version": version, "build": build, "build_number": 0, "subdir": self.platform,
                  "sha256": sha256(data), "size": len(data), "timestamp": 1700000000000}
        return Package(path.name, record, requires, project)
