"""Where the handbook's sections are published, as far as an installed package knows its handbook."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

# The page of each family of sections; the longest beginning of an id in this list decides.
PAGES = {
    "sec-actions": "packaging/github-actions", "sec-conda-forge": "packaging/conda-forge",
    "sec-pypi": "packaging/pypi", "sec-pypi-trusted": "packaging/trusted-publishing",
    "sec-actions-dev": "packaging/trusted-publishing", "sec-actions-trial": "packaging/trusted-publishing",
    "sec-updating": "packaging/updating", "sec-book-rules": "book-rules",
    "sec-contributing": "contributing", "sec-kit": "kit", "sec-runs": "research/runs",
    "sec-organising": "seminars/organising", "sec-watching": "watching",
    "sec-commands": "hpc/commands", "sec-job-scripts": "hpc/recipes", "sec-systems": "hpc/systems",
    "sec-hpc-workflow": "hpc/workflow", "sec-hpc-workflow-errors": "hpc/errors", "sec-hpc-errors": "hpc/errors",
    **{f"sec-{name}": f"research/{name}/index" for name in ("bo", "driving", "eras", "gp", "phrases", "selfplay")},
    **{f"sec-contributing-{name}": "authors"
       for name in ("rules", "facts", "agreements", "reading", "publish", "upkeep", "more")},
    **{f"sec-pypi-metadata-{name}": "packaging/metadata"
       for name in ("version", "licence", "python", "packages", "extras")},
    **{f"sec-pypi-{name}": "packaging/pypi-upload"
       for name in ("release", "environment", "build", "inspect", "check", "test", "testpypi", "upload", "install",
                    "notes", "files", "owners", "github")},
    **{f"sec-hpc-workflow-{name}": "hpc/resources" for name in ("resources", "partition", "cost")},
    **{f"sec-hpc-workflow-{name}": "hpc/own-program" for name in ("own", "script", "check", "submit", "array")},
    **{f"sec-hpc-workflow-{name}": "hpc/monitoring" for name in ("watch", "monitor", "logs", "references")},
    **{f"sec-hpc-workflow-{name}": "hpc/getting-ready"
       for name in ("scope", "prepare", "account", "key", "login", "project", "directory", "transfer", "software")},
}


@cache
def site() -> str:
    """The address of the published handbook, from the package's metadata; empty where it isn't installed."""
    # Most runs print no address, and this import is a tenth of their start.
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        urls = metadata("labhandbook").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    return next((url.partition(", ")[2] for url in urls if url.startswith("Documentation")), "").rstrip("/")


def page(section: str) -> str:
    """The page of a section below `chapters/`, without its ending; empty for one that no message names."""
    words = section.split("-")
    starts = ("-".join(words[:count]) for count in range(len(words), 1, -1))
    return next((PAGES[start] for start in starts if start in PAGES), "")


def address(section: str) -> str:
    """The address of a section; empty where it is not known."""
    return f"{site()}/chapters/{page(section)}.html#{section}" if site() and page(section) else ""


def readable(section: str) -> str:
    """What a person can follow to a section: its address, or `@` and its id where the address is not known."""
    return address(section) or f"@{section}"


def addresses(sections: Iterable[str]) -> dict[str, str]:
    """The addresses of sections by their ids, without those that are not known."""
    return {section: found for section in sorted(set(sections)) if (found := address(section))}
