"""What `job check` calls a hard limit Slurm refuses too, and what it passes Slurm takes: on generated scripts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from labhandbook.core.rules import ERROR, REGISTRY
from labhandbook.hpc.check_job import check_script
from labhandbook.hpc.clusters import Cluster, Partition
from labhandbook.hpc.job_request import clock
from labhandbook.hpc.job_script import parse
from labhandbook.hpc.new_job import Kind, Wish, plan
from labhandbook.hpc.script_text import script as write
from tooling.tests.hpc.slurm import Slurm

SCRIPTS = 150
# The rules whose source is an answer of sbatch: it refuses what they find.
REFUSED = {code for code, rule in REGISTRY.items() if rule.source.startswith("sbatch: ")}
TAIL = "\nsrun hostname\n"


def text(partition: Partition, gpu: str, chosen: dict[str, str]) -> str:
    """A script with these options."""
    lines = [f"#SBATCH --{name}={value}" for name, value in chosen.items()]
    return "\n".join(["#!/bin/bash", f"#SBATCH --partition={partition.name}", *lines, gpu, TAIL])


def generate(cluster: Cluster, seed: int) -> list[str]:
    """Scripts on both sides of every limit: a fitting request, of which one or two numbers are changed."""
    pick = random.Random(seed)
    made = []
    for _ in range(SCRIPTS):
        partition = pick.choice(list(cluster.partitions.values()))
        whole = partition.nodes
        nodes = pick.choice([partition.min_nodes, partition.max_nodes])
        tasks = pick.choice([1, 1, 2])
        most = min(whole.cores, partition.max_cores or whole.cores)
        chosen = {"nodes": str(nodes), "ntasks-per-node": str(tasks), "cpus-per-task": str(most // tasks),
                  "mem": f"{int(partition.node_gib)}G", "time": clock(partition.hours)}
        cards = whole.gpus
        for what in pick.sample(sorted({*chosen, "gpus"}), pick.choice([0, 1, 1, 2])):
            wrong = pick.random() < 0.6
            match what:
                case "nodes":
                    chosen[what] = str(partition.max_nodes + 1 if wrong else partition.min_nodes)
                case "ntasks-per-node":
                    chosen[what] = str(most // int(chosen["cpus-per-task"]) + wrong)
                case "cpus-per-task":
                    chosen[what] = str(most // int(chosen["ntasks-per-node"]) + wrong)
                case "mem":
                    chosen[what] = f"{int(partition.node_gib) + wrong}G"
                case "time":
                    chosen[what] = clock(partition.hours + wrong / 60)
                case _:
                    cards = cards + 1 if wrong else max(0, cards - 1)
        gpu = f"#SBATCH {cluster.gpus.request(cards)}" if cards and cluster.gpus else ""
        made.append(text(partition, gpu, chosen))
    return made


ODD = ("--ntask=1", "--ntasks-per-nod=1", "--mem=1.5G", "--mem=10Gi", "--time=1h", "--time=1-2", "--time=10:00",
       "--array=4-0", "--array=0-4%2", "--nodes=2-1", "--cpus-per-task=0", "--signal=B:USR1@60", "--signal=WHAT@60",
       "--gres=gpu:v100:1", "--gres=nvme:100", "--partition=smal", "--nonsense", "--exclusive=user", "--requeue=1",
       "--open-mode=append", "--no", "--mail-type=END", "--hold", "--mem=1G --mem-per-cpu=1G",
       "--tasks-per-node=1", "--array=[1-5]",
       "--gpus=0", "--gres=none")


def refused(slurm: Slurm, work: Path, script: str) -> bool:
    """Whether the check says that Slurm refuses it."""
    return any(finding.rule.code in REFUSED and finding.weight is ERROR
               for finding in check_script(parse(script), slurm.cluster, work))


def judged(slurm: Slurm, work: Path, script: str) -> tuple[bool, str]:
    """Whether Slurm refuses it, and what it says."""
    (work / "job.sh").write_text(script)
    done = slurm.run("sbatch", "--test-only", "job.sh", cwd=work)
    return done.returncode != 0, done.stderr.strip()


def test_generated_scripts_are_judged_as_by_slurm(wide: Slurm, tmp_path: Path) -> None:
    wrong, count = [], [0, 0]
    for script in generate(wide.cluster, 7):
        ours = refused(wide, tmp_path, script)
        theirs, said = judged(wide, tmp_path, script)
        count[theirs] += 1
        if ours is not theirs:
            wrong.append((ours, said, script))
    assert not wrong, f"{len(wrong)}: {wrong[0][1]}\n{wrong[0][2]}\nours: {wrong[0][0]}"
    assert min(count) > SCRIPTS / 5, count


def test_odd_options_are_judged_as_by_slurm(wide: Slurm, tmp_path: Path) -> None:
    first = "small" if wide.cluster.key == "roihu" else "debug"
    for option in ODD:
        script = f"#!/bin/bash\n#SBATCH --partition={first} --time=00:05:00\n#SBATCH {option}\n{TAIL}"
        theirs, said = judged(wide, tmp_path, script)
        assert refused(wide, tmp_path, script) is theirs, (option, said)


def test_gpus_of_tasks_are_judged_as_by_slurm(wide: Slurm, tmp_path: Path) -> None:
    name = next(each.name for each in wide.cluster.partitions.values() if each.gpu and each.everyday)
    for options in ("--gpus-per-task=1", "--gpus-per-task=1 --ntasks=1", "--gpus-per-task=1 --nodes=1",
                    "--gpus-per-task=1 --ntasks-per-node=1", "--gpus-per-task=1 --gpus=2"):
        script = f"#!/bin/bash\n#SBATCH --partition={name} --time=00:05:00\n#SBATCH {options}\n{TAIL}"
        theirs, said = judged(wide, tmp_path, script)
        assert refused(wide, tmp_path, script) is theirs, (options, said)


def test_new_scripts_are_accepted(wide: Slurm, tmp_path: Path) -> None:
    (tmp_path / "slurm_log").mkdir()
    gpus = wide.cluster.partitions["standard-g" if wide.cluster.key == "lumi" else "gpumedium"].nodes.gpus
    for wish in (Wish(), Wish(cores=8), Wish(gpus=1), Wish(gpus=gpus), Wish(gpus=2, nodes=2), Wish(array="0-9%3"),
                 Wish(gpus=1, array="1,3", memory="20G", time="12:00:00"), Wish(cores=128, nodes=1),
                 Wish(kind=Kind.RANKS, gpus=gpus), Wish(kind=Kind.RANKS, gpus=2, nodes=2),
                 Wish(kind=Kind.REQUEUE, gpus=1), Wish(kind=Kind.GRID), Wish(kind=Kind.SMALLEST)):
        script = write(plan(wide.cluster, wish), "job.sh")
        findings = check_script(parse(script), wide.cluster, tmp_path)
        assert list(findings) == [], (wish, findings)
        assert not judged(wide, tmp_path, script)[0], wish


def of_an_account(cluster: Cluster) -> Iterator[str]:
    """Scripts on both sides of each limit of one account's jobs and of one job's GPUs."""
    gpus = cluster.gpus
    assert gpus
    for partition in cluster.partitions.values():
        one = f"#SBATCH {gpus.request(1)}" if partition.gpu else ""
        if partition.max_jobs:
            for last in (partition.max_jobs - 1, partition.max_jobs):
                yield text(partition, one, {"array": f"0-{last}", "time": "5"})
        for nodes, each in [(1, partition.max_gpus), (2, partition.max_gpus // 2), (2, partition.max_gpus // 2 + 1),
                            (1, partition.min_gpus), (1, partition.min_gpus - 1)]:
            if each > 0 and (partition.max_gpus or partition.min_gpus):
                yield text(partition, f"#SBATCH {gpus.request(each)}", {"nodes": str(nodes), "time": "5"})


@pytest.mark.parametrize("slurm", ["lumi", "roihu"], indirect=True)
def test_limits_of_an_account_are_judged_as_by_slurm(slurm: Slurm, tmp_path: Path) -> None:
    counted = [0, 0]
    for script in of_an_account(slurm.cluster):
        ours = {finding.rule.code for finding in check_script(parse(script), slurm.cluster, tmp_path)}
        (tmp_path / "job.sh").write_text(script)
        done = slurm.run("sbatch", "--hold", "job.sh", cwd=tmp_path)
        slurm.run("scancel", "--me", "--state=PENDING", cwd=tmp_path)
        slurm.until(lambda: not slurm.run("squeue", "--me", "-h", cwd=tmp_path).stdout, "an empty queue")
        assert bool(ours & {"HPC019", "HPC021"}) is (done.returncode != 0), (script, ours, done.stderr)
        counted[done.returncode != 0] += 1
    assert min(counted) >= 2, counted
