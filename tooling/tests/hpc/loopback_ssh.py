"""A laptop and a cluster on this machine: real ssh from one home folder to an sshd on loopback that serves another.

The sshd runs as the user of the tests, on a free port, with keys of its own. OpenSSH looks for its settings in the
account's home, whatever HOME says, so `ssh` and `scp` on the laptop's PATH name the settings of the laptop's home.
They also lead each host to the loopback.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tooling.tests.conftest import LACKS
from tooling.tests.free_ports import free_ports
from tooling.tests.hpc import stubs
from tooling.tests.hpc.daemons import missing, program
from tooling.tests.hpc.terminal import talk

PROGRAMS = ("sshd", "ssh", "ssh-keygen", "ssh-agent", "ssh-add", "scp", "rsync", "rclone", "tmux")
PASSPHRASE = "correct horse"
USER = getpass.getuser()
# The first value that ssh finds counts, so these come before what the reader wrote.
LAPTOP = """\
Host *
  HostName 127.0.0.1
  Port {port}
  IdentityFile {home}/.ssh/id_ed25519
  UserKnownHostsFile {home}/.ssh/known_hosts
  StrictHostKeyChecking accept-new
  ControlMaster no
  ControlPath none
Include {home}/.ssh/config
"""
SSHD = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {root}/host_key
PidFile none
AuthorizedKeysFile {root}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp {sftp}
ForceCommand {root}/session
"""
# A session of the cluster: its home and programs, and the command that was asked for, or a shell.
SESSION = """\
#!/bin/bash
export HOME={home} PATH={path}
cd
echo "${{SSH_ORIGINAL_COMMAND:-shell}}" >> {root}/sessions
[ -z "$SSH_ORIGINAL_COMMAND" ] || exec bash -c "$SSH_ORIGINAL_COMMAND"
echo "Welcome to the cluster"
PS1=': ' exec bash --norc --noprofile -i
"""
SFTP = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server")


@dataclass
class Loopback:
    """The two machines below `root`. `given` are variables that the reader has exported on both."""

    root: Path
    given: dict[str, str] = field(default_factory=dict)
    port: int = 0
    agent: dict[str, str] = field(default_factory=dict)

    @property
    def laptop(self) -> Path:
        """The home on the laptop."""
        return self.root / "laptop"

    @property
    def cluster(self) -> Path:
        """The home on the cluster."""
        return self.root / "cluster"

    def env(self, machine: str) -> dict[str, str]:
        """The environment of a shell on `laptop` or on any other machine, which is the cluster's."""
        own, home = ("programs", self.laptop) if machine == "laptop" else ("stubs", self.cluster)
        path = os.pathsep.join(map(str, [self.root / own, Path(sys.executable).parent, os.environ["PATH"]]))
        return {**self.given, **(self.agent if machine == "laptop" else {}), "PATH": path, "USER": USER,
                "TERM": "xterm", "HOME": str(home), "TMUX": "", "TMUX_TMPDIR": str(self.root),
                "RCLONE_CONFIG": str(self.root / "rclone.conf")}

    def shell(self, machine: str, text: str, *typed: str, prompt: str = ": ") -> tuple[int, str]:
        """Run a block in the terminal of a machine, where earlier blocks have left folder and variables.

        The exit code and the screen. What is typed is typed at each prompt.
        """
        home = Path(self.env(machine)["HOME"])
        state, place = home / ".state", home / ".place"
        script = (f"[ ! -e {state} ] || . {state}\ncd \"$(cat {place} 2> /dev/null || echo {home})\"\n"
                  f"set -e\n{text}\ncode=$?; set +e; export -p > {state}; pwd > {place}; exit $code\n")
        return talk(["bash", "-c", script], home, *typed, prompt=prompt, env=self.env(machine))

    def trust(self) -> None:
        """Let the cluster accept the laptop's key, sign the key for a day as CSC does, and hold it in an agent."""
        key = self.laptop / ".ssh/id_ed25519"
        (self.root / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
        _call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.root / "authority")
        _call("ssh-keygen", "-q", "-s", self.root / "authority", "-I", "reader", "-n", USER, "-V", "+24h",
              key.with_suffix(".pub"))
        asked = self.root / "askpass"
        _script(asked, f"echo {shlex.quote(PASSPHRASE)}")
        _call("ssh-add", "-q", key, env={**os.environ, **self.agent, "SSH_ASKPASS": str(asked),
                                         "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"})

    def sessions(self) -> list[str]:
        """What the cluster was asked for so far, one entry a session."""
        path = self.root / "sessions"
        return path.read_text().splitlines() if path.exists() else []


@contextlib.contextmanager
def loopback(root: Path, given: dict[str, str]) -> Iterator[Loopback]:
    """A laptop and a cluster for as long as they are needed; skips the test where the machine lacks a program."""
    sftp = next((path for path in SFTP if Path(path).exists()), "")
    if lacking := missing(PROGRAMS) or ([] if sftp else ["sftp-server"]):
        pytest.skip(LACKS + f"programs of the pages ({', '.join(lacking)})")
    made = Loopback(root, given, free_ports(1)[0])
    for folder in (made.laptop / ".ssh", made.cluster, root / "programs"):
        folder.mkdir(parents=True)
    (made.laptop / ".ssh").chmod(0o700)
    stubs.write(root / "stubs")
    (root / "ssh_config").write_text(LAPTOP.format(port=made.port, home=made.laptop))
    _script(root / "programs/ssh", f'exec {program("ssh")} -F {root}/ssh_config "$@"')
    _script(root / "programs/scp", f'exec {program("scp")} -S {root}/programs/ssh "$@"')
    _call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", root / "host_key")
    (root / "sshd_config").write_text(SSHD.format(port=made.port, root=root, sftp=sftp))
    path = made.env("login node")["PATH"]
    (root / "session").write_text(SESSION.format(home=made.cluster, path=path, root=root))
    (root / "session").chmod(0o755)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd gives up its rights there
    log = (root / "sshd.log").open("wb")
    started = [subprocess.Popen([str(program("sshd")), "-D", "-e", "-f", root / "sshd_config"], stderr=log),
               subprocess.Popen(["ssh-agent", "-D", "-a", root / "agent"], stdout=log, stderr=log)]
    made.agent = {"SSH_AUTH_SOCK": str(root / "agent")}
    try:
        _until_open(made.port, root)
        yield made
    finally:
        for process in started:
            process.terminate()
            process.wait()
        log.close()


def _until_open(port: int, root: Path) -> None:
    """Wait until the sshd answers."""
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError((root / "sshd.log").read_text())


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def _call(*words: str | Path, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, (words, done.stderr)
