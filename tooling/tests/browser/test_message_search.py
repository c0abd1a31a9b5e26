"""The field on the page of errors finds the rows that `handbook job explain` prints."""

from __future__ import annotations

import pytest

from labhandbook.hpc.explain import load, search
from tooling.tests.browser.conftest import Open

PASTED = ["slurmstepd: error: Detected 1 oom-kill event(s) in StepId=123.batch", "exit code 137", "BadConstraints",
          "sbatch: error: Batch job submission failed: Requested node configuration is not available",
          "hdf5 file cannot be locked: errno = 11", "the cat sat on it", "NCCL WARN",
          "(QOSMaxJobsPerUserLimit)", "Dependency", "JobArrayTaskLimit", "Loss 1 after 137 steps", "20:15:01", "1:0",
          "slurmstepd: error: Detected 1 oom_kill event in StepId=1.batch. OOM Killed.",
          "srun: error: task 0: Exited with exit code 1"]


@pytest.mark.long
def test_the_field_finds_what_the_command_prints(open_page: Open) -> None:
    known = load()
    page = open_page("chapters/hpc/errors.html")
    field = page.locator(".message-search input")
    for message in [*PASTED, *(one for row in known for one in row.messages)]:
        field.fill(message)
        shown = page.locator(".message-search dt").evaluate_all(
            "all => all.map(one => [...one.querySelectorAll('code')].map(code => code.textContent))")
        assert shown == [list(row.messages) for row in search(message, known)], message
    field.fill("the cat sat on it")
    assert "No row of this page fits" in page.locator(".message-search dl").inner_text()
    other = open_page("chapters/hpc/commands.html")
    assert other.locator(".message-search").count() == 0
