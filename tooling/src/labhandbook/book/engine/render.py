"""`handbook render`: the whole book into its output folder, by either engine."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from pathlib import Path, PurePosixPath

from labhandbook.book.boundary import own_file
from labhandbook.book.contents import CONFIG
from labhandbook.book.engine import llms
from labhandbook.book.engine.card import card_files
from labhandbook.book.engine.editions import Edition
from labhandbook.book.engine.kept_answers import digest
from labhandbook.book.engine.navigation import download_name, old_addresses, redirect
from labhandbook.book.engine.pandoc_engine import Chapter, Engine, Written
from labhandbook.book.engine.search_index import INDEX, search_script, sections
from labhandbook.book.engine.site_files import SERVED, SITE
from labhandbook.book.extensions import not_read
from labhandbook.book.model import Book, line_of
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import replacing_folder
from labhandbook.core.rules import Findings

FORMATS = ("html", "pdf", "epub")


@dataclass
class Rendered:
    """What a render made: the engine's name, the folder, the number of pages and what was found wrong.

    When a finding is an error, nothing was written.
    """

    engine: str
    output: Path
    pages: int
    findings: Findings

    def as_json(self) -> dict[str, object]:
        """The same facts for machines."""
        return {"engine": self.engine, "output": str(self.output), "pages": self.pages,
                "failed": self.findings.failed(),
                "findings": [finding.as_json() for finding in self.findings]}


def refuse_output(book: Book, output: Path, *, named: bool = True) -> None:
    """Refuse a folder that a render may not replace: one with the book's sources, or with somebody else's files.

    Outside the book the person who renders must have `named` it: a book must not decide what else is replaced.

    Raises HandbookError; what an earlier render made may be replaced.
    """
    if any((book.root / page.path).is_relative_to(output) for page in book.pages) or book.root.is_relative_to(output):
        why = f"{output} holds the sources of the book"
    elif output.is_dir() and any(output.iterdir()) and not any((output / name).exists() for name in _made(book)):
        why = f"{output} is not empty and holds no earlier render"
    elif not named and not output.is_relative_to(book.root):
        why = f"{output}, the output-dir of {CONFIG}, is outside the book"
    else:
        return
    raise HandbookError(why, why="a render replaces its output folder", todo="choose another folder with --output",
                        section="sec-contributing-preview")


def _made(book: Book) -> list[str]:
    return ["index.html", *(download_name(book, kind) for kind in FORMATS[1:])]


def render_pandoc(book: Book, output: Path, formats: tuple[str, ...], progress: Callable[[str], None]) -> Rendered:
    """Render the book with the embedded engine into `output`, replacing it only when all went well.

    `progress` is called with each stage, in a word. Raises HandbookError when the render can't run.
    """
    with Engine(book) as engine, ThreadPoolExecutor(len(FORMATS)) as threads:
        progress("reading")
        engine.read(book.pages)
        engine.prepare(downloads=formats)
        progress("writing")
        whole = {kind: Edition(engine, kind) for kind in formats if kind != "html"}
        begun = [threads.submit(edition.begin) for edition in whole.values()]
        written = engine.write(book.pages)
        shown = {name for page in written for name in page.resources}
        texts = engine.markdown(book.pages) if "html" in formats and llms.wanted(book) else []
        result = Rendered("pandoc", output, len(written),
                          Findings.of([*not_read(book), *(each for page in written for each in page.findings)]))
        if result.findings.failed():
            return result
        for each in begun:
            each.result()
        made = {kind: threads.submit(edition.finish, shown) for kind, edition in whole.items()}
        with replacing_folder(output) as fresh:
            if "html" in formats:
                write_site(book, written, fresh)
                write_aliases(engine, fresh)
                write_sitemap(engine, fresh)
                write_markdown(engine, texts, fresh)
                found = [one for page in written for one in _sections(engine, page)]
                (fresh / INDEX).write_text(search_script(book, found), encoding="utf-8")
            for kind, job in made.items():
                progress(f"setting {kind}")
                (fresh / download_name(book, kind)).write_bytes(job.result())
    return result


def write_markdown(engine: Engine, texts: list[str], target: Path) -> None:
    """Write the Markdown of each page beside it, and the list of all, where the book asks for them."""
    for page, text in zip(engine.book.pages, texts, strict=False):
        (target / llms.markdown_of(page.url)).write_text(text, encoding="utf-8")
    if texts:
        llms.write_list(engine.book, {page.url: (
            engine.book.title if page.home else engine.navigation.entries[page.path].title,
            engine.chapters[page.path].parsed.get("description", "")) for page in engine.book.pages}, target)


def _sections(engine: Engine, page: Written) -> list[dict[str, str]]:
    name, key = f"sections {page.page.path}", digest(page.html)
    if kept := engine.answers.find(name, key, {}):
        return list(kept[0])
    found = sections(page.page.url, page.html)
    engine.answers.keep(name, key, found)
    return found


def write_site(book: Book, written: list[Written], target: Path) -> None:
    """Write the pages, the files that they show, the styles and the scripts under `target`."""
    for page in written:
        file = target / page.page.url
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page.html, encoding="utf-8")
    shown = {name for page in written for name in page.resources}
    for name in sorted({*shown, *book.styles, *book.resources(), *card_files(book)}):
        copy_own(book, name, target)
    for path in SITE.iterdir():
        if path.name in SERVED:
            copy_into(path, target / "site" / path.name)
    # GitHub Pages would otherwise drop names that begin with an underscore.
    (target / ".nojekyll").touch()


def copy_own(book: Book, name: str, target: Path) -> None:
    """Copy a file of the book to the same name under `target`. Raises HandbookError when it isn't one."""
    file = own_file(book.root, name)
    if file is None:
        raise HandbookError(f"{name} is not a file of the book",
                            where=f"{CONFIG}:{line_of(book.root / CONFIG, name)}",
                            why="it does not exist, or leads out of the book", todo="correct its path",
                            section="sec-contributing-check")
    copy_into(file, target / name)


def copy_into(source: Path, target: Path) -> None:
    """Copy a file, making the folders above it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def write_aliases(engine: Engine, target: Path) -> None:
    """Write a redirect for every address under `aliases:` of a page's front matter."""
    for chapter in engine.chapters.values():
        for alias, old in old_addresses(chapter.page, chapter.source.meta).items():
            file = target / old
            if not file.resolve().is_relative_to(target.resolve()):
                raise HandbookError(f"the alias {alias} of {chapter.page.path} leads out of the site",
                                    where=_place(chapter, alias), todo="correct the alias",
                                    section="sec-contributing")
            if file.exists():
                raise HandbookError(f"the alias {alias} of {chapter.page.path} is a page of the book",
                                    where=_place(chapter, alias), todo="remove the alias", section="sec-contributing")
            file.parent.mkdir(parents=True, exist_ok=True)
            depth = len(PurePosixPath(old).parts) - 1
            file.write_text(redirect("../" * depth + chapter.page.url), encoding="utf-8")


def write_sitemap(engine: Engine, target: Path) -> None:
    """Write the list of the site's pages for search engines, with the days of their last changes, as Quarto does."""
    book, site = engine.book, str(engine.book.settings.get("site-url", "")).rstrip("/")
    if own_file(book.root, "robots.txt"):
        copy_own(book, "robots.txt", target)
    if not site:
        return
    urls = "".join(f"  <url>\n    <loc>{escape(f'{site}/{page.url}')}</loc>\n" + (
        f"    <lastmod>{day}</lastmod>\n" if (day := engine.days.get(page.path)) else "") + "  </url>\n"
        for page in book.pages)
    (target / "sitemap.xml").write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns='
                                        f'"http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n',
                                        encoding="utf-8")
    if not (target / "robots.txt").exists():
        (target / "robots.txt").write_text(f"Sitemap: {site}/sitemap.xml\n", encoding="utf-8")


def _place(chapter: Chapter, text: str) -> str:
    """Where in its front matter a chapter says `text`."""
    lines = [line.number for line in chapter.source.front if text in line.text]
    return f"{chapter.page.path}:{lines[0] if lines else 1}"
