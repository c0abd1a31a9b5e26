"""The checklist: what is due on which day, for whom, until it is done."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from labhandbook.seminar.due_tasks import checklist, due
from labhandbook.seminar.talk import folder_of, read_folder
from tooling.tests.conftest import run
from tooling.tests.seminar.talks import write

DAY = date(2026, 12, 3)


def names(folder: Path, today: date, ahead: int = 0) -> list[str]:
    return [task.name for task in due(read_folder(folder), today, ahead)]


def test_the_list_goes_from_two_weeks_before_to_a_week_after(folder: Path) -> None:
    tasks = list(checklist(*folder_of(write(folder))))
    assert (tasks[0].day, tasks[-1].day) == (DAY - timedelta(14), DAY + timedelta(7))
    assert [task.day for task in tasks] == sorted(task.day for task in tasks)
    assert "Maija Meikäläinen" in tasks[0].text and not any("@" in task.text for task in tasks)


@pytest.mark.parametrize(("offset", "done", "ahead", "expected"), [
    (-15, [], 0, []), (-15, [], 1, ["speaker", "consent", "event"]),
    (-14, [], 0, ["speaker", "consent", "event"]), (-14, ["event"], 0, ["speaker", "consent"]),
    (-10, ["event", "speaker", "consent"], 0, ["microphone"]), (22, [], 0, []),
])
def test_what_is_due(folder: Path, offset: int, done: list[str], ahead: int, expected: list[str]) -> None:
    write(folder, done=done, abstract=None, recording=None)
    assert names(folder, DAY + timedelta(offset), ahead) == expected


def test_a_task_whose_facts_are_there_is_done(folder: Path) -> None:
    assert names(folder, DAY - timedelta(14)) == ["event"]
    write(folder, abstract=None, affiliation=None, recording="maybe")
    asked = {task.name: task.text for task in due(read_folder(folder), DAY - timedelta(14), 0)}
    assert asked.pop("speaker") == "Ask Maija Meikäläinen for affiliation and abstract" and "consent" in asked
    after = set(names(folder, DAY + timedelta(7)))
    write(folder, video="https://example.org/v")
    assert "video" in after and "video" not in names(folder, DAY + timedelta(7))


def test_only_what_a_talk_needs(folder: Path) -> None:
    write(folder, zoom=None, recording="no")
    assert not {"microphone", "record", "video", "equipment"} & set(names(folder, DAY + timedelta(7)))
    write(folder, room=None, recording=None)
    found = set(names(folder, DAY + timedelta(7)))
    assert not {"poster", "print"} & found and {"record", "microphone"} <= found
    write(folder, status="cancelled")
    assert not names(folder, DAY)


def test_roles_have_names(folder: Path) -> None:
    (folder / "series.yml").write_text("name: A\nfrom: a@b.fi\nroles: {organiser: Liisa}\n")
    tasks = {task.name: task.who for task in checklist(*folder_of(write(folder)))}
    assert tasks["event"] == "organiser (Liisa)" and tasks["introduce"] == "host (Matti Meikäläinen)"
    assert tasks["announce"] == "seminar team"


def test_the_command(folder: Path) -> None:
    write(folder, done=["speaker"])
    late = run("seminar", "due", folder, "--today", "2026-11-20")
    assert late.returncode == 1 and "overdue  2026-11-19 T-14  organiser: Create the event" in late.stdout
    found = json.loads(run("seminar", "due", folder, "--today", "2026-11-19", "--format", "json").stdout)
    assert found[0] == {"talk": str(folder / "2026-12-03-meikalainen.yml"), "task": "event", "day": "2026-11-19",
                        "offset": -14, "who": "organiser", "text": "Create the event on the website (event.txt)",
                        "state": "today"}
    early = run("seminar", "due", folder, "--today", "2026-10-01")
    assert early.returncode == 0 and "Nothing is due by 2026-10-01" in early.stdout


@pytest.mark.parametrize(("task", "said"), [
    ("{day: 1, do: A}", "`task` is missing"), ("{task: a, day: soon, do: A}", "not a number of days"),
    ("{task: a, day: 1}", "`do` is missing"), ("{task: a, day: 1, do: A, only: rooom}", "did you mean room?"),
    ("{task: a, day: 1, do: A, until: vidoe}", "did you mean video?"),
    ("{task: a, day: 1, do: '@WHO@'}", "nothing is called @WHO@"),
])
def test_a_wrong_task_is_named(folder: Path, task: str, said: str) -> None:
    (folder / "templates").mkdir()
    (folder / "templates/checklist.yml").write_text(f"# Ours\n- {task}\n")
    done = run("seminar", "due", folder, "--today", "2026-12-03")
    assert done.returncode == 2 and said in done.stderr and "checklist.yml:2" in done.stderr
