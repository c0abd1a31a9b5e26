"""Prices: the worked examples of the official pages, the old handbook's script, and what the chapter says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from labhandbook.book.facts import load_facts
from labhandbook.hpc.cost import cheaper, offer, price, storage
from labhandbook.hpc.job_request import Shape, read_request
from labhandbook.hpc.job_script import parse
from tooling.tests.conftest import ROOT, run
from tooling.tests.hpc.conftest import CASES
from tooling.tests.hpc.slurm import CLUSTERS

OLD = (CASES / "broken/old-handbook.sh").read_text()
FACTS = {fact.name: fact.value for fact in load_facts(ROOT)}
LUMI, ROIHU = "clusters.lumi.billing.examples.", "clusters.roihu.billing.examples."


# The inputs as the pages give them: LUMI user guide, billing policy; CSC user guide, billing.
@pytest.mark.parametrize(("key", "partition", "got", "hours", "expected"), [
    ("lumi", "standard-g", Shape(4, 56, 8, None, 4), 24, FACTS[LUMI + "standard-g-4-nodes-24-hours"]),
    ("lumi", "small-g", Shape(1, 14, 2, None, 1), 24, FACTS[LUMI + "small-g-2-gcds-24-hours"]),
    ("lumi", "small-g", Shape(1, 7, 1, 128, 1), 24, FACTS[LUMI + "small-g-1-gcd-128-gb-24-hours"]),
    ("lumi", "standard", Shape(16, 128, 0, None, 16), 12, "24576"),
    ("lumi", "small", Shape(1, 32, 0, None, 1), 2, "64"),
    ("lumi", "small", Shape(1, 4, 0, 4, 1), 24, "96"),
    ("lumi", "small", Shape(1, 4, 0, 32, 1), 24, "384"),
    ("lumi", "largemem", Shape(1, 128, 0, 256, 1), 24, "3072"),
    ("lumi", "largemem", Shape(1, 128, 0, 3000, 1), 24, "36000"),
    ("lumi", "lumid", Shape(1, 1, 1, None, 1), 0.5, "32"),
    ("lumi", "lumid", Shape(1, 1, 1, 512, 1), 4, "512"),
    ("roihu", "small", Shape(1, 4, 0, 16, 1), 2, FACTS[ROIHU + "small-4-cores-16-gib-2-hours"]),
    ("roihu", "gpumedium", Shape(1, 144, 2, None, 1), 5, FACTS[ROIHU + "gpumedium-2-gpus-5-hours"]),
    ("roihu", "medium", Shape(2, 384, 0, None, 2), 3, "1728"),
    ("roihu", "hugemem", Shape(1, 2, 0, 512, 1), 1, "128"),
])
def test_official_examples(key: str, partition: str, got: Shape, hours: float, expected: str) -> None:
    cluster = CLUSTERS.known[key]
    found = price(cluster, cluster.partitions[partition], got, hours)
    assert found and found.amount == float(expected), found


def test_the_numbers_of_the_facts_are_those_of_the_pages() -> None:
    assert [FACTS[LUMI + name] for name in ("standard-g-4-nodes-24-hours", "small-g-2-gcds-24-hours",
                                            "small-g-1-gcd-128-gb-24-hours")] == ["384", "24", "24"]
    assert [FACTS[ROIHU + name] for name in ("small-4-cores-16-gib-2-hours", "gpumedium-2-gpus-5-hours")] == [
        "12", "2000"]


def test_the_old_handbooks_script_and_the_table_of_the_chapter() -> None:
    lumi = CLUSTERS.known["lumi"]
    request = read_request(parse(OLD))
    asked = offer(lumi, request, lumi.partitions["standard-g"])
    assert asked
    offers = [asked, *cheaper(lumi, request, asked)]
    rows = ("standard-g", "small-g-16-cores", "small-g-7-cores")
    assert [each.price.amount for each in offers] == [
        float(FACTS[f"clusters.lumi.billing.five-hours.{row}"]) for row in rows] == [20, 5, 2.5]
    assert [each.change for each in offers] == ["", "--partition=small-g", "--partition=small-g --cpus-per-task=7"]


def test_the_command_explains_the_price(tmp_path: Path) -> None:
    (tmp_path / "run_job.sh").write_text(OLD)
    done = run("job", "cost", "run_job.sh", cwd=tmp_path)
    assert done.returncode == 0
    assert "run_job.sh: at most 20 GPU-hours on LUMI standard-g\n    1 whole node x 4 x 5 h" in done.stdout
    assert re.search(r"2\.5 GPU-hours with --partition=small-g --cpus-per-task=7\n    max\(7 cores / 8 = 1",
                     done.stdout)


@pytest.mark.parametrize(("option", "says"), [
    ("--partition=small", "LUMI and Roihu have the partition small"),
    ("--partition=bench", "does not describe LUMI b"),
    ("--partition=nowhere", "no cluster has"),
    ("--partition=standard-g --time=3-0", "can't start"), ("--partition=medium --time=x", "is not a time"),
])
def test_what_has_no_price(option: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "job.sh").write_text(f"#!/bin/bash\n#SBATCH {option}\nsrun hostname\n")
    done = run("job", "cost", "job.sh", cwd=tmp_path)
    assert done.returncode == 2 and says in done.stderr and ".html#sec-" in done.stderr


@pytest.mark.parametrize(("key", "options", "expected"), [
    ("roihu", "-p gpumedium --gres=gpu:gh200:1 --exclusive", 800),
    ("lumi", "-p small-g --gpus-per-node=1 --exclusive", 4),
    ("roihu", "-p hugemem -c16 --mem=100G --gres=nvme:13000", 16 * 12 + 0.02 * 13000),
    ("roihu", "-p small -c4 --mem=16G --array=0-9", 60),
    ("roihu", '-p medium --bb="#BB_LUA SBF storagesize=100G path=/run/sbb/me"', 288 + 2),
])
def test_whole_nodes_disks_and_arrays_are_billed(key: str, options: str, expected: float) -> None:
    """CSC user guide: with --exclusive "billed for the full node", and 0.02 BU per GiB-hour of reserved disk."""
    cluster = CLUSTERS.known[key]
    request = read_request(parse(f"#!/bin/bash\n#SBATCH {options} -t 1:00:00\n"))
    asked = offer(cluster, request, cluster.partitions[request.partition])
    assert asked and asked.price.amount == pytest.approx(expected)


@pytest.mark.parametrize(("key", "options", "changes"), [
    ("lumi", "-p standard-g --gpus-per-node=1 -c7", ["--partition=small-g --mem=60G"]),
    ("lumi", "-p standard -c2", ["--partition=small --mem=4G"]),
    ("lumi", "-p standard-g --gpus-per-node=1 -c7 --constraint=x", []),
    ("roihu", "-p hugemem -c1 --mem=100G --gres=nvme:100", []),
    ("roihu", "-p hugemem -c1 --mem=10G", ["--partition=small"]),
    ("lumi", "-p small-g --gpus-per-node=1 -c7 --mem=60G --exclusive", ["without --exclusive"]),
])
def test_the_same_for_less_is_the_same(key: str, options: str, changes: list[str]) -> None:
    cluster = CLUSTERS.known[key]
    request = read_request(parse(f"#!/bin/bash\n#SBATCH {options} -t 1:00:00\n"))
    asked = offer(cluster, request, cluster.partitions[request.partition])
    assert asked and [each.change for each in cheaper(cluster, request, asked)] == changes


@pytest.mark.parametrize(("key", "size", "area", "days", "expected"), [
    ("roihu", "1T", "scratch", 180, FACTS[ROIHU + "scratch-1-tib-180-days"]), ("roihu", "512G", "projappl", 1, "120"),
    ("lumi", "2T", "flash", 10, "1440"), ("lumi", "1T", "object", 1, "6"),
])
def test_storage_is_priced_as_the_pages_say(key: str, size: str, area: str, days: float, expected: str) -> None:
    assert storage(CLUSTERS.known[key], size, area, days).amount == pytest.approx(float(expected))


def test_storage_on_the_command_line() -> None:
    done = run("job", "cost", "--cluster", "roihu", "--storage", "1T", "--days", "180")
    assert done.stdout == "25920 storage billing units\n    6 x 1 TiB x 4320 h\n"
    for words, says in ((["--storage", "1T"], "no cluster is named"), ([], "no script is named"),
                        (["--cluster", "roihu", "--storage", "1X"], "is not an amount of memory"),
                        (["--cluster", "roihu", "--storage", "1T", "--area", "tape"], "home, projappl, scratch")):
        done = run("job", "cost", *words)
        assert done.returncode == 2 and says in done.stderr, done.stderr


# What the programs print: the CSC user guide, computing/index (2026-08-21); lumi-tools of LUMI's software stack.
CSC = """\
-----------------------------------------------------------------
Project: project_2012345        Owner: Kalle Kaytaja
Title: "Ortotopology modeling"
Start: 2019-08-20 End: 2029-10-23 Status: open
Billing units      Budget        Used      Remain
--------------      ------        ----      ------
CPU BU:             60000          20       59980
GPU BU:              1000          30         970
Storage BU:        300000          40      299960
Latest resource grant: 2025-01-31
-----------------------------------------------------------------
"""
LUMI_TOOLS = """\
Data updated: 2026-04-22 14:47:17
Project             |                    CPU (used/allocated)|               GPU (used/allocated)|           Storage
------------------------------------------------------------------------------------------------------------------
project_465000000   |            5/500000   (0.0%) core/hours|        150/200  (75.0%) gpu/hours|   0/10   (0.0%) TB/h
project_465000001   |             0/1000   (0.0%) core/hours|            12/0    (N/A) gpu/hours|   0/10   (0.0%) TB/h
"""
SWEEP = "#SBATCH -p small-g --gpus-per-node=1 -c7 --mem=60G -t 2:00:00 --array=0-199\n"


@pytest.mark.parametrize(("tool", "answer", "lines", "code", "says"), [
    ("lumi-allocations", LUMI_TOOLS, SWEEP + "#SBATCH --account=project_465000000\n", 1,
     "Too much: project_465000000 has 50 of 200 GPU-hours left, and this may need 200 GPU-hours.\n"),
    ("lumi-allocations", LUMI_TOOLS, "#SBATCH -p standard -t 1:00:00 -A project_465000001\n", 0,
     "project_465000001 has 1000 of 1000 core-hours left: this may use 13% of them.\n"),
    ("lumi-allocations", LUMI_TOOLS, SWEEP + "#SBATCH --account=project_465000001\n", 0,
     "What is left, from lumi-allocations:\n    Data updated: "),
    ("csc-projects", CSC, "#SBATCH -p gpumedium --gres=gpu:gh200:1 -c72 -t 4:00:00\n", 0,
     "project_2012345 has 970 of 1000 GPU billing units left: this may use 82% of them.\n"),
    ("csc-projects", CSC, "#SBATCH -p gpumedium --gres=gpu:gh200:1 -c72 -t 4:00:00 --array=0-1\n", 1,
     "Too much: project_2012345 has 970 of 1000 GPU billing units left, and this may need 1600 "),
    ("csc-projects", "not accessible\n", "#SBATCH -p gpumedium --gres=gpu:gh200:1 -c72 -t 4:00:00\n", 0,
     "What is left, from csc-projects:\n    not accessible\n"),
])
def test_a_price_is_compared_with_what_the_project_has_left(tool: str, answer: str, lines: str, code: int, says: str,
                                                            tmp_path: Path) -> None:
    (tmp_path / "job.sh").write_text(f"#!/bin/bash\n{lines}srun hostname\n")
    (tmp_path / "answer").write_text(answer)
    program = tmp_path / tool
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/answer\n")
    program.chmod(0o755)
    done = run("job", "cost", "job.sh", cwd=tmp_path, PATH=f"{tmp_path}:/usr/bin:/bin", SBATCH_ACCOUNT="")
    assert done.returncode == code and says in done.stdout, done.stdout
    if lines.startswith(SWEEP):
        assert "job.sh: at most 200 GPU-hours on LUMI small-g\n    200 tasks x " in done.stdout
    shown = run("job", "cost", "job.sh", "--format", "json", cwd=tmp_path, PATH=f"{tmp_path}:/usr/bin:/bin",
                SBATCH_ACCOUNT="")
    assert ("budget" in json.loads(shown.stdout)) is ("What is left" not in says)


def test_a_whole_request_is_left_alone() -> None:
    lumi = CLUSTERS.known["lumi"]
    request = read_request(parse("#!/bin/bash\n#SBATCH -p small-g -N1 --gpus-per-node=1 -c7 -t 5 --mem=60G\n"))
    asked = offer(lumi, request, lumi.partitions["small-g"])
    assert asked and cheaper(lumi, request, asked) == []
