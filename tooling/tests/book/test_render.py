"""`handbook render`: what is in the output folder, and that a render which fails leaves it alone."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from pypdf import PdfReader

from labhandbook.book.engine.search_index import INDEX, sections
from tooling.tests.book.conftest import COMMITTED, everything_in, git
from tooling.tests.book.page_reader import Page
from tooling.tests.conftest import LACKS, make_book, run, soup

FILES = {"index.qmd": "# Home {.unnumbered}\n\nSee @sec-a.\n", "a.qmd": "# A {#sec-a}\n\nText on marmalade.\n"}


def set_config(book: Path, **changes: object) -> None:
    """Change keys of `book:` in `_quarto.yml`."""
    path = book / "_quarto.yml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["book"].update(changes)
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def tree(folder: Path) -> dict[str, bytes]:
    """All files of a folder with their bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def old_output(book: Path) -> Path:
    old = book / "_book" / "index.html"
    old.parent.mkdir(exist_ok=True)
    old.write_text("old", encoding="utf-8")
    return old


# What a site consists of


@pytest.mark.parametrize("old", ["old/one.html", "chapters/alpha/moved.html"])
def test_alias_leads_to_the_page(everything_site: Path, old: str) -> None:
    """Both engines send the reader on by script and keep the fragment; the target is in the page."""
    text = (everything_site / old).read_text(encoding="utf-8")
    found = re.search(r"""["']([^"']*one\.html)["']""", text)
    assert found and "location.hash" in text
    assert Page(everything_site, old).absolute(found[1]) == "chapters/alpha/one.html"


def test_alias_works_without_script(sites_of_pandoc: Path) -> None:
    page = soup(sites_of_pandoc / "old/one.html")
    refresh = page.select_one("meta[http-equiv=refresh]")
    assert refresh and str(refresh["content"]).endswith("url=../chapters/alpha/one.html")


@pytest.fixture(scope="session")
def sites_of_pandoc(sites: object) -> Path:
    assert callable(sites)
    site = sites("everything", "pandoc")
    assert isinstance(site, Path)
    return site


def test_search_index_covers_every_page(sites_of_pandoc: Path) -> None:
    text = (sites_of_pandoc / INDEX).read_text(encoding="utf-8")
    found = json.loads(text.removeprefix("handbookSections(").removesuffix(");\n"))["sections"]
    pages = [path.relative_to(sites_of_pandoc).as_posix() for path in sites_of_pandoc.rglob("*.html")
             if soup(path).select("main[data-search]")]
    assert len(pages) == 8 and {one["url"].split("#")[0] for one in found} == {*pages}
    for one in found:
        page, _, id = one["url"].partition("#")
        assert one["title"] and one["page"]
        assert not id or soup(sites_of_pandoc / page).find("section", id=id), one["url"]


def test_sections_hold_their_own_words() -> None:
    html = ('<p>not this</p><main data-search><h1>Page</h1><p>First.</p><div data-search-ignore><p>hidden</p></div>'
            '<section id="a"><h2><span class="header-section-number">1</span> A &amp; b<br></h2><p>one</p><p>two</p>'
            '<section id="c"><h3>C</h3><pre><code>code x</code></pre></section><p>three</p></section></main>')
    assert sections("p.html", html) == [
        {"url": "p.html", "title": "Page", "page": "Page", "text": "First."},
        {"url": "p.html#a", "title": "A & b", "page": "Page", "text": "one two three"},
        {"url": "p.html#c", "title": "C", "page": "Page", "text": "code x"}]
    assert sections("p.html", "<main><h1>Not marked</h1></main>") == []


def test_site_asks_nobody_outside_for_anything(sites_of_pandoc: Path) -> None:
    for path in sites_of_pandoc.rglob("*.html"):
        for tag in soup(path).select("script[src], link[rel=stylesheet], link[rel=icon], img[src]"):
            address = str(tag.get("src") or tag.get("href"))
            assert not re.match(r"\w+:|//", address), f"{path.name}: {address}"
            assert (path.parent / address).is_file(), f"{path.name}: {address}"
    for path in sites_of_pandoc.rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?https?:|@import", path.read_text(encoding="utf-8")), path


def test_site_has_what_it_needs_to_be_served(sites_of_pandoc: Path) -> None:
    assert (sites_of_pandoc / ".nojekyll").exists()
    home = soup(sites_of_pandoc / "index.html")
    canonical = home.select_one("link[rel=canonical]")
    assert canonical and canonical["href"] == "https://example.org/book/index.html"
    cards = {str(tag["property"]): tag["content"] for tag in home.select("meta[property]")}
    assert cards["og:url"] == canonical["href"] and cards["og:title"] == cards["og:site_name"]


@pytest.mark.parametrize(("said", "site", "shown"), [
    ({"image": "/a.jpg", "image-alt": 'A "hill"'}, "https://example.org/book/",
     {"": "https://example.org/book/a.jpg", ":alt": 'A "hill"'}),
    ({"image": "https://example.com/a.png"}, "https://example.org",
     {"": "https://example.com/a.png", ":alt": "Test Book"}),
    ({"image": "/a.jpg"}, "", {}), ({"title": "Other"}, "https://example.org", {}), (True, "https://example.org", {}),
])
def test_a_link_shows_the_picture_that_the_book_names(tmp_path: Path, said: object, site: str,
                                                      shown: dict[str, str]) -> None:
    book = make_book(tmp_path, FILES, None, **{"open-graph": said, "site-url": site})
    (book / "a.jpg").write_bytes(b"a photograph")
    assert run("render", "--book", book, "--engine", "pandoc", "--to", "html").returncode == 0
    tags = soup(book / "_book/a.html").select("meta[property^='og:image']")
    assert {str(tag["property"]).removeprefix("og:image"): tag["content"] for tag in tags} == shown
    assert (book / "_book/a.jpg").exists() is ("/a.jpg" in str(said))


def test_a_picture_that_is_not_there_is_said(tmp_path: Path) -> None:
    book = make_book(tmp_path, FILES, None, **{"open-graph": {"image": "/gone.png"}, "site-url": "https://example.org"})
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 2 and "gone.png is not a file of the book" in done.stderr


def downloads(page: Path) -> set[str]:
    return {str(tag["href"]) for tag in soup(page).select("[href$='.pdf'], [href$='.epub']")}


def test_downloads_are_offered_where_they_were_made(tmp_path: Path) -> None:
    book = make_book(tmp_path, {**FILES, "deep/b.qmd": "# B\n"}, downloads=["pdf", "epub"])
    for formats, offered in ((["html"], set()), (["html", "epub"], {"Test-Book.epub"})):
        options = [word for kind in formats for word in ("--to", kind)]
        assert run("render", "--book", book, "--engine", "pandoc", *options).returncode == 0
        assert downloads(book / "_book/index.html") == offered
        assert downloads(book / "_book/deep/b.html") == {f"../{name}" for name in offered}
        assert all((book / "_book" / name).is_file() for name in offered)


def test_all_formats_are_written_into_one_folder(tmp_path: Path) -> None:
    book = make_book(tmp_path, FILES)
    done = run("render", "--book", book, "--engine", "pandoc")
    assert done.returncode == 0, done.stderr
    made = {path.name for path in (book / "_book").iterdir()}
    assert {"index.html", "a.html", "Test-Book.pdf", "Test-Book.epub"} <= made
    assert (book / "_book/Test-Book.pdf").read_bytes().startswith(b"%PDF")
    assert not list(book.glob(".*")), "the render left files behind"


@pytest.mark.parametrize(("kind", "names"), [("pdf", {"Test-Book.pdf"}), ("epub", {"Test-Book.epub"})])
def test_one_format_alone(tmp_path: Path, kind: str, names: set[str]) -> None:
    book = make_book(tmp_path, FILES)
    done = run("render", "--book", book, "--engine", "pandoc", "--to", kind, "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == names


@pytest.mark.parametrize("committed", [True, False])
def test_two_renders_give_the_same_bytes(tmp_path: Path, committed: bool) -> None:
    made = []
    for name in ("one", "two"):
        book = everything_in(tmp_path / name / "book")
        set_config(book, **{"site-url": ""})
        with (book / "_quarto.yml").open("a", encoding="utf-8") as config:
            config.write("website: {llms-txt: true}\n")
        if committed:
            for args in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
                git(book, *args)
        done = run("render", "--book", book, "--engine", "pandoc", "--output", tmp_path / name / "out",
                   XDG_CACHE_HOME=str(tmp_path / name / "cache"))
        assert done.returncode == 0, done.stderr
        made.append(tree(tmp_path / name / "out"))
    assert {Path(name).suffix for name in made[0]} >= {".html", ".pdf", ".epub", ".md"}
    assert [name for name in made[0] | made[1] if made[0].get(name) != made[1].get(name)] == []
    pdf = PdfReader(io.BytesIO(made[0]["Test-Book.pdf"]))
    assert pdf.metadata and str(pdf.metadata.creation_date)[:10] == (COMMITTED if committed else "1980-01-01")
    assert ("As of" in pdf.pages[0].extract_text()) is committed, "nobody knows when the book changed"


@pytest.mark.parametrize(("epoch", "said"), [("1700000000", ""), ("0", ""), ("soon", "SOURCE_DATE_EPOCH is 'soon'"),
                                             ("", "is ''"), ("-1", "is '-1'"), ("9" * 30, "which is no time")])
def test_the_time_that_editions_name_is_that_of_the_environment(tmp_path: Path, epoch: str, said: str) -> None:
    book = make_book(tmp_path, FILES)
    done = run("render", "--book", book, "--engine", "pandoc", SOURCE_DATE_EPOCH=epoch)
    if said:
        assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr, done.stderr
        return
    assert done.returncode == 0, done.stderr
    pdf = PdfReader(book / "_book/Test-Book.pdf").metadata
    assert pdf and pdf.creation_date and pdf.creation_date.timestamp() == int(epoch)
    with zipfile.ZipFile(book / "_book/Test-Book.epub") as epub:
        (package,) = (epub.read(name).decode() for name in epub.namelist() if name.endswith(".opf"))
    assert f'dcterms:modified">{datetime.fromtimestamp(int(epoch), UTC):%Y-%m-%dT%H:%M:%SZ}<' in package


def test_output_folder_is_replaced_whole(tmp_path: Path) -> None:
    book = make_book(tmp_path, FILES)
    old_output(book)
    (book / "_book/gone.html").write_text("an old page", encoding="utf-8")
    assert run("render", "--book", book, "--engine", "pandoc", "--to", "html").returncode == 0
    assert not (book / "_book/gone.html").exists()
    assert "Test Book" in (book / "_book/index.html").read_text(encoding="utf-8")


def test_a_render_writes_only_its_output(tmp_path: Path) -> None:
    book = everything_in(tmp_path)
    before = tree(tmp_path)
    assert run("render", "--book", book, "--engine", "pandoc").returncode == 0
    after = tree(tmp_path)
    assert {name: data for name, data in after.items() if not name.startswith("_book/")} == before


def test_variables_are_written_for_quarto(tmp_path: Path) -> None:
    book = everything_in(tmp_path)
    (book / "chapters/shell.yml").write_text("run: sh \"${options[@]}\" \"$IMAGE\"\n", encoding="utf-8")
    assert run("facts", "--book", book, "--write").returncode == 0
    answer = yaml.safe_load((book / "_variables.yml").read_text(encoding="utf-8"))
    assert answer["things"]["host"]["name"] == "login.example.org"
    # Quarto reads Markdown there, where two dollars may be a formula.
    assert answer["shell"]["run"] == 'sh "\\${options[@]}" "$IMAGE"'


# What keeps a render from running


@pytest.mark.parametrize("output", [".", "..", "/"])
def test_output_folder_that_holds_the_book(tmp_path: Path, output: str) -> None:
    book = make_book(tmp_path / "book", FILES)
    before = tree(book)
    done = run("render", "--engine", "pandoc", "--to", "html", "--output", output, cwd=book)
    assert done.returncode == 2 and "holds the sources" in done.stderr and "Traceback" not in done.stderr
    assert tree(book) == before


def test_output_folder_with_the_sources_in_it(tmp_path: Path) -> None:
    """A folder of sources inside the book is no output folder either."""
    book = make_book(tmp_path, {"index.qmd": "# Home\n", "chapters/a.qmd": "# A\n"})
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html", "--output", book / "chapters")
    assert done.returncode == 2 and "holds the sources" in done.stderr, done.stderr
    assert (book / "chapters/a.qmd").read_text(encoding="utf-8") == "# A\n"


def test_output_that_is_a_file(tmp_path: Path) -> None:
    book = make_book(tmp_path / "book", FILES)
    target = tmp_path / "file"
    target.write_text("precious", encoding="utf-8")
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html", "--output", target)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert target.read_text(encoding="utf-8") == "precious"


def test_alias_that_is_a_page(tmp_path: Path) -> None:
    book = make_book(tmp_path, {**FILES, "a.qmd": "---\naliases: [index.html]\n---\n\n# A {#sec-a}\n"})
    old = old_output(book)
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 2 and "a.qmd" in done.stderr and "index.html" in done.stderr
    assert old.read_text(encoding="utf-8") == "old"


def test_alias_that_leaves_the_site(tmp_path: Path) -> None:
    book = make_book(tmp_path / "book", {**FILES, "a.qmd": "---\naliases: [../../out.html]\n---\n\n# A {#sec-a}\n"})
    before = {path.name for path in tmp_path.iterdir()}
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert {path.name for path in tmp_path.iterdir()} == before
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr, done.stderr


def test_broken_bibliography_entry_is_no_crash(tmp_path: Path) -> None:
    book = make_book(tmp_path, {**FILES, "references.bib": "@book{open, title = {No end\n"})
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 2 and "references.bib" in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_missing_bibliography(tmp_path: Path) -> None:
    book = make_book(tmp_path, FILES)
    (book / "references.bib").unlink()
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 2 and "references.bib" in done.stderr and "Traceback" not in done.stderr


def test_without_quarto_its_engine_says_so(tmp_path: Path) -> None:
    book = make_book(tmp_path, FILES)
    done = run("render", "--book", book, "--engine", "quarto", PATH=os.defpath)
    if shutil.which("quarto", path=os.defpath):
        pytest.skip(LACKS + "a PATH without Quarto")
    assert done.returncode == 2 and "Quarto isn't installed" in done.stderr and "Traceback" not in done.stderr


def test_quarto_that_fails_leaves_the_old_output(tmp_path: Path) -> None:
    book = make_book(tmp_path / "book", FILES)
    old = old_output(book)
    fake = tmp_path / "bin" / "quarto"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\nfor last; do :; done\necho half > "$last/half.html"\nexit 3\n', encoding="utf-8")
    fake.chmod(0o755)
    done = run("render", "--book", book, "--engine", "quarto", "--to", "html",
               PATH=f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 2 and "exit code 3" in done.stderr and "Traceback" not in done.stderr
    assert tree(book / "_book") == {"index.html": b"old"} and old.exists()


def test_quartos_epub_is_replaced_by_one_with_part_pages(tmp_path: Path) -> None:
    part = {"part": "p.qmd", "chapters": ["a.qmd"]}
    book = make_book(tmp_path / "book", {"index.qmd": "# Home\n", "p.qmd": "# The part\n", "a.qmd": "# A\n"},
                     ["index.qmd", part])
    fake = tmp_path / "bin" / "quarto"
    fake.parent.mkdir()
    script = '#!/bin/sh\nfor last; do :; done\ncd "$last"\necho theirs | tee index.html > Test-Book.epub\n'
    fake.write_text(script, encoding="utf-8")
    fake.chmod(0o755)
    done = run("render", "--book", book, "--engine", "quarto", PATH=f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    assert (book / "_book/index.html").read_text(encoding="utf-8") == "theirs\n"
    with zipfile.ZipFile(book / "_book/Test-Book.epub") as epub:
        assert "The part" in epub.read("EPUB/nav.xhtml").decode()


def test_pages_are_listed_for_search_engines(tmp_path: Path) -> None:
    page = "---\ndescription: It's a *page*\n---\n\n# A {#sec-a}\n"
    book = make_book(tmp_path / "book", {**FILES, "a.qmd": page})
    set_config(book, **{"site-url": "https://example.org/book"})
    assert run("render", "--book", book, "--engine", "pandoc", "--to", "html").returncode == 0
    assert 'name="description" content="It’s a page"' in (book / "_book/a.html").read_text(encoding="utf-8")
    assert "<loc>https://example.org/book/a.html</loc>" in (book / "_book/sitemap.xml").read_text(encoding="utf-8")
    robots = book / "_book/robots.txt"
    assert robots.read_text(encoding="utf-8") == "Sitemap: https://example.org/book/sitemap.xml\n"
    (book / "robots.txt").write_text("Mine\n", encoding="utf-8")
    assert run("render", "--book", book, "--engine", "pandoc", "--to", "html").returncode == 0
    assert robots.read_text(encoding="utf-8") == "Mine\n"


READ_BY_PROGRAMS = """---
description: What it gives.
---

# A {#sec-a}

Text <b>and</b> [home](index.qmd), @sec-b.

:::: {.callout-note}
## Look

Here.
::::

::: {.panel-tabset}
## By hand

One.

## By command

Two.
:::

## B {#sec-b}

```{.bash filename="laptop"}
ls
```

![The curve](pixel.svg){#fig-a fig-alt="A curve that rises"}

$$x^2$$ {#eq-x}
"""


def test_each_page_is_there_as_markdown_for_programs(rendered: Callable[[Path], Path], engine: str,
                                                         tmp_path: Path) -> None:
    book = make_book(tmp_path / "book", {**FILES, "a.qmd": READ_BY_PROGRAMS,
                                         "pixel.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>'})
    path = book / "_quarto.yml"
    path.write_text(path.read_text(encoding="utf-8") + "website: {llms-txt: true}\n", encoding="utf-8")
    site = rendered(book)
    if engine == "quarto":  # as the handbook's post-render script does
        assert run("search-index", site, "--book", book).returncode == 0
    assert {path.name for path in site.rglob("*.md")} == {"index.llms.md", "a.llms.md"}
    listed = (site / "llms.txt").read_text(encoding="utf-8")
    assert listed.startswith("# Test Book\n") and re.findall(r"\((.*?)\)", listed) == [
        "https://example.org/book/index.llms.md", "https://example.org/book/a.llms.md"]
    assert "[A](https://example.org/book/a.llms.md): What it gives.\n" in listed
    page = (site / "a.llms.md").read_text(encoding="utf-8")
    assert re.search(r"^# .*A$", page, re.MULTILINE)
    for text in ("[home](index.llms.md)", "> **NOTE:**", "By command", "``` bash\nls\n```", "x^2", "(pixel.svg)"):
        assert text in page
    assert not re.search(r"<(div|span|svg|b)\b|data:", page)
    assert "](a.llms.md#sec-a)" in (site / "index.llms.md").read_text(encoding="utf-8")


@pytest.fixture(params=["16k", "64k", "128k"])
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A disk on which a render doesn't fit: not its first page, not its scripts, not the last of it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={request.param}", "tmpfs", disk], capture_output=True).returncode == 0
    if not mounted:
        pytest.skip(LACKS + "the right to mount a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_full_disk(small_disk: Path, tmp_path: Path) -> None:
    book = make_book(tmp_path / "book", FILES)
    output = small_disk / "site"
    output.mkdir()
    (output / "index.html").write_text("old", encoding="utf-8")
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html", "--output", output)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert "No space left" in done.stderr
    assert tree(small_disk) == {"site/index.html": b"old"}, "something was left on the disk"


@pytest.mark.skipif(os.geteuid() == 0, reason=LACKS + "a user for whom folders can be closed")
def test_folder_that_can_not_be_written(tmp_path: Path) -> None:
    book = make_book(tmp_path / "book", FILES)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html", "--output", closed / "site")
    assert done.returncode == 2 and "Traceback" not in done.stderr
