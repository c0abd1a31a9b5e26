"""Each rule of a talk finds what it says, on the line where it is, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from labhandbook.core.rules import ERROR, UNVERIFIED
from labhandbook.seminar import talk_rules
from labhandbook.seminar.check_talks import about, check
from labhandbook.seminar.talk import folder_of, read_folder
from tooling.tests.conftest import run
from tooling.tests.seminar.talks import TALK, codes, write

BROKEN = [
    ({"speaker": None}, ["SEM002"]), ({"room": None, "zoom": None}, ["SEM002"]),
    ({"date": "2026-02-30"}, ["SEM003"]), ({"date": "3.12.2026"}, ["SEM003"]), ({"start": "25:00"}, ["SEM003"]),
    ({"end": "10:15"}, ["SEM003"]), ({"start": "9.15"}, []), ({"date": "2026-12-04"}, ["SEM004"]),
    ({"speeker": "A"}, ["SEM005"]), ({"status": "canceled"}, ["SEM005"]),
    ({"title": ["a", "b"]}, ["SEM002", "SEM005"]),
    ({"speaker": "A\r\nBcc: all@example.org"}, ["SEM006"]), ({"title": "x" * 301}, ["SEM006"]),
    ({"abstract": "x" * 1_000_000}, ["SEM006"]), ({"title": "turned \u202e round"}, ["SEM006"]),
    ({"zoom": "helsinki.zoom.us/j/1"}, ["SEM007"]), ({"zoom": "http://helsinki.zoom.us/j/1"}, ["SEM007"]),
    ({"speaker-web": "https://..."}, ["SEM007"]), ({"speaker-web": "javascript:alert(1)"}, ["SEM007"]),
    ({"recording": None}, ["SEM011"]), ({"recording": "maybe"}, ["SEM011"]),
    ({"recording": "no", "video": "https://example.org/v"}, ["SEM011"]), ({"abstract": None}, ["SEM012"]),
    ({"uid": None}, ["SEM010"]), ({}, []), ({"room": None}, []), ({"tags": ["ice", "sea"]}, []),
    ({"status": "cancelled", "abstract": None, "recording": None}, []),
]


@pytest.mark.parametrize(("changed", "expected"), BROKEN, ids=lambda value: str(value)[:40])
def test_a_rule_finds_what_it_says(folder: Path, changed: dict[str, Any], expected: list[str]) -> None:
    write(folder, **changed)
    assert sorted(codes(folder)) == expected


def test_a_finding_names_file_and_line(folder: Path) -> None:
    path = write(folder, end="09:00")
    (finding,) = check(read_folder(folder))
    assert finding.file == str(path) and path.read_text().splitlines()[finding.line - 1].startswith("end:")


@pytest.mark.parametrize(("text", "line"), [("title: [a\nspeaker: b\n", 2), ("- a\n", 1), ("", 1)])
def test_a_file_that_is_no_talk_is_named_and_the_others_are_checked(folder: Path, text: str, line: int) -> None:
    (folder / "2026-12-10-b.yml").write_text(text)
    write(folder, abstract=None)
    found = {finding.rule.code: finding for finding in check(read_folder(folder))}
    assert sorted(found) == ["SEM001", "SEM012"]
    assert found["SEM001"].place == f"{folder / '2026-12-10-b.yml'}:{line}"


@pytest.mark.parametrize(("changed", "expected"), [
    ({}, {"room", "zoom", "speaker"}), ({"start": "11:00", "end": "12:00"}, set()), ({"status": "cancelled"}, set()),
    ({"room": "exactum b123", "zoom": "https://example.org/z", "speaker": "B"}, {"room"}),
    ({"start": "10:59", "end": "12:00", "room": "A", "speaker": "B"}, {"zoom"}),
])
def test_double_bookings(folder: Path, changed: dict[str, object], expected: set[str]) -> None:
    write(folder, "2026-12-03-other.yml", **{"uid": "another", **changed})
    found = [finding for finding in check(read_folder(folder)) if finding.rule.code == "SEM008"]
    assert {finding.message.split()[0] for finding in found} == expected


@pytest.mark.parametrize(("day", "off"), [
    ("2026-12-24", True), ("2027-01-06", True), ("2026-06-19", True), ("2027-05-06", True), ("2026-12-05", True),
    ("2026-12-07", False), ("2026-06-18", False),
])
def test_days_off_in_finland(folder: Path, day: str, off: bool) -> None:
    (folder / "2026-12-03-meikalainen.yml").unlink()
    write(folder, f"{day}-a.yml", date=day)
    assert codes(folder) == (["SEM009"] if off else [])


def test_every_year_has_its_holidays() -> None:
    assert talk_rules.days_off(2026)[date(2026, 12, 6)] == "Independence Day"


def test_a_copied_uid_is_an_error(folder: Path) -> None:
    write(folder, "2026-12-10-b.yml", date="2026-12-10")
    (finding,) = check(read_folder(folder))
    assert finding.rule.code == "SEM010" and finding.weight == ERROR and "2026-12-03" in finding.message


@pytest.mark.parametrize(("line", "code"), [("from: nobody", "SEM013"), ('from: "a@b.fi\\r\\nBcc: c@d.fi"', "SEM013"),
                                            ("from: a@b.fi", "")])
def test_the_facts_of_the_series_are_checked(folder: Path, line: str, code: str) -> None:
    (folder / "series.yml").write_text(f"name: A series\nto: list@example.org\n{line}\n")
    assert codes(folder) == [code] * bool(code)


def test_a_mail_without_a_recipient_is_reported(folder: Path) -> None:
    (folder / "series.yml").unlink()
    (finding,) = json.loads(run("seminar", "check", folder, "--format", "json").stdout)["findings"]
    assert (finding["code"], finding["severity"]) == ("SEM013", "warning") and "no recipient" in finding["message"]
    made = run("seminar", "make", folder / "2026-12-03-meikalainen.yml")
    assert made.returncode == 0 and "`to` is empty: the announcement (mail.eml) has no recipient" in made.stdout
    assert "mail.eml" in made.stdout


class Answers(BaseHTTPRequestHandler):
    """Answers each path with the status that it names."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Requests are no news."""


@pytest.fixture
def server() -> Iterator[str]:
    served = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=served.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{served.server_address[1]}"
    served.shutdown()
    served.server_close()
    thread.join()


def test_links_are_asked_for(folder: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The server of a test has no certificate, so its addresses pass for https.
    monkeypatch.setattr(talk_rules, "is_link", lambda text: text.startswith("http"))
    write(folder, **{"zoom": f"{server}/200", "speaker-web": f"{server}/404", "video": f"{server}/503"})
    found = {(finding.message.split()[0].strip(":"), finding.weight)
             for finding in check(read_folder(folder), links=True)}
    assert found == {("speaker-web", ERROR), ("video", UNVERIFIED)}


def test_what_concerns_another_talk_does_not_keep_one_from_being_made(folder: Path) -> None:
    write(folder, "2026-12-10-b.yml", date="2026-12-10", uid="b", title=None)
    read, talk = folder_of(folder / "2026-12-03-meikalainen.yml")
    assert not about(read, talk) and check(read).failed()


def test_the_command_reports_and_fails(folder: Path) -> None:
    write(folder, title=None)
    done = run("seminar", "check", folder)
    assert done.returncode == 1 and "SEM002 title is missing" in done.stdout
    write(folder, abstract=None)
    assert run("seminar", "check", folder).returncode == 0
    assert run("seminar", "check", folder, "--strict").returncode == 1
    missing = run("seminar", "check", folder / "nowhere")
    assert missing.returncode == 2 and "handbook seminar init" in missing.stderr


def test_the_talk_of_the_tests_breaks_no_rule(folder: Path) -> None:
    assert codes(folder) == [] and TALK["speaker"]
