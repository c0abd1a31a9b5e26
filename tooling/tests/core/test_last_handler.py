"""How commands end that nobody planned to end so: without a traceback, with a sentence and the right exit code."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from labhandbook.core.last_handler import explain
from tooling.tests.conftest import ROOT, run

HANDBOOK = Path(sys.executable).with_name("handbook")
# A command of its own, with a body to fill in.
PROGRAM = """
import os, signal, subprocess, sys, tempfile, threading, time, zipfile, zlib, lzma
# Who starts the tests may have signals ignored, as nohup and a shell's background jobs do, and children inherit that.
for number in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
from labhandbook.cli import main as cli, shared_options
from labhandbook.core.process import run

@cli.handbook.command("trouble", cls=shared_options.Command)
def trouble():
    {body}

sys.argv = ["handbook", "trouble"]
cli.main()
"""


def shell(command: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which $H is the command."""
    return subprocess.run(["bash", "-c", command], cwd=cwd, capture_output=True, text=True, check=False, timeout=1200,
                          env={**os.environ, "H": str(HANDBOOK), **env})


def trouble(body: str, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command with this body."""
    code = PROGRAM.format(body=body.replace("\n", "\n    "))
    kept = {name: value for name, value in os.environ.items() if name != "XDG_STATE_HOME"}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=1200,
                          env={**kept, "HOME": str(home), "NO_COLOR": "1", **env})


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)  # before the command starts: whether a reader such as head leaves in time is chance
    try:
        done = subprocess.run([HANDBOOK, "rules"], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True,
                              check=False, timeout=1200)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(("to", "says"), [("> /dev/full", "No space left on device"), (">&-", "output is closed")])
def test_standard_output_that_takes_nothing_is_named(to: str, says: str) -> None:
    done = shell(f"$H rules {to}")
    assert done.returncode == 2 and says in done.stderr and done.stderr.startswith("✗ standard output"), done.stderr


@pytest.mark.parametrize("to", ["2> /dev/full", "2>&-", "2>&- <&-"])
def test_a_lost_standard_error_loses_no_result(to: str) -> None:
    assert json.loads(shell(f"$H facts {to}").stdout)


def test_closed_streams_give_their_number_to_no_file(tmp_path: Path) -> None:
    done = shell(f"$H job new {shlex.quote(str(tmp_path))}/a.sh --cluster lumi <&- >&- 2>&-")
    assert done.returncode == 0 and (tmp_path / "a.sh").read_text(encoding="utf-8").startswith("#!/bin/bash")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_children_and_removes_temporary_folders(number: signal.Signals, tmp_path: Path) -> None:
    body = (f"with tempfile.TemporaryDirectory(dir={str(tmp_path)!r}) as folder:\n"
            "    threading.Thread(target=run, args=(['sleep', '600'],)).start()\n"
            f"    run(['sh', '-c', 'echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; sleep 600'])")
    with subprocess.Popen([sys.executable, "-c", PROGRAM.format(body=body.replace("\n", "\n    "))],
                          stderr=subprocess.PIPE, text=True) as process:
        while not (tmp_path / "pid").exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate(timeout=600)
    assert process.returncode == 128 + number and said == f"Stopped by {number.name}.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["pid"]
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize(("late", "end"), [
    ("run(['true'])", "thread.join()"),
    # It fails only when its command has ended.
    ("try: run(['true'])\n"
     "    finally:\n"
     "        refused.set()\n"
     "        while ENDING: time.sleep(0.01)", "refused.wait()")])
def test_a_thread_that_can_start_nothing_after_a_signal_is_no_defect(late: str, end: str, tmp_path: Path) -> None:
    body = ("from labhandbook.core.guarded_streams import ENDING\n"
            "refused = threading.Event()\n"
            "def work():\n"
            "    while not ENDING: time.sleep(0.01)\n"
            f"    {late}\n"
            "thread = threading.Thread(target=work)\n"
            "thread.start()\n"
            "try:\n"
            "    os.kill(os.getpid(), signal.SIGTERM)\n"
            "    time.sleep(60)\n"
            "finally:\n"
            f"    {end}")
    done = trouble(body, tmp_path)
    assert done.returncode == 128 + signal.SIGTERM and done.stderr == "Stopped by SIGTERM.\n"
    assert not (tmp_path / ".local").exists()


def test_an_error_that_nobody_foresaw_is_written_down_without_secrets(tmp_path: Path) -> None:
    done = trouble("raise KeyError(os.environ['TWINE_PASSWORD'])", tmp_path, TWINE_PASSWORD="pypi-canary")
    assert done.returncode == 2 and "Traceback" not in done.stderr and "canary" not in done.stderr
    (log,) = (tmp_path / ".local/state/labhandbook").iterdir()
    assert str(log) in done.stderr and "KeyError" in done.stderr
    text = log.read_text(encoding="utf-8")
    assert "Traceback" in text and "canary" not in text
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_without_a_home_the_log_is_a_temporary_file(tmp_path: Path) -> None:
    done = trouble("raise KeyError('x')", Path("/dev/null"), TMPDIR=str(tmp_path))
    (log,) = tmp_path.glob("handbook-defect-*.log")
    assert done.returncode == 2 and str(log) in done.stderr and stat.S_IMODE(log.stat().st_mode) == 0o600


def test_old_logs_go(tmp_path: Path) -> None:
    folder = tmp_path / ".local/state/labhandbook"
    folder.mkdir(parents=True)
    for number in range(30):
        (folder / f"defect-2000{number:02}.log").touch()
    trouble("raise KeyError('x')", tmp_path)
    assert len(list(folder.iterdir())) == 20


def test_an_error_in_a_thread_has_no_traceback(tmp_path: Path) -> None:
    done = trouble("thread = threading.Thread(target=lambda: 1 / 0)\nthread.start()\nthread.join()", tmp_path)
    assert "ZeroDivisionError" in done.stderr and "Traceback" not in done.stderr


# What goes wrong in a command, and a word of the sentence that says so.
KNOWN = {
    "raise RecursionError": "nested too deeply",
    "raise MemoryError": "not enough memory",
    "raise EOFError('ended early')": "archive can't be read: ended early",
    "raise lzma.LZMAError('corrupt')": "archive can't be read: corrupt",
    "zlib.decompress(b'x')": "archive can't be read",
    "zipfile.ZipFile(os.devnull)": "archive can't be read",
    "open('a\\0b')": "NUL",
    "os.stat('a\\0b')": "NUL",
    "subprocess.run(['a\\0b'])": "NUL",
    "open('a' * 300)": "File name too long",
    "open('/nowhere/a\\x1b[2J')": "/nowhere/a\\u001b[2J: No such file",
    "open('/dev/full', 'wb', 0).write(b'x')": "No space left on device",
    "'\\udcff'.encode()": "not UTF-8",
    "int('9' * 5000)": "too many digits",
    "tempfile.mkdtemp(dir='/proc/nowhere')": "/proc/nowhere",
    "import nowhere": "nowhere isn't installed",
}


@pytest.mark.parametrize("body", KNOWN)
def test_each_known_cause_has_its_sentence(body: str, tmp_path: Path) -> None:
    done = trouble(body, tmp_path)
    assert done.returncode == 2 and KNOWN[body] in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert "defect" not in done.stderr and "\x1b" not in done.stderr and not list(tmp_path.iterdir())


def test_a_current_folder_that_was_removed_is_named(tmp_path: Path) -> None:
    for command in ("check", "render", "facts", "release status", "recipe lint"):
        gone = tmp_path / "gone"
        gone.mkdir()
        done = shell(f"rmdir {shlex.quote(str(gone))}; $H {command}", cwd=gone)
        assert done.returncode == 2 and "current folder does not exist" in done.stderr, (command, done.stderr)


def test_a_missing_folder_for_temporary_files_does_not_matter(tmp_path: Path) -> None:
    assert run("facts", TMPDIR=str(tmp_path / "none")).returncode == 0


def test_a_user_without_a_home_folder_is_named() -> None:
    error = explain(RuntimeError("Could not determine home directory."))
    assert error and error.todo == "set HOME to a folder"


@pytest.mark.parametrize("env", [{"PYTHONIOENCODING": "latin-1"}, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"},
                                 {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_any_locale_takes_every_character(env: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "übung \U0001f600.sh").write_text("#!/bin/bash\n#SBATCH --nonsense=\u202eé\n", encoding="utf-8")
    done = subprocess.run([HANDBOOK, "job", "check", "übung \U0001f600.sh", "--cluster", "lumi", "--format", "json"],
                          cwd=tmp_path, capture_output=True, check=False, env={**os.environ, **env})
    assert done.returncode == 1 and b"Traceback" not in done.stderr
    found = json.loads(done.stdout.decode())
    assert any("é" in finding["message"] for finding in found["findings"]) or "utf" not in str(env)


@pytest.mark.parametrize(("number", "said"), [(signal.SIGTERM, "Stopped by SIGTERM."), (signal.SIGINT, "Stopped.")])
def test_a_signal_during_a_fork_is_not_lost(number: signal.Signals, said: str, tmp_path: Path) -> None:
    """Python only prints what a handler raises while the callbacks of a fork run."""
    body = (f"os.register_at_fork(before=lambda: os.kill(os.getpid(), {number:d}))\n"
            "run(['sleep', '600'])\nprint('goes on')")
    done = trouble(body, tmp_path)
    assert (done.stdout, done.stderr.strip()) == ("", said)


def test_temporary_files_go_with_the_process(tmp_path: Path) -> None:
    body = ("from labhandbook.core.reaper import temporary_files\n"
            "with temporary_files():\n"
            "    run(['mktemp'])\n"
            "    tempfile.mkdtemp()\n"
            "    assert len(os.listdir(os.environ['TMPDIR'])) == 2\n"
            "    os.kill(os.getpid(), 9)")
    assert trouble(body, tmp_path, TMPDIR=str(tmp_path)).returncode == -signal.SIGKILL
    end = time.monotonic() + 30
    while [*tmp_path.iterdir()]:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_an_interrupt_ends_with_one_word(tmp_path: Path) -> None:
    done = trouble("raise KeyboardInterrupt", tmp_path)
    assert done.returncode == 2 and done.stderr.strip() == "Stopped."
    with contextlib.suppress(ProcessLookupError):
        done = trouble("os.kill(os.getpid(), 2); time.sleep(60)", tmp_path)
        assert done.returncode == 2 and "Traceback" not in done.stderr
