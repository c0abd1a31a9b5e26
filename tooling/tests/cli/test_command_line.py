"""The command line: help, chapters, exit codes, and the same results for people and machines."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from labhandbook.book.load import load_book
from labhandbook.cli.main import COMMANDS as LISTED
from labhandbook.cli.main import handbook
from labhandbook.cli.shared_options import Command
from labhandbook.core.rules import REGISTRY
from tooling.tests.conftest import ROOT, command_tree, make_book, run

FILES = {"index.qmd": "# Home {.unnumbered}\n", "a.qmd": "# A {#sec-a}\n\nText.\n"}


COMMANDS = dict(command_tree(handbook))


def sources() -> dict[str, str]:
    """The text of every chapter of the handbook."""
    return {page.path: (ROOT / page.path).read_text(encoding="utf-8") for page in load_book(ROOT).pages}


def section_text(name: str) -> str:
    """The source of the section with this id, to the next heading of its level or above; tabs have no ids."""
    for text in sources().values():
        found = re.search(rf"^(#+) [^\n]*\{{#{re.escape(name)}[ }}].*", text, re.MULTILINE)
        if found:
            rest = text[found.end():]
            end = re.search(rf"^#{{1,{len(found[1])}}} .*\{{#", rest, re.MULTILINE)
            return rest[: end.start()] if end else rest
    raise AssertionError(f"no heading has the id {name}")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_names_the_chapter(words: tuple[str, ...]) -> None:
    command = COMMANDS[words]
    assert isinstance(command, Command) and command.section, "a command belongs to a section of the handbook"
    done = run(*words, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert re.search(rf"^  Chapter: https://\S+\.html#{command.section}$", done.stdout, re.MULTILINE)
    assert done.stdout.startswith("Usage: handbook " + " ".join(words))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_option_is_explained(words: tuple[str, ...]) -> None:
    for parameter in COMMANDS[words].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.name} of {' '.join(words)}"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_section_mentions_the_command(words: tuple[str, ...]) -> None:
    command = COMMANDS[words]
    assert isinstance(command, Command)
    assert f"handbook {' '.join(words)}" in section_text(command.section), f"@{command.section} should show it"


def test_sections_of_rules_are_in_the_book() -> None:
    ids = {name for text in sources().values() for name in re.findall(r"\{#(sec-[\w-]+)", text)}
    for rule in REGISTRY.values():
        assert rule.section in ids, rule.code


def test_commands_that_chapters_show_exist() -> None:
    """Each `handbook ...` of a code block is a command with options that it knows."""
    for path, text in sources().items():
        for block in re.findall(r"^```\{?\.?bash[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            for line in re.findall(r"^handbook ([^\n#|]+)", block, re.MULTILINE):
                words = line.split()
                names = [words[:size] for size in (3, 2, 1) if tuple(words[:size]) in COMMANDS]
                assert names, f"{path}: handbook {line}"
                known = {option for parameter in COMMANDS[tuple(names[0])].params for option in parameter.opts}
                assert {word.partition("=")[0] for word in words if word.startswith("-")} <= known, f"{path}: {line}"


def test_group_lists_its_commands() -> None:
    done = run("--help")
    assert done.returncode == 0
    for words in COMMANDS:
        assert re.search(rf"^  {words[0]}\b", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("name", LISTED)
def test_the_list_of_commands_has_their_own_help(name: str) -> None:
    command = handbook.get_command(click.Context(handbook), name)
    assert command and command.help and LISTED[name][1] == " ".join(command.help.partition("\n\n")[0].split())


def test_help_imports_no_command() -> None:
    code = ("import atexit, sys; sys.argv = ['handbook', '--help']; from labhandbook.cli.main import main\n"
            "atexit.register(lambda: print(*sorted(name for name in sys.modules if name.startswith('labhandbook')), "
            "file=sys.stderr)); main()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == [
        "labhandbook", "labhandbook.cli", "labhandbook.cli.main", "labhandbook.cli.shared_options",
        "labhandbook.core", "labhandbook.core.errors", "labhandbook.core.escapes",
        "labhandbook.core.guarded_streams"], "what --help imports makes it slow"


def test_version() -> None:
    done = run("--version")
    assert done.returncode == 0 and re.fullmatch(r"handbook, version \d+\S*\n", done.stdout)


@pytest.mark.parametrize("words", [["nonsense"], ["render", "--nonsense"], ["render", "--engine", "latex"],
                                   ["render", "--to", "docx"], ["facts", "surplus"]])
def test_wrong_call_is_exit_code_2(words: list[str]) -> None:
    done = run(*words)
    assert done.returncode == 2 and "Traceback" not in done.stderr and not done.stdout
    assert "Usage:" in done.stderr or "Error:" in done.stderr


def test_no_words_show_the_help() -> None:
    done = run()
    assert "Usage: handbook" in done.stdout + done.stderr and "Traceback" not in done.stderr


def test_render_as_json_holds_what_people_see(tmp_path: Path) -> None:
    book = make_book(tmp_path, FILES)
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html", "--format", "json")
    answer = json.loads(done.stdout)
    assert done.returncode == 0 and done.stderr == ""
    assert answer == {"engine": "pandoc", "output": str(book / "_book"), "pages": 2, "failed": False, "findings": []}
    shown = run("render", "--book", book, "--engine", "pandoc", "--to", "html").stderr
    assert "2 pages by pandoc" in shown and "_book/" in shown


def test_findings_as_json(tmp_path: Path) -> None:
    book = make_book(tmp_path, {**FILES, "a.qmd": "# A\n\nSee @sec-nowhere.\n"})
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html", "--format", "json")
    answer = json.loads(done.stdout)
    (finding,) = answer["findings"]
    assert done.returncode == 1 and answer["failed"] is True
    assert (finding["file"], finding["line"], finding["code"]) == ("a.qmd", 3, "BOOK005")
    assert finding["severity"] == "error"
    shown = run("render", "--book", book, "--engine", "pandoc", "--to", "html").stderr
    assert f"a.qmd:3: BOOK005 {finding['message']}" in shown and finding["fix"] in shown


def test_stages_and_the_way_on_are_shown(tmp_path: Path) -> None:
    done = run("render", "--engine", "pandoc", cwd=make_book(tmp_path, FILES))
    for stage in ("reading", "writing", "setting pdf", "setting epub"):
        assert re.search(rf"^✓ {stage} +\d+\.\d\d s$", done.stderr, re.MULTILINE), stage
    assert re.search(r"^✓ 2 pages by pandoc in _book/ .* in \d+\.\d s$", done.stderr, re.MULTILINE)


def test_no_colours_outside_a_terminal(tmp_path: Path) -> None:
    book = make_book(tmp_path, {**FILES, "a.qmd": "# A\n\nSee @sec-nowhere.\n"})
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html", NO_COLOR="")
    assert "\x1b" not in done.stderr + done.stdout


def test_codes_of_rules_are_of_one_kind() -> None:
    for code, rule in REGISTRY.items():
        assert re.fullmatch(r"[A-Z]{3,4}\d{3}", code) and rule.code == code
        assert rule.title and rule.why.endswith(".") and rule.fix.endswith(".") and rule.section.startswith("sec-")


@pytest.mark.parametrize(("module", "arguments"), [
    ("watchfiles", ["preview", "--port", "0"]), ("packaging", ["release", "check"]), ("pypandoc", ["render"]),
])
def test_a_part_that_is_not_installed_is_named(module: str, arguments: list[str]) -> None:
    code = (f"import sys; sys.modules[{module!r}] = None; sys.argv = ['handbook', *{arguments!r}]\n"
            "from labhandbook.cli.main import main; main()")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "isn't installed" in done.stderr and "labhandbook[" in done.stderr
