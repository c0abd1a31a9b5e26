"""Trusted publishers: the fields of the forms on the indexes, and the record of them in `pyproject.toml`.

The publisher that is registered on an index can't be looked up, so a wrong workflow or environment is noticed only at
the upload. The fields of the form are therefore recorded:

    [tool.handbook.release.publisher]
    repository = "acerbilab/gpyreg"
    workflow = "release.yml"
    environments = { testpypi = "testpypi", pypi = "pypi" }
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.github_api import repository_of
from labhandbook.core.wording import hint
from labhandbook.package import index_addresses
from labhandbook.package.project import PYPROJECT, TABLE, Project

SECTION = "sec-pypi-trusted-setup"
KINDS: dict[str, type] = {"repository": str, "workflow": str, "environments": dict}


@dataclass(frozen=True)
class Publisher:
    """The fields of the forms: `environments` gives the environment on each index, "" for none."""

    repository: str = ""
    workflow: str = ""
    environments: dict[str, str] = field(default_factory=dict)
    line: int = 0


def read_publisher(project: Project) -> Publisher | None:
    """A project's record, or None.

    Raises HandbookError for a field that doesn't exist or has the wrong type.
    """
    table = project.settings.publisher
    if not table:
        return None
    section = f"{TABLE}.publisher"
    for key, value in table.items():
        where = f"{PYPROJECT}:{project.line(key, section)}"
        if key not in KINDS:
            raise HandbookError(f"there is no setting publisher.{key}{hint(key, KINDS)}", where=where,
                                todo=f"correct it in [{section}]", section=SECTION)
        if not isinstance(value, KINDS[key]):
            raise HandbookError(f"publisher.{key} must be a {KINDS[key].__name__}", where=where,
                                todo=f"correct it in [{section}]", section=SECTION)
    environments = {str(name): str(value) for name, value in table.get("environments", {}).items()}
    return Publisher(table.get("repository", ""), table.get("workflow", ""), environments,
                     project.line("workflow", section))


@dataclass(frozen=True)
class Form:
    """A trusted publisher as an index's form asks for it: the form's address, and the value of each field.

    `pending` is the form for a project that isn't on the index yet, which asks for the project's name too.
    """

    index: str
    pending: str
    settings: str
    project: str
    owner: str
    repository: str
    workflow: str
    environment: str

    def as_json(self) -> dict[str, Any]:
        """The same for machines."""
        return asdict(self)

    def as_text(self) -> str:
        """The same for people, in the order of the form and with its words."""
        fields = {"PyPI Project Name": f"{self.project}  (asked for a new project only)", "Owner": self.owner,
                  "Repository name": self.repository, "Workflow name": self.workflow,
                  "Environment name": self.environment}
        return "\n".join([f"{self.index}: {self.settings}",
                          f"  or, for a new project, {self.pending} (upload within 30 days)",
                          *(f"    {name:<18} {value}" for name, value in fields.items())])


def forms(project: Project, repository: str = "", targets: Sequence[str] = ("testpypi", "pypi")) -> list[Form]:
    """The trusted publishers that the release workflow needs. Raises HandbookError for an unknown repository."""
    repository = repository or repository_of(project.git.url if project.git else None)
    owner, _, name = repository.partition("/")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise HandbookError("the repository on GitHub is not known", where=str(project.root),
                            why=f"{repository} is no owner/name" if repository else "the git remote isn't on GitHub",
                            todo="name it: --repository owner/name",
                            section="sec-actions-init")
    package = of_several(project)
    webs = {target: index_addresses.index(target).web for target in targets}
    return [Form(target, f"{web}/manage/account/publishing/",
                 f"{web}/manage/project/{project.normalised}/settings/publishing/", project.name, owner, name,
                 f"release{package}.yml", f"{target}{package}") for target, web in webs.items()]


def of_several(project: Project) -> str:
    """What the names of a project's workflows and environments end with, if it is a folder of its repository."""
    return f"-{project.normalised}" if project.git and project.git.root != project.root else ""
