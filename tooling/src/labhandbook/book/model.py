"""The book as `_quarto.yml` describes it: its settings, formats and addresses, and its table of contents."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from labhandbook.book.boundary import leads_out, own_file
from labhandbook.book.contents import Page, Part, flatten
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.yaml_reader import Value, read_yaml

# The front matter of a page.
FRONT = re.compile(r"---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
# What is put into every page: texts of HTML, and files that hold it.
INCLUSIONS = ("include-in-header", "include-before-body", "include-after-body")

# A file that a style sheet names, such as a font; data in the sheet itself begins with `data:`.
SHEET_FILE = re.compile(r"""url\(["']?(?![a-z]+:|/)([^"')]+)["']?\)""")


def people(named: Any) -> str:
    """The names under an `author:`, in one line: a name, a mapping with one, or a list of them."""
    names = [one.get("name", "") if isinstance(one, dict) else one
             for one in (named if isinstance(named, list) else [named]) if one]
    return ", ".join(" ".join(map(str, name.values())) if isinstance(name, dict) else str(name) for name in names)


@dataclass(frozen=True)
class Book:
    """A book project: its folder, its configuration and its table of contents."""

    root: Path
    config: dict[str, Any]
    contents: tuple[Page | Part, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """The `book:` section of the configuration."""
        section: dict[str, Any] = self.config["book"]
        return section

    @property
    def title(self) -> str:
        """The book's title."""
        return str(self.settings.get("title", ""))

    @property
    def author(self) -> str:
        """The names of the book's authors, in one line."""
        return people(self.settings.get("author"))

    @property
    def output(self) -> Path:
        """The folder that a render fills, absolute."""
        return self.root / str(self.config["project"].get("output-dir", "_book"))

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """All pages in reading order."""
        return tuple(flatten(self.contents))

    @cached_property
    def by_path(self) -> dict[str, Page]:
        """The pages by their source path."""
        return {page.path: page for page in self.pages}

    @cached_property
    def bibliography(self) -> list[str]:
        """The bibliography files that are read, relative to the root: the book's, and those of single pages."""
        inside = [name for name in self.named_bibliography if not leads_out(self.root, name)]
        of_pages = (name for page in self.pages for name in page_bibliography(self.root, page.path))
        return list(dict.fromkeys([*inside, *of_pages]))

    @property
    def named_bibliography(self) -> list[str]:
        """The bibliography files as `_quarto.yml` names them; those outside the book are not read."""
        return as_list(self.config.get("bibliography"))

    @property
    def language(self) -> str:
        """The language of the pages, such as "en" or "fr-CH"."""
        return str(self.html_option("lang") or "en")

    @property
    def house_style(self) -> bool:
        """Whether the book asks for the handbook's own rules of style: it uses its extension."""
        return "handbook" in as_list(self.config.get("filters"))

    @property
    def styles(self) -> list[str]:
        """The style sheets and the icon of every page, relative to the root.

        With them come the book's files that the sheets name, as in Quarto.
        """
        sheets = as_list(self.html_option("css"))
        named = [posixpath.normpath(posixpath.join(posixpath.dirname(sheet), target)) for sheet in sheets
                 if (file := own_file(self.root, sheet))
                 for target in SHEET_FILE.findall(untrusted_data.content(file).decode(errors="replace"))]
        return [*sheets, *as_list(self.settings.get("favicon")), *filter(partial(own_file, self.root), named)]

    def html_option(self, name: str, default: Any = None) -> Any:
        """An option of `format: html`, or of the project where the format does not set it."""
        return next(html_options(name, self.config), default)

    def inclusions(self, name: str) -> Iterator[tuple[str, str]]:
        """What one of `INCLUSIONS` puts into every page: the name of a file, or a text."""
        held = self.html_option(name)
        for each in held if isinstance(held, list) else [held]:
            if isinstance(each, dict):
                yield str(each.get("file") or ""), str(each.get("text") or "")
            elif each is not None:
                yield str(each), ""

    @property
    def included_files(self) -> list[str]:
        """The files that are put into every page, relative to the root."""
        return [file for name in INCLUSIONS for file, _ in self.inclusions(name) if file]

    def resources(self) -> Iterator[str]:
        """The files that `project: resources:` puts into the site, relative to the root.

        As in Quarto a folder stands for its files, a pattern without a first slash is sought in all folders, and one
        after `!` leaves files out.
        """
        named = as_list(self.config["project"].get("resources"))
        left_out = {name for pattern in named if pattern.startswith("!") for name in self._matching(pattern[1:])}
        for pattern in named:
            if not pattern.startswith("!"):
                yield from (name for name in self._matching(pattern) if name not in left_out)

    def _matching(self, pattern: str) -> Iterator[str]:
        """The files of the book that one pattern of `resources:` names."""
        # Python takes ** only for whole folders.
        parts = pattern.strip("/").split("/")
        anchored = "/".join(part if part == "**" else part.replace("**", "*") for part in parts)
        if leads_out(self.root, anchored) or not anchored:
            return
        folder = (self.root / anchored).is_dir()
        wanted = f"{anchored}/**/*" if folder else anchored if pattern.startswith("/") else f"**/{anchored}"
        for path in self.root.glob(wanted):
            name = path.relative_to(self.root)
            if own_file(self.root, name.as_posix()) and not path.is_relative_to(self.output) and not any(
                    part.startswith((".", "_")) for part in name.parts):
                yield name.as_posix()

    @property
    def citation_style(self) -> str:
        """The file of the citation style that is read, relative to the root; "" for pandoc's own.

        A style that only points to another one is not read: pandoc would fetch that from its address.
        """
        name = str(self.html_option("csl") or "")
        file = own_file(self.root, name) if name else None
        return name if file and b"independent-parent" not in untrusted_data.content(file) else ""

    @property
    def numbered(self) -> bool:
        """Whether chapters and sections show their numbers."""
        return self.html_option("number-sections", True) is not False

    def number_option(self, name: str, default: int) -> int:
        """An option of `format: html` that is a number."""
        value = self.html_option(name, default)
        return value if isinstance(value, int) and not isinstance(value, bool) else default


def html_options(name: str, *holders: Mapping[str, Any]) -> Iterator[Any]:
    """The values of an option in configurations: in each, that of `format: html` before that of all formats."""
    for holder in holders:
        formats = holder.get("format")
        # A format of an extension, such as theirs-html, is HTML too.
        html = next((held for form, held in formats.items() if str(form).endswith("html")), None) if isinstance(
            formats, dict) else None
        yield from (place[name] for place in (html, holder) if isinstance(place, dict) and name in place)


def as_list(value: Any) -> list[str]:
    """YAML lets a list of one be written as a scalar; read both."""
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def page_bibliography(root: Path, path: str) -> list[str]:
    """The bibliography files of the book that a page names in its front matter, relative to the root."""
    try:
        front = FRONT.match(untrusted_data.content(root / path).decode(errors="replace"))
        held = read_yaml(front[1], path).data if front and "bibliography" in front[1] else None
    except HandbookError:
        return []
    named = as_list(held.get("bibliography")) if isinstance(held, dict) else []
    names = (posixpath.normpath(posixpath.join("" if name.startswith("/") else posixpath.dirname(path),
                                               name.lstrip("/"))) for name in named)
    return [name for name in names if own_file(root, name)]


def load_yaml(path: Path, shown: str) -> Any:
    """Read a YAML file; `shown` is its name in messages. Raises HandbookError with file and line when it can't."""
    return read_settings(path, shown).data


def read_settings(path: Path, shown: str) -> Value:
    """Read a YAML file with the lines of its values. Raises HandbookError as `load_yaml` does."""
    text = untrusted_data.text(path, shown, section="sec-contributing")
    return read_yaml(text, shown, section="sec-contributing")


def line_of(path: Path, needle: str) -> int:
    """The first line of a text file that holds `needle`, counted from 1; 1 when there is none."""
    for number, line in enumerate(untrusted_data.content(path).decode(errors="replace").splitlines(), 1):
        if needle in line:
            return number
    return 1
