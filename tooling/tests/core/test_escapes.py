"""Foreign text on a terminal."""

from __future__ import annotations

import io

from labhandbook.core.escapes import Safe, coloured


def shown(text: str) -> str:
    stream = io.StringIO()
    Safe(stream).write(text)
    return stream.getvalue()


def test_control_and_reordering_characters_are_written_as_codes() -> None:
    assert shown("a\x1b]0;title\x07b\x9bc\u202ed\r") == r"a\u001b]0;title\u0007b\u009bc\u202ed\u000d"
    assert shown("tab\tand\nline, ä, 中, \U0001f600") == "tab\tand\nline, ä, 中, \U0001f600"


def test_bytes_of_a_file_name_are_written_as_codes() -> None:
    assert shown("a\udcff") == r"a\udcff"


def test_only_our_own_colours_become_escapes() -> None:
    assert shown(coloured("x", "red")) == "\x1b[31mx\x1b[0m"
    assert "\x1b" not in shown("\ufdd0red;x\ufdd1 \x1b[31mred\x1b[0m")
