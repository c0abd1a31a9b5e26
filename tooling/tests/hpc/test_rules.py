"""Each rule of job scripts finds what the files in cases/hpc/broken expect, and lets those in cases/hpc/fine pass.

A file of those folders says in comments `# expect: CODE:LINE words of the message`, `# cluster: KEY` (lumi without
one), and `# folders: none` where the folder of its logs does not exist.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labhandbook.core.rules import REGISTRY, Severity
from labhandbook.hpc.check_job import check_script
from labhandbook.hpc.job_rules import JOBS as RULES
from labhandbook.hpc.job_script import parse, read
from tooling.tests.conftest import ROOT
from tooling.tests.hpc.conftest import CASES, JOBS
from tooling.tests.hpc.slurm import CLUSTERS

SCRIPTS = sorted(path for folder in ("broken", "fine") for path in (CASES / folder).glob("*.sh"))
EXPECT = re.compile(r"^# expect: (\w+):(\d+) ?(.*?)\r?$", re.MULTILINE)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_check_finds_what_the_file_expects(path: Path, tmp_path: Path) -> None:
    text = path.read_bytes().decode("utf-8", "replace")
    cluster = re.search(r"^# cluster: (\w+)", text, re.MULTILINE)
    if "# folders: none" not in text:
        (tmp_path / "slurm_log").mkdir()
    expected = [(code, int(line), words) for code, line, words in EXPECT.findall(text)]
    found = check_script(read(path), CLUSTERS.get(cluster[1] if cluster else "lumi"), tmp_path)
    assert sorted((each.rule.code, each.line) for each in found) == sorted(each[:2] for each in expected), found
    for code, line, words in expected:
        assert any((each.rule.code, each.line) == (code, line) and words in each.message for each in found), found
    assert (path.parent.name == "fine") is (not expected)


def test_every_rule_has_a_broken_and_a_fine_script() -> None:
    codes = {code for code in REGISTRY if code.startswith("HPC")}
    assert codes == set(RULES.checks)
    for folder in ("broken", "fine"):
        assert codes == {path.name[:6].upper() for path in (CASES / folder).glob("hpc*.sh")}
    broken = "".join(path.read_text() for path in (CASES / "broken").glob("hpc*.sh"))
    assert codes == {code for code, _, _ in EXPECT.findall(broken)}


@pytest.mark.parametrize(("partition", "cluster", "weight"), [
    ("fmr", "lumi", Severity.UNVERIFIED), ("smal", "lumi", Severity.ERROR),
    ("q_fiqci", "lumi", Severity.UNVERIFIED),
    ("eap", "lumi", Severity.UNVERIFIED), ("other", "roihu", Severity.ERROR),
    ("vizinteractive", "roihu", Severity.UNVERIFIED), ("gpu-long", "turso", Severity.UNVERIFIED),
    ("", "lumi", Severity.ERROR), ("", "roihu", Severity.UNVERIFIED), ("", "turso", Severity.UNVERIFIED),
])
def test_a_partition_that_may_exist_is_unverified(partition: str, cluster: str, weight: Severity,
                                                  tmp_path: Path) -> None:
    """The handbook describes the partitions that the lab uses, and of Turso those that were seen.

    A job that names none is refused where sinfo shows no default; of Roihu and Turso nobody says.
    """
    named = f"--partition={partition} " if partition else ""
    text = f"#!/bin/bash\n#SBATCH {named}--time=5 --output=%x_%j.out --open-mode=append\nhostname\n"
    found = check_script(parse(text), CLUSTERS.get(cluster), tmp_path)
    assert [finding.weight for finding in found] == [weight]


@pytest.mark.parametrize("path", [path for path in sorted(JOBS.glob("*.sh")) if "#SBATCH" in path.read_text()],
                         ids=lambda path: path.name)
def test_scripts_of_the_chapter_pass(path: Path, tmp_path: Path) -> None:
    (tmp_path / "slurm_log").mkdir()
    first = path.name.split("-")[0]
    for key in [first] if first in CLUSTERS.known else ["lumi", "roihu"]:
        assert list(check_script(read(path), CLUSTERS.get(key), tmp_path)) == [], key


@pytest.mark.parametrize("code", sorted(RULES.checks))
def test_a_rule_names_a_section_of_the_chapters(code: str) -> None:
    rule = REGISTRY[code]
    chapters = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "chapters/hpc").glob("*.qmd"))
    assert re.search(rf"\{{#{rule.section}[ }}]", chapters), rule.section
    assert not rule.title.endswith(".") and rule.why.endswith(".") and rule.fix.endswith(".")


@pytest.mark.parametrize("text", ["", "\n", "#!/bin/bash", "#SBATCH", "#!/bin/sh\n#SBATCH -\n#SBATCH --\n#SBATCH =\n",
                                  "#!/bin/sh\n#SBATCH -p\n#SBATCH --time\n#SBATCH -N -n\n", "#!/bin/sh\ncat <<EOF\n",
                                  "#!/bin/sh\n#SBATCH -N0 -n0 -c0 --gres=gpu:0 --mem=0 -t0 -a0\n", "a\\\n"])
def test_odd_scripts_are_findings_and_no_crash(text: str, tmp_path: Path) -> None:
    for cluster in CLUSTERS.known.values():
        assert check_script(parse(text), cluster, tmp_path), cluster.key


def test_a_long_value_is_cut_in_the_message(tmp_path: Path) -> None:
    text = f"#!/bin/bash\n#SBATCH --output={'x' * 9999}/$HOME\n"
    assert all(len(each.message) <= 500 for each in check_script(parse(text), CLUSTERS.get("lumi"), tmp_path))
