"""Every script of the chapter runs to its end on a real Slurm, and its log is where the chapter says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labhandbook.hpc.chapter_scripts import Recipe
from labhandbook.hpc.chapter_scripts import recipes as all_recipes
from labhandbook.hpc.new_job import TASKS, Kind
from tooling.tests.hpc.accounts import PROJECT
from tooling.tests.hpc.conftest import JOBS, study
from tooling.tests.hpc.slurm import CLUSTERS, Slurm, started
from tooling.tests.hpc.terminal import talk

pytestmark = pytest.mark.long


def settings(work: Path) -> dict[str, str]:
    """What a reader has exported before submitting."""
    return {"SIF": "container.sif", "ENV_DIR": str(work / "env"), "VENV": str(work / "env"), "PROJECT": PROJECT,
            "PYTHON_MODULE": "Python", "PLACE": str(work / "place")}


def recipes(slurm: Slurm) -> list[Recipe]:
    """The batch scripts for a cluster."""
    return [recipe for recipe in all_recipes(CLUSTERS) if slurm.cluster.key in recipe.clusters]


def file(slurm: Slurm, name: str) -> str:
    """The script of this name for a cluster."""
    return next(recipe.file for recipe in recipes(slurm) if recipe.wish.name == name)


def submit(slurm: Slurm, work: Path, *words: str) -> str:
    """Submit a script as a reader who has set everything; the job's number."""
    return slurm.submit(*words, cwd=work, settings=settings(work))


def log(slurm: Slurm, work: Path, job: str) -> str:
    """The log of a job where the chapter says that it is."""
    name = slurm.state(job)["JobName"]
    return (work / f"slurm_log/{name}_{job}.out").read_text()


def test_scripts_complete(slurm: Slurm, work: Path) -> None:
    (work / "grid.txt").write_text("--rate 0.1\n--rate 0.2\n")
    jobs = {}
    for recipe in recipes(slurm):
        more = ["--array=1-2%4"] if recipe.wish.kind is Kind.GRID else []
        words = [] if recipe.wish.kind is Kind.SMALLEST else ["train"]
        jobs[submit(slurm, work, *more, recipe.file, *words)] = recipe
    ended = slurm.finish(*jobs)
    assert {state for states in ended.values() for state in states} == {"COMPLETED"}, (ended, jobs)
    for job, recipe in jobs.items():
        wish = recipe.wish
        if wish.kind in TASKS:
            tasks = [path.read_text() for path in (work / "slurm_log").glob(f"{wish.name}_{job}_*.out")]
            assert len(tasks) == (2 if wish.kind is Kind.GRID else 5)
            assert all("done at step 1" in text for text in tasks)
        elif wish.kind is Kind.SMALLEST:
            said = log(slurm, work, job).splitlines()
            assert said[0].endswith(f" for {PROJECT}") and said[-1] == os.uname().nodename
        else:
            ranks = wish.nodes * wish.gpus if wish.kind is Kind.RANKS else 1
            assert log(slurm, work, job).count("done at step 1") == ranks, recipe.file
            numbers = {line.split()[-1] for line in log(slurm, work, job).splitlines() if "rank" in line}
            assert numbers == ({str(rank) for rank in range(ranks)} if wish.kind is Kind.RANKS else {"-"})


def test_array_resumes_after_a_kill(slurm: Slurm, work: Path) -> None:
    name = file(slurm, "seeds")
    first = submit(slurm, work, "--array=0-3", name, "train", "--steps", "5")
    slow = submit(slurm, work, "--array=4", name, "train", "--steps", "600")
    slurm.finish(first)
    slurm.run("scancel", slow, cwd=work)
    assert slurm.finish(slow)[slow] == ["CANCELLED"]
    ended = sorted(path.parent.name for path in (work / "runs").glob("*/done"))
    assert ended == [f"train-seed-{seed}" for seed in range(4)]
    again = submit(slurm, work, name, "train", "--steps", "5")
    assert set(slurm.finish(again)[again]) == {"COMPLETED"}
    logs = {path.stem[-1]: path.read_text() for path in (work / "slurm_log").glob(f"*_{again}_*.out")}
    assert {seed for seed, text in logs.items() if "nothing to do" in text} == set("0123")
    assert "done at step" in logs["4"]


def test_array_with_other_words_is_another_array(slurm: Slurm, work: Path) -> None:
    name = file(slurm, "seeds")
    slurm.finish(submit(slurm, work, "--array=0", name, "train", "--steps", "1"))
    (work / "other.py").write_text((work / "train.py").read_text())
    longer = submit(slurm, work, "--array=0", name, "train", "--steps", "2")
    slurm.finish(longer)
    other = submit(slurm, work, "--array=0", name, "other", "--steps", "1")
    slurm.finish(other)
    for job, said in ((longer, "done at step 2"), (other, "done at step 1")):
        assert said in (work / f"slurm_log/seeds_{job}_0.out").read_text()
    assert sorted(path.name for path in (work / "runs").iterdir()) == ["other-seed-0", "train-seed-0"]


def test_chain_runs_in_order(slurm: Slurm, work: Path) -> None:
    smallest = file(slurm, "smallest")
    (work / "fails.sh").write_text((work / smallest).read_text() + "false\n")
    done = slurm.run("bash", "chain.sh", smallest, "fails.sh", smallest, cwd=work, settings=settings(work))
    assert done.returncode == 0, done.stderr
    first, second, third = (line.split()[0] for line in done.stdout.splitlines())
    assert slurm.finish(first, second, third) == {first: ["COMPLETED"], second: ["FAILED"], third: ["CANCELLED"]}


def test_a_missing_log_folder_leaves_no_log(slurm: Slurm, work: Path) -> None:
    (work / "slurm_log").rmdir()
    job = submit(slurm, work, file(slurm, "smallest"))
    assert slurm.finish(job)[job] == ["FAILED"]
    assert slurm.state(job)["ExitCode"] == "0:53" and not list(work.rglob("*.out"))


def test_interactive_runs_on_a_compute_node(slurm: Slurm, work: Path) -> None:
    script = f"{slurm.cluster.key}-interactive.sh"
    code, screen = talk(["bash", script, "bash", "-c", "echo on $SLURMD_NODENAME"], work,
                        env={**slurm.env, **settings(work)})
    assert code == 0 and re.search(r"^on n\d+x\d", screen, re.MULTILINE), screen
    inside = slurm.run("bash", script, cwd=work, settings={**settings(work), "SLURM_JOB_ID": "7"})
    assert inside.returncode == 1 and "you are in job 7 already" in inside.stderr


@pytest.mark.parametrize("key", ["lumi", "roihu", "turso"])
def test_set_up_makes_what_the_job_wants(key: str, work: Path, stubs: str) -> None:
    env = {**os.environ, **settings(work), "PATH": f"{stubs}{os.pathsep}{os.environ['PATH']}",
           "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(["bash", f"{key}-setup.sh"], cwd=work, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    name, _, place = done.stdout.splitlines()[-1].removeprefix("export ").partition("=")
    assert name == {"lumi": "PACKAGES"}.get(key, "VENV") and Path(place).exists()


@pytest.mark.parametrize("path", sorted(JOBS.glob("*.sh")), ids=lambda path: path.name)
def test_unset_variables_stop_with_a_message(path: Path, tmp_path: Path) -> None:
    """Run on a login node, without anything set or given, no script does anything but say what it wants."""
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(["bash", path], cwd=tmp_path, env=bare, capture_output=True, text=True, check=False)
    if path.name == "turso-interactive.sh":
        return
    assert done.returncode == 1 and list(tmp_path.iterdir()) == []
    assert any(word in done.stderr for word in ("submit this file", "PROJECT: set", "PYTHON_MODULE: set", "name the"))


def test_slurm_leaves_nothing_running() -> None:
    with started("turso", accounted=True) as slurm:
        job = slurm.submit("-p", "short", "-t", "5", "-o", "/dev/null", "--wrap", "sleep 300", cwd=slurm.root)
        slurm.until(lambda: slurm.states(job) == ["RUNNING"], "the job")
    assert slurm.left() == [] and not slurm.root.exists()


def test_slurm_runs_for_an_ordinary_user() -> None:
    """Root starts another one as nobody; for an ordinary user every other test has shown it."""
    with started("lumi", accounted=True, uid=os.getuid() or 65534) as slurm:
        done = slurm.run("srun", "-p", "small-g", "-t", "1", "--gpus-per-node=1", "id", "-u", cwd=slurm.root)
    assert done.stdout.strip() == str(slurm.uid), done.stderr
    assert slurm.left() == [] and not slurm.root.exists()


def test_checkpoint_and_requeue_at_a_signal(slurm: Slurm, work: Path) -> None:
    """The signal is sent by hand here, to save the wait for the limit."""
    job = submit(slurm, work, file(slurm, "requeue"), "train", "--steps", "40")
    while "starts at step 0" not in _text(work, job):
        time.sleep(0.1)
    slurm.run("scancel", "--batch", "--signal=USR1", job, cwd=work)
    requeued(slurm, job)
    time.sleep(3)   # Slurm waits two minutes before it starts a requeued job; the test doesn't.
    slurm.run("scontrol", "update", f"JobId={job}", "StartTime=now", cwd=work)
    goes_on(slurm, work, job)


def test_the_chapters_program_saves_and_goes_on(tmp_path: Path) -> None:
    """Stopped once by hand and killed once, it ends with the sum of a run that was never stopped."""
    words = [sys.executable, str(JOBS / "saving.py"), "--steps", "2000"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout and first.stdout.readline() == "starts at step 0\n"
        first.terminate()
        saved = first.stdout.read()
    assert first.returncode == 143 and saved.startswith("saved at step ")
    step = saved.split()[-1]
    again = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    (tmp_path / "state.json").unlink()
    whole = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert again.startswith(f"starts at step {step}\n") and again.splitlines()[-1] == whole.splitlines()[-1]


@pytest.mark.parametrize("slurm", ["lumi"], indirect=True)
def test_the_chapters_program_is_requeued(slurm: Slurm, work: Path) -> None:
    (work / "saving.py").write_text((JOBS / "saving.py").read_text())
    job = submit(slurm, work, file(slurm, "requeue"), "saving", "--steps", "3000")
    while "starts at step 0" not in _text(work, job):
        time.sleep(0.1)
    slurm.run("scancel", "--batch", "--signal=USR1", job, cwd=work)
    requeued(slurm, job)
    time.sleep(3)
    slurm.run("scontrol", "update", f"JobId={job}", "StartTime=now", cwd=work)
    goes_on(slurm, work, job)


@pytest.mark.slow
def test_checkpoint_and_requeue_at_the_time_limit(tmp_path: Path) -> None:
    """A job that is longer than its limit; Slurm waits two minutes before it starts a requeued job."""
    work = study(tmp_path / "study")
    with started("lumi") as slurm:
        words = ("--time=1", "--signal=B:USR1@35", "lumi-requeue.sh", "train", "--steps", "280")
        job = submit(slurm, work, *words)
        requeued(slurm, job)
        goes_on(slurm, work, job, seconds=2400)


def requeued(slurm: Slurm, job: str) -> None:
    """Wait until a job is in the queue again."""
    end = time.monotonic() + 60
    while slurm.state(job).get("Restarts") != "1" or slurm.state(job)["JobState"] != "PENDING":
        assert time.monotonic() < end, slurm.state(job)
        time.sleep(0.1)


def goes_on(slurm: Slurm, work: Path, job: str, seconds: float = 600) -> None:
    """Wait until a requeued job has ended; it continued from its checkpoint to the end, in one log."""
    assert slurm.finish(job, seconds=seconds)[job] == ["COMPLETED"]
    text = log(slurm, work, job)
    saved = text.partition("saved at step ")[2].split()[0]
    assert int(saved) > 0 and f"starts at step {saved}" in text and "done at step" in text


def _text(work: Path, job: str) -> str:
    return "".join(path.read_text() for path in (work / "slurm_log").glob(f"*_{job}.out"))
