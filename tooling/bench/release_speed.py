"""How long `handbook release check` and `inspect` take, as ratios in one run.

Run it with `python tooling/bench/release_speed.py [FOLDER...]`. The folders are clones of packages to check besides
the one that is made here.

- check: processor time of the command, and of `git status` in the same folder. The bar is the time of `git status`
  plus one second.
- inspect: processor time on the files of a package of 1,000 modules, and of one of 100. The bar is three times.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

HANDBOOK = Path(sys.executable).with_name("handbook")
MODULE = '''"""Module {n}."""

from demo.part_{before} import function as earlier

__all__ = ["Thing", "function"]


class Thing:
    """A thing."""

    def method(self, value, *, option=None):
        """Do it."""
        return value, option


def function(one, two=2, *rest, flag=False):
    """Call the earlier one."""
    if flag:
        return earlier(one, two)
    return one, two, rest
'''
PYPROJECT = """[build-system]
requires = ["flit-core >= 3.12"]
build-backend = "flit_core.buildapi"

[project]
name = "demo"
version = "1.0.0"
description = "A package to be timed."
readme = "README.md"
license = "MIT"
license-files = ["LICENSE"]
requires-python = ">=3.11"
"""
METADATA = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0.0\nSummary: A demo.\nLicense-Expression: MIT\n\n# Demo\n"


def sources(modules: int) -> dict[str, str]:
    """The files of a package with so many modules."""
    parts = {f"demo/part_{n}.py": MODULE.format(n=n, before=max(n - 1, 0)) for n in range(modules)}
    return {"demo/__init__.py": '"""A demo."""\n\n__version__ = "1.0.0"\n', **parts}


def clone(folder: Path, modules: int, commits: int = 100) -> Path:
    """A repository of a package with a history."""
    files = {**sources(modules), "pyproject.toml": PYPROJECT, "README.md": "# Demo\n", "LICENSE": "MIT License\n",
             "CHANGELOG.md": "# Changes\n\n## 1.0.0\n\n- First.\n"}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    who = ["-c", "user.name=A Person", "-c", "user.email=a.person@example.org"]
    for command in (["init", "-q"], ["add", "-A"], *(["commit", "-q", "--allow-empty", "-m", f"Commit {n}"]
                                                     for n in range(commits)), ["tag", "v1.0.0"]):
        subprocess.run(["git", *who, *command], cwd=folder, check=True)
    return folder


def files(folder: Path, modules: int) -> list[Path]:
    """An sdist and a wheel of such a package."""
    folder.mkdir()
    wheel, sdist = folder / "demo-1.0.0-py3-none-any.whl", folder / "demo-1.0.0.tar.gz"
    inside, info = sources(modules), "demo-1.0.0.dist-info"
    meta = {f"{info}/METADATA": METADATA, f"{info}/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
            f"{info}/licenses/LICENSE": "MIT License\n"}
    hashes = {path: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
              for path, text in {**inside, **meta}.items()}
    record = "".join(f"{path},sha256={digest},\n" for path, digest in hashes.items()) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**inside, **meta, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    with tarfile.open(sdist, "w:gz") as packed:
        for name, text in {**inside, "PKG-INFO": METADATA, "LICENSE": "MIT License\n", "README.md": "# Demo\n",
                           "pyproject.toml": PYPROJECT}.items():
            member = tarfile.TarInfo(f"demo-1.0.0/{name}")
            member.size = len(text.encode())
            packed.addfile(member, io.BytesIO(text.encode()))
    return [sdist, wheel]


def processor(command: Sequence[str | Path], folder: Path, rounds: int) -> float:
    """The median processor time of a command and all that it starts, in seconds."""
    times = []
    for _ in range(rounds):
        process = subprocess.Popen(list(map(str, command)), cwd=folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        times.append(usage.ru_utime + usage.ru_stime)
    return statistics.median(times)


def main() -> None:
    """Time both, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        places = {"300 modules": clone(folder / "clone", 300), **{each.name: each for each in asked.folders}}
        for label, place in places.items():
            status = processor(["git", "status"], place, asked.rounds)
            check = processor([HANDBOOK, "release", "check", "--offline"], place, asked.rounds)
            more = check - status
            print(f"check of {label}: {check:.2f} s, git status {status:.2f} s, so {more:.2f} s more (bar: 1)")
        look: list[str | Path] = [HANDBOOK, "release", "inspect", "--compare-with", "none"]
        small, large = (processor([*look, *files(folder / str(count), count)], folder, asked.rounds)
                        for count in (100, 1000))
        print(f"inspect of 100 modules: {small:.2f} s, of 1,000: {large:.2f} s: {large / small:.2f} times (bar: 3)")


if __name__ == "__main__":
    main()
