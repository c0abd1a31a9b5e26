"""The state: kills at every write, a half-written file, two runs at once, and a loop that is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from labhandbook.cli.main import handbook
from labhandbook.watch import watch_state
from tooling.tests.conftest import run
from tooling.tests.hostile.test_kills import carry_out
from tooling.tests.watch.conftest import Desk
from tooling.tests.watch.watched_site import Handler, Site

PAGE = "- name: News\n  page: {}/list\n  items: ul.news > li\n"
# A command that keeps what it is handed.
KEEP = "import sys; open('kept.jsonl', 'a').write(sys.stdin.read())"
KILL = "; import os, signal; os.path.exists('killed') or (open('killed', 'w'), os.kill(os.getppid(), signal.SIGKILL))"


def command(code: str) -> str:
    """The lines that hand each notice to Python code."""
    return f"notify:\n  command: {json.dumps([sys.executable, '-c', code])}\n"


def kept(desk: Desk) -> list[dict[str, object]]:
    """The notices that the command was handed."""
    path = desk.folder / "kept.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def once(desk: Desk) -> None:
    """One round as a program."""
    CliRunner().invoke(handbook, ["watch", str(desk.file), "--once", "--now", "--state", str(desk.state)],
                       standalone_mode=False)


def test_a_kill_between_delivery_and_its_note_repeats_with_the_same_id(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address), command(KEEP + KILL))
    desk.look()
    site.items.append(("/c", "Third"))
    done = run("watch", desk.file, "--once", "--now", "--state", desk.state)
    assert done.returncode == -signal.SIGKILL and len(kept(desk)) == 1
    report = desk.look()
    first, second = kept(desk)
    assert report.titles == ["Third"] and first == {**second, "again": False} and second["again"] is True
    assert desk.look().new == [] and len(kept(desk)) == 2


@pytest.mark.walk
def test_no_kill_loses_an_item_or_repeats_it_unmarked(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address), command(KEEP))
    once(desk)
    before = desk.state.read_bytes()
    site.items.append(("/c", "Third"))
    writes, step = None, 0
    while writes is None:
        step += 1
        for path in desk.state.parent.iterdir():
            path.unlink()
        (desk.folder / "kept.jsonl").unlink(missing_ok=True)
        desk.state.write_bytes(before)
        writes = carry_out(partial(once, desk), step)
        report = desk.look()
        assert report.code == 0 and report.findings == [], f"killed before write {step}"
        notices = kept(desk)
        assert notices, f"killed before write {step}"
        assert {notice["id"] for notice in notices} == {notices[0]["id"]} and len(notices) <= 2
        assert len(notices) == 1 or notices[1]["again"] is True
        assert desk.look().new == [] and len(kept(desk)) == len(notices)
        assert sorted(path.name for path in desk.state.parent.iterdir() if path.name[0] != ".") == [
            "state.json", "state.json.before", "state.json.lock"]
    assert step > 15, "each write was tried"


@pytest.mark.parametrize("damage", [b"", b"{", b"\x00" * 4096, b"[]", b'{"format": 2}', b"[" * 9999, None,
                                    b'{"format":1,"watches":{"News":{"seen":{"a":[]}}},"hosts":{},"notices":[]}'],
                         ids=["empty", "begun", "zeros", "list", "newer", "deep", "half", "titles"])
def test_of_a_damaged_state_the_copy_is_used(site: Site, desk: Desk, damage: bytes | None) -> None:
    desk.watch(PAGE.format(site.address))
    desk.look()
    site.items.append(("/c", "Third"))
    assert desk.look().titles == ["Third"]
    whole = desk.state.read_bytes()
    desk.state.write_bytes(whole[:len(whole) // 2] if damage is None else damage)
    site.items.append(("/d", "Fourth"))
    report = desk.look()
    assert report.code == 0 and report.codes == ["WAT006"] and "Fourth" in report.titles
    assert all(notice["again"] for notice in report.new if "Third" in str(notice))
    assert desk.look().findings == []


def test_a_state_whose_copy_is_damaged_too_stops_the_run(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address))
    desk.look()
    desk.look()
    for path in desk.state.parent.glob("state.json*"):
        path.write_text("{")
    asked = len(site.asked)
    report = desk.look()
    assert report.code == 2 and "neither the state nor its copy" in report.error and "begin again" in report.error
    assert len(site.asked) == asked


def test_two_runs_at_once_do_not_report_twice(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address))
    desk.look()
    arrived, free = desk.folder / "arrived", desk.folder / "free"

    def wait(handler: Handler) -> None:
        arrived.touch()
        while not free.exists():
            time.sleep(0.01)
        handler.send(200, site.list())

    site.items.append(("/c", "Third"))
    site.replies["/list"] = wait
    words = [str(Path(sys.executable).with_name("handbook")), "watch", str(desk.file), "--once", "--now", "--state",
             str(desk.state)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as first:
        while not arrived.exists():
            time.sleep(0.01)
        second = run(*words[1:])
        free.touch()
        assert first.stdout and "Third" in first.stdout.read()
    assert second.returncode == 2 and "another run" in second.stderr and second.stdout == ""
    assert desk.look().new == []


def test_a_full_disk_is_an_error_and_loses_nothing(site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.watch(PAGE.format(site.address))
    desk.look()
    site.items.append(("/c", "Third"))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(watch_state, "write_atomic", full)
        report = desk.look()
        assert report.code == 2 and "No space left" in report.error
    assert desk.look().titles == ["Third"]


def test_the_loop_looks_again_until_it_is_stopped(site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[float] = []
    clock = time.time

    def pause(seconds: float) -> None:
        rounds.append(seconds)
        site.items.append((f"/{len(rounds)}", f"Item {len(rounds)}"))
        if len(rounds) == 3:
            raise KeyboardInterrupt

    desk.watch(PAGE.format(site.address), "every: 30min\n")
    # A pause takes no time here, and the clock says that it did.
    monkeypatch.setattr("labhandbook.cli.watch_commands.pause", pause)
    monkeypatch.setattr(time, "time", lambda: clock() + sum(rounds))
    done = CliRunner().invoke(handbook, ["watch", str(desk.file), "--state", str(desk.state)], standalone_mode=False)
    assert len(rounds) == 3 and 1700 < rounds[0] <= 1800, done.output
    assert "Item 1" in done.output and "Item 2" in done.output and "Item 3" not in done.output


def test_a_signal_ends_the_loop(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address))
    words = [str(Path(sys.executable).with_name("handbook")), "watch", str(desk.file), "--state", str(desk.state)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"}) as loop:
        assert loop.stderr
        said = loop.stderr.readline() + loop.stderr.readline()
        loop.send_signal(signal.SIGTERM)
        rest = loop.stderr.read()
    assert "2 remembered" in said and loop.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in rest
    site.items.append(("/c", "Third"))
    assert desk.look().titles == ["Third"]


def test_each_file_has_a_state_of_its_own_in_the_home_of_its_user(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address))
    other = desk.folder / "other" / "watch.yml"
    other.parent.mkdir()
    other.write_text(desk.file.read_text())
    for path in (desk.file, other):
        assert run("watch", path, "--once", XDG_STATE_HOME=str(desk.folder / "home")).returncode == 0
    found = list((desk.folder / "home" / "labhandbook" / "watch").glob("watch-*.json"))
    assert len(found) == 2
    done = run("watch", desk.file, "--once", XDG_STATE_HOME="", HOME="/dev/null")
    assert done.returncode == 2 and "--state" in done.stderr and "Traceback" not in done.stderr
