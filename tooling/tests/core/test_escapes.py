"""Foreign text on a terminal."""

from __future__ import annotations

import io
import json

import pytest

from labhandbook.core.escapes import Lost, Safe, coloured, one_line, visible


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


def test_text_for_one_line_has_no_end_of_a_line() -> None:
    assert one_line("a\nb\tc\u2028d\r") == r"a\nb\tc\u2028d\u000d"


def test_json_stays_the_same_data() -> None:
    data = {"a\x1b[2J\x9b\u202e\U000e0041": ["\udcff", "\x7f\x00\r\n"]}
    for ascii_only in (True, False):
        text = visible(json.dumps(data, ensure_ascii=ascii_only))
        assert json.loads(text) == data and text.isprintable()


def test_foreign_text_gives_no_command_to_a_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    stream = io.StringIO()
    safe = Safe(stream)
    for text in ("::stop-commands::x\n", "a ::b::\n", "a\n \t::add-mask::b\n", "x", "::y\n", '{"a": "##[error]b"}\n'):
        safe.write(text)
    safe.command("::error file=a::b")
    assert stream.getvalue() == ("\\u003a:stop-commands::x\na ::b::\na\n \t\\u003a:add-mask::b\nx::y\n"
                                 '{"a": "#\\u0023[error]b"}\n::error file=a::b\n')


def test_a_stream_that_takes_no_more_raises_no_error_of_the_system() -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    safe = Safe(Full())
    safe.write("a")
    with pytest.raises(Lost):
        safe.flush()
