"""YAML is read with the place of every value, in the words of YAML 1.2, and within limits."""

from __future__ import annotations

import math

import pytest

from labhandbook.core.untrusted_data import Unreadable
from labhandbook.core.yaml_reader import read_yaml

TEXT = """\
# a comment
on: no
número: 012
steps:
  - run: |
      one \\
        two
      three
  - uses: a/b@c  # v1
  - "quoted"
empty:
map: {}
"""


@pytest.mark.parametrize(("text", "meant"), [
    ("no", "no"), ("on", "on"), ("y", "y"), ("1:30", "1:30"), ("2026-11-21", "2026-11-21"), ("1_000", "1_000"),
    ("true", True), ("FALSE", False), ("tRUE", "tRUE"), ("~", None), ("null", None), ("012", 12), ("0o17", 15),
    ("0x1f", 31), ("-7", -7), ("1.10", 1.1), ("1e3", 1000.0), (".5", 0.5), (".inf", math.inf), ("-.inf", -math.inf),
    ("+.Inf", math.inf), ("'1'", "1"), ('"true"', "true"), ("!!str 1", "1"), ("'~'", "~"), ("1.2.3", "1.2.3"),
])
def test_a_scalar_means_what_yaml_1_2_says(text: str, meant: object) -> None:
    found = read_yaml(f"key: {text}", "it")["key"].data
    assert found == meant and type(found) is type(meant)


def test_nan_is_a_number() -> None:
    assert math.isnan(read_yaml("- .nan", "it").data[0])


def test_each_value_has_its_line_and_place() -> None:
    found = read_yaml(TEXT, "it")
    assert found["on"].text == "no" and found.at("on") == found["on"].line == 2
    number = found["número"]
    assert number.line == 3 and TEXT[number.start:number.stop] == "012"
    run, uses, quoted = found["steps"].items
    assert list(run["run"].lines) == [(6, "one    two"), (8, "three")]
    assert uses["uses"].comment == "v1" and uses["uses"].line == 9
    assert quoted.style == '"' and TEXT[quoted.start:quoted.stop] == '"quoted"'
    assert not found["empty"] and found.at("empty") == 11
    assert found["map"] and found["map"].map == {}
    assert not found["missing"]["too"] and found["missing"].text == ""


def test_the_first_line_may_be_another_one() -> None:
    found = read_yaml("a: 1\nb:\n  c: 2\n", "page.qmd", first=3)
    assert (found["a"].line, found["b"]["c"].line, found.at("b")) == (3, 5, 4)


def test_repeated_keys_are_named_with_their_lines() -> None:
    found = read_yaml("a: 1\nb: 2\na: 3\n", "it")
    assert found.repeated == {"a": 3} and found["a"].text == "3"


def test_an_alias_is_its_anchor() -> None:
    assert read_yaml("a: &x [1, 2]\nb: *x\n", "it").data == {"a": [1, 2], "b": [1, 2]}


def test_an_empty_text_is_an_empty_value() -> None:
    assert not read_yaml("", "it") and read_yaml("# nothing\n", "it").data is None


def test_an_endless_number_stays_text() -> None:
    digits = "9" * 5000
    assert read_yaml(f"a: {digits}", "it")["a"].data == digits


@pytest.mark.parametrize(("text", "line", "says"), [
    ("a: 1\nb: c: d\n", 2, "mapping values"), ("a: [1\n", 1, "not valid YAML"),
    ("a: &a [*a]\n", 1, "contains itself"),
    ("[" * 70 + "]" * 70, 1, "nested more than"), ("a: 1\n--- \nb: 2\n", 2, "not valid YAML"),
    ("a: *nothing\n", 1, "undefined alias"), ("a: \x01\n", 1, "not valid YAML"),
])
def test_what_cannot_be_read_is_said_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_yaml(text, "it", first=11)
    assert says in caught.value.problem and caught.value.line == line + 10


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(("text", "line"), [(BOMB, 6), ("{a: " * 5_000, 1), ("- " * 500, 1)])
def test_yaml_that_grows_without_end_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(Unreadable) as caught:
        read_yaml(text, "x.yml")
    assert caught.value.where == f"x.yml:{line}"


def test_yaml_with_ordinary_aliases_passes() -> None:
    read_yaml("a: &a {b: 1}\nc: [*a, *a]\nd: {<<: *a}\n", "x.yml")
