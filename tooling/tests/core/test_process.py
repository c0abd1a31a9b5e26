"""One way to run a program: what a child sees, and that it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labhandbook.core.process import Limits, environment, git, git_env, isolated, run, run_git

CANARIES = ["TWINE_PASSWORD", "GITHUB_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "WANDB_API_KEY", "AWS_ACCESS_KEY_ID",
            "SSH_AUTH_SOCK", "DATABASE_URL", "HF_TOKEN", "PYTHONPATH", "PYTEST_ADDOPTS", "GIT_DIR"]


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CANARIES:
        monkeypatch.setenv(name, "canary")


@pytest.mark.usefixtures("secrets")
def test_a_child_sees_only_the_variables_on_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:canary@proxy.example:3128")
    seen = run([sys.executable, "-c", "import os; print(dict(os.environ))"]).stdout
    assert "canary" not in seen
    assert "PATH" in seen


def test_installers_reach_a_proxy_with_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:word@proxy.example:3128")
    assert "HTTPS_PROXY" not in environment()
    assert environment(password=True)["HTTPS_PROXY"] == "http://me:word@proxy.example:3128"


def test_an_isolated_python_imports_nothing_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('trapped')")
    done = run(isolated("-c", "import json; print('fine')"), cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("fine\n", "")


def test_a_timeout_kills_what_the_program_started(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(subprocess.TimeoutExpired):
        run(["sh", "-c", f"sleep 600 & echo $! > {note}; wait"], timeout=2)
    assert gone(int(note.read_text()))


def test_children_end_with_a_killed_parent(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", (
        "from labhandbook.core.process import run\n"
        f"run(['sh', '-c', 'sleep 600 & echo $! > {note}.new; mv {note}.new {note}; wait'])")])
    while not note.exists():
        time.sleep(0.02)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert gone(int(note.read_text()))


def test_a_child_is_watched_over_before_it_runs(tmp_path: Path) -> None:
    """The starter is killed by the child's first act, so it can't have said anything of the child itself."""
    note = tmp_path / "pid"
    code = (f"from labhandbook.core.process import run\n"
            f"run(['sh', '-c', 'kill -s KILL $PPID; echo $$ > {note}.new; mv {note}.new {note}; exec sleep 600'])")
    for _ in range(20):
        note.unlink(missing_ok=True)
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
        # The child may be gone before it could write.
        assert not note.exists() or gone(int(note.read_text()))


def test_a_start_that_fails_leaves_no_number_to_the_watcher(tmp_path: Path) -> None:
    """Else the number, by then of another program, would be killed when this process ends."""
    broken = tmp_path / "program"
    broken.write_bytes(b"\x7fELF and nothing that a system could run")
    broken.chmod(0o755)
    log = tmp_path / "log"
    code = ("from labhandbook.core import process, reaper\n"
            f"reaper.WATCHER = reaper.WATCHER.replace('kill -s KILL', 'echo >> {log}')\n"
            "for name in ('/nowhere', %r):\n"
            "    try: process.run([name])\n"
            "    except OSError: pass\n"
            "process.start(['sleep', '0'])\n") % str(broken)
    subprocess.run([sys.executable, "-c", code], check=True)
    for _ in range(1500):
        if log.exists():
            break
        time.sleep(0.02)
    assert len(log.read_text().splitlines()) == 1  # the one that was started and not waited for


def test_limits_stop_a_program_that_takes_too_much() -> None:
    done = run([sys.executable, "-c", "x = 'a' * 10**10"], limits=Limits(memory=1 << 30))
    assert done.returncode != 0
    done = run([sys.executable, "-c", "while True: pass"], limits=Limits(seconds=1))
    assert done.returncode != 0


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A repository whose own configuration names commands; each leaves a file when it runs."""
    folder = tmp_path / "repository"
    folder.mkdir()

    def plain(*words: str) -> None:
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)

    plain("init", "--initial-branch=main")
    (folder / "a.txt").write_text("one\n")
    (folder / ".gitattributes").write_text("*.txt filter=trap diff=trap\n")
    plain("add", ".")
    plain("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-m", "First")
    trap = f"sh -c 'touch {tmp_path}/sprung-$0'"
    for key in ("core.fsmonitor", "filter.trap.clean", "filter.trap.smudge", "filter.trap.process", "core.pager",
                "diff.trap.textconv", "diff.external", "core.sshCommand", "credential.helper", "core.askPass",
                "gpg.program", "core.editor"):
        plain("config", key, f"{trap} {key}")
    plain("config", "filter.trap.required", "true")
    plain("config", "core.hooksPath", str(folder / "hooks"))
    plain("config", "log.showSignature", "true")
    plain("config", "remote.origin.url", str(folder))
    plain("config", "remote.origin.uploadpack", f"{trap} uploadpack")
    (folder / "hooks").mkdir()
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        path = folder / "hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung-{hook}\n")
        path.chmod(0o755)
    for path in tmp_path.glob("sprung-*"):
        path.unlink()
    return folder


def test_git_runs_no_command_of_a_repository(hostile: Path, tmp_path: Path) -> None:
    (hostile / "a.txt").write_text("two\n")
    assert git(hostile, "status", "--porcelain")
    assert git(hostile, "log", "-p", "--no-ext-diff", "--no-textconv", "-1", "--format=%H")
    git(hostile, "diff")
    assert git(hostile, "ls-remote", "origin")
    assert run_git(hostile, "checkout", "--", "a.txt").returncode == 0
    cloned = run_git(hostile, "clone", "--quiet", "--shared", "--", str(hostile), str(tmp_path / "copy"))
    assert cloned.returncode == 0
    assert [path.name for path in tmp_path.glob("sprung-*")] == []


def test_the_traps_of_the_repository_do_spring_under_plain_git(hostile: Path, tmp_path: Path) -> None:
    (hostile / "a.txt").write_text("three\n")
    subprocess.run(["git", "status"], cwd=hostile, capture_output=True, check=False)
    subprocess.run(["git", "ls-remote", "origin"], cwd=hostile, capture_output=True, check=False)
    assert len(list(tmp_path.glob("sprung-*"))) > 1


def test_a_persons_own_settings_hold_unless_they_start_programs(monkeypatch: pytest.MonkeyPatch, hostile: Path,
                                                                tmp_path: Path) -> None:
    own = {"user.name": "Somebody", "core.fsmonitor": f"sh -c 'touch {tmp_path}/sprung-own'"}
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(own)))
    for number, (key, value) in enumerate(own.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    assert git(hostile, "config", "user.name") == "Somebody"
    assert git(hostile, "status", "--porcelain") is not None
    assert [path.name for path in tmp_path.glob("sprung-*")] == []


@pytest.mark.usefixtures("secrets")
def test_git_gets_no_secret_but_the_agent_for_ssh() -> None:
    assert [name for name in CANARIES if name in git_env()] == ["SSH_AUTH_SOCK"]


def gone(pid: int) -> bool:
    """Whether a process ends; one that waits to be collected counts."""
    for _ in range(1500):
        try:
            os.kill(pid, 0)
            if " Z " in Path(f"/proc/{pid}/stat").read_text():
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False
