"""A GitHub of bare repositories on this disk: git finds them under GitHub's own addresses and pushes to them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tooling.tests.conftest import ROOT, run

TEMPLATE = """<!-- Thank you. - [ ] no item -->
Checklist

- [ ] Title of this PR is meaningful.
- [ ] Recipe uses the v1 `recipe.yaml` format.
- [ ] License file is packaged.
- [ ] Source is from official source.
- [ ] Package does not vendor other packages.
- [ ] Package does not ship static libraries.
- [ ] Build number is 0.
- [ ] A tarball (`url`) rather than a repo is used in your recipe.
- [ ] GitHub users listed in the maintainer section have posted a comment.
- [ ] Something that was asked for the first time yesterday.
"""


@dataclass(frozen=True)
class Hub:
    """The folder with the repositories, and the environment in which git goes there."""

    root: Path

    @property
    def env(self) -> dict[str, str]:
        """Variables for git: GitHub's address leads here, a name, and no configuration of this machine."""
        settings = {f"url.{self.root.as_uri()}/.insteadOf": "https://github.com/", "init.defaultBranch": "main",
                    "user.name": "Someone", "user.email": "someone@example.org", "protocol.file.allow": "always"}
        env = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": str(len(settings))}
        for number, (key, value) in enumerate(settings.items()):
            env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return env

    def run(self, *args: str | Path, cwd: Path = ROOT,
            env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the handbook's command where git goes here."""
        words: dict[str, Any] = {**self.env, **(env or {})}
        return run(*args, cwd=cwd, **words)

    def git(self, folder: Path, *words: str) -> str:
        """What git says, run in a folder."""
        return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True,
                              env={**os.environ, **self.env}).stdout.strip()

    def repository(self, name: str, files: dict[str, str]) -> Path:
        """A bare repository such as `conda-forge/staged-recipes` with one commit more that holds these files."""
        bare, work = self.root / f"{name}.git", self.root.parent / "work" / name
        if not bare.exists():
            self.git(self.root.parent, "init", "--quiet", "--bare", str(bare))
            self.git(self.root.parent, "clone", "--quiet", f"https://github.com/{name}.git", str(work))
        for path, text in files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_text(text, encoding="utf-8")
        self.git(work, "add", ".")
        self.git(work, "commit", "--quiet", "--message", f"Add {', '.join(files)}")
        self.git(work, "push", "--quiet", "origin", "HEAD:main")
        return bare

    def fork(self, name: str, owner: str) -> Path:
        """A fork of a repository as it is now."""
        source, target = self.root / f"{name}.git", self.root / owner / f"{name.rpartition('/')[2]}.git"
        self.git(self.root, "clone", "--quiet", "--bare", str(source), str(target))
        return target

    def clone(self, name: str, upstream: str, folder: Path) -> Path:
        """A clone of a fork that knows its upstream, as the chapter makes it."""
        self.git(folder, "clone", "--quiet", f"https://github.com/{name}.git")
        place = folder / name.rpartition("/")[2]
        self.git(place, "remote", "add", "upstream", f"https://github.com/{upstream}.git")
        self.git(place, "fetch", "--quiet", "upstream")
        return place


def hub(folder: Path) -> Hub:
    """A hub with conda-forge's staged-recipes and someone's fork of it, which is a commit behind."""
    made = Hub(folder / "hub")
    made.root.mkdir()
    made.repository("conda-forge/staged-recipes", {".github/pull_request_template.md": TEMPLATE,
                                                  "recipes/example-v1/recipe.yaml": "{}\n"})
    made.fork("conda-forge/staged-recipes", "someone")
    made.repository("conda-forge/staged-recipes", {"newer.txt": "conda-forge went on\n"})
    return made
