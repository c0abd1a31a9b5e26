"""Readers of the packaging chapter: its shell blocks run as printed, in order, by hand or by command.

Pages are read from top to bottom in one shell, as a reader would paste them: by hand with the tests in the package
and beside it, and by command. Two indexes on loopback stand for TestPyPI and PyPI. By hand they are reached as a
user's own settings allow: the address of the variable, `.pypirc` for twine, pip's default index for what is installed
by name (with the machine's own index beside it, for pytest and the like). By command the words `testpypi` and `pypi`
are replaced by addresses on loopback: the kit takes the addresses of these names from twine and has no way around it.
So the question before an upload to PyPI is not asked here; `test_publish.py` asks it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from labhandbook.package import index_addresses
from labhandbook.package.machine import default_index
from tooling.tests.conftest import LACKS
from tooling.tests.package.sample_dists import CANARY
from tooling.tests.package.sample_packages import download, git, write
from tooling.tests.release.faulty_index import Server, serving
from tooling.tests.release.packaging_chapter import (
    BY_COMMAND,
    HAND,
    INSIDE,
    NOT_READY,
    Block,
    blocks,
    printed_file,
)

NAME, MODULE = "lab-chapter-demo", "lab_chapter_demo"
FILES = {
    "README.md": f"# {NAME}\n\nMeans of numbers.\n",
    "LICENSE": "BSD 3-Clause License\n\nRedistribution and use in source and binary forms is permitted.\n",
    "CHANGELOG.md": "# Changes\n\n## 1.1.0\n\n- Means.\n",
    ".gitignore": printed_file(".gitignore"),
    f"{MODULE}/__init__.py": '"""Means of numbers."""\n\nfrom .means import mean\n\n__all__ = ["mean"]\n',
    f"{MODULE}/means.py": '"""Means."""\n\nimport click\n\n\ndef mean(*values: float) -> float:\n'
                          '    """The mean of some numbers."""\n    if not values:\n'
                          '        raise click.UsageError("no numbers")\n    return sum(values) / len(values)\n',
    f"{MODULE}/data/numbers.csv": "1,2,3\n",
    f"{MODULE}/tests/__init__.py": "",
    f"{MODULE}/tests/test_means.py": f"from importlib.resources import files\n\nfrom {MODULE} import mean\n\n\n"
                                     f"def test_mean():\n    text = (files('{MODULE}') / 'data/numbers.csv')"
                                     ".read_text()\n    assert mean(*map(float, text.split(','))) == 2\n",
}


def chapter_pyproject(compare_with: str) -> str:
    """The chapter's own pyproject.toml, for a package without large dependencies."""
    text = printed_file("pyproject.toml")
    for old, new in (('include = ["gpyreg", "gpyreg.*"]', f'include = ["{MODULE}", "{MODULE}.*"]'),
                     ('    "numpy>=1.26",\n    "scipy>=1.11.2",\n', '    "click>=8.1",\n'), ("gpyreg", NAME)):
        assert old in text, old
        text = text.replace(old, new)
    assert tomllib.loads(text)["project"]["dynamic"] == ["version"]
    return f'{text}\n[tool.handbook.release]\ncompare-with = "{compare_with}"\n'


def quick_venv(python: str) -> str:
    """Lines of a shell script that let uv make the environment of `python -m venv`.

    The result is the same. venv itself takes eight seconds of processor time, most of them to install pip.
    """
    uv = shlex.quote(str(Path(sys.executable).with_name("uv")))
    return (f'if [ "$1 $2" = "-m venv" ]; then\n  shift 2\n'
            f'  exec {uv} venv --quiet --seed --python {shlex.quote(python)} "$@"\nfi\n')


@dataclass
class Way:
    """A reader who takes two tabs of the pages, with a project and two indexes. `said` is each block's output."""

    tab: str
    tests: str
    folder: Path
    testpypi: Server
    pypi: Server
    said: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.folder / "project"

    @property
    def origin(self) -> Path:
        return self.folder / "origin.git"

    def start(self) -> Way:
        """A project on a branch of a remote, with nothing tagged; settings as a user would have them."""
        files = FILES if self.tests == INSIDE else {
            name.removeprefix(f"{MODULE}/") if name.startswith(f"{MODULE}/tests/") else name: text
            for name, text in FILES.items()}
        write(self.root, {**files, "pyproject.toml": chapter_pyproject(self.pypi.url)})
        git(self.folder, "init", "--quiet", "--bare", "origin.git")
        git(self.root, "init", "--quiet")
        git(self.root, "remote", "add", "origin", str(self.origin))
        self.commit("Start")
        git(self.root, "remote", "set-head", "origin", "main")
        entries = "".join(f"[{name}]\nrepository = {server.url}/legacy/\nusername = __token__\npassword = {CANARY}\n"
                          for name, server in (("testpypi", self.testpypi), ("pypi", self.pypi)))
        write(self.folder / "home", {
            ".pypirc": f"[distutils]\nindex-servers =\n    testpypi\n    pypi\n{entries}",
            ".gitconfig": "[user]\nname = A Person\nemail = a.person@example.org\n[safe]\ndirectory = *\n"})
        programs = {"python3": getattr(sys, "_base_executable", sys.executable),
                    "handbook": str(Path(sys.executable).with_name("handbook")), "git": str(shutil.which("git"))}
        for name, program in programs.items():
            venv = quick_venv(program) if name == "python3" else ""
            path = write(self.folder / "bin", {name: f'#!/bin/sh\n{venv}exec {shlex.quote(program)} "$@"\n'}) / name
            path.chmod(0o755)
        return self

    def commit(self, message: str) -> None:
        """Commit everything and push the branch."""
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--message", message)
        git(self.root, "push", "--quiet", "--set-upstream", "origin", "main")

    def environment(self) -> dict[str, str]:
        """A user's environment: this machine's settings and caches, a home and a PATH of our own."""
        home = Path.home()
        kept = {name: value for name, value in os.environ.items()
                if not re.match(r"TWINE_|PYTHON|PYTEST_|VIRTUAL_ENV|PYENV_|GIT_", name)}
        env = {**kept, "HOME": str(self.folder / "home"), "NO_COLOR": "1", "NO_PROXY": "127.0.0.1",
               "no_proxy": "127.0.0.1", "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
               "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(home / ".cache"),
               "XDG_CONFIG_HOME": os.environ.get("XDG_CONFIG_HOME") or str(home / ".config"),
               # Compiling what is installed would take most of the time.
               "PIP_NO_COMPILE": "1", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        if self.tab == HAND:
            world = default_index() or index_addresses.index("pypi").simple
            return env | {"PIP_INDEX_URL": f"{self.pypi.url}/simple/", "PIP_EXTRA_INDEX_URL": world}
        return env | {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": CANARY, "FOLDER": str(self.folder / "started")}

    def text(self, block: Block, version: str) -> str:
        """A block as this reader runs it: with their package, and by command with the indexes' addresses."""
        text = re.sub(r"^export PACKAGE=.*$", f"export PACKAGE={NAME}", block.text, flags=re.MULTILINE)
        text = re.sub(r"^export VERSION=.*$", f"export VERSION={version}", text, flags=re.MULTILINE)
        if self.tab == BY_COMMAND:
            text = re.sub(r"(--(?:to|from)) testpypi\b", rf"\1 {self.testpypi.url}", text)
            text = re.sub(r"(--(?:to|from)) pypi\b", rf"\1 {self.pypi.url}", text)
        return text

    def walk(self, version: str, *pages: str) -> None:
        """Run the pages' blocks in one shell that stops at the first failure."""
        outputs = self.folder / f"said-{version}"
        outputs.mkdir()
        script, tagged = ["set -e"], False
        simple = {"index.testpypi.simple": f"{self.testpypi.url}/simple/"}
        run = [block for page in pages for block in blocks(page, simple) if block.runs(self.tab, self.tests)]
        for number, block in enumerate(run):
            text, output = self.text(block, version), outputs / str(number)
            if not tagged and NOT_READY.search(text):
                text = f"{{\n{text}}} || test $? -eq 1\n"
            tagged = tagged or "git tag --annotate" in text
            script.append(f"{{\n{text}}} > {shlex.quote(str(output))} 2>&1")
        done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=self.root, env=self.environment(), text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=900, check=False)
        for number, block in enumerate(run):
            path = outputs / str(number)
            self.said[f"{version} {block.section} {block.text}"] = path.read_text() if path.exists() else ""
        last = max((int(path.name) for path in outputs.iterdir()), default=0)
        assert done.returncode == 0, f"{run[last].place}\n{(outputs / str(last)).read_text()}\n{done.stderr}"

    def output(self, version: str, needle: str, section: str = "") -> str:
        """What the blocks that hold `needle` said."""
        found = [said for key, said in self.said.items() if key.startswith(version) and needle in key
                 and section in key.split()[1]]
        assert found, f"no block holds {needle}"
        return "".join(found)

    def update(self, page: str) -> None:
        """Make the next version's commit, with a new subpackage and a line in the change log, and follow its page."""
        changes = (self.root / "CHANGELOG.md").read_text().replace("## 1.1.0", "## 1.2.0\n\n- More.\n\n## 1.1.0")
        write(self.root, {"CHANGELOG.md": changes, f"{MODULE}/more/__init__.py": '"""More."""\n'})
        self.commit("More")
        self.walk("1.2.0", page)


def way(tab: str, tests: str, folder: Path, *pages: str) -> Iterator[Way]:
    """A reader who has made a first release by these pages."""
    if download("click>=8.1") is None:
        pytest.skip(LACKS + "the network")
    with serving(folder / "testpypi", token=CANARY) as testpypi, serving(folder / "pypi", token=CANARY) as pypi:
        here = Way(tab, tests, folder, testpypi, pypi).start()
        here.walk("1.1.0", *pages)
        yield here
