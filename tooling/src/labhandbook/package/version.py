"""The version of a project's commit, found without running anything of the project.

A version that is written down is read, and one that a tool takes from the git tag is described by git. Any other one
is computed by the build backend: it is known after the backend was asked in the closed environment of a build, and
until then only by the tag on the commit.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.git import GitState, git
from labhandbook.package.project import PYPROJECT, Project

# Build requirements that take the version from the git tag.
TAG_READERS = ("hatch-vcs", "versioningit", "flit-scm", "poetry-dynamic-versioning", "uv-dynamic-versioning",
               "setuptools-git-versioning", "versioneer", "setuptools-scm", "vcs-versioning")
# Variables in which this process's user says what the version is; the build gets them.
PRETEND = re.compile(r"(SETUPTOOLS_SCM|VCS_VERSIONING)_PRETEND_(VERSION|METADATA)(_FOR_\w+)?$")
TAG, BUILD = "the tag", "the backend"


@dataclass(frozen=True)
class FoundVersion:
    """A version and where it is from, or in `problem` why it is not known.

    `source` is a file's name, the tool that takes the version from the tag, TAG, or BUILD. `from_git` says that such
    a tool is used.
    """

    version: str | None
    source: str
    file: str = PYPROJECT
    line: int = 1
    problem: str = ""

    @property
    def from_git(self) -> bool:
        """Whether the version comes from the git tag."""
        return self.source in TAG_READERS or self.source == "pdm-backend"


def find_version(project: Project) -> FoundVersion:
    """The version of a project's commit. Nothing of the project runs; `problem` says why there is none."""
    reader = tag_reader(project)
    for table in ("project", *([] if reader else ["tool.poetry"])):
        if isinstance(static := project.section(*table.split(".")).get("version"), str):
            return FoundVersion(static, PYPROJECT, line=project.line("version", table))
    line = project.line("dynamic", "project")
    for end in (f"_FOR_{project.module.upper()}", "") if reader else ():
        if given := os.environ.get(f"SETUPTOOLS_SCM_PRETEND_VERSION{end}"):
            return FoundVersion(given, reader, line=line)
    if project.built.get("version"):
        return FoundVersion(project.built["version"], reader or BUILD, line=line)
    if project.git is None:
        if written := project.written("Version"):
            return FoundVersion(written, "PKG-INFO", "PKG-INFO")
        return FoundVersion(None, reader or BUILD, line=line, problem="there is no git repository, and no PKG-INFO")
    tag = described(project, project.git)
    if reader:
        return FoundVersion(tag, reader, line=line)
    if tag and ".dev" not in tag:
        return FoundVersion(tag, TAG, line=line)
    return FoundVersion(None, BUILD, line=line, problem=f"{project.backend} computes it while it builds")


def described(project: Project, state: GitState) -> str:
    """The version that the newest tag gives the commit: the tag's own, or a dev version after it.

    Tools that read tags number the commits after 1.2.0 as 1.2.1.dev1+gHASH; without a tag they begin at 0.1.
    """
    before, _, after = project.settings.tag.partition("{version}")
    patterns = [f"{before}[0-9]*{after}", *(["[0-9]*"] if project.settings.tag == "v{version}" else [])]
    said = git(project.root, "describe", "--tags", "--long", "--abbrev=8",
               *(f"--match={pattern}" for pattern in patterns), "HEAD")
    if said is None:
        count = git(project.root, "rev-list", "--count", "HEAD") or "0"
        return f"0.1.dev{count}+g{state.commit[:8]}"
    tag, distance, commit = said.rsplit("-", 2)
    version = tag.removeprefix(before).removesuffix(after)
    if distance == "0":
        return version
    return f"{re.sub(r'[0-9]+$', lambda last: str(int(last[0]) + 1), version)}.dev{distance}+{commit}"


def tag_reader(project: Project) -> str:
    """The build requirement that takes the version from the git tag, empty where none does."""
    if project.get("tool", "pdm", "version", "source") == "scm":
        return "pdm-backend"
    reader = next((name for name in TAG_READERS if requires(project, name)), "")
    return "" if reader == "setuptools-scm" and project.tool == "setuptools" and not scm_is_on(project) else reader


def requires(project: Project, *names: str) -> bool:
    """Whether `build-system.requires` names one of these packages."""
    wanted = "|".join(re.escape(name).replace("\\-", "[-_.]") for name in names)
    return any(re.match(rf"({wanted})(?![\w.-])", text.strip(), re.IGNORECASE)
               for text in project.strings("build-system", "requires"))


def scm_is_on(project: Project) -> bool:
    """Whether setuptools-scm gives a setuptools project its version: by table, extra, or the old `setup.py`."""
    if not requires(project, "setuptools-scm"):
        return False
    if isinstance(project.get("tool", "setuptools_scm"), dict):
        return True
    try:
        old = untrusted_data.text(project.root / "setup.py")
    except HandbookError:
        old = ""
    simple = re.compile(r"\s*setuptools[-_.]scm\s*\[[^]]*simple", re.IGNORECASE)
    return "use_scm_version" in old or any(map(simple.match, project.strings("build-system", "requires")))


def pretended() -> list[str]:
    """The names of the variables in which this process's user says what the version is."""
    return [name for name in os.environ if PRETEND.match(name)]


def version_of(project: Project) -> str:
    """The version of this commit in its normal form. Raises HandbookError where it is not known."""
    from packaging.version import InvalidVersion, Version

    found = find_version(project)
    try:
        return str(Version(found.version or ""))
    except InvalidVersion:
        raise HandbookError(f"the version of {project.name or project.root.name} is not known",
                            where=f"{found.file}:{found.line}",
                            why=found.problem or f"{found.version or 'nothing'} is no version",
                            todo="write a version as in 1.2.0" if found.version else
                            "tag the commit, or run handbook release build, which asks the backend",
                            section="sec-pypi-tag") from None
