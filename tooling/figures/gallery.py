"""The list of all drawn pictures. A new script is added here."""

from __future__ import annotations

from collections.abc import Iterator

from tooling.figures import (
    bo_loop,
    cluster_anatomy,
    cost_bars,
    gp_posterior,
    lumi_node,
    reading_paths,
    release_jobs,
    release_path,
    roihu_node,
    seminar,
    trusted_publisher,
)
from tooling.figures.drawing import Picture

SCRIPTS = (cluster_anatomy, release_path, gp_posterior, bo_loop, lumi_node, roihu_node,
           cost_bars, release_jobs, reading_paths, seminar, trusted_publisher)


def gallery() -> Iterator[Picture]:
    """Every picture, drawn."""
    for script in SCRIPTS:
        yield from script.pictures()
