"""The commands of the organiser's page run as printed, and a new talk is what was answered."""

from __future__ import annotations

import re
import shlex
import sys
import unicodedata
from pathlib import Path

import pytest

from labhandbook.seminar.talk import FIELDS, read_talk
from tooling.tests.conftest import ROOT, run
from tooling.tests.hpc.terminal import talk as typed
from tooling.tests.seminar.test_calendar_feed import NAMES

PAGE = "chapters/seminars/organising.qmd"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
ANSWERS = ("--title", "A title", "--date", "2026-12-03", "--start", "10:15", "--end", "11:00")


def printed() -> list[list[str]]:
    """The commands of the page, in its order."""
    blocks = re.findall(r"^```\{\.bash[^\n]*\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    return [shlex.split(block.replace("\\\n", " ")) for block in blocks]


def test_the_page_runs_as_printed(tmp_path: Path) -> None:
    abstract = re.search(r"^```\{\.yaml filename=\"(.*?)\"\}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert abstract
    ran = []
    for words in printed():
        if words == ["handbook", "seminar", "new"]:
            continue  # it asks on a terminal
        if "attendance" in words:
            filled = re.search(r"^```\{\.csv[^\n]*\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
            assert filled
            (tmp_path / words[3]).write_text(filled[1], encoding="utf-8")
        done = run(*words[1:], cwd=tmp_path)
        ran.append(words[2])
        expected = 1 if "due" in words else 0
        assert done.returncode == expected, f"{words}: {done.stdout}{done.stderr}"
        if "init" in words:
            series = tmp_path / "seminars/series.yml"
            series.write_text(re.sub(r"^to:.*", "to: list@example.org", series.read_text(), flags=re.MULTILINE))
        if "new" in words:
            assert f"{abstract[1]} written" in done.stdout and f"`{abstract[1]} written`" in TEXT
            talk = tmp_path / abstract[1]
            talk.write_text(re.sub(r"^abstract:.*\n", lambda _: abstract[2], talk.read_text(), flags=re.MULTILINE))
        if "check" in words:
            assert "no findings" in done.stderr
        if "make" in words:
            files = set(re.findall(r"^\| `([\w.-]+)` \|", TEXT, re.MULTILINE))
            assert {Path(line).name for line in done.stdout.splitlines()} == files
        if "attendance" in words:
            assert f"`{done.stdout.strip().partition(': ')[2]}`" in TEXT
        if "feed" in words:
            assert f"`{done.stdout.partition(':')[0]}: 1 talk`" in TEXT
        if "due" in words:
            shown = re.search(r"```\{\.text\}\n(overdue.*?)```", TEXT, re.DOTALL)
            assert shown and set(shown[1].splitlines()) <= set(done.stdout.splitlines())
    assert {"init", "new", "check", "make", "feed", "due", "attendance"} == set(ran)


@pytest.mark.parametrize("name", [*NAMES, "a: b # c", "'quoted' \"twice\"", "- dash", "yes", "..",
                                  "../../etc/passwd"])
def test_a_new_talk_is_what_was_answered(tmp_path: Path, name: str) -> None:
    done = run("seminar", "new", tmp_path, "--speaker", name, *ANSWERS, "--abstract", f"{name}\n\n# {name}")
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.iterdir()
    talk = read_talk(path)
    name = unicodedata.normalize("NFC", name)
    assert talk["speaker"] == name and talk["abstract"] == f"{name}\n\n# {name}"
    assert list(talk.fields.map) == list(FIELDS)
    assert path.name.startswith("2026-12-03-") and talk["date"] == "2026-12-03" and len(talk["uid"]) == 36


def test_new_keeps_a_file_that_is_there(tmp_path: Path) -> None:
    assert run("seminar", "new", tmp_path, "--speaker", "A B", *ANSWERS).returncode == 0
    done = run("seminar", "new", tmp_path, "--speaker", "C B", *ANSWERS)
    assert done.returncode == 2 and "exists" in done.stderr and "--name" in done.stderr
    assert run("seminar", "new", tmp_path, "--speaker", "C B", *ANSWERS, "--name", "cb").returncode == 0


def test_new_names_the_missing_answer(tmp_path: Path) -> None:
    done = run("seminar", "new", tmp_path, "--speaker", "A")
    assert done.returncode == 2 and "add --title" in done.stderr
    wrong = run("seminar", "new", tmp_path, "--speaker", "A", *ANSWERS, "--date", "../x")
    assert wrong.returncode == 2 and "is not a day" in wrong.stderr and not list(tmp_path.iterdir())


def test_usual_answers_come_from_the_series(tmp_path: Path) -> None:
    (tmp_path / "series.yml").write_text("name: A\nfrom: a@b.fi\nroom: Exactum B123\nstart: 10:15\nend: 11:00\n")
    done = run("seminar", "new", tmp_path, "--speaker", "A", "--title", "T", "--date", "2026-12-03")
    assert done.returncode == 0, done.stderr
    talk = read_talk(tmp_path / "2026-12-03-a.yml")
    assert (talk["room"], talk["start"], talk["end"]) == ("Exactum B123", "10:15", "11:00")


def asked(folder: Path, *answers: str) -> tuple[int, str]:
    """What `seminar new` does in a terminal where someone types the answers."""
    program = Path(sys.executable).with_name("handbook")
    return typed([program, "seminar", "new", folder], folder, *answers, prompt=": ")


def test_new_asks_at_a_terminal(tmp_path: Path) -> None:
    code, screen = asked(tmp_path, "王小明\n", "\n", "\n", "Sea ice: a talk\n", "3.12.2026\n", "2026-02-30\n",
                         "2026-12-03\n", "noon\n", "10:15\n", "11.00\n", "Exactum B123\n", "\n", "maybe\n",
                         "yes\n", "Maija Meikäläinen\n")
    assert code == 0, screen
    (path,) = tmp_path.iterdir()
    talk = read_talk(path)
    answered = {"speaker": "王小明", "affiliation": "", "title": "Sea ice: a talk", "date": "2026-12-03",
                "start": "10:15", "end": "11.00", "room": "Exactum B123", "zoom": "", "recording": "yes",
                "host": "Maija Meikäläinen"}
    assert {field: talk[field] for field in answered} == answered
    for said in ("3.12.2026 is not a day; write it as 2026-12-03", "2026-02-30 is not a day", "noon is not a time",
                 "maybe is neither yes nor no"):
        assert said in screen
    assert screen.count("Title: ") == 2, "a title is needed, so it is asked for again"
    assert f"{path.name} written" in screen and "Traceback" not in screen


def test_return_takes_what_is_usual(tmp_path: Path) -> None:
    (tmp_path / "series.yml").write_text("name: A\nfrom: a@b.fi\nroom: Exactum B123\nstart: 10:15\nend: 11:00\n")
    code, screen = asked(tmp_path, "A\n", "\n", "T\n", "2026-12-03\n", *["\n"] * 6)
    assert code == 0 and "Room [Exactum B123]: " in screen, screen
    talk = read_talk(tmp_path / "2026-12-03-a.yml")
    assert (talk["room"], talk["start"], talk["end"]) == ("Exactum B123", "10:15", "11:00")


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_nothing_is_written_when_the_questions_are_left(tmp_path: Path, key: str) -> None:
    code, screen = asked(tmp_path, "A\n", key)
    assert code and "Traceback" not in screen and not list(tmp_path.iterdir())
