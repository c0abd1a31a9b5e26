"""conda-forge's channel: its address, and whether it answers."""

from __future__ import annotations

import os

from labhandbook.core.http_client import HttpClient, NoAnswer

# Replaces the address: a mirror, or a channel on this machine.
VARIABLE = "HANDBOOK_CONDA_FORGE"
SECONDS = 10


def address() -> str:
    """The channel's address; rattler knows conda-forge's own."""
    from rattler import Channel

    return (os.environ.get(VARIABLE) or Channel("conda-forge").base_url).rstrip("/")


def silent() -> str:
    """Why the channel can't be used from here; empty when it answers."""
    try:
        answer = HttpClient(seconds=SECONDS).ask("HEAD", f"{address()}/noarch/repodata.json")
    except NoAnswer as error:
        return str(error)
    return "" if answer.ok else f"it answers {answer.status} {answer.reason}".strip()
