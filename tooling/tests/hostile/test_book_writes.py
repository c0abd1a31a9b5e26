"""A book by somebody else: a check changes no file; a render writes only its output and shows only the book."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest
import yaml

from tooling.tests.conftest import LACKS, make_book, run

pytestmark = pytest.mark.walk

CANARY = "CANARY-7f3a"
HOME = "# Home {.unnumbered}\n"
CHAPTER = "# A {#sec-a}\n\nThis sentense is teh text.\n\n```bash\necho hi\n```\n"
FILES = {"index.qmd": HOME, "a.qmd": CHAPTER, "chapters/facts.yml": "source: x\nspeed: teh fastest\n"}


def contents(folder: Path) -> dict[str, bytes | str]:
    """Every name below a folder with its bytes, or where it leads."""
    return {path.relative_to(folder).as_posix(): str(path.readlink()) if path.is_symlink() else path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_symlink() or path.is_file()}


def set_config(folder: Path, /, **changes: object) -> None:
    """Change the configuration: top-level keys, and those of `book` and `project` within them."""
    path = folder / "_quarto.yml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    for key, value in changes.items():
        config[key] = {**config[key], **value} if isinstance(value, dict) else value
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


# To check changes nothing


SETTINGS = {
    ".codespellrc": "[codespell]\nwrite-changes =\nignore-words-list = sentense\n",
    "setup.cfg": "[codespell]\nwrite-changes = true\ninteractive = 0\nignore-words-list = sentense\n",
    "pyproject.toml": "[tool.codespell]\nwrite-changes = true\nignore-words-list = 'sentense'\n",
    "panache.toml": "[format]\nwrite = true\n[lint]\nfix = true\n",
    ".panache.toml": "[lint]\nfix = true\n[formatters]\nbash = { cmd = 'sh', args = ['-c', 'touch pwned'] }\n",
    "lychee.toml": 'output = "pwned"\ncache = true\n',
}


@pytest.mark.parametrize("name", SETTINGS)
def test_no_settings_of_a_book_make_the_check_write(tmp_path: Path, name: str) -> None:
    book = make_book(tmp_path / "book", {**FILES, name: SETTINGS[name]})
    site = book / "_book"
    site.mkdir()
    (site / "index.html").write_text("<a href='nowhere.html'>x</a>", encoding="utf-8")
    (site / name).write_text(SETTINGS[name], encoding="utf-8")
    before = contents(tmp_path)
    done = run("check", book)
    assert contents(tmp_path) == before
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    said = done.stdout + done.stderr
    assert "a.qmd:3: BOOK018" in said and "chapters/facts.yml:2: BOOK018" in said, said
    assert ("sentense" in said) == ("codespell" not in SETTINGS[name]), "the words that are right are still asked for"


WRITERS = {
    "io.open": "local f = io.open('pwned', 'w') f:write('x') f:close()",
    "io.output": "io.output('pwned') io.write('x')",
    "io.popen": "io.popen('touch pwned'):close()",
    "os.execute": "os.execute('touch pwned')",
    "os.rename": "os.rename('a.qmd', 'pwned')",
    "os.remove": "os.remove('a.qmd')",
    "os.tmpname": "os.rename(os.tmpname(), 'pwned')",
    "pandoc.pipe": "pandoc.pipe('touch', {'pwned'}, '')",
    "pandoc.system.make_directory": "pandoc.system.make_directory('pwned')",
    "pandoc.system.write_file": "pandoc.system.write_file('pwned', 'x')",
    "pandoc.system.with_temporary_directory": "pandoc.system.with_temporary_directory('.', 'x', function() end)",
    "pandoc.mediabag.write": "pandoc.mediabag.insert('pwned', 'text/plain', 'x') pandoc.mediabag.write('.')",
    "pandoc.utils.run_json_filter": "pandoc.utils.run_json_filter(pandoc.Pandoc {}, 'touch', {'pwned'})",
    "require of io": "require('io').open('pwned', 'w')",
    "package": "package.loaded.io.open('pwned', 'w')",
    "_G": "_G.io.open('pwned', 'w')",
    "debug": "debug.getregistry()._LOADED.io.open('pwned', 'w')",
    "loadstring": "load('return io.open')()('pwned', 'w')",
    "metatable": "getmetatable(_G).__index.io.open('pwned', 'w')",
    "dofile": "dofile '/dev/null'",
}


@pytest.mark.parametrize("way", WRITERS)
def test_no_filter_of_a_book_writes_a_file_or_runs_a_program(tmp_path: Path, way: str) -> None:
    book = make_book(tmp_path / "book", FILES)
    (book / "_extensions/handbook/handbook.lua").write_text(
        f"{WRITERS[way]}\nreturn {{}}\n", encoding="utf-8")
    before = contents(tmp_path)
    done = run("check", book)
    assert contents(tmp_path) == before
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr


def test_a_filter_still_reads_and_changes_the_text(tmp_path: Path) -> None:
    book = make_book(tmp_path / "book", FILES)
    folder = book / "_extensions/handbook"
    (folder / "word.lua").write_text("return { say = function() return 'found' end }\n", encoding="utf-8")
    (folder / "handbook.lua").write_text(
        "local word = require 'word'\nlocal first = io.open('index.qmd'):read 'l'\n"
        "return { Str = function(s) if s.text == 'text.' then return pandoc.Str(word.say() .. #first) end end }\n",
        encoding="utf-8")
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 0, done.stderr
    assert f"found{len(HOME) - 1}" in (book / "_book/a.html").read_text(encoding="utf-8")


# What leads out of the book


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A book beside files that it must not show."""
    for name in ("SECRET.txt", "secret.css", "pg.qmd", "secret.svg", "secret.bib", "secret.yml"):
        (tmp_path / name).write_text(CANARY, encoding="utf-8")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/_extension.yml").write_text(f"title: {CANARY}\n", encoding="utf-8")
    return make_book(tmp_path / "book", FILES)


CONFIGURED: dict[str, tuple[dict[str, object], str]] = {
    "css": ({"format": {"html": {"css": ["../secret.css"]}}}, "../secret.css"),
    "an absolute css": ({"format": {"html": {"css": "/etc/passwd"}}}, "/etc/passwd"),
    "a css far above": ({"format": {"html": {"css": ["../../../../../../etc/passwd"]}}}, "etc/passwd"),
    "favicon": ({"book": {"favicon": "../secret.svg"}}, "../secret.svg"),
    "bibliography": ({"bibliography": "../secret.bib"}, "../secret.bib"),
    "include-after-body": ({"format": {"html": {"include-after-body": "../SECRET.txt"}}}, "../SECRET.txt"),
    "filters": ({"filters": ["../../outside"]}, "../../outside"),
    "a chapter": ({"book": {"chapters": ["index.qmd", "../pg.qmd"]}}, "../pg.qmd"),
    "a chapter through a folder": ({"book": {"chapters": ["index.qmd", "chapters/../../pg.qmd"]}}, "../pg.qmd"),
    "the page of a part": ({"book": {"chapters": ["index.qmd", {"part": "../pg.qmd", "chapters": []}]}}, "../pg.qmd"),
    "output-dir /": ({"project": {"output-dir": "/"}}, "output-dir: /"),
    "output-dir ..": ({"project": {"output-dir": ".."}}, "output-dir: .."),
    "output-dir .": ({"project": {"output-dir": "."}}, "output-dir: ."),
}


@pytest.mark.parametrize("command", ["render", "check"])
@pytest.mark.parametrize("name", CONFIGURED)
def test_a_configuration_that_leads_out_is_refused_with_its_line(book: Path, tmp_path: Path, name: str,
                                                                 command: str) -> None:
    changes, shown = CONFIGURED[name]
    set_config(book, **changes)
    before = contents(tmp_path)
    done = (run("check", book) if command == "check" else
            run("render", "--book", book, "--engine", "pandoc", "--to", "html"))
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert shown in done.stderr and "_quarto.yml:" in done.stderr
    line = int(done.stderr.partition("_quarto.yml:")[2].partition(":")[0])
    named = (book / "_quarto.yml").read_text(encoding="utf-8").splitlines()[line - 1]
    assert shown.rpartition(": ")[2] in named
    assert contents(tmp_path) == before


LINKS = {
    "a stylesheet": ("_extensions/handbook/tokens.css", "../../../secret.css", "_quarto.yml:"),
    "a chapter": ("a.qmd", "../pg.qmd", "_quarto.yml:"),
    "the bibliography": ("references.bib", "../secret.bib", "_quarto.yml:"),
    "facts": ("chapters/more.yml", "../../secret.yml", "chapters/more.yml:1"),
    "a filter": ("_extensions/handbook/handbook.lua", "../../../SECRET.txt", "_extensions/handbook/_extension.yml:"),
    "an extension": ("_extensions/handbook", "../../outside", "_quarto.yml:"),
}


@pytest.mark.parametrize("command", ["render", "check"])
@pytest.mark.parametrize("name", LINKS)
def test_a_symbolic_link_that_leads_out_is_refused(book: Path, name: str, command: str) -> None:
    place, target, where = LINKS[name]
    if (book / place).is_dir():
        shutil.rmtree(book / place)
    (book / place).unlink(missing_ok=True)
    (book / place).symlink_to(target)
    assert (book / place).exists()
    done = (run("check", book) if command == "check" else
            run("render", "--book", book, "--engine", "pandoc", "--to", "html"))
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert where in done.stderr and CANARY not in done.stdout + done.stderr
    assert not (book / "_book").exists()


PAGES = {
    "an include": ("{{< include ../SECRET.txt >}}", "BOOK002"),
    "an include through a link": ("{{< include link/SECRET.txt >}}", "BOOK002"),
    "a part": ("{{< part ../SECRET.txt x >}}", "BOOK003"),
    "a part through a link": ("{{< part /link/SECRET.txt x >}}", "BOOK003"),
    "a part that is a pipe": ("{{< part /pipe x >}}", "BOOK003"),
    "an image": ("![x](../secret.svg){fig-alt='x'}", "BOOK007"),
    "an image through a link": ("![x](link/secret.svg){fig-alt='x'}", "BOOK007"),
    "an image that is a pipe": ("![x](pipe){fig-alt='x'}", "BOOK007"),
    "a file": ("[x](../SECRET.txt)", "BOOK007"),
    "a file through a link": ("[x](link/SECRET.txt)", "BOOK007"),
    "an encoded file": ("[x](%2e%2e/SECRET.txt)", "BOOK007"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_leads_out_is_a_finding_with_its_line(book: Path, tmp_path: Path, name: str) -> None:
    text, code = PAGES[name]
    (book / "link").symlink_to("..")
    os.mkfifo(book / "pipe")
    (book / "a.qmd").write_text(f"# A {{#sec-a}}\n\nWords.\n\n{text}\n", encoding="utf-8")
    for done in (run("check", book),
                 *(run("render", "--book", book, "--engine", "pandoc", "--to", kind) for kind in ("html", "epub"))):
        said = done.stdout + done.stderr
        assert done.returncode == 1 and f"a.qmd:5: {code}" in said and "Traceback" not in said, said
        assert CANARY not in said
        assert not (book / "_book").exists()


@pytest.mark.parametrize("text", [
    '<img src="../secret.svg" alt="x">', '<img src="&#46;&#46;/SECRET.txt" alt="x">',
    "<audio><source src='link/SECRET.txt'></audio>",
])
def test_a_file_of_raw_html_that_leads_out_is_a_finding(book: Path, text: str) -> None:
    (book / "link").symlink_to("..")
    (book / "a.qmd").write_text(f"# A {{#sec-a}}\n\n{text}\n", encoding="utf-8")
    for kind in ("html", "epub"):
        done = run("render", "--book", book, "--engine", "pandoc", "--to", kind)
        assert done.returncode == 1 and "a.qmd:3: BOOK007" in done.stderr, done.stderr
        assert CANARY not in done.stdout + done.stderr and not (book / "_book").exists()


@pytest.mark.parametrize("text", [
    "<video src='../SECRET.txt'></video>", '```{=html}\n<img alt="x"\n src=../SECRET.txt>\n```',
    '<video poster="../secret.svg"></video>', '<audio><source data-src="link/SECRET.txt"></audio>',
])
def test_raw_html_brings_no_file_into_an_epub(book: Path, text: str) -> None:
    (book / "link").symlink_to("..")
    (book / "a.qmd").write_text(f"# A {{#sec-a}}\n\n{text}\n", encoding="utf-8")
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "epub")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(book / "_book/Test-Book.epub") as epub:
        assert not [name for name in epub.namelist() if CANARY.encode() in epub.read(name)]


@pytest.mark.parametrize("text", ['#read("/link/SECRET.txt")', '#read("../SECRET.txt")', '#read("/_secret.txt")'])
def test_raw_typst_reads_only_what_pages_show(book: Path, text: str) -> None:
    (book / "link").symlink_to("..")
    (book / "_secret.txt").write_text(CANARY, encoding="utf-8")
    (book / "a.qmd").write_text(f"# A {{#sec-a}}\n\n```{{=typst}}\n{text}\n```\n", encoding="utf-8")
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "pdf")
    assert done.returncode == 2 and "PDF can't be set" in done.stderr, done.stderr
    assert not (book / "_book").exists()


@pytest.mark.parametrize("through", ["output-dir", "link"])
def test_only_the_person_who_renders_names_an_output_outside(book: Path, tmp_path: Path, through: str) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "index.html").write_text("somebody else's site", encoding="utf-8")
    if through == "link":
        (book / "_book").symlink_to("../other")
    else:
        set_config(book, project={"output-dir": "../other"})
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 2 and "outside the book" in done.stderr, done.stderr
    assert contents(other) == {"index.html": b"somebody else's site"}
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html", "--output", other)
    assert done.returncode == 0, done.stderr


def test_a_site_that_holds_the_book_is_not_read(book: Path) -> None:
    done = run("check", book, "--site", "/")
    assert done.returncode == 2 and "holds the book" in done.stderr


@pytest.mark.skipif(not shutil.which("bash"), reason=LACKS + "bash")
def test_shell_blocks_are_read_and_not_run(book: Path) -> None:
    (book / "a.qmd").write_text("# A {#sec-a}\n\n```bash\ntouch pwned; $(touch pwned)\nif\n```\n", encoding="utf-8")
    done = run("check", book)
    assert "BOOK019" in done.stdout + done.stderr and not list(book.rglob("pwned"))
