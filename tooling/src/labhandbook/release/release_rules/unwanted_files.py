"""What must not lie in the files of a release."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from labhandbook.core.rules import Finding, Rule, Severity, register
from labhandbook.core.wording import listed
from labhandbook.package.distribution import Distribution
from labhandbook.package.project import Project
from labhandbook.package.secret_patterns import secret_file, secrets

LARGE = 1 << 20

LEFTOVERS = register(Rule(
    "REL210", "No caches and no leftovers of tools",
    "They belong to the machine that built the package; in everyone's installation they are ballast, and stale "
    "bytecode can be run instead of the source.",
    "Delete them, add them to .gitignore and take them out of git with git rm --cached.",
    "sec-pypi-inspect", Severity.WARNING))
SECRET_FILE = register(Rule(
    "REL211", "No file that exists to hold a secret",
    "What is on an index is public for good: it is copied within minutes, and deleting it there helps nobody.",
    "Take the file out of git and out of the package. If it was ever pushed, make a new secret and revoke this one.",
    "sec-pypi-inspect"))
SECRET = register(Rule(
    "REL212", "No token and no private key in a file",
    "What is on an index is public for good, and robots try every token they find there.",
    "Remove it, revoke it where it was issued, and read secrets from the environment.",
    "sec-pypi-inspect"))
LARGE_FILE = register(Rule(
    "REL213", "No file of more than 1 MB",
    "Everyone who installs the package downloads it, also in every CI run, and a project has 10 GB in all.",
    "Keep data and figures outside the package and fetch them on demand, or exclude them from the sdist.",
    "sec-pypi-inspect", Severity.WARNING))
BINARY = register(Rule(
    "REL214", "No compiled code in a wheel for every machine",
    "The wheel says that it runs anywhere (any), so pip installs it where its libraries can't be loaded.",
    "Build them from source with an extension module, or exclude them from the package.",
    "sec-pypi-inspect"))
STRANGE_TOP = register(Rule(
    "REL215", "Only the package itself at the top of the wheel",
    "What lies there becomes importable by that name on every machine: two packages that both bring tests or docs "
    "overwrite each other.",
    "Restrict discovery to the package, as with include in [tool.setuptools.packages.find].",
    "sec-pypi-metadata-packages"))

CACHES = re.compile(
    r"(^|/)(__pycache__|\.(pytest|mypy|ruff|hypothesis|ipynb)_?(cache|checkpoints)?|\.tox|\.nox|\.eggs|\.idea|\.vscode"
    r"|\.git|\.svn|\.hg|\.venv|node_modules|__MACOSX)/|(^|/)(\.DS_Store|Thumbs\.db|desktop\.ini|\.coverage(\..+)?"
    r"|\.Rhistory|nohup\.out)$|\.(py[co]|orig|rej|swp|swo|bak|tmp)$|~$|(^|/)core\.\d+$")
MADE_BY_BACKENDS = ("pyproject.toml.orig", "Cargo.toml.orig")
OBJECTS = re.compile(r"\.(so(\.\d+)*|pyd|dylib|dll|exe|o|obj|a|lib)$")
MAGIC = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf",
         b"MZ\x90\x00")
OTHER_TOPS = {"tests", "test", "testing", "docs", "doc", "docsrc", "example", "examples", "scripts", "script",
              "bench", "benchmark", "benchmarks", "tools", "notebooks", "paper", "data", "build", "dist", "src",
              "lib", "ci", "matlab", "figures", "static", "assets", "images"}
OTHER_FILES = {"setup.py", "conftest.py", "noxfile.py", "tasks.py", "conf.py", "fabfile.py", "hatch_build.py",
               "manage.py", "build.py"}


@dataclass(frozen=True)
class Contents:
    """The files of a release, the project that they were made from, and the names of its files there."""

    project: Project
    sdist: Distribution
    wheel: Distribution
    tree: frozenset[str] = frozenset()

    @property
    def both(self) -> tuple[Distribution, Distribution]:
        """Both files, the sdist first."""
        return self.sdist, self.wheel


def no_leftovers(contents: Contents) -> Iterator[Finding]:
    """Caches, editors' copies and the like."""
    for file in contents.both:
        found = sorted(path for path in file.files if CACHES.search(path) and path not in MADE_BY_BACKENDS)
        if not file.is_wheel:
            found += sorted(path for path in file.files if OBJECTS.search(path) and path not in found
                            and not path.endswith((".a", ".lib", ".exe", ".dll")))
        if found:
            yield Finding(file.file, 0, LEFTOVERS, f"it holds {listed(found)}")


def no_secret_files(contents: Contents) -> Iterator[Finding]:
    """Files whose name says that they hold a secret."""
    for file in contents.both:
        for path in sorted(file.files):
            if what := secret_file(path):
                yield Finding(f"{file.file}/{path}", 0, SECRET_FILE, f"this file is for {what}")


def no_secrets(contents: Contents) -> Iterator[Finding]:
    """Tokens and keys in the text of files; the finding says where and of what kind, never what."""
    for file in contents.both:
        for path, data in sorted(file.held.items()):
            for line, what in secrets(data):
                yield Finding(f"{file.file}/{path}", line, SECRET, f"{what} stands here")
        unread = sorted(path for path in file.files if path not in file.held and file.files[path].size)
        if unread:
            yield Finding(file.file, 0, SECRET, f"not searched for secrets, because of their size: {listed(unread)}",
                          Severity.UNVERIFIED)


def no_large_files(contents: Contents) -> Iterator[Finding]:
    """Large files, the largest first."""
    for file in contents.both:
        large = sorted((member for member in file.files.values()
                        if member.size > LARGE and ".egg-info/" not in member.path), key=lambda each: -each.size)
        if large:
            shown = [f"{member.path} ({member.size / 1e6:.1f} MB)" for member in large]
            yield Finding(file.file, 0, LARGE_FILE, f"it holds {listed(shown)}")


def no_binaries(contents: Contents) -> Iterator[Finding]:
    """Compiled code in a wheel whose tag says any."""
    wheel = contents.wheel
    if wheel.pure:
        found = sorted(path for path in wheel.files
                       if OBJECTS.search(path) or wheel.held.get(path, b"").startswith(MAGIC))
        if found:
            yield Finding(wheel.file, 0, BINARY, f"it says any and holds {listed(found)}")


def no_strange_tops(contents: Contents) -> Iterator[Finding]:
    """Folders and files at the top of the wheel that aren't the package."""
    wheel, own = contents.wheel, contents.project.module
    folders = {path.partition("/")[0] for path in wheel.installed if "/" in path}
    strange = sorted(name for name in folders & OTHER_TOPS if name != own and len(folders) > 1)
    # With nothing else in it the wheel may be of a package with such a name; but nobody names one src.
    strange += sorted({"src", "tests", "docs"} & folders - {own} - set(strange))
    files = [path for path in wheel.installed if "/" not in path]
    strange += sorted(path for path in files if path in OTHER_FILES
                      or PurePosixPath(path).suffix not in (".py", ".pyi", ".so", ".pyd", ".pth"))
    if strange:
        yield Finding(wheel.file, 0, STRANGE_TOP, f"it would put {listed(strange)} into site-packages")
    if hooks := sorted(path for path in files if path.endswith(".pth")):
        yield Finding(wheel.file, 0, STRANGE_TOP, f"{listed(hooks)} runs at every start of Python", Severity.WARNING)


RULES = (no_leftovers, no_secret_files, no_secrets, no_large_files, no_binaries, no_strange_tops)
