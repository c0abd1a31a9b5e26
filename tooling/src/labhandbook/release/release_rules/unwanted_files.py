"""Rules on what must not be in the files of a release."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from labhandbook.core.rules import WARNING, At, Rules, unverified
from labhandbook.core.wording import listed
from labhandbook.package.backend_settings import places, remedy
from labhandbook.package.distribution import Distribution
from labhandbook.package.project import Project
from labhandbook.package.secret_patterns import secret_file, secrets
from labhandbook.release.release_difference import Difference

SECTION = "sec-pypi-inspect"
LARGE = 1 << 20
FOR_TESTS = re.compile(r"(^|/)(tests?|testdata|fixtures|examples?)/")
KEY = "a private key"

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
    """The files of a release, their project, the names of its files (`tree`), and what changed since the last one.

    `ignored` names the files, and folders with a slash, that git ignores.
    """

    project: Project
    sdist: Distribution
    wheel: Distribution
    tree: frozenset[str] = frozenset()
    change: Difference | None = None
    ignored: frozenset[str] = frozenset()

    @property
    def both(self) -> tuple[Distribution, ...]:
        """The files that are there, the sdist first."""
        return tuple(file for file in (self.sdist, self.wheel) if file.sha256)


CONTENTS: Rules[Contents] = Rules(lambda contents: contents.wheel.file)


@CONTENTS.rule("REL210", "The files hold no caches and no leftovers of tools",
      why="Caches belong to the machine that built the package. Users get useless files, and stale bytecode can run "
          "instead of the source.",
      fix="Delete these files, add them to .gitignore and take them out of git with git rm --cached.",
      section=SECTION, severity=WARNING)
def no_leftovers(contents: Contents) -> Iterator[At]:
    """Caches, editors' copies and the like."""
    for file in contents.both:
        found = sorted(path for path in file.files if CACHES.search(path) and path not in MADE_BY_BACKENDS)
        if not file.is_wheel:
            found += sorted(path for path in file.files if OBJECTS.search(path) and path not in found
                            and not path.endswith((".a", ".lib", ".exe", ".dll")))
        if found:
            yield At(f"it holds {listed(found)}", file.file)


@CONTENTS.rule("REL211", "No file is one that is meant for a secret",
      why="A file on an index stays public: it is copied within minutes, and deleting it there does not help.",
      fix="Take the file out of git and out of the package. If it was ever pushed, make a new secret and revoke "
          "this one.",
      section=SECTION)
def no_secret_files(contents: Contents) -> Iterator[At]:
    """Files whose name says that they hold a secret."""
    for file in contents.both:
        for path in sorted(file.files):
            if what := secret_file(path):
                yield At(f"this file is for {what}", f"{file.file}/{path}",
                         severity=WARNING if FOR_TESTS.search(path) else None)


@CONTENTS.rule("REL212", "No file holds a token or a private key",
      why="A file on an index stays public, and programs try every token that they find there.",
      fix="Remove the token or the key, revoke it where it was issued, and read secrets from the environment.",
      section=SECTION)
def no_secrets(contents: Contents) -> Iterator[At]:
    """Tokens and keys in the text of files; the finding names the place and the kind, never the secret."""
    for file in contents.both:
        keys = []
        for path, data in sorted(file.held.items()):
            for line, what in secrets(data):
                if what == KEY and FOR_TESTS.search(path):
                    keys.append(path)
                else:
                    yield At(f"{what} is here", f"{file.file}/{path}", line)
        if keys:
            # Tests of TLS bring keys of their own; a token would not work there.
            yield At(f"private keys among the tests: {listed(dict.fromkeys(keys), 3)}", file.file, severity=WARNING)
        unread = sorted(path for path in file.files if path not in file.held and file.files[path].size)
        if unread:
            yield unverified(f"not searched for secrets, because of their size: {listed(unread)}", file.file)


@CONTENTS.rule("REL213", "No file is larger than 1 MB",
      why="Everyone who installs the package downloads it, also in every CI run, and a project has 10 GB in all.",
      fix="Keep data and figures outside the package and fetch them on demand, or exclude them from the sdist.",
      section=SECTION, severity=WARNING)
def no_large_files(contents: Contents) -> Iterator[At]:
    """Large files, the largest first."""
    for file in contents.both:
        large = sorted((member for member in file.files.values()
                        if member.size > LARGE and ".egg-info/" not in member.path), key=lambda each: -each.size)
        if large:
            shown = [f"{member.path} ({member.size / 1e6:.1f} MB)" for member in large]
            yield At(f"it holds {listed(shown)}", file.file)


@CONTENTS.rule("REL214", "A wheel for every machine holds no compiled code",
      why="The wheel's tag says that it runs anywhere (any), so pip installs it where its libraries can't be "
          "loaded.",
      fix="Build the compiled code from source as an extension module, or exclude it from the package.",
      section=SECTION)
def no_binaries(contents: Contents) -> Iterator[At]:
    """Compiled code in a wheel whose tag says any."""
    wheel = contents.wheel
    found = sorted(path for path in wheel.files
                   if OBJECTS.search(path) or wheel.held.get(path, b"").startswith(MAGIC)) if wheel.pure else []
    if found:
        # Windows programs that a package writes elsewhere, as launchers, are data on every machine.
        data = all(path.endswith(".exe") for path in found)
        yield At(f"its tag says any, and it holds {listed(found)}", severity=WARNING if data else None)


@CONTENTS.rule("REL215", "Only the package itself is at the top of the wheel",
      why="A folder at the top can be imported by its name on every machine: two packages that both bring tests or "
          "docs overwrite each other.",
      fix="Restrict discovery to the package, as with include in [tool.setuptools.packages.find].",
      section="sec-pypi-metadata-packages")
def no_strange_tops(contents: Contents) -> Iterator[At]:
    """Folders and files at the top of the wheel that aren't the package."""
    wheel, own = contents.wheel, contents.project.module
    folders = {path.partition("/")[0] for path in wheel.installed if "/" in path}
    strange = sorted(name for name in folders & OTHER_TOPS if name != own and len(folders) > 1)
    # A wheel with nothing else in it may be of a package with such a name; but no package is named src.
    strange += sorted({"src", "tests", "docs"} & folders - {own} - set(strange))
    files = [path for path in wheel.installed if "/" not in path]
    strange += sorted(path for path in files if path in OTHER_FILES
                      or PurePosixPath(path).suffix not in (".py", ".pyi", ".so", ".pyd", ".pth"))
    if strange:
        yield At(f"it would put {listed(strange)} into site-packages", fix=remedy(places(contents.project).leave_out))
    if hooks := sorted(path for path in files if path.endswith(".pth")):
        yield At(f"{listed(hooks)} runs at every start of Python", severity=WARNING)
