"""One way to run a program: a chosen environment, a time limit, no orphans, and nothing of a repository in it.

A child sees the variables that `environment` allows and no others, so no secret reaches it unless its caller hands
it over by name. Every child leads a process group of its own. A small shell process watches over the groups and
kills them when this process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from labhandbook.core.guarded_streams import AT_SIGNAL, ENDING, holding
from labhandbook.core.reaper import REAPER

# What a program needs to find its files, its language and its terminal.
GENERAL = frozenset((
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "TERM",
    "COLUMNS", "LINES", "NO_COLOR", "CI", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
))
# What compilers and numerical libraries read.
BUILDING = frozenset((
    "CC", "CXX", "FC", "F77", "F90", "AR", "LD", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "FFLAGS", "LDFLAGS", "CPATH",
    "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "PKG_CONFIG_PATH", "CMAKE_PREFIX_PATH", "CUDA_HOME",
    "CUDA_PATH", "ROCM_PATH", "SOURCE_DATE_EPOCH", "ARCHFLAGS", "MACOSX_DEPLOYMENT_TARGET", "SDKROOT", "CARGO_HOME",
    "RUSTUP_HOME", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE",
    "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "MPLBACKEND", "QT_QPA_PLATFORM", "SDL_VIDEODRIVER",
))
# How a program reaches the network.
NETWORK = frozenset((
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
))
# Who commits and how, as this process's user says it.
GIT_PERSON = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL",
              "GNUPGHOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
ALLOWED = GENERAL | BUILDING | NETWORK
# Variables that are never handed to code of a repository, even where its settings name them.
SECRET = re.compile(r"^(TWINE_|UV_PUBLISH|ACTIONS_|GH_|SSH_|AWS_|AZURE_|GOOGLE_|KEYRING_)"
                    r"|(TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIALS?|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|_PAT|_DSN"
                    r"|_AUTH|COOKIE|WEBHOOK)(_|$)", re.IGNORECASE)
# An address with a password in it, such as a proxy's or a database's.
PASSWORD = re.compile(r"\w://[^/\s@]*:[^/\s@]+@")

# git answers or fails. It asks nobody for a password, waits for no host, and starts no program that a file names.
GIT_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "SSH_ASKPASS": "true", "GIT_OPTIONAL_LOCKS": "0",
             "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=2", "GIT_PAGER": "cat", "GIT_EDITOR": "true",
             "LC_ALL": "C"}
GIT_OFF = {"core.hooksPath": os.devnull, "core.fsmonitor": "false", "core.pager": "cat", "credential.helper": "",
           "protocol.ext.allow": "never", "safe.bareRepository": "explicit"}
# Settings whose value is a command, with a value that runs nothing (git-config(1)).
GIT_COMMANDS = (
    (re.compile(r"filter\..*\.(clean|smudge|process)$"), ""),
    (re.compile(r"filter\..*\.required$"), "false"),
    (re.compile(r"diff\..*\.(textconv|command)$|merge\..*\.driver$|trailer\..*\.(command|cmd)$"), "false"),
    (re.compile(r"(diff\.external|core\.(sshcommand|gitproxy|askpass|editor|alternaterefscommand)|gpg\.(.*\.)?program"
                r"|sequence\.editor|interactive\.difffilter|gpg\.ssh\.defaultkeycommand)$"), "false"),
    (re.compile(r"pager\.|log\.showsignature$"), "false"),
    (re.compile(r"credential\..*\.helper$"), ""),
)
REMOTE = ("--upload-pack=git-upload-pack",)

# So that no other module needs the standard library's subprocess, which would start programs in other ways.
PIPE = subprocess.PIPE
Popen = subprocess.Popen
TimeoutExpired = subprocess.TimeoutExpired
CalledProcessError = subprocess.CalledProcessError
CompletedProcess = subprocess.CompletedProcess


@dataclass(frozen=True)
class Limits:
    """What a program may use: `memory` in bytes of address space, `seconds` of processor time."""

    memory: int | None = None
    seconds: int | None = None


def environment(given: Mapping[str, str] | None = None, *, names: Iterable[str] = (),
                password: bool = False) -> dict[str, str]:
    """The variables for a child: those on the list, those in `names`, and on top the `given` ones.

    Addresses with a password in them are left out unless `password` is set, as installers need.
    """
    wanted = ALLOWED | set(names)
    kept = {name: value for name, value in os.environ.items()
            if (name in wanted or name.startswith("LC_")) and (password or not PASSWORD.search(value))}
    return kept | dict(given or {})


def isolated(*arguments: str) -> list[str]:
    """The command of this Python that ignores the current folder, PYTHON* variables and the user's site."""
    return [sys.executable, "-I", *arguments]


def find_program(name: str) -> str | None:
    """The path of a program of this Python's environment, or else of one on PATH; None where there is none."""
    own = Path(sys.executable).with_name(name)
    return str(own) if own.is_file() else shutil.which(name)


def start(command: Sequence[str | Path], *, cwd: Path | str | None = None, env: Mapping[str, str] | None = None,
          stdin: int = subprocess.DEVNULL, stdout: int = subprocess.DEVNULL, stderr: int = subprocess.DEVNULL,
          umask: int = -1, limits: Limits | None = None, errors: str = "replace",
          pass_fds: Sequence[int] = ()) -> subprocess.Popen[str]:
    """Start a program in a process group that ends with this process; `stop` ends it earlier.

    Its streams are UTF-8 text; `errors` says what becomes of other bytes. It inherits the files in `pass_fds`.

    Raises OSError when the program can't be started, or in a thread after a signal, which would delay the clean-up.
    """
    aside = threading.current_thread() is not threading.main_thread()
    if ENDING and aside:
        raise InterruptedError("a signal ended this command")
    with REAPER.watching() as (watched, announce), holding() as came:
        process = subprocess.Popen(list(map(str, command)), cwd=cwd, env=dict(environment() if env is None else env),
                                   stdin=stdin, stdout=stdout, stderr=stderr, encoding="utf-8", errors=errors,
                                   umask=umask, start_new_session=True, pass_fds=pass_fds, preexec_fn=announce)
        watched(process.pid)
    if came or (ENDING and aside):
        stop(process)
        close(process.stdin, process.stdout, process.stderr)
        raise came[0] if came else InterruptedError("a signal ended this command")
    if limits:
        _limit(process.pid, limits)
    return process


def stop(process: subprocess.Popen[str]) -> None:
    """Kill a program and everything that it started."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    ended(process)


def stop_all() -> None:
    """Kill every program that this process started and everything that those started, so that nobody waits for them.

    A signal's handler calls this, so it takes no lock.
    """
    for group in tuple(REAPER.groups):
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


def close(*pipes: IO[str] | None) -> None:
    """Close pipes to a program that has ended; what could not be written to it is lost."""
    for pipe in filter(None, pipes):
        with contextlib.suppress(OSError):
            pipe.close()


def ended(process: subprocess.Popen[str]) -> None:
    """Forget the group of a program that ended by itself."""
    REAPER.forget_group(process.pid)


def run(command: Sequence[str | Path], *, cwd: Path | str | None = None, env: Mapping[str, str] | None = None,
        timeout: float | None = None, stdin: str | None = None, merged: bool = False, umask: int = -1,
        limits: Limits | None = None, errors: str = "replace") -> subprocess.CompletedProcess[str]:
    """Run a program to its end; its output is text. `merged` puts standard error into standard output.

    Without `env` it gets `environment()`. What it leaves running in its group is killed.

    Raises OSError when it can't be started and subprocess.TimeoutExpired after `timeout` seconds.
    """
    process = start(command, cwd=cwd, env=env, umask=umask, limits=limits, errors=errors, stdout=subprocess.PIPE,
                    stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                    stderr=subprocess.STDOUT if merged else subprocess.PIPE)
    try:
        output, errors = process.communicate(stdin, timeout)
    finally:
        stop(process)
        close(process.stdin, process.stdout, process.stderr)
    return subprocess.CompletedProcess(list(map(str, command)), process.returncode, output, errors or "")


def git_env(root: Path | None = None) -> dict[str, str]:
    """The variables under which git, and what calls git, runs no hook, filter, helper or pager of a repository."""
    off = [*_own_settings(), *(GIT_OFF | (_local_commands(root.resolve()) if root else {})).items()]
    settings = {"GIT_CONFIG_COUNT": str(len(off))}
    for number, (key, value) in enumerate(off):
        settings |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment(GIT_QUIET | settings, names=("SSH_AUTH_SOCK", *GIT_PERSON), password=True)


def _own_settings() -> list[tuple[str, str]]:
    """The settings that this process's user gives git in variables, as CI does; of two values the later one holds."""
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    numbers = range(min(int(count), 1000) if count.isascii() and count.isdigit() else 0)
    return [(os.environ[f"GIT_CONFIG_KEY_{number}"], os.environ.get(f"GIT_CONFIG_VALUE_{number}", ""))
            for number in numbers if f"GIT_CONFIG_KEY_{number}" in os.environ]


def run_git(root: Path, *arguments: str, timeout: float = 60, umask: int = -1) -> subprocess.CompletedProcess[str]:
    """Run git in a folder. Raises OSError without git, subprocess.TimeoutExpired when it takes too long."""
    # Of several values of remote.*.uploadpack git takes the first, so only an option overrules the repository's.
    command = [*arguments[:1], *(REMOTE if arguments[0] in ("fetch", "ls-remote") else ()), *arguments[1:]]
    return run(["git", *command], cwd=root, env=git_env(root), timeout=timeout, umask=umask, errors="surrogateescape")


def git(root: Path, *arguments: str, timeout: float = 10) -> str | None:
    """What git prints, without the last newline; None when it fails, is missing or takes too long."""
    try:
        done = run_git(root, *arguments, timeout=timeout)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


@functools.cache
def _local_commands(root: Path) -> dict[str, str]:
    """The settings of a repository's own configuration that name commands, each with a value that runs nothing."""
    try:
        done = run(["git", "config", "--list", "--includes", "--show-scope", "--name-only", "-z"], cwd=root,
                   env=environment(GIT_QUIET), timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    words = done.stdout.split("\0")
    own = [name for scope, name in zip(words[::2], words[1::2], strict=False) if scope in ("local", "worktree")]
    return {name: value for name in own for pattern, value in GIT_COMMANDS if pattern.match(name)}


def processor_seconds(pid: int) -> tuple[float, str] | None:
    """The processor time that a process has used and its state, such as R or S; None where the system can't say."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK"), words[0]
    except (OSError, ValueError, IndexError):
        return None


def _limit(pid: int, limits: Limits) -> None:
    """Set the limits of a process, where the system can set those of another (Linux)."""
    if not hasattr(resource, "prlimit"):
        return
    with contextlib.suppress(OSError):
        if limits.memory:
            resource.prlimit(pid, resource.RLIMIT_AS, (limits.memory, limits.memory))
        if limits.seconds:
            resource.prlimit(pid, resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 1))


AT_SIGNAL.append(stop_all)
