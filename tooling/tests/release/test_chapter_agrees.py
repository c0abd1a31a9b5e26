"""The packaging chapter and the kit agree: its commands and steps are the kit's, and each block runs or is listed."""

from __future__ import annotations

import re
import shlex
import subprocess

import click
import pytest

from labhandbook.cli import release_commands  # noqa: F401
from labhandbook.cli.release_group import release
from labhandbook.cli.shared_options import Command
from labhandbook.core.rule_pages import load as load_rules
from labhandbook.core.rules import REGISTRY
from labhandbook.release import release_steps
from tooling.tests.release.packaging_chapter import (
    BESIDE,
    BY_COMMAND,
    FIRST,
    FROM_ACTIONS,
    HAND,
    HAND_ONLY,
    INSIDE,
    NEXT,
    NOT_RUN,
    blocks,
    read,
    sections,
)


def printed() -> list[tuple[tuple[str, ...], list[str]]]:
    """Every `handbook release` command of the blocks: the sections around it, and its words."""
    return [(block.sections, shlex.split(line)[2:]) for page in (*FIRST, NEXT) for block in blocks(page)
            for line in block.text.splitlines() if line.startswith("handbook release ")]


def command(words: list[str]) -> Command:
    """The command of these words, whose options they are."""
    found = release.commands[words[0]]
    assert isinstance(found, Command)
    found.make_parser(click.Context(found)).parse_args(words[1:])
    return found


def taught(words: list[str]) -> set[str]:
    """The sections about a command: its own, those of its steps, and those of the rules it applies."""
    load_rules()
    target = words[2] if len(words) > 2 and words[1] in ("--to", "--from") else "rehearsal"
    steps = {"check": ["check"], "build": ["build"], "inspect": ["inspect", "gate"], "test": ["test"],
             "publish": ["upload"], "verify": ["verify"]}.get(words[0], [])
    rules = {"check": r"REL0", "build": r"REL[23]", "inspect": r"REL[23]", "test": r"REL6"}.get(words[0], "none")
    known = {step.name: step.section for step in release_steps.steps("rehearse", target)}
    return ({command(words).section, *(known[step] for step in steps)}
            | {rule.section for code, rule in REGISTRY.items() if re.match(rules, code)})


# The short way describes several steps of the long way in one section.
SHORT = {"sec-updating-build": ("sec-pypi-build", "sec-pypi-inspect"), "sec-updating-test": ("sec-pypi-test",),
         "sec-updating-publish": ("sec-pypi-testpypi", "sec-pypi-upload"),
         "sec-actions-dev": ("sec-pypi-testpypi",)}


def test_every_command_is_printed_where_it_belongs() -> None:
    for around, words in printed():
        long = {section for each in around for section in (each, *SHORT.get(each, ()))}
        assert long & taught(words), f"handbook release {' '.join(words)} in {around[-1]}"


def test_the_section_of_every_command_names_it() -> None:
    texts = {each.id: "\n".join(each.text) for page in (*FIRST, NEXT, FROM_ACTIONS) for each in sections(page)}
    for name, each in release.commands.items():
        assert isinstance(each, Command)
        assert f"handbook release {name}" in texts[each.section] or f"`{name}`" in texts[each.section], name


def test_commands_in_the_text_exist() -> None:
    for page in (*FIRST, NEXT):
        text = "\n".join(line.text for line in read(page).lines if not line.code)
        for words in re.findall(r"`handbook release ([^`]+)`", text):
            command(shlex.split(words))


def test_the_steps_are_in_the_order_of_the_chapter() -> None:
    order = [each.id for page in FIRST for each in sections(page) if each.step]
    for steps in (release_steps.steps("rehearse"), release_steps.steps("publish", "testpypi"),
                  release_steps.steps("publish", "pypi")):
        assert all(step.section in order for step in steps), "every step of the kit is a step of the chapter"
        places = [order.index(step.section) for step in steps]
        assert places == sorted(places), [step.name for step in steps]


def test_both_pages_print_the_commands_in_the_same_order() -> None:
    short = [words for around, words in printed() if around[0] == "sec-updating"]
    long = [words for around, words in printed() if around[0] in ("sec-pypi", "sec-pypi-release")]
    places = [max(place for place, words in enumerate(long) if words == each) for each in short]
    assert places == sorted(places)


@pytest.mark.parametrize("page", [*FIRST, NEXT])
def test_every_block_runs_or_is_listed(page: str) -> None:
    for block in blocks(page):
        assert block.tab in ("", HAND, BY_COMMAND, INSIDE, BESIDE), block.place
        assert block.runs(HAND, INSIDE, BESIDE) or block.runs(BY_COMMAND) or block.why_not, block.place
        checked = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True, check=False)
        assert not checked.returncode, f"{block.place}: {checked.stderr}"
    listed = {start for start in NOT_RUN for each in (*FIRST, NEXT) for block in blocks(each)
              if block.text.startswith(start)}
    assert listed == set(NOT_RUN), "what is listed is printed"
    assert set(HAND_ONLY) <= {each.id for name in (*FIRST, NEXT) for each in sections(name)}
