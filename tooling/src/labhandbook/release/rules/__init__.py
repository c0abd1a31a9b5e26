"""The rules on sources, git and metadata, one module a theme; importing them registers them."""

from labhandbook.release.rules import (
    dependencies,
    files,
    licence,
    metadata,
    name,
    pythons,
    readme,
    repository,
    settings,
    versions,
)
from labhandbook.release.rules.base import CHECKS

__all__ = ["CHECKS", "dependencies", "files", "licence", "metadata", "name", "pythons", "readme", "repository",
           "settings", "versions"]
