"""The pages on access, data and tools run as printed, on a laptop and a cluster that are both on this machine.

ssh, scp and rsync are real and meet a real sshd, rclone and tmux are real too. Only the object stores are folders,
and what the clusters alone have (modules, containers) are the stand-ins of `stubs.py`. What calls Slurm or
`handbook job` runs on a Slurm in test_commands_run.py, and the scripts that the pages include in test_scripts_run.py.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tooling.tests.conftest import ROOT
from tooling.tests.hpc.conftest import study
from tooling.tests.hpc.loopback_ssh import PASSPHRASE, USER, Loopback, loopback
from tooling.tests.hpc.printed_commands import FACTS, commands
from tooling.tests.package.sample_packages import git
from tooling.tests.release.packaging_chapter import Block, blocks

pytestmark = pytest.mark.walk

READY, MOVING, TOOLS = (f"chapters/hpc/{name}.qmd" for name in ("getting-ready", "moving", "tools"))
WAYS = ("LUMI", "Roihu", "Turso")
# What can't run here, by words of the block, and why.
NOT_RUN = {
    "sinteractive --account": "it is CSC's own program, on Roihu only",
    "import torch; print(torch.cuda.device_count())": "it needs LUMI's container and a GPU",
    "wandb sync": "it needs an account and sends data to a company",
    "handbook rules HPC": "test_rule_pages.py asks for rules by their codes",
}
# What a block leaves to see, by its words: the screen must match.
SEEN = {
    "ssh-keygen -t": r"(?m)^ssh-ed25519 \S+", "ssh-keygen -L": r"Valid: from \S+ to \S+",
    "slurm_log": r"(?m)^/\S+/study$", "echo \"${SIF": r"multitorch-full-2\.sif",
    "sha256sum --check": r"(?m)^data\.tar: OK$", "rclone check": r"0 differences found", "rclone lsd": r"",
    "cProfile": r"function calls",
}


# Leaves tmux as Ctrl-b d does, once it runs, and ends the session, which has stayed.
LEAVE = """until tmux list-clients -t work 2> /dev/null | grep -q .; do sleep 0.1; done
tmux detach-client -s work; tmux has-session -t work && touch ~/stayed; tmux kill-session -t work"""
# What the clusters have and this machine lacks; the object stores are folders. tensorboard would serve for ever.
STAND_INS = {
    "lumio-conf": 'printf "[lumi-o]\\ntype = alias\\nremote = {root}/lumi-o\\n" >> "$RCLONE_CONFIG"',
    "allas-conf": 'printf "[s3allas]\\ntype = alias\\nremote = {root}/s3allas\\n" >> "$RCLONE_CONFIG"',
    "conda-containerize": 'test "$1 $2" = "new --prefix" && test -f "$4" && mkdir -p "$3/bin"',
    "tensorboard": 'test "$1" = --logdir && test -f "$2"/events.out',
}


def folders(root: Path) -> dict[str, str]:
    """The clusters' folders, all below one."""
    return {"clusters.lumi.storage.scratch.path": f"{root}/scratch",
            "clusters.roihu.storage.scratch.path": f"{root}/scratch",
            "clusters.turso.work": f"{root}/wrk", "clusters.lumi.storage.project.path": f"{root}/project",
            "clusters.roihu.storage.projappl.path": f"{root}/projappl",
            "clusters.lumi.software.containers": f"{root}/containers"}


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Loopback]:
    """A laptop with data and a cluster, and a reader who has set the variables of the pages."""
    origin = tmp_path / "code"
    origin.mkdir()
    git(origin, "init", "--quiet")
    git(origin, "commit", "--quiet", "--allow-empty", "--message", "Begin")
    with loopback(tmp_path, {"CSC_USER": USER, "UH_USER": USER, "PROJECT": "project_1", "STUDY": "study",
                             "REPO": str(origin), "DATA": "data", "BUCKET": "project-1-data",
                             "PYTHON_MODULE": "Python", "RUNS": f"{tmp_path}/scratch/runs"}) as made:
        (made.laptop / "data").mkdir()
        (made.laptop / "data/a.csv").write_text("1\n")
        (made.laptop / "config.toml").write_text("seed = 1\n")
        for day in (2, 1):
            path = tmp_path / f"containers/lumi-multitorch-{day}/lumi-multitorch-full-{day}.sif"
            path.parent.mkdir(parents=True)
            path.touch()
            os.utime(path, (day, day))
        for name, text in STAND_INS.items():
            path = tmp_path / ("programs" if name == "tensorboard" else "stubs") / name
            path.write_text(f"#!/bin/sh\n{text.format(root=tmp_path)}\n")
            path.chmod(0o755)
        for store in ("lumi-o", "s3allas"):
            (tmp_path / store).mkdir()
        yield made


def walk(machines: Loopback, page: str, *ways: str) -> dict[str, str]:
    """Run the blocks of a page that belong to some clusters' tabs or to none; what each said, by its text."""
    slurm, said = on_slurm(), {}
    for block in blocks(page, folders(machines.root)):
        # What is printed for LUMI beside the tabs has another host and path on Turso.
        other = "Turso" in ways and not block.tab and FACTS["clusters.lumi.host"] in block.text
        if (block.tab in ("", *ways) and f"{Path(page).name}:{block.line}" not in slurm and not skipped(block)
                and not other):
            said[block.text] = follow(machines, block)
    assert said
    return said


def follow(machines: Loopback, block: Block) -> str:
    """Run one block on its machine, and look for what the page says that you see."""
    machine = "laptop" if block.machine == "laptop" else "cluster"
    if "requirements.txt" in block.text or "env.yml" in block.text:  # the page says that the reader writes them first
        place = machines.cluster / ".place"
        for name in ("requirements.txt", "env.yml"):
            (Path(place.read_text().strip()) / name).touch()
    leaves = ["bash", "-c", LEAVE if "tmux" in block.text else "true"]
    typed = [f"{PASSPHRASE}\n"] * 2 if "ssh-keygen -t" in block.text else ["exit\n"] * block.text.startswith("ssh ")
    with subprocess.Popen(leaves, env=os.environ | machines.env(machine)):
        code, screen = machines.shell(machine, block.text, *typed)
    assert code == 0, (block.place, block.text, screen)
    for words, pattern in SEEN.items():
        assert words not in block.text or re.search(pattern, screen), (block.place, block.text, screen)
    if "ssh-keygen -t" in block.text:
        machines.trust()
    if block.text.startswith("ssh "):
        assert machines.sessions()[-1] == "shell" and "Welcome to the cluster" in screen
    return screen


def skipped(block: Block) -> bool:
    """Whether a block is named as one that can't run here."""
    return any(words in block.text for words in NOT_RUN)


def on_slurm() -> set[str]:
    """The places of the blocks that the tests of Slurm run."""
    return {printed.place for printed in commands()}


def test_every_excluded_block_is_on_a_page() -> None:
    texts = [block.text for path in (ROOT / "chapters/hpc").glob("[!_]*.qmd")
             for block in blocks(path.relative_to(ROOT).as_posix())]
    assert not [words for words in (*NOT_RUN, *SEEN) if not any(words in text for text in texts)]
    assert {block.tab for page in (READY, MOVING, TOOLS) for block in blocks(page)} == {"", *WAYS}


@pytest.mark.parametrize("way", WAYS)
def test_a_reader_gets_access_and_copies_code_and_data(machines: Loopback, way: str) -> None:
    walk(machines, READY, way)
    work = machines.root / ("wrk" if way == "Turso" else "scratch/project_1") / USER / "study"
    assert (work / "slurm_log").is_dir() and (work / "code/.git").is_dir()
    if way != "Turso":  # the page prints these two for LUMI
        assert (work / "data/a.csv").read_text() == "1\n" and (work / "config.toml").is_file()
        assert any("rsync --server" in each for each in machines.sessions())
    accepted = (machines.root / "sshd.log").read_text().count("Accepted publickey")
    assert accepted >= {"LUMI": 3, "Roihu": 4, "Turso": 3}[way], "also the host in between is a real one"


def test_large_data_arrive_whole(machines: Loopback) -> None:
    access(machines)
    there = machines.root / "scratch/project_1" / USER
    there.mkdir(parents=True)
    (machines.cluster / ".place").write_text(str(there))
    said = walk(machines, MOVING, "LUMI", "Roihu")
    assert (there / "data.tar").read_bytes() == (machines.laptop / "data.tar").read_bytes()
    for store in ("lumi-o", "s3allas"):
        assert (machines.root / store / "project-1-data/data.tar").is_file()
    # The comparison of two equal folders is silent, and it names a file that differs.
    (compare,) = [text for text in said if "rsync -rtnic" in text]
    assert said[compare] == ""
    (there / "data/a.csv").write_text("2\n")
    assert "data/a.csv" in machines.shell("laptop", compare)[1]
    (there / "data.tar").write_bytes(b"")
    (check,) = [text for text in said if "sha256sum --check" in text]
    code, screen = machines.shell("cluster", check)
    assert code and "data.tar: FAILED" in screen


def test_the_tools_work_with_the_settings_of_the_page(machines: Loopback) -> None:
    access(machines)
    runs = machines.root / "scratch/runs"
    runs.mkdir(parents=True)
    (runs / "events.out").write_text("events")
    study(machines.cluster / "study")
    (machines.cluster / ".place").write_text(str(machines.cluster / "study"))
    walk(machines, TOOLS)
    settings = machines.laptop / ".ssh/config"
    for host, name in (("lumi", "clusters.lumi.host"), ("roihu-gpu", "clusters.roihu.gpu.host")):
        read = subprocess.run(["ssh", "-G", "-F", settings, host], capture_output=True, text=True, check=True).stdout
        assert f"hostname {FACTS[name]}\n" in read and f"user {USER}\n" in read and "controlpersist 600\n" in read
    assert (machines.cluster / "stayed").exists(), "the session of tmux stays when its reader leaves"
    assert (machines.laptop / "runs/events.out").is_file() and (machines.cluster / "study/profile.out").is_file()


def access(machines: Loopback) -> None:
    """Have a key that the cluster accepts."""
    for block in blocks(READY):
        if "ssh-keygen -t" in block.text:
            follow(machines, block)
