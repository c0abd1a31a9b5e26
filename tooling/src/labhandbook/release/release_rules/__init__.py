"""The rules on sources, git and metadata, one module a theme; importing them registers them."""

from labhandbook.release.release_rules import (
           commit,
           dependencies,
           licence,
           project_name,
           project_table,
           python_versions,
           readme,
           release_settings,
           version_agreement,
)
from labhandbook.release.release_rules.project_rule import PROJECT

__all__ = [
           "PROJECT",
           "commit",
           "dependencies",
           "licence",
           "project_name",
           "project_table",
           "python_versions",
           "readme",
           "release_settings",
           "version_agreement",
]
