"""Each rule of job scripts finds its seeded defect at its line, and lets the near miss pass."""

from __future__ import annotations

import re

import pytest

from labhandbook.core.rules import REGISTRY, Finding, Severity
from labhandbook.hpc.check_job import JOBS as RULES
from labhandbook.hpc.job_request import Unreadable, read_request
from labhandbook.hpc.job_rules import REFUSED
from labhandbook.hpc.job_script import parse, read
from labhandbook.hpc.script_checks import Job
from tooling.tests.conftest import ROOT
from tooling.tests.hpc.conftest import JOBS
from tooling.tests.hpc.rule_cases import NEAR, SEEDED, Case
from tooling.tests.hpc.slurm import CLUSTERS

SEED = """\
#!/bin/bash
# SBATCH directives
#SBATCH --account=<project>
#SBATCH --job-name=<your_job_name>
#SBATCH --partition=standard-g
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --gres=gpu:1
#SBATCH --mem=32GB
#SBATCH --time=05:00:00
#SBATCH --output=slurm_log/%x_%A.out # Log path: jobname_jobID.out
# Environment setup
export PATH="/scratch/<project>/<env_name>/bin:$PATH"
cd $SLURM_SUBMIT_DIR
export PYTHONPATH=$PWD

# Execute
srun python -m your_python_script.py
"""


def found(case: Case) -> list[Finding]:
    script = parse(case.text)
    try:
        request = read_request(script)
    except Unreadable:
        request = None
    return list(RULES.run(Job(script, CLUSTERS.known[case.cluster], request, frozenset(case.folders))))


def cases(table: dict[str, list[Case]]) -> list[object]:
    return [pytest.param(code, case, id=f"{code}-{number}") for code, each in table.items()
            for number, case in enumerate(each)]


def test_every_rule_is_checked_and_has_both_cases() -> None:
    codes = {code for code in REGISTRY if code.startswith("HPC")}
    assert codes == set(RULES.checks) == set(SEEDED) == set(NEAR)
    assert codes >= REFUSED


@pytest.mark.parametrize(("code", "case"), cases(SEEDED))
def test_seeded_defect_is_caught(code: str, case: Case) -> None:
    told = found(case)
    assert any(finding.rule.code == code and finding.line == case.line and case.says in finding.message
               for finding in told), told


@pytest.mark.parametrize(("partition", "cluster", "weight"), [
    ("largemem", "lumi", Severity.UNVERIFIED), ("smal", "lumi", Severity.ERROR), ("other", "lumi", Severity.ERROR),
    ("hugemem_longrun", "roihu", Severity.UNVERIFIED), ("gpu-long", "turso", Severity.UNVERIFIED),
])
def test_a_partition_that_may_exist_could_not_be_verified(partition: str, cluster: str, weight: Severity) -> None:
    """The handbook describes the partitions that the lab uses, and of Turso those that were seen."""
    text = f"#!/bin/bash\n#SBATCH --partition={partition} --time=5 --output=%x_%j.out --open-mode=append\nhostname\n"
    assert [finding.weight for finding in found(Case(text, cluster))] == [weight]


@pytest.mark.parametrize(("code", "case"), cases(NEAR))
def test_near_miss_passes(code: str, case: Case) -> None:
    assert [finding for finding in found(case) if finding.rule.code == code] == []


def test_the_seeds_script_is_told_what_it_costs_and_why() -> None:
    told = {(finding.line, finding.rule.code): finding.message for finding in found(Case(SEED, folders=()))}
    assert set(told) == {(3, "HPC005"), (4, "HPC005"), (5, "HPC032"), (8, "HPC030"), (12, "HPC040"), (12, "HPC041"),
                         (12, "HPC042"), (14, "HPC006"), (14, "HPC053"), (19, "HPC060"), (19, "HPC061")}
    assert "20 GPU-hours, and 2.5 GPU-hours with --partition=small-g --cpus-per-task=7" in told[5, "HPC032"]


@pytest.mark.parametrize("path", [path for path in sorted(JOBS.glob("*.sh")) if "#SBATCH" in path.read_text()],
                         ids=lambda path: path.name)
def test_scripts_of_the_chapter_pass(path: object) -> None:
    name = getattr(path, "name", "")
    first = name.split("-")[0]
    for key in [first] if first in CLUSTERS.known else ["lumi", "roihu"]:
        script = read(JOBS / name)
        job = Job(script, CLUSTERS.known[key], read_request(script), frozenset({"slurm_log"}))
        assert list(RULES.run(job)) == [], key


@pytest.mark.parametrize("code", sorted(SEEDED))
def test_a_rule_speaks_to_people_and_names_a_section(code: str) -> None:
    rule = REGISTRY[code]
    chapters = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "chapters/hpc").glob("*.qmd"))
    assert re.search(rf"\{{#{rule.section}[ }}]", chapters), rule.section
    assert not rule.title.endswith(".") and rule.why.endswith(".") and rule.fix.endswith(".")
    assert len({finding.message for case in SEEDED[code] for finding in found(case) if finding.rule is rule}) >= 1


@pytest.mark.parametrize("text", ["", "\n", "#!/bin/bash", "#SBATCH", "#!/bin/sh\n#SBATCH -\n#SBATCH --\n#SBATCH =\n",
                                  "#!/bin/sh\n#SBATCH -p\n#SBATCH --time\n#SBATCH -N -n\n", "#!/bin/sh\ncat <<EOF\n",
                                  "#!/bin/sh\n#SBATCH -N0 -n0 -c0 --gres=gpu:0 --mem=0 -t0 -a0\n", "a\\\n"])
def test_odd_scripts_are_findings_and_no_crash(text: str) -> None:
    for key in CLUSTERS.known:
        assert found(Case(text, key)), key
