"""How long a rehearsal takes: `handbook release rehearse` against the chapter's manual steps with pip and venv.

Run it with `python tooling/bench/release.py`. Each package goes both ways in turn, in the same run, with the package
caches that the machine has, so what counts is the ratio. "Parts" is what a rehearsal can't do without: its build, and
for its longest line of environments (as many at a time as there are processors) installing and the suite, as its
ledger timed them. GPyReg needs PyPI for its sdist; without a network it is left out.

By hand it is the chapter's rehearsal: build, check and list the files, test the wheel, upload, test what comes back.
The rehearsal does more: it builds twice more and compares, tests the sdist and the lowest dependencies, too.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labhandbook.release.local_index import Server, running
from labhandbook.release.local_index_files import Store

HANDBOOK = Path(sys.executable).with_name("handbook")
PYTHON = getattr(sys, "_base_executable", sys.executable)
TOKEN = "pypi-bench"
GPYREG = "gpyreg==1.4.0"
# Three quick files of GPyReg's suite, which takes minutes as a whole.
REDUCED = ["pytest", "--pyargs", *(f"gpyreg.testing.test_{each}" for each in
                                  ("mean_functions", "noise_functions", "utils"))]

FLIT = """[build-system]
requires = ["flit-core >= 3.12"]
build-backend = "flit_core.buildapi"

[project]
name = "lab-flit"
version = "1.0.0"
description = "A package to be timed."
readme = "README.md"
license = "BSD-3-Clause"
license-files = ["LICENSE"]
requires-python = ">=3.11"
authors = [{ name = "A Group", email = "group@example.org" }]
classifiers = ["Programming Language :: Python :: 3 :: Only"]
dependencies = ["click >= 8.1"]

[project.optional-dependencies]
test = ["pytest >= 8"]

[project.urls]
Source = "https://example.org/lab-flit"

[tool.handbook.release]
compare-with = "none"
"""
TEST = "import lab_flit\n\n\ndef test_it():\n    assert lab_flit.ANSWER == 42\n"


@dataclass
class Case:
    """A package to release and its test command; `lowest` is False where the oldest dependencies don't install."""

    title: str
    root: Path
    suite: list[str]
    lowest: bool = True


def call(*command: str | Path, cwd: Path, **env: str) -> None:
    """Run a program quietly; a failure ends the bench with what it said."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, env={**os.environ, "NO_PROXY": "127.0.0.1", **env})
    if done.returncode:
        sys.exit(f"{shlex.join(map(str, command))} ended with {done.returncode}\n{done.stdout}{done.stderr}")


def commit(root: Path, tag: str) -> None:
    """Make the folder a repository with one tagged commit."""
    git = ["git", "-c", "user.name=A Person", "-c", "user.email=a.person@example.org"]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Start"],
                  ["tag", "--annotate", tag, "--message", tag]):
        call(*git, *words, cwd=root)


def tiny(folder: Path) -> Case:
    """What `release new` starts."""
    root = folder / "lab-tiny"
    call(HANDBOOK, "release", "new", root, "--author", "A Group", "--email", "group@example.org", cwd=folder)
    commit(root, "v0.1.0")
    return Case("new, setuptools", root, ["pytest", "--pyargs", "lab_tiny"])


def flit(folder: Path) -> Case:
    """A package of another backend, with a dependency."""
    root = folder / "lab-flit"
    for name, text in {"pyproject.toml": FLIT, "README.md": "# lab-flit\n\nA package.\n",
                       "LICENSE": "BSD 3-Clause License\n\nRedistribution and use is permitted.\n",
                       "CHANGELOG.md": "# Changes\n\n## 1.0.0\n\n- First.\n", ".gitignore": "__pycache__/\ndist/\n",
                       "lab_flit/__init__.py": '"""A demo."""\n\n__version__ = "1.0.0"\nANSWER = 42\n',
                       "lab_flit/tests/__init__.py": "", "lab_flit/tests/test_it.py": TEST}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    commit(root, "v1.0.0")
    return Case("small, flit", root, ["pytest", "--pyargs", "lab_flit"])


def gpyreg(folder: Path) -> Case | None:
    """The lab's package from PyPI with some of its tests, None without a network."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "gpyreg", GPYREG]
    if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode:
        return None
    with tarfile.open(next(folder.glob("gpyreg-*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    root = next(path for path in folder.glob("gpyreg-*") if path.is_dir())
    settings = f'\n[tool.handbook.release]\ncompare-with = "none"\ntest-command = {json.dumps(REDUCED)}\n'
    (root / "pyproject.toml").write_text((root / "pyproject.toml").read_text() + settings)
    shutil.rmtree(next(root.glob("*.egg-info")), ignore_errors=True)
    (root / "PKG-INFO").unlink()
    commit(root, "v1.4.0")
    return Case("GPyReg, few tests", root, REDUCED, lowest=False)


def by_hand(case: Case, folder: Path, server: Server) -> None:
    """The chapter's steps from its build environment to the rehearsal on an index, with pip and venv."""
    tree = folder / "tree"
    shutil.copytree(case.root, tree)
    tools = environment(folder / "release", "build", "twine")
    call(tools / "python", "-m", "build", cwd=tree)
    wheel, sdist = next((tree / "dist").glob("*.whl")), next((tree / "dist").glob("*.tar.gz"))
    call("tar", "-tzf", sdist, cwd=tree)
    call(tools / "python", "-m", "zipfile", "--list", wheel, cwd=tree)
    call(tools / "twine", "check", "--strict", wheel, sdist, cwd=tree)
    first = environment(folder / "test", f"{wheel}[test]")
    call(first / case.suite[0], *case.suite[1:], cwd=folder)
    call(tools / "twine", "upload", "--non-interactive", "--repository-url", f"{server.url}/legacy/", wheel, sdist,
         cwd=tree, TWINE_USERNAME="__token__", TWINE_PASSWORD=server.token)
    back = environment(folder / "back")
    name, version = wheel.name.split("-")[:2]
    call(back / "python", "-m", "pip", "install", "--no-cache-dir", "--no-deps", "--only-binary", ":all:",
         "--index-url", f"{server.url}/simple/", f"{name}=={version}", cwd=folder)
    call(back / "python", "-m", "pip", "install", f"{name}[test]=={version}", cwd=folder)
    call(back / case.suite[0], *case.suite[1:], cwd=folder)


def environment(folder: Path, *requirements: str) -> Path:
    """The programs of a fresh environment made with venv and pip."""
    call(PYTHON, "-m", "venv", folder, cwd=folder.parent)
    if requirements:
        call(folder / "bin" / "python", "-m", "pip", "install", *requirements, cwd=folder.parent)
    return folder / "bin"


def rehearse(case: Case, pythons: list[str]) -> float:
    """Rehearse from nothing; the seconds of what can't be left out, as the ledger has them."""
    shutil.rmtree(case.root / ".git" / "handbook", ignore_errors=True)
    options = [*pythons, *([] if case.lowest else ["--no-lowest"])]
    call(HANDBOOK, "release", "rehearse", case.root, "--offline", *options, cwd=case.root)
    steps = json.loads(next(case.root.glob(".git/handbook/release/*/ledger.json")).read_text())["steps"]
    lines = [0.0] * (os.cpu_count() or 1)
    for trial in steps["test"]["facts"]["environments"]:
        # As a pool hands them out: the next one goes to whoever is free first.
        lines[lines.index(min(lines))] += trial["installing"] + trial["suite"]
    back: float = sum(trial["installing"] + trial["suite"] for trial in steps["verify"]["facts"]["environments"])
    return float(steps["build"]["seconds"]) + max(lines) + back


def timed(work: Callable[[], object]) -> float:
    """The seconds that some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(case: Case, runs: int, pythons: list[str]) -> None:
    """Take a package both ways in turn, `runs` times, and print a row of the table."""
    hand, kit, over = [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as name, running(Server(Store(Path(name) / "index"), TOKEN)) as server:
            hand.append(timed(lambda name=name,
                              server=server: by_hand(case, Path(name), server)))  # type: ignore[misc]
        parts: list[float] = []
        kit.append(timed(lambda parts=parts: parts.append(rehearse(case, pythons))))  # type: ignore[misc]
        over.append((kit[-1] / parts[0], parts[0]))
    seconds, manual = statistics.median(kit), statistics.median(hand)
    ratio, least = statistics.median(each[0] for each in over), statistics.median(each[1] for each in over)
    print(f"{case.title:<18}  {manual:8.1f} s  {seconds:8.1f} s  {manual / seconds:6.1f} x  {least:8.1f} s  "
          f"{ratio:6.2f} x", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often each package goes each way")
    parser.add_argument("--python", action="append", help="a Python to rehearse on (default: the one of this bench)")
    options = parser.parse_args()
    chosen = options.python or ["{}.{}".format(*sys.version_info)]
    pythons = [word for python in chosen for word in ("--python", python)]
    print(f"{'package':<18}  {'by hand':>10}  {'rehearse':>10}  {'faster':>8}  {'parts':>10}  {'over':>8}")
    for make in (tiny, flit, gpyreg):
        with tempfile.TemporaryDirectory() as folder:
            case = make(Path(folder))
            if case is None:
                print("GPyReg is left out: PyPI can't be reached")
            else:
                compare(case, options.runs, pythons)


if __name__ == "__main__":
    main()
