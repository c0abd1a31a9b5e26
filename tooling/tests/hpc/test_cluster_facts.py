"""Literal partitions, limits and quotas in a chapter are found, with the real facts; what looks like one is left."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from labhandbook.book.check_book import check_book
from labhandbook.hpc import clusters
from tooling.tests.conftest import ROOT, make_book

FOUND = {
    "A job in this queue runs for 3 days.": "small.time-limit",
    "It is stopped after 15 minutes at the latest.": "test.time-limit",
    "Home holds 20 GB.": "storage.home.quota",
    "Home holds 150 000 files.": "home.files",
    "Up to 1024 nodes are given.": "standard-g.max-nodes",
    "You may have 220 jobs there.": "small.max-jobs",
    "A node has 56 cores for jobs.": "gpu.cores-per-node",
    "What nobody read for 180 days is removed.": "cleaning-days",
    "Sign the key every 24 hours.": "certificate-hours",
    "Take the partition `smal` for it.": "no cluster has a partition smal; did you mean small?",
    "On the `gpumedum` partition it costs less.": "did you mean gpumedium?",
    "```bash\nsbatch --partition=standardg job.sh\n```": "did you mean standard-g?",
    "```bash\nsrun -p dev-gg hostname\n```": "did you mean dev-g?",
}
LEFT = (
    "It runs for {{< var clusters.lumi.partitions.small.time-limit >}}.", "It takes 5 days, or 17 minutes.",
    "Write `--time=3 days` never.", "Take two nodes, or 2 nodes, or 1 GPU, or 4 cores.", "A file of 21 GB is large.",
    "Take the partition `small` or the `standard-g` partition.", "The `sbatch` command knows each partition.",
    "```bash\nsbatch --partition=small --time=3-0 job.sh   # 20 GB, 3 days\nmkdir -p dev-gg\n```",
    "A run called x3 days is a name.",
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the rule finds in each text: its messages, by the text."""
    folder: Path = tmp_path_factory.mktemp("prose")
    texts = {f"chapters/hpc/a{number}.qmd": text for number, text in enumerate([*FOUND, *LEFT])}
    make_book(folder, {
        "index.qmd": "# Home {#sec-home}\n\nWords.\n",
        **{name: f"# {name} {{#sec-{Path(name).stem}}}\n\n{text}\n" for name, text in texts.items()},
        clusters.FILE.as_posix(): (ROOT / clusters.FILE).read_text(),
    }, ["index.qmd", *texts])
    messages: dict[str, list[str]] = {text: [] for text in texts.values()}
    for finding in check_book(folder, today=date(2026, 11, 22)).findings:
        if finding.rule.code == "BOOK029":
            messages[texts[finding.file]].append(finding.message)
    return messages


@pytest.mark.parametrize("text", FOUND)
def test_a_literal_fact_is_found(text: str, found: dict[str, list[str]]) -> None:
    assert len(found[text]) == 1 and FOUND[text] in found[text][0], found[text]


@pytest.mark.parametrize("text", LEFT)
def test_a_near_miss_is_left(text: str, found: dict[str, list[str]]) -> None:
    assert found[text] == []
