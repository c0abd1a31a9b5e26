"""The git checkout in which a recipe is proposed: staged-recipes or a feedstock. Nothing here uses the network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labhandbook.core import process
from labhandbook.core.errors import HandbookError
from labhandbook.core.process import CompletedProcess, TimeoutExpired, environment, git_env, run_git

SECONDS = 120
# What GitHub's program needs to find its login.
GH = ("GH_TOKEN", "GITHUB_TOKEN", "GH_HOST", "GH_CONFIG_DIR", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
SECTION = "sec-conda-forge-pr"


@dataclass(frozen=True)
class Checkout:
    """A clone: its top folder, the branch or commit that a new branch starts from, and its fork's owner if known."""

    root: Path
    base: str
    owner: str = ""

    def git(self, *words: str) -> str:
        """The output of a git command. Raises HandbookError with git's own words when it fails."""
        return git(self.root, *words)

    def branch(self, name: str) -> None:
        """Make a branch from the base and go to it, or stay on it.

        Raises HandbookError when there is one of that name and another one is checked out.
        """
        if self.git("branch", "--show-current") == name:
            return
        if run(self.root, "rev-parse", "--verify", "--quiet", f"refs/heads/{name}").returncode == 0:
            raise HandbookError(f"the branch {name} is there already", where=str(self.root),
                                why="it may hold your earlier work",
                                todo="continue in it by hand, name another one with --branch, or remove it: "
                                     f"git branch -D {name}",
                                section=SECTION)
        self.git("switch", "--quiet", "--no-track", "--create", name, self.base)

    def holds(self, folder: str, branch: str) -> bool:
        """Whether a folder is in the commit that a branch starts from, or is there untracked."""
        start = "HEAD" if self.git("branch", "--show-current") == branch else self.base
        return (run(self.root, "cat-file", "-e", f"{start}:{folder}").returncode == 0
                or bool(self.git("ls-files", "--others", "--", folder)))

    def commit(self, paths: Sequence[Path], message: str) -> str:
        """Commit files and return the commit's short name."""
        names = [str(path) for path in paths]
        self.git("add", "--", *names)
        self.git("commit", "--quiet", "--message", message, "--", *names)
        return self.git("rev-parse", "--short", "HEAD")


def checkout(path: Path, needs: str, what: str) -> Checkout:
    """The clone that holds a path.

    Raises HandbookError when the path is in no clone, the clone lacks the folder of its kind or has uncommitted
    changes.
    """
    if not path.is_dir():
        raise HandbookError(f"there is no folder {path}", todo=f"clone {what} there first", section=SECTION)
    top = run(path, "rev-parse", "--show-toplevel")
    root = Path(top.stdout.strip())
    if top.returncode or not (root / needs).exists():
        raise HandbookError(f"{path} is not a clone of {what}", why=f"it has no {needs}" if not top.returncode else
                            "it is in no git repository", todo=f"clone {what} and give its folder", section=SECTION)
    changed = [line[3:] for line in git(root, "status", "--porcelain").splitlines() if not line.startswith("??")]
    if changed:
        raise HandbookError(f"{root.name} has uncommitted changes: {', '.join(changed[:5])}",
                            why="they would get into the new branch", todo="commit or stash them", section=SECTION)
    if run(root, "var", "GIT_COMMITTER_IDENT").returncode:
        raise HandbookError("git has no name and e-mail for you", where=str(root),
                            why="a commit has a name and an e-mail",
                            todo='git config --global user.name "Your Name"\n'
                                 'git config --global user.email "you@example.org"', section=SECTION)
    address = run(root, "config", "remote.origin.url").stdout.strip()
    owner = re.search(r"github\.com[:/]([\w.-]+)/", address)
    for name in ("upstream/main", "upstream/master", "origin/main", "origin/master", "main", "master", "HEAD"):
        if run(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").returncode == 0:
            return Checkout(root, name, owner[1] if owner else "")
    raise HandbookError(f"{root.name} has no commit", todo=f"clone {what} again", section=SECTION)


def git(root: Path, *words: str) -> str:
    """The output of a git command. Raises HandbookError with git's own words when it fails."""
    done = run(root, *words)
    if done.returncode:
        raise HandbookError(f"git {words[0]} failed", where=str(root),
                            why=(done.stderr or done.stdout).strip()[-400:],
                            todo="correct what git says, then run the command again",
                            section=SECTION)
    return done.stdout.strip("\n")


def run(root: Path, *words: str) -> CompletedProcess[str]:
    """Run git. Raises HandbookError when there is none, or it takes too long."""
    try:
        return run_git(root, *words, timeout=SECONDS)
    except FileNotFoundError:
        raise HandbookError("git isn't installed", todo="install git", section=SECTION) from None
    except TimeoutExpired:
        raise HandbookError(f"git {words[0]} took longer than {SECONDS} s", where=str(root),
                            todo="check the network and the disk, then run it again", section=SECTION) from None


def open_with_gh(root: Path, repository: str, title: str, body: Path, branch: str, head: str) -> str:
    """Push the branch and open the pull request from `head` with GitHub's own program; its address.

    Raises HandbookError when the program is missing or refuses.
    """
    words = ["gh", "pr", "create", "--repo", repository, "--title", title, "--body-file", str(body.resolve()),
             "--head", head]
    env = git_env(root) | environment(names=GH)
    try:
        git(root, *own_helpers(root), "push", "--set-upstream", "origin", branch)
        done = process.run(words, cwd=root, env=env, timeout=300)
    except FileNotFoundError:
        raise HandbookError("gh isn't installed", why="it opens the pull request",
                            todo=f"install it, or open the pull request on GitHub with the text in {body}",
                            section=SECTION) from None
    except TimeoutExpired:
        raise HandbookError("gh gave no answer within 5 minutes", todo="check the network, then run it again",
                            section=SECTION) from None
    if done.returncode:
        raise HandbookError("gh opened no pull request", why=done.stderr.strip()[-400:], todo="gh auth login",
                            section=SECTION)
    return done.stdout.strip()


def own_helpers(root: Path) -> list[str]:
    """Options that let git use the credential helpers of this user's own configuration, and no repository's."""
    listed = run(root, "config", "--show-scope", "--null", "--get-regexp", r"^credential\..*helper$")
    shown, options = listed.stdout.split("\0"), []
    for scope, entry in zip(shown[::2], shown[1::2], strict=False):
        name, _, value = entry.partition("\n")
        if scope in ("global", "system"):
            options += ["-c", f"{name}={value}"]
    return options
