"""`[tool.handbook.release.publisher]`: whom the indexes trust, written down beside the workflow that must match it.

An index doesn't tell which publisher it trusts, so a renamed workflow or environment shows at the upload only. What
stands in the form is therefore recorded in `pyproject.toml`:

    [tool.handbook.release.publisher]
    repository = "acerbilab/gpyreg"
    workflow = "release.yml"
    environments = { testpypi = "testpypi", pypi = "pypi" }
"""

from __future__ import annotations

from dataclasses import dataclass, field

from labhandbook.core.errors import HandbookError
from labhandbook.core.wording import hint
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
    """What a project recorded, or None.

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
                                todo=f"mend it in [{section}]", section=SECTION)
        if not isinstance(value, KINDS[key]):
            raise HandbookError(f"publisher.{key} must be a {KINDS[key].__name__}", where=where,
                                todo=f"mend it in [{section}]", section=SECTION)
    environments = {str(name): str(value) for name, value in table.get("environments", {}).items()}
    return Publisher(table.get("repository", ""), table.get("workflow", ""), environments,
                     project.line("workflow", section))
