"""The list of jobs on the page of systems: computed from `clusters.yml`, with commands that work and true prices."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from labhandbook.cli.main import handbook
from labhandbook.hpc.check_job import check
from labhandbook.hpc.choices import FILE, TIMES, WORKS, Choice, choices, table
from labhandbook.hpc.cost import bill
from labhandbook.hpc.job_request import hours
from tooling.tests.conftest import ROOT, run
from tooling.tests.hpc.slurm import CLUSTERS

ROWS = list(choices(CLUSTERS))
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.command.partition("--cluster ")[2])


def test_the_page_includes_what_the_command_prints() -> None:
    assert (ROOT / FILE).read_text(encoding="utf-8") == table(CLUSTERS), f"run: handbook job choices > {FILE}"
    done = run("job", "choices", cwd=ROOT)
    assert done.returncode == 0 and done.stdout == table(CLUSTERS)


def test_each_work_and_time_has_a_row_and_what_is_missing_is_known() -> None:
    have = {(row.what, row.time, row.plan.cluster.key) for row in ROWS}
    wanted = {(what, time, key) for what, _ in WORKS for time, _ in TIMES for key in ("lumi", "roihu")}
    # More than a node of Roihu needs a scalability test, and its limit is 36 hours.
    assert wanted - have == {("all GPUs of a node", "three days", "roihu"),
                             *(("all GPUs of two nodes", time, "roihu") for time, _ in TIMES)}


@each_row
def test_a_command_writes_a_script_that_passes_and_costs_what_the_row_says(
        row: Choice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slurm_log").mkdir()
    program, *words = shlex.split(row.command)
    assert program == "handbook" and handbook.main(words, standalone_mode=False) == 0
    script, cluster = Path("job.sh"), row.plan.cluster
    assert not list(check(script, cluster, tmp_path))
    asked = bill(script, CLUSTERS, cluster.key).asked
    assert str(asked.price) == row.price.removeprefix(f"{row.pieces} x ")
    assert asked.partition.name in row.gets
    assert row.pieces * hours(row.plan.wish.time) >= dict(TIMES)[row.time]


def test_a_job_that_is_longer_than_the_limit_goes_on_in_pieces() -> None:
    found = [row for row in ROWS if row.pieces > 1]
    assert [(row.plan.cluster.key, row.what, row.pieces, row.price) for row in found] == [
        ("roihu", "one GPU", 2, "2 x 7200 GPU billing units")]
    assert "--kind requeue" in found[0].command and "saves and starts again" in found[0].gets
