"""What the check says of an option's value is what a real sbatch says: cases/hpc/values has one option a line.

`partly.txt` has values that sbatch takes, although it ignores a part of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from labhandbook.core.rules import Severity
from labhandbook.hpc.check_job import check_script
from labhandbook.hpc.job_script import parse
from tooling.tests.hpc.conftest import CASES
from tooling.tests.hpc.slurm import CLUSTERS, Slurm

TAKEN, PARTLY, REFUSED = ((CASES / "values" / f"{name}.txt").read_text().splitlines()
                          for name in ("taken", "partly", "refused"))


def script(option: str) -> str:
    """A job with this option that is right else."""
    partition = "small-g" if "gpu" in option else "small"
    return f"#!/bin/bash\n#SBATCH --partition={partition} --time=10 --output=%x_%j.out\n#SBATCH {option}\nhostname\n"


@pytest.mark.parametrize("option", [*TAKEN, *PARTLY, *REFUSED])
def test_a_value_that_slurm_refuses_is_an_error_and_one_that_it_reads_in_part_a_warning(
        option: str, tmp_path: Path) -> None:
    found = list(check_script(parse(script(option)), CLUSTERS.get("lumi"), tmp_path))
    refused = [(each.rule.code, each.line) for each in found if each.weight is Severity.ERROR]
    assert refused == [("HPC004", 3)] * (option in REFUSED), found
    assert any("Slurm ignores" in each.message or "leaves the option out" in each.message
               for each in found) is (option in PARTLY), found


@pytest.mark.parametrize("sizes", ["2,4", "2-8:2", "1,3-5"])
def test_several_numbers_of_nodes_are_read_as_slurm_reads_them_since_23_11(sizes: str, tmp_path: Path) -> None:
    found = check_script(parse(script(f"--nodes={sizes}")), CLUSTERS.get("lumi"), tmp_path)
    assert "HPC004" not in {each.rule.code for each in found}, list(found)


@pytest.mark.parametrize("slurm", ["lumi"], indirect=True)
def test_a_real_sbatch_agrees(slurm: Slurm, work: Path) -> None:
    for option in [*TAKEN, *PARTLY, *REFUSED]:
        (work / "job.sh").write_text(script(option))
        done = slurm.run("sbatch", "--test-only", "job.sh", cwd=work)
        assert (done.returncode == 0) is (option not in REFUSED), (option, done.stderr)
