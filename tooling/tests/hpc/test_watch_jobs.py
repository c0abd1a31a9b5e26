"""`handbook job watch` shows what is in the queue until it has ended."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from labhandbook.cli.job_result_commands import watch
from labhandbook.hpc.watch_jobs import Queued, ask, frames, measured, read, shown
from tooling.tests.conftest import run
from tooling.tests.hpc.slurm import Slurm


def test_a_line_has_a_bar_or_a_reason_with_its_meaning() -> None:
    jobs = read("7|train|RUNNING|1:00:00|4:00:00|None\n8_[1-9]|sweep|PENDING|0:00|30:00|Priority\n"
                "9|old|PENDING|0:00|UNLIMITED|SomethingNew\n10|free|RUNNING|2:00|UNLIMITED|None\n")
    lines = shown(jobs).splitlines()
    assert lines[0].split(maxsplit=3)[3] == "[#####---------------] 1:00 h of 4:00 h"
    assert lines[1].endswith("Priority: Jobs of other people come first. Wait, or ask for less time: "
                             "a short job fits into a gap.")
    assert lines[2].endswith("PENDING    SomethingNew") and lines[3].endswith("RUNNING    2 min")


def test_what_running_jobs_use_is_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest step counts; the GPU is shown where Slurm measures it (gres/gpuutil, with NVML)."""
    sstat = tmp_path / "sstat"
    sstat.write_text(f"""#!/bin/sh
echo "$@" >> {tmp_path}/asked
echo '70.batch|1024K|cpu=00:00:01'
echo '70.0|3145728K|cpu=00:01:00,gres/gpumem=2048M,gres/gpuutil=87,mem=3G'
""")
    sstat.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    jobs = measured(read("7_3|train|RUNNING|1:00:00|4:00:00|None|70\n8|train|RUNNING|2:00|UNLIMITED|None|8\n"
                         "9|train|PENDING|0:00|4:00:00|Priority|9\n"))
    lines = shown(jobs).splitlines()
    assert lines[0].endswith("1:00 h of 4:00 h, 3.0 GiB, GPU 87 % and 2.0 GiB")
    assert lines[1].endswith("RUNNING    2 min")
    assert (tmp_path / "asked").read_text() == "-a -n -P -j 70,8 -o JobID,MaxRSS,TRESUsageInMax\n"
    sstat.write_text("#!/bin/sh\nexit 1\n")
    assert [job.needs for job in measured(jobs[1:])] == ["", ""]


def test_it_asks_until_nothing_is_left() -> None:
    job = Queued("7", "x", "RUNNING", 0.0, 1.0, "None")
    answers: list[list[Queued]] = [[job], [job], []]
    pauses: list[float] = []
    seen = list(frames(("7",), 60, pauses.append, lambda jobs: answers.pop(0)))
    assert seen == [[job], [job]] and pauses == [60, 60]


@pytest.mark.parametrize("slurm", ["turso"], indirect=True)
def test_a_job_of_a_real_slurm_is_watched_to_its_end(slurm: Slurm, work: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CONF", slurm.env["SLURM_CONF"])
    (work / "waits.py").write_text("import pathlib, time\nx = bytearray(300_000_000)\n"
                                   "while not pathlib.Path('end').exists():\n    time.sleep(0.2)\n")
    script = "srun python3 waits.py"
    job = slurm.submit("--partition=short", "--time=5", "--output=/dev/null", "--job-name=wait", "--wrap", script,
                       cwd=work)
    slurm.until(lambda: re.search(r"\] \d min of 5 min, 0\.3 GiB\n$", shown(ask((job,)))) is not None, "its memory")
    states = []
    for jobs in frames((job,), 0.2, time.sleep, ask):
        states += [each.state for each in jobs]
        assert [each.job for each in jobs] == [job] and jobs[0].name == "wait"
        (work / "end").touch()
    assert states[0] == "RUNNING"
    assert ask(("4711",)) == [] and ask(()) == []


def test_the_command_is_polite_and_runs_what_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("job", "watch", "--every", "5", cwd=tmp_path).returncode == 2
    squeue = tmp_path / "squeue"
    squeue.write_text("#!/bin/sh\nexit 0\n")
    squeue.chmod(0o755)
    done = run("job", "watch", cwd=tmp_path, PATH=f"{tmp_path}:/usr/bin:/bin")
    assert done.returncode == 0 and "no job of yours is in the queue" in done.stderr
    squeue.write_text(f"#!/bin/sh\n[ -e {tmp_path}/asked ] || echo '7|x|RUNNING|1:00|9:00|None'\n"
                      f"touch {tmp_path}/asked\n")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    watch.main(["--then", f"touch {tmp_path}/ended"], standalone_mode=False)
    assert (tmp_path / "ended").exists()
    done = run("job", "watch", cwd=tmp_path, PATH=str(tmp_path / "nothing"))
    assert done.returncode == 2 and "run this on the login node" in done.stderr
