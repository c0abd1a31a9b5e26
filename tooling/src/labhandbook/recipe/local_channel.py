"""A conda channel made of PyPI's wheels and this machine's Python, so that a recipe builds without conda-forge.

Each wheel becomes a package with its own requirements. Its files are links to the unpacked wheel in the user's cache:
packing and unpacking SciPy for three environments would take most of the time.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.metadata import parse_email
from packaging.requirements import Requirement

from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.core.process import run
from labhandbook.package.machine import Interpreter, installer_env
from labhandbook.package.project import normalise
from labhandbook.package.simple_index import sha256
from labhandbook.recipe.build_machine import system, uv
from labhandbook.recipe.conda_forge_names import conda_name
from labhandbook.recipe.local_dists import Local
from labhandbook.recipe.requirement_specs import bounds, parse

SECTION = "sec-conda-forge-build"


def cache() -> Path:
    """The folder in which made packages are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "labhandbook" / "conda"


class Channel:
    """A folder that conda's tools read as a channel."""

    def __init__(self, folder: Path, python: Interpreter, local: Local) -> None:
        self.folder, self.python, self.local = folder, python, local
        self.records: dict[str, dict[str, Any]] = {}
        self.wanted: dict[str, set[str]] = {}
        self.platform = system()
        (folder / self.platform).mkdir(parents=True)
        (folder / "noarch").mkdir()
        (folder / "noarch" / "repodata.json").write_text(self._repodata("noarch", {}), encoding="utf-8")

    @property
    def address(self) -> str:
        """The address that a tool is given."""
        return self.folder.resolve().as_uri()

    def fill(self, pins: Iterable[str]) -> None:
        """Put Python and the wheels of these pins into the channel. Raises HandbookError when that fails."""
        made = [self._python()]
        with ThreadPoolExecutor(max_workers=2) as pool:
            made += pool.map(self._wheel, dict.fromkeys(pins))
        held = [json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) for path in made]
        self._ask_extras(held)
        for path, entry in zip(made, held, strict=True):
            target = self.folder / self.platform / path.name
            if not target.exists():
                _link(path, target)
            self.records[path.name] = {**entry["record"], "depends": self._depends(entry)}
        (self.folder / self.platform / "repodata.json").write_text(
            self._repodata(self.platform, self.records), encoding="utf-8")

    def _ask_extras(self, entries: list[dict[str, Any]]) -> None:
        """Collect the extras that packages require, until nothing new is found."""
        grown = True
        while grown:
            grown = False
            for requirement in (one for entry in entries for one in self._active(entry)):
                extras = self.wanted.setdefault(normalise(requirement.name), set())
                grown = grown or not requirement.extras <= extras
                extras |= requirement.extras

    def _active(self, entry: dict[str, Any]) -> list[Requirement]:
        """A wheel's requirements here, with those of its extras that another wheel requires."""
        extras = {"", *self.wanted.get(normalise(entry["project"]), set())}
        here = {"python_version": self.python.line, "python_full_version": self.python.version}
        found = [requirement for text in entry["requires"] if (requirement := parse(text)) is not None]
        return [one for one in found
                if one.marker is None or any(one.marker.evaluate({**here, "extra": extra}) for extra in extras)]

    def _depends(self, entry: dict[str, Any]) -> list[str]:
        """A package's requirements in conda's form."""
        if entry["record"]["name"] == "python":
            return []
        return [f"python {self.python.line}.*",
                *(f"{conda_name(one.name)} {bounds(one.specifier)}".strip() for one in self._active(entry))]

    def _repodata(self, subdir: str, records: dict[str, dict[str, Any]]) -> str:
        return json.dumps({"info": {"subdir": subdir}, "packages": {}, "packages.conda": records,
                           "repodata_version": 1})

    @cached_property
    def _store(self) -> Path:
        folder = cache() / self.platform / "packages"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HandbookError(f"{folder} can't be made: {error.strerror}", why="packages are kept there",
                                todo="set XDG_CACHE_HOME to a folder that can be written", section=SECTION) from None
        return folder

    def _python(self) -> Path:
        """A package whose files lead to this machine's Python, as those of a virtual environment do."""
        mark = sha256(str(self.python.path).encode())[:12]
        path = self._store / f"python-{self.python.version}-{mark}_cpython.conda"
        if path.with_suffix(".json").exists():
            return path
        stage = path.with_suffix(f".stage{os.getpid()}")
        (stage / "bin").mkdir(parents=True)
        (stage / "bin" / f"python{self.python.line}").symlink_to(self.python.path)
        for name in ("python", "python3"):
            (stage / "bin" / name).symlink_to(f"python{self.python.line}")
        (stage / "pyvenv.cfg").write_text(
            f"home = {self.python.path.parent}\ninclude-system-site-packages = false\n"
            f"version = {self.python.version}\n", encoding="utf-8")
        packages = stage / "lib" / f"python{self.python.line}" / "site-packages"
        packages.mkdir(parents=True)
        (packages / "README.txt").write_text("Packages go here.\n", encoding="utf-8")
        return self._pack(path, stage, "python", self.python.version, f"{mark}_cpython", [])

    def _wheel(self, pin: str) -> Path:
        """The package of a pin, from the cache or made of its wheel; one of this machine's dists goes by its hash."""
        project, _, version = pin.partition("==")
        given = self.local.find(project, version)
        build = f"py{self.python.line.replace('.', '')}_{sha256(given.read_bytes())[:12] if given else '0'}"
        # conda's `==2.1` doesn't mean 2.1+cpu, as pip's does.
        name, version = conda_name(project), version.partition("+")[0]
        path = self._store / f"{name}-{version}-{build}.conda"
        unpacked = self._store.parent / "wheels" / path.stem
        if path.with_suffix(".json").exists() and unpacked.is_dir():
            return path
        if not unpacked.is_dir():
            self._unpack(str(given.resolve()) if given else pin, unpacked)
        found = next(unpacked.glob("lib*/python*/site-packages/*.dist-info/METADATA"), None)
        raw = parse_email(found.read_bytes())[0] if found else {}
        stage = path.with_suffix(f".stage{os.getpid()}")
        _link_tree(unpacked, stage)
        return self._pack(path, stage, name, version, build, list(raw.get("requires_dist", [])), project)

    def _unpack(self, wanted: str, folder: Path) -> None:
        """Install a pin or a file alone into a folder of its own. Raises HandbookError when it can't be fetched."""
        fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
        words = [uv(), "pip", "install", "--quiet", "--no-deps", "--break-system-packages",
                 "--python", str(self.python.path), "--prefix", str(fresh), wanted]
        done = run(words, cwd=self.folder, timeout=1800, env=installer_env())
        if done.returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            raise HandbookError(f"{wanted} can't be installed", why=done.stderr.strip()[-300:],
                                todo="check the network and try again", section=SECTION)
        for script in (fresh / "bin").glob("*"):
            data = script.read_bytes()
            if data.startswith(b"#!"):
                script.unlink()  # It may be a link to uv's own copy.
                script.write_bytes(b"#!/usr/bin/env python\n" + data.partition(b"\n")[2])
                script.chmod(0o755)
        try:
            fresh.rename(folder)
        except OSError:  # Another run was quicker.
            shutil.rmtree(fresh, ignore_errors=True)

    def _pack(self, path: Path, stage: Path, name: str, version: str, build: str, requires: list[str],
              project: str = "") -> Path:
        """Make the package of a folder; the record of it is written last, so that half a package is never used."""
        import rattler_build

        folder = stage.with_suffix(f".out{os.getpid()}")
        folder.mkdir()
        try:
            made = rattler_build.assemble_package(
                name, version, self.platform, build, folder, files_dir=stage, compression_level=0,
                detect_prefix=False).path
            data = Path(made).read_bytes()
            Path(made).replace(path)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
        record = {"name": name, "version": version, "build": build, "build_number": 0, "subdir": self.platform,
                  "sha256": sha256(data), "size": len(data), "depends": [], "timestamp": 1700000000000}
        entry = {"record": record, "requires": requires, "project": project or name}
        write_atomic(path.with_suffix(".json"), json.dumps(entry))
        return path


def _link_tree(source: Path, target: Path) -> None:
    """Links to files, and to whole folders that one wheel has alone: Python packages and metadata."""
    target.mkdir(parents=True)
    for entry in source.iterdir():
        whole = entry.name.endswith((".dist-info", ".libs")) or (entry / "__init__.py").exists()
        if entry.is_dir() and not whole:
            _link_tree(entry, target / entry.name)
        elif entry.name not in (".lock", "__pycache__"):
            (target / entry.name).symlink_to(entry)


def _link(path: Path, target: Path) -> None:
    try:
        target.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, target)
