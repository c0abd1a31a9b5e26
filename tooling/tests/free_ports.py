"""Ports for servers that can't be asked to choose their own, such as Slurm's and sshd."""

from __future__ import annotations

import random
import socket

# The kernel frees these names when the process ends, so that they name the ports that tests of this machine hold.
_held: list[socket.socket] = []


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on and no other test gets while this process runs.

    They are below those that the kernel gives to other servers and connections.
    """
    found: list[int] = []
    for port in random.sample(range(15000, 32000), 17000):
        if len(found) == count:
            break
        if _hold(port):
            found.append(port)
    return found


def _hold(port: int) -> bool:
    name = socket.socket(socket.AF_UNIX)
    try:
        with socket.socket() as tried:
            tried.bind(("", port))
        name.bind(f"\0handbook-test-port-{port}")
    except OSError:
        name.close()
        return False
    _held.append(name)
    return True
