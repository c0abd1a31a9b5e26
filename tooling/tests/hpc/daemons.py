"""Daemons in a temporary folder, as this user or as another one, that leave nothing running behind them."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SBIN = ("/usr/sbin", "/sbin")


def program(name: str) -> str | None:
    """A program's path; daemons are not on everyone's PATH."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *SBIN]))


def missing(names: Iterable[str]) -> list[str]:
    """Those of some programs that this machine lacks."""
    return [name for name in names if not program(name)]


@dataclass
class Daemons:
    """Programs that run in a folder of their own; whatever they start carries the folder's mark."""

    uid: int = field(default_factory=os.getuid)
    root: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="hb", dir="/tmp")))
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        """The environment of the daemons and of those who talk to them."""
        return {**os.environ, "SLURM_CONF": f"{self.root}/slurm.conf"}

    @property
    def user(self) -> str:
        """The name of the user that everything belongs to."""
        return pwd.getpwuid(self.uid).pw_name

    @property
    def _other(self) -> dict[str, Any]:
        """What starts a program as the other user that this belongs to, if it does."""
        if self.uid == os.getuid():
            return {}
        return {"user": self.uid, "group": pwd.getpwuid(self.uid).pw_gid, "extra_groups": []}

    def own(self) -> None:
        """Let the user that this belongs to write into the folder."""
        self.root.chmod(0o755)
        if self.uid != os.getuid():
            for path in (self.root, *self.root.rglob("*")):
                os.chown(path, self.uid, -1, follow_symlinks=False)

    def daemon(self, name: str, *words: str, **env: str) -> None:
        """Start a program in the background; its output is in `<name>.out`."""
        with (self.root / f"{name}.out").open("ab") as log:
            self.processes.append(subprocess.Popen(
                [str(program(name)), *words], env={**self.env, **env}, cwd=self.root, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, **self._other))

    def call(self, name: str, *words: str, stdin: str = "") -> str:
        """Run a program to its end; what it prints. Raises AssertionError with its words when it fails."""
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(program(name)), *words], env=self.env, cwd=self.root, input=stdin, timeout=600, capture_output=True,
            text=True, check=False, **self._other)
        assert done.returncode == 0, (name, words, done.stdout, done.stderr)
        return done.stdout

    def until(self, done: Callable[[], bool], what: str, seconds: float = 600) -> None:
        """Wait for something. Raises AssertionError with the ends of the logs when it doesn't come."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end or any(process.poll() is not None for process in self.processes):
                logs = "\n".join(path.read_text(errors="replace")[-600:] for path in self.root.glob("*.out"))
                raise AssertionError(f"{what} did not start\n{logs}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End every daemon, the youngest first, and what they left behind; remove the folder."""
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for left in self.left():
            with contextlib.suppress(OSError):
                os.kill(left, signal.SIGKILL)
        shutil.rmtree(self.root, ignore_errors=True)

    def left(self) -> list[int]:
        """Processes that outlived their daemon, such as slurmstepd and jobs, known by their SLURM_CONF."""
        mark = f"SLURM_CONF={self.root}/slurm.conf".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int(path.name) != os.getpid() and mark in (path / "environ").read_bytes().split(b"\0"):
                    found.append(int(path.name))
        return found
