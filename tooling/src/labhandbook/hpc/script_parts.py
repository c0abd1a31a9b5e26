"""The parts that job scripts are put together from: shell text, filled with what `clusters.yml` says of a cluster."""

from __future__ import annotations

import re
from importlib.resources import files

from labhandbook.core.errors import HandbookError
from labhandbook.hpc.clusters import Cluster

HOLE = re.compile(r"\{\{([\w.-]+)\}\}")


def part(name: str, cluster: Cluster, **values: str) -> str:
    """The text of a part: each `{{name}}` is one of `values` or the cluster's fact of this name.

    Raises HandbookError when `clusters.yml` lacks the fact.
    """
    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], cluster.facts.get(match[1]))
        if found is None:
            raise HandbookError(f"{cluster.key} lacks {match[1]}", section="sec-contributing-facts",
                                why=f"its job scripts need it ({name}.sh)", todo="add it to clusters.yml")
        return found

    text = files(__package__).joinpath("parts", f"{name}.sh").read_text(encoding="utf-8")
    return HOLE.sub(value, text)
