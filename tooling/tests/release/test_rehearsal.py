"""A whole release on loopback: one package, two that depend on each other, killed anywhere and resumed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labhandbook.core.rules import Severity
from labhandbook.package.project import load_project
from labhandbook.package.version import version_of
from labhandbook.release.check_project import BEFORE_THE_TAG, check_loaded
from labhandbook.release.rehearsal import tagged_copy
from labhandbook.release.release_folder import State
from labhandbook.release.release_steps import WORKFLOWS
from tooling.tests.conftest import ROOT, run
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_packages import git, make, write

pytestmark = pytest.mark.walk

QUICK = ("--offline", "--no-lowest", "--python", f"3.{sys.version_info[1]}")
# How long after its beginning a step is killed.
DELAYS = {"check": 0.02, "build": 0.5, "inspect": 0.02, "gate": 0.01, "test": 0.4, "upload": 0.01, "verify": 0.3}


def state(root: Path, version: str = "1.2.0") -> State:
    return State(load_project(root, ask_remote=False), version)


def log(where: State) -> list[str]:
    """The log without times."""
    path = where.folder / "log.txt"
    return [" ".join(line.split()[2:]) for line in path.read_text().splitlines()] if path.exists() else []


def kill_at(step: str, where: State, *command: str | Path, **env: str) -> None:
    """Start a command and kill it without warning, a moment after a step began."""
    before = len(log(where))
    with subprocess.Popen([Path(sys.executable).with_name("handbook"), *map(str, command)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, **env}) as process:
        end = time.monotonic() + 60
        while not any(line.startswith(f"begin {step} ") for line in log(where)[before:]):
            assert process.poll() is None, process.stdout.read().decode() if process.stdout else ""
            assert time.monotonic() < end
            time.sleep(0.005)
        time.sleep(DELAYS[step])
        process.send_signal(signal.SIGKILL)


def test_a_rehearsal_carries_out_the_steps_that_status_lists(tmp_path: Path) -> None:
    root = sample_dists.project(tmp_path / "labdemo")
    planned = json.loads(run("release", "status", root, "--format", "json").stdout)[0]["steps"]
    done = run("release", "rehearse", root, *QUICK, TWINE_PASSWORD=sample_dists.CANARY)
    assert done.returncode == 0, done.stdout + done.stderr
    where = state(root)
    began = [line.split()[1] for line in log(where) if line.startswith("begin")]
    assert began == [step["step"] for step in planned] == list(WORKFLOWS["rehearse"])
    assert list(where.ledger().entries) == began
    assert {step["state"] for step in planned} == {"to do"}
    again = json.loads(run("release", "status", root, "--format", "json").stdout)[0]["steps"]
    assert {step["step"]: step["state"] for step in again} == {**dict.fromkeys(began, "done"), "test": "to do"}, \
        "the tests of other Pythons and of the lowest dependencies are left"
    assert not subprocess.run(["git", "status", "--short"], cwd=root, capture_output=True, check=True).stdout
    assert "3.11" in done.stderr or "Python 3." in done.stderr
    assert sample_dists.CANARY not in done.stdout + done.stderr + everything(where.folder)


def everything(folder: Path) -> str:
    """All bytes of the files in a folder."""
    return "".join(path.read_bytes().decode("latin-1") for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.long
def test_a_rehearsal_killed_at_every_step_ends_with_the_same_bytes(tmp_path: Path) -> None:
    reference = state(sample_dists.project(tmp_path / "labdemo"))
    assert run("release", "rehearse", reference.project.root, *QUICK).returncode == 0
    killed = state(sample_dists.project(tmp_path / "again" / "labdemo"))
    for step in WORKFLOWS["rehearse"]:
        kill_at(step, killed, "release", "rehearse", killed.project.root, *QUICK)
    done = run("release", "rehearse", killed.project.root, *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert killed.hashes() == reference.hashes() and killed.whole()
    stored = json.loads((killed.folder / "rehearsal" / "index.json").read_text())["files"]
    assert {file["filename"]: file["sha256"] for file in stored} == reference.hashes()
    states = [line for line in log(killed) if line.startswith("done build")]
    assert len(states) == 1, "it was built once"


@pytest.mark.long
def test_packages_that_depend_on_each_other(tmp_path: Path) -> None:
    top = sample_dists.project(
        tmp_path / "labtop", "labtop", requires='"labbase>=2.0"',
        test="def test_it():\n    import labbase\n\n    assert labbase.__version__ == '2.0.0'\n")
    base = sample_dists.project(tmp_path / "labbase", "labbase", "2.0.0")
    done = run("release", "rehearse", top, base, *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.index("labbase 2.0.0: wait") < done.stderr.index("labtop 1.2.0: build")
    alone = run("release", "test", top, *QUICK[1:])
    assert alone.returncode == 1 and "REL601" in alone.stdout, "the index of the world has no labbase"


def test_new_sources_restart_the_rehearsal(tmp_path: Path) -> None:
    root = sample_dists.project(tmp_path / "labdemo")
    assert run("release", "rehearse", root, *QUICK).returncode == 0
    before = state(root).hashes()
    (root / "labdemo" / "more.py").write_text('"""More."""\n')
    git(root, "tag", "--delete", "v1.2.0")
    sample_dists.commit(root, "v1.2.0")
    done = run("release", "rehearse", root, *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert state(root).hashes() != before


def test_a_failing_suite_stops_before_the_upload(tmp_path: Path) -> None:
    root = sample_dists.project(tmp_path / "labdemo", test="def test_it():\n    assert False\n")
    done = run("release", "rehearse", root, *QUICK, "--format", "json")
    assert done.returncode == 1
    assert any(found["code"] == "REL602" for found in json.loads(done.stdout)["findings"])
    assert not (state(root).folder / "rehearsal" / "index.json").exists()
    assert "upload" not in state(root).ledger().entries


def test_two_runs_at_a_time_are_kept_apart(tmp_path: Path) -> None:
    root = sample_dists.project(tmp_path / "labdemo")
    with state(root).locked():
        done = run("release", "rehearse", root, *QUICK)
    assert done.returncode == 2 and "another run" in done.stderr


# The same package, run by a Python that has no uv beside it and can't import it either.
WITHOUT_UV = """import sys

sys.modules["uv"] = None
sys.argv[0] = "handbook"
from labhandbook.cli.main import main

main()
"""


@pytest.mark.slow
def test_a_rehearsal_without_uv(tmp_path: Path) -> None:
    """venv and pip make every environment; the lowest versions, which pip can't choose, are not verified."""
    root = sample_dists.project(tmp_path / "labdemo", requires='"click >= 8.1"')
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (site,) = venv.glob("lib/*/site-packages")
    (site / "all.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")) + "\n"
                                  + str(ROOT / "tooling" / "src") + "\n")
    programs = write(tmp_path / "bin", {"git": f'#!/bin/sh\nexec {shutil.which("git")} "$@"\n'})
    (programs / "git").chmod(0o755)
    python = "3.{}".format(*sys.version_info[1:])
    done = subprocess.run([venv / "bin" / "python", "-c", WITHOUT_UV, "release", "rehearse", root, "--offline",
                           "--python", python, "--format", "json"], check=False, text=True,
                          capture_output=True, cwd=tmp_path, env={**os.environ, "PATH": str(programs)})
    assert done.returncode == 0, done.stdout + done.stderr
    said = [found["message"] for found in json.loads(done.stdout)["findings"] if found["code"] == "REL606"]
    assert len(said) == 1 and "install uv" in said[0]
    assert "2 of 3 environments passed" in done.stderr
    entries = state(root).ledger().entries
    assert "uv" not in entries["build"]["facts"]["tools"] and "pip" in entries["build"]["facts"]["tools"]
    assert "verify" in entries


@pytest.mark.parametrize("text", ["{", '{"steps": 3}'])
def test_a_broken_ledger_is_not_guessed(text: str, tmp_path: Path) -> None:
    root = sample_dists.project(tmp_path / "labdemo")
    state(root).prepare()
    (state(root).folder / "ledger.json").write_text(text)
    done = run("release", "rehearse", root, *QUICK)
    assert done.returncode == 2 and "ledger" in done.stderr and "Traceback" not in done.stderr


def test_a_commit_without_a_tag_is_rehearsed_as_the_dev_version_that_it_is(tmp_path: Path) -> None:
    root = make(tmp_path / "demo", "setuptools-scm")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "More")
    project = load_project(root, ask_remote=False)
    copy = tagged_copy(project, tmp_path / "copy")
    assert version_of(project).startswith("1.2.1.dev1+g") and version_of(copy) == "1.2.1.dev1"
    refused = {finding.rule.code for finding in check_loaded(copy, offline=True, without=BEFORE_THE_TAG)
               if finding.weight is Severity.ERROR}
    assert not refused
    assert git(root, "tag", "--list").split() == ["v1.2.0"], "the project itself is as it was"
    git(root, "tag", "v1.3.0")
    tagged = load_project(root, ask_remote=False)
    assert tagged_copy(tagged, tmp_path / "other") is tagged
