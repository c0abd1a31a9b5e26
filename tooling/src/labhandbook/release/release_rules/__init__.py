"""The rules on sources, git and metadata, one module a theme; importing them registers them."""

from labhandbook.release.release_rules import (  # noqa: F401
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
