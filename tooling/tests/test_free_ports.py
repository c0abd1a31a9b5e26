"""Servers of tests that run side by side don't get the same port."""

from __future__ import annotations

import json
import subprocess
import sys

from tooling.tests.conftest import ROOT
from tooling.tests.free_ports import free_ports

OTHER = """
import random, sys, json
from tooling.tests import free_ports
wanted = json.loads(sys.argv[1])
random.sample = lambda *_: wanted
print(json.dumps(free_ports.free_ports(len(wanted))))
"""


def test_another_process_gets_no_port_that_is_held() -> None:
    """Nobody listens on the ports yet, as between the choice of a port and the start of a daemon."""
    mine, free = free_ports(3), 32_000
    done = subprocess.run([sys.executable, "-c", OTHER, json.dumps([*mine, free])], cwd=ROOT, capture_output=True,
                          text=True, check=True)
    assert len(set(mine)) == 3 and json.loads(done.stdout) in ([free], [])
