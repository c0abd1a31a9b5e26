"""`publish` and `verify` as commands: killed and resumed, byte for byte, nothing twice, no secret anywhere."""

from __future__ import annotations

import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.package.index_addresses import index
from labhandbook.package.machine import interpreters
from labhandbook.package.project import load_project
from labhandbook.release import release_steps
from labhandbook.release.step_actions import Options, agree, suite_key
from tooling.tests.conftest import run
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_dists import CANARY
from tooling.tests.package.sample_packages import git, write
from tooling.tests.release.faulty_index import Fault, Server, serving
from tooling.tests.release.test_rehearsal import QUICK, everything, kill_at, log, state

pytestmark = pytest.mark.walk

PYTHON = QUICK[-2:]
secretly = functools.partial(run, TWINE_USERNAME="__token__", TWINE_PASSWORD=CANARY, NO_PROXY="127.0.0.1")
SECRETS = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": CANARY, "NO_PROXY": "127.0.0.1"}


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose rehearsal passed."""
    root = sample_dists.project(tmp_path_factory.mktemp("rehearsed") / "labdemo")
    done = run("release", "rehearse", root, *QUICK)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def root(rehearsed: Path, tmp_path: Path) -> Path:
    """A copy of it, to be published."""
    return shutil.copytree(rehearsed, tmp_path / "labdemo", symlinks=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "index", token=CANARY) as running:
        yield running


def test_publish_uploads_and_verifies_what_was_rehearsed(root: Path, server: Server) -> None:
    hashes = state(root).hashes()
    done = secretly("release", "publish", root, "--to", server.url, *PYTHON)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {file.filename: file.sha256 for file in server.store.files("labdemo")} == hashes
    again = secretly("release", "publish", root, "--to", server.url, *PYTHON)
    assert again.returncode == 0 and "(kept)" in again.stderr
    assert sorted(server.uploads()) == sorted(hashes)
    shown = done.stdout + done.stderr + again.stdout + again.stderr
    assert CANARY not in shown + everything(state(root).folder)


@pytest.mark.long
def test_publish_killed_at_every_step_uploads_nothing_twice(root: Path, server: Server) -> None:
    hashes = state(root).hashes()
    command = ("release", "publish", root, "--to", server.url, *PYTHON)
    for step in release_steps.WORKFLOWS["publish"]:
        kill_at(step, state(root), *command, **SECRETS)
    done = secretly(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {file.filename: file.sha256 for file in server.store.files("labdemo")} == hashes
    assert sorted(server.uploads()) == sorted(hashes)


def test_publish_killed_between_two_files(root: Path, server: Server) -> None:
    server.faults.append(Fault("upload", "hang", skip=1, seconds=3))
    handbook = Path(sys.executable).with_name("handbook")
    command = ["release", "publish", str(root), "--to", server.url, "--upload-only"]
    with subprocess.Popen([handbook, *command], env={**os.environ, **SECRETS}, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 30
        while not server.uploads() and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
    assert len(server.uploads()) == 1
    done = secretly(*command)
    assert done.returncode == 0, done.stderr
    assert "there already" in done.stderr
    assert sorted(server.uploads()) == sorted(state(root).hashes())


def test_verify_waits_for_what_publish_left(root: Path, server: Server) -> None:
    assert secretly("release", "publish", root, "--to", server.url, "--upload-only").returncode == 0
    done = run("release", "verify", root, "--from", server.url, *PYTHON)
    assert done.returncode == 0, done.stdout + done.stderr
    server.store.swap("labdemo-1.2.0.tar.gz", b"evil", announce=True)
    done = run("release", "verify", root, "--from", server.url, *PYTHON)
    assert done.returncode == 1 and "REL701" in done.stdout


def test_a_published_version_is_not_built_again(root: Path, server: Server) -> None:
    assert secretly("release", "publish", root, "--to", server.url, "--upload-only").returncode == 0
    (root / "labdemo" / "more.py").write_text('"""More."""\n')
    git(root, "tag", "--delete", "v1.2.0")
    sample_dists.commit(root, "v1.2.0")
    done = run("release", "rehearse", root, *QUICK)
    assert done.returncode == 2 and "made from other sources" in done.stderr and "1.2.1" in done.stderr


@pytest.mark.parametrize(("spoil", "message"), [("remove", "it is gone"), ("change", "sha256 differs"),
                                             ("forget", "isn't built")])
def test_only_the_files_of_the_ledger_are_published(spoil: str, message: str, root: Path, server: Server) -> None:
    where = state(root)
    wheel = next(where.dist.glob("*.whl"))
    if spoil == "forget":
        shutil.rmtree(where.folder)
    elif spoil == "remove":
        wheel.unlink()
    else:
        wheel.write_bytes(b"x")
    done = secretly("release", "publish", root, "--to", server.url)
    assert done.returncode == 2 and message in done.stderr, done.stderr
    assert not server.requests


def test_a_wrong_password_on_the_command_line(root: Path, server: Server) -> None:
    done = secretly("release", "publish", root, "--to", server.url, TWINE_PASSWORD=CANARY + "-wrong")
    assert done.returncode == 2 and "doesn't accept the password" in done.stderr
    assert CANARY not in done.stdout + done.stderr + everything(state(root).folder)
    address = server.url.replace("http://", f"http://user:{CANARY}@")
    done = secretly("release", "publish", root, "--to", address)
    assert done.returncode == 2 and CANARY not in done.stdout + done.stderr + everything(state(root).folder)


def test_pypi_is_asked_about(rehearsed: Path) -> None:
    project = load_project(rehearsed, ask_remote=False)

    def agreed(**options: Any) -> bool:
        (release,) = release_steps.open_releases([project], Options(**options), index("pypi"))
        try:
            agree(release, ["labdemo-1.2.0.tar.gz"])
        except HandbookError as error:
            assert "--yes" in error.todo
            return False
        return True

    asked: list[str] = []

    def yes(question: str) -> bool:
        asked.append(question)
        return True

    assert agreed(yes=True)
    assert not agreed(), "where nobody can be asked, nothing goes up"
    assert not agreed(confirm=lambda question: False)
    assert agreed(confirm=yes)
    assert "for good" in asked[0] and "yanked" in asked[0] and "labdemo-1.2.0.tar.gz" in asked[0]


@pytest.mark.parametrize("name", list(release_steps.WORKFLOWS))
def test_a_plan_lists_what_a_run_carries_out(name: str, rehearsed: Path) -> None:
    (release,) = release_steps.open_releases([load_project(rehearsed, ask_remote=False)], Options())
    steps = release_steps.steps(name, "testpypi")
    planned = release_steps.plan(release, steps)
    assert [step.step for step in planned] == [step.name for step in steps] == list(release_steps.WORKFLOWS[name])
    assert all(step.section.startswith("sec-pypi") and step.does and step.leaves for step in planned)


def test_results_hold_for_what_was_tested(rehearsed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test run reads changes its key, and nothing else does."""
    root = Path(shutil.copytree(rehearsed, tmp_path / "labdemo"))

    def key(**options: object) -> str:
        project = load_project(root, ask_remote=False)
        (release,) = release_steps.open_releases([project], Options(**options))  # type: ignore[arg-type]
        return suite_key(release)

    first = key()
    (root / "notes.txt").write_text("No suite reads this.\n")
    assert key() == first
    seen = [first, key(lowest=False)]
    if len(interpreters()) > 1:  # else one of them is all of them
        seen.append(key(pythons=("{}.{}".format(*sys.version_info),)))
    for name, text in (("tests/test_beside.py", "x = 1\n"), ("tests/test_beside.py", "x = 2\n"),
                       ("conftest.py", "\n"), ("pytest.ini", "[pytest]\n")):
        write(root, {name: text})
        seen.append(key())
    pyproject = (root / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text(f'{pyproject}reruns = 1\ntest-command = ["make", "-C", "{{root}}"]\n')
    seen.append(key())
    (root / "notes.txt").write_text("This suite may read it.\n")
    seen.append(key())
    ledger = state(root).folder / "ledger.json"
    ledger.write_text(ledger.read_text().replace('"sha256": "', '"sha256": "0'))
    seen.append(key())
    monkeypatch.setattr("labhandbook.release.step_actions.uv_program", lambda: None)
    seen.append(key())
    monkeypatch.setattr("labhandbook.release.step_actions.interpreters", lambda *_: [])
    seen.append(key())
    assert len(set(seen)) == len(seen)


def test_the_test_command_always_runs_the_tests(rehearsed: Path, tmp_path: Path) -> None:
    root = shutil.copytree(rehearsed, tmp_path / "labdemo")
    done = run("release", "test", root, "--no-lowest", *PYTHON)
    assert done.returncode == 0 and re.search(r"✓ build +0.00 s \(kept\)", done.stderr), done.stderr
    assert re.search(r"✓ test +[\d.]+ s  2 of 2 environments", done.stderr), "although tested today"


def test_the_log_lists_what_ran(rehearsed: Path) -> None:
    assert log(state(rehearsed))[-1] == "done verify rehearsal"
