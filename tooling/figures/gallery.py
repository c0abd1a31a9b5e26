"""The list of all drawn pictures. A new script is added here."""

from __future__ import annotations

from collections.abc import Iterator

from tooling.figures import cluster_anatomy, release_path
from tooling.figures.drawing import Picture

SCRIPTS = (cluster_anatomy, release_path)


def gallery() -> Iterator[Picture]:
    """Every picture, drawn."""
    for script in SCRIPTS:
        yield from script.pictures()
