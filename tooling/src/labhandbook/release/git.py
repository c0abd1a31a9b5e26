"""What git says of the commit that is to be released."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class GitState:
    """The repository around a project at the moment of looking.

    `epoch` is the commit's time in seconds since 1970. `tags` are the tags on the commit and `annotated` those
    of them that are annotated. `dirty` lists changed and untracked files. `on_default` and `pushed` (the tag is
    on the remote) are None where that can't be told, for example without a remote or a network.
    """

    root: Path
    commit: str
    epoch: int
    tags: tuple[str, ...]
    annotated: tuple[str, ...]
    branch: str | None
    default_branch: str | None
    on_default: bool | None
    pushed: bool | None
    dirty: tuple[str, ...]
    shallow: bool
    remote: str | None


def git(root: Path, *args: str, timeout: float = 10) -> str | None:
    """The output of a git command without its last newline, or None when it fails or takes too long."""
    try:
        done = subprocess.run(["git", *args], cwd=root, capture_output=True, text=True, check=True, timeout=timeout,
                              env=None)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.rstrip("\n")
