"""What the check says of an option's value is what a real sbatch says: cases/hpc/values has one option a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from labhandbook.core.rules import Severity
from labhandbook.hpc.check_job import check_script
from labhandbook.hpc.job_script import parse
from tooling.tests.hpc.conftest import CASES
from tooling.tests.hpc.slurm import CLUSTERS, Slurm

TAKEN, REFUSED = ((CASES / "values" / name).read_text().splitlines() for name in ("taken.txt", "refused.txt"))


def script(option: str) -> str:
    """A job with this option that is right else."""
    partition = "small-g" if "gpu" in option else "small"
    return f"#!/bin/bash\n#SBATCH --partition={partition} --time=10 --output=%x_%j.out\n#SBATCH {option}\nhostname\n"


@pytest.mark.parametrize("option", [*TAKEN, *REFUSED])
def test_only_a_value_that_slurm_refuses_is_an_error(option: str, tmp_path: Path) -> None:
    found = check_script(parse(script(option)), CLUSTERS.get("lumi"), tmp_path)
    refused = [(each.rule.code, each.line) for each in found if each.weight is Severity.ERROR]
    assert refused == [("HPC004", 3)] * (option in REFUSED), list(found)


@pytest.mark.parametrize("slurm", ["lumi"], indirect=True)
def test_a_real_sbatch_agrees(slurm: Slurm, work: Path) -> None:
    for option in [*TAKEN, *REFUSED]:
        (work / "job.sh").write_text(script(option))
        done = slurm.run("sbatch", "--test-only", "job.sh", cwd=work)
        assert (done.returncode == 0) is (option in TAKEN), (option, done.stderr)
