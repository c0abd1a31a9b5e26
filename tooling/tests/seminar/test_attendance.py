"""The attendance list is counted as a spreadsheet saves it, and what is odd in it is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from labhandbook.seminar.attendance import EMPTY, LISTS, read_attendance
from tooling.tests.conftest import run
from tooling.tests.seminar.test_calendar_feed import NAMES

HEAD = EMPTY.decode()


def saved(folder: Path, text: str | bytes) -> Path:
    """A list in a file."""
    path = folder / "attendance.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_list_that_make_writes_is_counted(tmp_path: Path) -> None:
    done = run("seminar", "attendance", saved(tmp_path, EMPTY))
    assert done.returncode == 0 and "0 in the room, 0 on Zoom, 0 together" in done.stdout


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("break_", ["\n", "\r\n", "\r"])
def test_names_in_any_script_as_spreadsheets_save_them(tmp_path: Path, separator: str, encoding: str,
                                                       break_: str) -> None:
    lines = [*([f'"{name}"', "A group", "", ""] for name in NAMES), ["", "", "Zoom", "23"], ["", "", "", ""]]
    text = "".join(separator.join(line) + break_ for line in [HEAD.strip().split(","), *lines])
    found = read_attendance(saved(tmp_path, text.encode(encoding)))
    assert found.count() == {"room": len(NAMES), "zoom": 23} and not LISTS.run(found)
    assert str(found).endswith(f"{len(NAMES)} in the room, 23 on Zoom, {len(NAMES) + 23} together")


@pytest.mark.parametrize(("line", "said"), [
    ("A,B,rooom,", "where is rooom; did you mean room?"), ("A,B,home,", "where is home"),
    (",,zoom,many", "people is many, not a number"), (",,zoom,-3", "people is -3"), (",,zoom,0", "people is 0"),
    (",,zoom,٣", "people is ٣"), (",,zoom,", "neither a name nor a number"), (",A group", "neither a name nor"),
    ("A,B,room,,", "5 columns, not 4"), ("A,Dept, City,room,", "put a text with a comma in quotes"),
    ('"A\nB",C,,', "a line break or a control character"), ("A\x1b[2J,B,,", "a control character"),
])
def test_a_line_that_cannot_be_counted_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = saved(tmp_path, f"{HEAD}First Person,A group,room,\n\n{line}\nLast Person,A group,,\n")
    done = run("seminar", "attendance", path)
    assert done.returncode == 1 and "\x1b" not in done.stdout
    assert any(f"{path}:4: SEM014 " in shown and said in shown for shown in done.stdout.splitlines()), done.stdout


def test_lines_behind_a_cell_of_two_lines_keep_their_numbers(tmp_path: Path) -> None:
    found = LISTS.run(read_attendance(saved(tmp_path, f'{HEAD}A,"a\nb",,\nB,,attic,\n')))
    assert [(finding.line, finding.rule.code) for finding in found] == [(2, "SEM014"), (4, "SEM014")]


def test_someone_who_is_listed_twice_is_a_warning(tmp_path: Path) -> None:
    path = saved(tmp_path, f"{HEAD}Zoë Åström,HY,room,\nZOE\u0308  A\u030aström,hy,zoom,\nZoë Åström,Aalto,,\n")
    done = run("seminar", "attendance", path)
    assert done.returncode == 0 and done.stdout.count(": SEM015 ") == 1
    assert f"{path}:3: SEM015 ZOË  ÅSTRÖM is in line 2 too".casefold() in done.stdout.casefold()
    assert run("seminar", "attendance", path, "--strict").returncode == 1


@pytest.mark.parametrize(("text", "line", "said"), [
    ("", 1, "first line is not name,affiliation,where,people"), ("name,where\n", 1, "first line is not"),
    (f'{HEAD}A,"b\n', 2, "is not valid CSV"), (HEAD.encode() + "Meikäläinen,,,\n".encode("cp1252"), 2, "not UTF-8"),
    (f"{HEAD}{'x' * 200_000},,,\n", 2, "is not valid CSV"),
])
def test_a_file_that_is_no_list_is_an_error(tmp_path: Path, text: str | bytes, line: int, said: str) -> None:
    path = saved(tmp_path, text)
    done = run("seminar", "attendance", path)
    assert done.returncode == 2 and said in done.stderr and f"attendance.csv:{line}" in done.stderr


def test_several_lists_and_other_forms(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    paths = [saved(tmp_path, f"{HEAD}A,,,\n"), saved(tmp_path / "b", f"{HEAD},,zoom,7\n")]
    done = run("seminar", "attendance", *paths)
    assert [line.rpartition(", ")[2] for line in done.stdout.splitlines()] == ["1 together", "7 together"]
    assert '"findings": []' in run("seminar", "attendance", *paths, "--format", "json").stdout
