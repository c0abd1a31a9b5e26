"""The addresses in reports lead to the pages that have the sections."""

from __future__ import annotations

import re
from pathlib import Path

from labhandbook.book.load import load_book
from labhandbook.cli.shared_options import Command
from labhandbook.core import rule_pages, section_addresses
from labhandbook.core.rules import REGISTRY
from tooling.tests.cli.test_command_line import COMMANDS
from tooling.tests.conftest import ROOT


def pages() -> dict[str, str]:
    """The page of every section of the book, as `places` writes it."""
    return {name: page.path.removeprefix("chapters/").removesuffix(".qmd") for page in load_book(ROOT).pages
            for name in re.findall(r"\{#(sec-[\w-]+)", (ROOT / page.path).read_text(encoding="utf-8"))}


def named() -> set[str]:
    """Every section that a rule, a command or an error names."""
    rule_pages.load()
    places = [ROOT / "tooling/src/labhandbook", *ROOT.glob("chapters/research/*/src")]
    literals = {name for place in places for path in place.rglob("*.py")
                if path.name not in ("places.py", "reference.py") and Path("book") not in path.parents
                for name in re.findall(r'"(sec-[\w-]+[a-z])"', path.read_text(encoding="utf-8"))}
    sections = {command.section for command in COMMANDS.values() if isinstance(command, Command)}
    return literals | sections | {rule.section for rule in REGISTRY.values()}


def test_every_section_that_a_message_names_is_found_on_its_page() -> None:
    there = pages()
    wrong = {section: section_addresses.page(section) for section in sorted(named() & there.keys())
             if section_addresses.page(section) != there[section]}
    assert not wrong, "labhandbook/core/section_addresses.py has other pages for these"


def test_address_is_whole() -> None:
    assert section_addresses.address("sec-pypi-tag").endswith("/chapters/packaging/pypi.html#sec-pypi-tag")
    assert section_addresses.address("sec-pypi-tag").startswith("https://")
    assert section_addresses.address("sec-elsewhere") == ""
    assert list(section_addresses.addresses(["sec-pypi", "sec-elsewhere", "sec-pypi"])) == ["sec-pypi"]
