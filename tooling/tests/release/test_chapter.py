"""The packaging chapter does what it says: its shell blocks run as printed, and its commands and steps are the kit's.

Pages are read from top to bottom in one shell, as a reader would paste them: once by hand, once by command. Two
indexes on loopback stand for TestPyPI and PyPI. By hand they are reached as a user's own settings allow: the address
of the variable, `.pypirc` for twine, pip's default index for what is installed by name (with the machine's own index
beside it, for pytest and the like). By command the words `testpypi` and `pypi` are replaced by addresses on loopback:
the kit takes the addresses of these names from twine and has no way around it. So the question before an upload to
PyPI is not asked here; `test_publish.py` asks it.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest

from labhandbook.book.facts import variables
from labhandbook.book.model import load_book
from labhandbook.book.source import Source, read_source
from labhandbook.cli import Command
from labhandbook.reference import load as load_rules
from labhandbook.release import addresses, workflow
from labhandbook.release.commands import release
from labhandbook.release.index import Server, serving
from labhandbook.release.machine import default_index
from labhandbook.release.store import Stored
from labhandbook.rules import REGISTRY
from tooling.tests.conftest import LACKS, ROOT
from tooling.tests.release.files import CANARY
from tooling.tests.release.packages import download, git, write

FIRST, NEXT = "chapters/packaging/pypi.qmd", "chapters/packaging/updating.qmd"
FROM_ACTIONS = "chapters/packaging/github-actions.qmd"
HAND, BY_COMMAND = "By hand", "By command"
NAME, MODULE = "lab-chapter-demo", "lab_chapter_demo"
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*(?:\{#([\w-]+)([^}]*)\})?$")

# What can't run here, by the words that a block begins with, and why.
NOT_RUN = {
    "python3 -m pip install \"labhandbook[release] @ git+":
        "it fetches this package from its host; the kit under test is on PATH already",
}
# Run by hand only, although the block stands outside the tabs.
HAND_ONLY = {"sec-pypi-environment": "the kit brings its own build tools", "sec-updating-bot": "it needs no command"}
# Before its tag a commit is not ready: the kit says so and ends with 1.
NOT_READY = re.compile(r"^handbook release (check|rehearse)$", re.MULTILINE)

FILES = {
    "README.md": f"# {NAME}\n\nMeans of numbers.\n",
    "LICENSE": "BSD 3-Clause License\n\nRedistribution and use in source and binary forms is permitted.\n",
    "CHANGELOG.md": "# Changes\n\n## 1.1.0\n\n- Means.\n",
    ".gitignore": "__pycache__/\n*.egg-info/\nbuild/\ndist/\n.pytest_cache/\n",
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


@dataclass(frozen=True)
class Block:
    """A shell block: its page, line and text, the sections around it from the outermost, and its tab if any."""

    page: str
    line: int
    text: str
    sections: tuple[str, ...]
    tab: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def section(self) -> str:
        return self.sections[-1]

    @property
    def why_not(self) -> str:
        """Why it does not run here; empty for one that does."""
        return next((why for start, why in NOT_RUN.items() if self.text.startswith(start)), "")

    def runs(self, tab: str) -> bool:
        """Whether it runs on the way through the page that takes this tab."""
        kit = self.text.startswith("handbook ")
        return (self.tab in ("", tab) and not self.why_not
                and (not kit if tab == HAND else self.section not in HAND_ONLY))


@dataclass(frozen=True)
class Section:
    """A heading with an id: its level, whether it is a step, and the text up to the next heading of its level."""

    id: str
    level: int
    step: bool
    text: list[str] = field(default_factory=list)


def read(page: str, testpypi: str = "") -> Source:
    """A page with its variables filled in; `testpypi` takes the place of TestPyPI's simple index."""
    tree: dict[str, Any] = variables(load_book(ROOT))
    if testpypi:
        tree["index"]["testpypi"]["simple"] = testpypi
    source = read_source(ROOT, page, tree, {"rules", "page-facts"})
    assert not source.findings
    return source


def blocks(page: str, testpypi: str = "") -> list[Block]:
    """The shell blocks of a page, as printed."""
    found: list[Block] = []
    around: list[tuple[int, str]] = []
    tab, inside, start, text = "", False, 0, list[str]()
    source = read(page, testpypi)
    for line, filled in zip(source.lines, source.filled, strict=True):
        heading = None if line.code else HEADING.match(filled)
        if line.opens:
            start, text = (line.number, []) if re.search(r"\{\.(bash|sh)\b", filled) else (0, [])
        elif line.code and filled.startswith("```"):
            if start:
                found.append(Block(page, start, "\n".join(text) + "\n", tuple(each[1] for each in around), tab))
            start = 0
        elif line.code:
            text.append(filled)
        elif filled.startswith("::: {.panel-tabset"):
            inside = True
        elif filled.strip() == ":::" and inside:
            inside, tab = False, ""
        elif heading and inside:
            tab = heading[2]
        elif heading and heading[3]:
            around = [each for each in around if each[0] < len(heading[1])] + [(len(heading[1]), heading[3])]
    assert found
    return found


@functools.cache
def sections(page: str) -> list[Section]:
    """The sections of a page in order, each with the text of those below it."""
    found: list[Section] = []
    opened: list[Section] = []
    for line in read(page).lines:
        heading = None if line.code else HEADING.match(line.text)
        if heading and heading[3]:
            opened = [each for each in opened if each.level < len(heading[1])]
            opened.append(Section(heading[3], len(heading[1]), ".step" in heading[4]))
            found.append(opened[-1])
        for each in opened:
            each.text.append(line.text)
    return found


# --- The chapter and the kit agree. --------------------------------------------------------------------------------


def printed() -> list[tuple[tuple[str, ...], list[str]]]:
    """Every `handbook release` command of the blocks: the sections around it, and its words."""
    return [(block.sections, shlex.split(line)[2:]) for page in (FIRST, NEXT) for block in blocks(page)
            for line in block.text.splitlines() if line.startswith("handbook release ")]


def command(words: list[str]) -> Command:
    """The command of these words, whose options they are."""
    found = release.commands[words[0]]
    assert isinstance(found, Command)
    found.make_parser(click.Context(found)).parse_args(words[1:])
    return found


def taught(words: list[str]) -> set[str]:
    """The sections that tell what a command does: its own, those of its steps, and those of the rules it applies."""
    load_rules()
    target = words[2] if len(words) > 2 and words[1] in ("--to", "--from") else "rehearsal"
    steps = {"check": ["check"], "build": ["build"], "inspect": ["inspect", "gate"], "test": ["test"],
             "publish": ["upload"], "verify": ["verify"]}.get(words[0], [])
    rules = {"check": r"REL0", "build": r"REL[23]", "inspect": r"REL[23]", "test": r"REL6"}.get(words[0], "none")
    known = {step.name: step.section for step in workflow.steps("rehearse", target)}
    return ({command(words).section, *(known[step] for step in steps)}
            | {rule.section for code, rule in REGISTRY.items() if re.match(rules, code)})


# The short way tells several steps of the long way in one section.
SHORT = {"sec-updating-build": ("sec-pypi-build", "sec-pypi-inspect"), "sec-updating-test": ("sec-pypi-test",),
         "sec-updating-publish": ("sec-pypi-testpypi", "sec-pypi-upload")}


def test_every_command_is_printed_where_it_belongs() -> None:
    for around, words in printed():
        long = {section for each in around for section in (each, *SHORT.get(each, ()))}
        assert long & taught(words), f"handbook release {' '.join(words)} in {around[-1]}"


def test_the_section_of_every_command_tells_it() -> None:
    texts = {each.id: "\n".join(each.text) for page in (FIRST, NEXT, FROM_ACTIONS) for each in sections(page)}
    for name, each in release.commands.items():
        assert isinstance(each, Command)
        assert f"handbook release {name}" in texts[each.section] or f"`{name}`" in texts[each.section], name


def test_commands_in_the_text_exist() -> None:
    for page in (FIRST, NEXT):
        text = "\n".join(line.text for line in read(page).lines if not line.code)
        for words in re.findall(r"`handbook release ([^`]+)`", text):
            command(shlex.split(words))


def test_the_steps_stand_in_the_order_of_the_plan() -> None:
    order = [each.id for each in sections(FIRST) if each.step]
    for steps in (workflow.steps("rehearse"), workflow.steps("publish", "testpypi"),
                  workflow.steps("publish", "pypi")):
        assert all(step.section in order for step in steps), "every step of the kit is a step of the chapter"
        places = [order.index(step.section) for step in steps]
        assert places == sorted(places), [step.name for step in steps]


def test_both_pages_print_the_commands_in_the_same_order() -> None:
    short = [words for around, words in printed() if around[0] == "sec-updating" and words[0] != "undo"]
    long = [words for around, words in printed() if around[0] == "sec-pypi"]
    places = [max(place for place, words in enumerate(long) if words == each) for each in short]
    assert places == sorted(places)


@pytest.mark.parametrize("page", [FIRST, NEXT])
def test_every_block_runs_or_is_listed(page: str) -> None:
    for block in blocks(page):
        assert block.tab in ("", HAND, BY_COMMAND), block.place
        assert block.runs(HAND) or block.runs(BY_COMMAND) or block.why_not, block.place
        checked = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True, check=False)
        assert not checked.returncode, f"{block.place}: {checked.stderr}"
    listed = {start for start in NOT_RUN for each in (FIRST, NEXT) for block in blocks(each)
              if block.text.startswith(start)}
    assert listed == set(NOT_RUN), "what is listed is printed"
    assert set(HAND_ONLY) <= {each.id for name in (FIRST, NEXT) for each in sections(name)}


# --- The blocks run. -----------------------------------------------------------------------------------------------


def chapter_pyproject(compare_with: str) -> str:
    """The chapter's own pyproject.toml, for a package without large dependencies."""
    source = read(FIRST)
    start = next(place for place, line in enumerate(source.lines)
                 if line.opens and line.text.startswith('```{.toml filename="pyproject.toml"}'))
    end = next(place for place in range(start + 1, len(source.lines)) if source.filled[place].startswith("```"))
    text = "\n".join(source.filled[start + 1:end]) + "\n"
    for old, new in (('include = ["gpyreg", "gpyreg.*"]', f'include = ["{MODULE}", "{MODULE}.*"]'),
                     ('    "numpy>=1.26",\n    "scipy>=1.11.2",\n', '    "click>=8.1",\n'), ("gpyreg", NAME)):
        assert old in text, old
        text = text.replace(old, new)
    assert tomllib.loads(text)["project"]["dynamic"] == ["version"]
    return f'{text}\n[tool.handbook.release]\ncompare-with = "{compare_with}"\n'


@dataclass
class Way:
    """A reader on one way through the pages, with a project and two indexes. `said` is each block's output."""

    tab: str
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
        write(self.root, {**FILES, "pyproject.toml": chapter_pyproject(self.pypi.url)})
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
            path = write(self.folder / "bin", {name: f'#!/bin/sh\nexec {shlex.quote(program)} "$@"\n'}) / name
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
            world = default_index() or addresses.index("pypi").simple
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

    def walk(self, page: str, version: str) -> None:
        """Run the page's blocks in one shell that stops at the first failure."""
        outputs = self.folder / f"said-{version}"
        outputs.mkdir()
        script, tagged = ["set -e"], False
        run = [block for block in blocks(page, f"{self.testpypi.url}/simple/") if block.runs(self.tab)]
        for block in run:
            text, output = self.text(block, version), outputs / str(block.line)
            if not tagged and NOT_READY.search(text):
                text = f"{{\n{text}}} || test $? -eq 1\n"
            tagged = tagged or "git tag --annotate" in text
            script.append(f"{{\n{text}}} > {shlex.quote(str(output))} 2>&1")
        done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=self.root, env=self.environment(), text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=900, check=False)
        for block in run:
            path = outputs / str(block.line)
            self.said[f"{version} {block.section} {block.text}"] = path.read_text() if path.exists() else ""
        last = max((int(path.name) for path in outputs.iterdir()), default=0)
        assert done.returncode == 0, f"{page}:{last}\n{(outputs / str(last)).read_text()}\n{done.stderr}"

    def told(self, version: str, needle: str, section: str = "") -> str:
        """What the blocks that hold `needle` said."""
        found = [said for key, said in self.said.items() if key.startswith(version) and needle in key
                 and section in key.split()[1]]
        assert found, f"no block holds {needle}"
        return "".join(found)

    def update(self) -> None:
        """Make the next version's commit, with a new subpackage and a line in the change log, and take its page."""
        changes = (self.root / "CHANGELOG.md").read_text().replace("## 1.1.0", "## 1.2.0\n\n- More.\n\n## 1.1.0")
        write(self.root, {"CHANGELOG.md": changes, f"{MODULE}/more/__init__.py": '"""More."""\n'})
        self.commit("More")
        self.walk(NEXT, "1.2.0")


def way(tab: str, folder: Path) -> Iterator[Way]:
    """A reader who went through the first page."""
    if download("click>=8.1") is None:
        pytest.skip(LACKS + "the network")
    with serving(folder / "testpypi", token=CANARY) as testpypi, serving(folder / "pypi", token=CANARY) as pypi:
        here = Way(tab, folder, testpypi, pypi).start()
        here.walk(FIRST, "1.1.0")
        yield here


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    yield from way(HAND, tmp_path_factory.mktemp("hand"))


@pytest.fixture(scope="module")
def by_command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    yield from way(BY_COMMAND, tmp_path_factory.mktemp("command"))


def names(version: str) -> list[str]:
    return [f"{MODULE}-{version}-py3-none-any.whl", f"{MODULE}-{version}.tar.gz"]


def hashes(files: list[Stored]) -> Mapping[str, str]:
    return {file.filename: file.sha256 for file in files}


def check_indexes(here: Way, *versions: str) -> None:
    """Both indexes got the same files, each once, and the remote the tags and nothing more."""
    stored = [server.store.files(NAME) for server in (here.testpypi, here.pypi)]
    assert hashes(stored[0]) == hashes(stored[1])
    assert sorted(hashes(stored[0])) == sorted(name for version in versions for name in names(version))
    assert sorted(here.pypi.uploads()) == sorted(hashes(stored[1])), "nothing went up twice"
    assert git(here.origin, "tag").split() == [f"v{version}" for version in versions]
    assert not git(here.root, "status", "--short")
    assert CANARY not in "".join(here.said.values())


def test_a_first_release_by_hand(by_hand: Way) -> None:
    """The blocks say what the text below them promises."""
    check_indexes(by_hand, "1.1.0")
    scratch = by_hand.folder / "home" / f"release-{NAME}-1.1.0"
    told = functools.partial(by_hand.told, "1.1.0")
    assert told("git status --short") == "false\n"
    assert told("git tag --annotate") == "v1.1.0\n"
    assert told("ls dist", "sec-pypi-build").splitlines()[-2:] == names("1.1.0")
    assert told("diff ") == "", "tree and wheel hold the same"
    assert told("twine check").count("PASSED") == 2
    assert str(scratch / "test") in told("__file__").splitlines()[-1]
    own, _, rest = told("pip hash").partition(f"Successfully installed {NAME}-1.1.0\n")
    assert rest and "click" not in own, "the version alone; its dependencies come later"
    assert told("importlib.metadata", "sec-pypi-install").splitlines()[-1] == "1.1.0"
    assert told("pytest", "sec-pypi-dependencies").count("1 passed") == 2
    assert told("pytest", "sec-pypi-test").count("1 passed") == 2, "in the wheel's environment and the rehearsal's"
    assert re.search(r"\+ click==8\.1\.0$", told("lowest-direct"), re.MULTILINE), "the oldest that is allowed"


def test_the_next_release_by_hand(by_hand: Way) -> None:
    by_hand.update()
    check_indexes(by_hand, "1.1.0", "1.2.0")
    told = functools.partial(by_hand.told, "1.2.0")
    assert told("git tag --annotate") == "v1.2.0\n"
    assert told("rm -rf dist").splitlines()[-2:] == names("1.2.0"), "the old files are gone"
    assert told("twine check").count("PASSED") == 2
    assert "1 passed" in told("pytest")
    assert told("m.requires").splitlines()[-2:] == ["click>=8.1", 'pytest>=8; extra == "test"']


def test_a_first_release_by_command(by_command: Way) -> None:
    check_indexes(by_command, "1.1.0")
    told = functools.partial(by_command.told, "1.1.0")
    early = told("handbook release plan")
    assert "1. check" in early and "7. verify" in early, "the plan has the steps"
    assert "REL005" in early and "check failed" in early, "without a tag it stops at the check"
    assert (by_command.folder / "started" / "pyproject.toml").exists()
    assert f"{MODULE}-1.1.0.tar.gz" in told("handbook release build")
    for needle in ("publish --to testpypi", "publish --to pypi", "verify --from pypi"):
        assert "1 test passed" in told(needle), needle


def test_the_next_release_by_command(by_command: Way) -> None:
    by_command.update()
    check_indexes(by_command, "1.1.0", "1.2.0")
    told = functools.partial(by_command.told, "1.2.0")
    assert f"{MODULE}/more/__init__.py" in told("handbook release inspect"), "what is new since the last release"
    assert told("handbook release publish").count("all steps passed") == 2
    assert "@sec-" in told("handbook release undo"), "the card leads to the handbook"
