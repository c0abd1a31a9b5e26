"""`handbook job facts` compares clusters.yml with a Slurm that runs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from labhandbook.hpc.clusters import parse
from labhandbook.hpc.live_facts import change, differences, read
from tooling.tests.conftest import run
from tooling.tests.hpc.slurm import CLUSTERS, Slurm

TODAY = date(2026, 11, 28)


def asked(slurm: Slurm) -> list[str]:
    """What the three commands answer."""
    return [slurm.run(*words, cwd=slurm.root).stdout for words in (
        ("scontrol", "--oneliner", "show", "partition"), ("sinfo", "-h", "-o", "%R|%c|%m|%G"),
        ("sacctmgr", "-nP", "show", "qos", "format=Name,MaxSubmitPU"))]


@pytest.mark.parametrize("slurm", ["lumi", "roihu"], indirect=True)
def test_a_slurm_made_from_the_facts_agrees_with_them(slurm: Slurm) -> None:
    live = read(*asked(slurm))
    # dev-g: the Slurm of the tests has the longer of the two limits that sources give; one partition stands for the
    # few larger nodes of others.
    differ = {name: set(each) for name, each in differences(slurm.cluster, live)}
    assert differ == ({"dev-g": {"time-limit", "max-hours"}} if slurm.cluster.key == "lumi" else {}), differ


@pytest.mark.parametrize("slurm", ["lumi"], indirect=True)
def test_what_differs_is_a_ready_change(slurm: Slurm) -> None:
    known = slurm.cluster
    wrong = replace(known, partitions={**{name: each for name, each in known.partitions.items() if name != "small"},
                                       "small-g": replace(known.partitions["small-g"], max_nodes=7, max_jobs=9),
                                       "old": known.partitions["debug"]})
    text = change(wrong, read(*asked(slurm)), "login1", TODAY)
    assert 'source: "scontrol show partition, sinfo and sacctmgr on login1"\n    checked: 2026-11-28\n' in text
    assert re.search(r"small-g:\n      max-nodes: 4   # was 7\n      max-jobs: 210   # was 9\n", text), text
    assert re.search(r'small:   # new\n      time-limit: "3 days"\n      kind: "cpu"\n      exclusive: "no"\n'
                     r"      max-hours: 72\n", text), text
    assert "# old is no partition here: remove it" in text


@pytest.mark.parametrize("slurm", ["turso"], indirect=True)
def test_turso_is_described_by_its_slurm(slurm: Slurm) -> None:
    """The change for a cluster of which little is known is text that clusters.yml can hold."""
    text = change(slurm.cluster, read(*asked(slurm)), "turso", TODAY)
    held = text.replace("turso:\n", 'turso:\n  name: "Turso"\n  status: "in use"\n', 1)
    new = parse(held, "clusters.yml").known["turso"].partitions
    assert set(new) == set(slurm.cluster.partitions), text


@pytest.mark.parametrize("slurm", ["turso"], indirect=True)
def test_the_command_asks_slurm(slurm: Slurm, tmp_path: Path) -> None:
    done = run("job", "facts", "--cluster", "turso", cwd=tmp_path, SLURM_CONF=slurm.env["SLURM_CONF"])
    assert done.returncode == 1 and done.stdout.startswith("turso:\n  partitions:\n"), done.stderr
    assert "3 partitions of Turso: 3 differ, 0 new, 0 gone" in done.stderr


def test_without_slurm_the_command_says_where_to_run_it(tmp_path: Path) -> None:
    done = run("job", "facts", "--cluster", "lumi", cwd=tmp_path, PATH=str(tmp_path))
    assert done.returncode == 2 and "run this on the cluster's login node" in done.stderr


def test_answers_of_a_real_cluster_are_read() -> None:
    shown = ("PartitionName=dev-g AllowGroups=ALL AllowAccounts=ALL QoS=dev-g MaxNodes=32 MaxTime=03:00:00 "
             "MinNodes=0 OverSubscribe=NO State=UP MaxMemPerNode=UNLIMITED MaxCPUsPerNode=UNLIMITED\n")
    live, = read(shown, "dev-g|128+|491520|gpu:mi250:8(S:0-7)\n", "normal|\ndev-g|2\n")
    assert live.facts == {
        "kind": "gpu", "exclusive": "no", "time-limit": "3 hours", "max-hours": "3", "max-nodes": "32",
        "max-jobs": "2", "cores-per-node": "128", "memory-gib": "480", "gpus-per-node": "8"}
    assert dict(differences(CLUSTERS.known["lumi"], [live]))["dev-g"]["max-hours"] == ("3", "2")
