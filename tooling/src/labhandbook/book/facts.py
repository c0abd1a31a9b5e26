"""Facts that change with time: YAML files beside the chapters, each value with source and dates.

A facts file is a mapping. The keys `source`, `checked`, `review-by` and `note` of a mapping are stamps: they
hold for every value below it until a deeper mapping says otherwise. Every other scalar is a fact, and the
variable `<file stem>.<path>` of the chapters.

Numbers that a project measured are no facts: a test computes them again. They are in the `results.json` beside the
project's page, and are the variables `results.<folder>.<path>`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from labhandbook.book.boundary import own_file
from labhandbook.book.model import Book
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_if_changed
from labhandbook.core.yaml_reader import Value, read_yaml
from labhandbook.package.index_addresses import twine_constants

STAMPS = ("source", "checked", "review-by", "note")
MADE = {"node_modules", "__pycache__", "_book", "site_libs"}
VARIABLES = "_variables.yml"
# Where the extension finds the day on which a page's facts are due, by the page's path.
REVIEW = "review-days"
VARIABLE_USED = re.compile(r"\{\{<\s*var\s+([\w.-]+)\s*>\}\}")
HEADER = "# Written by the pre-render script from the facts files; edit those instead.\n"


@dataclass(frozen=True)
class Fact:
    """One value with its stamps; `name` is the variable's name, `line` counts from 1.

    A stamp that is missing is None.
    """

    name: str
    value: str
    file: str
    line: int
    source: str | None
    checked: date | None
    review_by: date | None


def facts_files(root: Path) -> list[Path]:
    """The facts files of a book: every `.yml` under `chapters/`."""
    return sorted(folder / name for folder, files in chapter_folders(root) for name in files
                  if name.endswith(".yml") and not name.startswith((".", "_")))


def results_files(root: Path) -> list[Path]:
    """What the book's projects measured: every `results.json` beside a page."""
    return sorted(folder / "results.json" for folder, files in chapter_folders(root)
                  if "results.json" in files and "index.qmd" in files)


def chapter_folders(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """The folders under `chapters/` with the names of their files.

    Hidden folders, environments and what programs make are left out: there are no facts there.
    """
    for place, below, files in os.walk(root / "chapters"):
        below[:] = [name for name in below if not name.startswith(".") and name not in MADE
                    and not Path(place, name, "pyvenv.cfg").exists()]
        yield Path(place), files


def load_results(root: Path) -> dict[str, Any]:
    """The results of every project by the name of its folder, as nested mappings of text.

    Raises HandbookError when a file is not a JSON object.
    """
    found: dict[str, Any] = {}
    for path in results_files(root):
        shown = path.relative_to(root).as_posix()
        _keep_inside(root, shown)
        # A number stays as it is written there: 0.50 is not 0.5.
        found[path.parent.name] = _texts(untrusted_data.json_data(untrusted_data.text(path, shown), shown,
                                                                  written=True,
                                                                  section="sec-runs-numbers"))
    return found


def _keep_inside(root: Path, name: str) -> None:
    if own_file(root, name) is None:
        raise HandbookError(f"{name} is not a file of the book", where=f"{name}:1",
                            why="it is no regular file, or a symbolic link that leads out of the book",
                            todo="put the file itself there", section="sec-contributing-facts")


def _texts(tree: Any) -> Any:
    """Nested mappings of text. Lists are left out: Quarto finds no variable whose name is a number."""
    if isinstance(tree, dict):
        return {name: _texts(value) for name, value in tree.items() if not isinstance(value, list)}
    return json.dumps(tree) if isinstance(tree, bool) or tree is None else tree


def load_facts(root: Path) -> list[Fact]:
    """Read every fact of the book, in the order of the files.

    Raises HandbookError when a file is not YAML.
    """
    facts: list[Fact] = []
    for path in facts_files(root):
        shown = path.relative_to(root).as_posix()
        _keep_inside(root, shown)
        value = read_yaml(untrusted_data.text(path, shown), shown, section="sec-contributing-facts")
        if isinstance(value.held, str):
            raise HandbookError(f"{shown} holds no names", where=f"{shown}:{value.line}",
                                why="a facts file is a list of `name: value`", todo="give each value a name",
                                section="sec-contributing-facts")
        if value:
            facts += _walk(value, path.stem, {}, shown)
    return facts


def _walk(value: Value, name: str, stamps: dict[str, str], file: str) -> Iterator[Fact]:
    below = {**stamps, **{key: each.text for key, each in value.map.items() if key in STAMPS}}
    for key, each in value.map.items():
        if key not in STAMPS:
            yield from _walk(each, f"{name}.{key}", below, file)
    for position, each in enumerate(value.items, 1):
        yield from _walk(each, f"{name}.{position}", stamps, file)
    if not isinstance(value.held, dict | list):
        yield Fact(name, value.text, file, value.line, stamps.get("source"), _day(stamps.get("checked")),
                   _day(stamps.get("review-by")))


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def index_addresses() -> dict[str, dict[str, str]] | None:
    """The web and simple-index addresses of PyPI and TestPyPI as twine has them; None without twine."""
    known = twine_constants()
    if not known:
        return None
    return {"pypi": _addresses(known["WAREHOUSE_WEB"]), "testpypi": _addresses(known["TEST_WAREHOUSE"])}


def _addresses(web: str) -> dict[str, str]:
    parts = urlsplit(web)
    base = f"{parts.scheme}://{parts.netloc}"
    return {"web": base, "simple": f"{base}/simple/", "host": parts.netloc}


def unknown_addresses() -> dict[str, dict[str, str]]:
    """What replaces the index addresses without twine.

    In a shell it stops and says what to set; a link leads to the packaging guide, which links to the indexes.
    """
    return {
        name: {"web": "https://packaging.python.org/#", "host": label,
               "simple": f'"${{{name.upper()}_SIMPLE:?set it to the simple index address of {label}}}"'}
        for name, label in (("pypi", "PyPI"), ("testpypi", "TestPyPI"))
    }


def identity(book: Book) -> dict[str, str]:
    """The book's name, group and addresses; `_quarto.yml` is their one place."""
    settings = book.settings
    return {"title": book.title, "group": book.author,
            "repo": str(settings.get("repo-url", "")), "site": str(settings.get("site-url", ""))}


def variables(book: Book) -> dict[str, Any]:
    """Everything that `{{< var ... >}}` can name, as nested mappings of text.

    In a book that does not use the handbook's extension that is what `_variables.yml` holds.
    Raises HandbookError when two facts files have the same name.
    """
    if not book.house_style:
        held = read_yaml(untrusted_data.text(own, VARIABLES), VARIABLES).data if (
            own := own_file(book.root, VARIABLES)) else {}
        return _plain(held) if isinstance(held, dict) else {}
    tree: dict[str, Any] = {"book": identity(book), "index": index_addresses() or unknown_addresses()}
    owner: dict[str, str] = {"book": "_quarto.yml", "index": "twine"}
    if results := load_results(book.root):
        tree["results"], owner["results"] = results, "results.json"
    facts = load_facts(book.root)
    if days := review_days(book, facts):
        tree[REVIEW], owner[REVIEW] = days, "the days of the facts that pages show"
    for fact in facts:
        stem, *keys = fact.name.split(".")
        if owner.setdefault(stem, fact.file) != fact.file:
            raise HandbookError(f"two facts files are named {stem}: {owner[stem]} and {fact.file}",
                                where=fact.file, why="their variables would mix", todo="rename one of them",
                                section="sec-contributing")
        place = tree.setdefault(stem, {})
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = fact.value
    return tree


def review_days(book: Book, facts: list[Fact]) -> dict[str, str]:
    """For each page that shows facts the first day on which one of them is due to be checked again."""
    due = {fact.name: str(fact.review_by) for fact in facts if fact.review_by}
    found: dict[str, str] = {}
    for page in book.pages:
        file = own_file(book.root, page.path)
        text = file.read_text(encoding="utf-8", errors="replace") if file else ""
        if days := [due[name] for name in VARIABLE_USED.findall(text) if name in due]:
            found[page.path] = min(days)
    return found


def _plain(tree: Any) -> Any:
    """Nested mappings of text, as Quarto's `var` shows them: a list of one is its value."""
    if isinstance(tree, dict):
        return {name: _plain(value) for name, value in tree.items() if not isinstance(value, list) or len(value) == 1}
    if isinstance(tree, list):
        return _plain(tree[0])
    return "" if tree is None else str(tree).lower() if isinstance(tree, bool) else str(tree)


def write_variables(book: Book) -> bool:
    """Write `_variables.yml` for Quarto; True when it changed. Another book's own file stays."""
    if not book.house_style:
        return False
    # In quotes all of it: Quarto takes more for numbers than this YAML library, such as 1e-05.
    text = HEADER + yaml.safe_dump(variables(book), allow_unicode=True, sort_keys=True, width=1000, default_style='"')
    # It reads a value as Markdown, and would take "${a}" "$b" for a formula.
    return write_if_changed(book.root / VARIABLES, text.replace("${", r"\\${"))


def names(tree: dict[str, Any], prefix: str = "") -> list[str]:
    """The names of all variables of `tree`."""
    found: list[str] = []
    for key, value in tree.items():
        found += names(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"]
    return found


def look_up(tree: dict[str, Any], name: str) -> str | None:
    """The variable `a.b.c`, or None when there is none or it is not a single value."""
    place: Any = tree
    for key in name.split("."):
        if not isinstance(place, dict) or key not in place:
            return None
        place = place[key]
    return None if isinstance(place, dict) else str(place)
