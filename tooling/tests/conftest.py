"""What the tests share: books made for a test, engines to render them with, the command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from bs4 import BeautifulSoup

from labhandbook.core import job_summary

ROOT = Path(__file__).resolve().parents[2]
# On a runner of GitHub, the commands that tests run would write into the summary of the job that runs the tests.
SUMMARY = os.environ.pop(job_summary.SUMMARY, "")
# And the person who started that job would be the maintainer of the recipes that tests write.
os.environ.pop("GITHUB_ACTOR", None)
# Nor are the packages that tests publish of the commit that the job runs for.
os.environ.pop("GITHUB_SHA", None)
os.environ.pop("GITHUB_REF", None)
# Names on conda-forge are those of this package's copy, the same today and next year.
os.environ["HANDBOOK_CONDA_NAMES"] = os.environ["HANDBOOK_CONDA_FORGE"] = "http://127.0.0.1:9/"
LACKS = "this machine lacks "

BASE = {
    "project": {"type": "book", "output-dir": "_book"},
    "lang": "en-GB",
    "bibliography": "references.bib",
    "link-citations": True,
    "filters": ["handbook"],
    "format": {"html": {"html-math-method": "mathml", "number-sections": True, "number-depth": 4, "toc-depth": 3,
                        "css": ["_extensions/handbook/tokens.css", "_extensions/handbook/handbook.css"]}},
}
BOOK = {"title": "Test Book", "author": "A Group", "site-url": "https://example.org/book",
        "repo-url": "https://example.org/repo", "repo-branch": "main", "repo-actions": ["edit", "issue"]}


def run(*args: str | Path, cwd: Path = ROOT, timeout: float = 300, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the `handbook` command of this environment as a user would; no test asks GitHub for people."""
    program = Path(sys.executable).with_name("handbook")
    return subprocess.run([program, *map(str, args)], cwd=cwd, capture_output=True, text=True, timeout=timeout,
                          check=False,
                          env={**os.environ, "NO_COLOR": "1", "GITHUB_SERVER_URL": "http://127.0.0.1:9", **env})


def command_tree(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands below a group with the words that call them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from command_tree(command, (*path, name))
        else:
            yield (*path, name), command


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of pytest-xdist share, or that of the one process there is."""
    base = factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        """Requests are no news."""


def make_book(folder: Path, files: dict[str, str], chapters: list[object] | None = None, **book: object) -> Path:
    """Write a small book: `files` by path, listed as chapters in their order unless `chapters` says otherwise."""
    listed = chapters if chapters is not None else [name for name in files if name.endswith(".qmd")]
    config = {**BASE, "book": {**BOOK, **book, "chapters": listed}}
    shutil.copytree(ROOT / "_extensions", folder / "_extensions", dirs_exist_ok=True)
    for name, text in {"references.bib": "", "_quarto.yml": yaml.safe_dump(config, sort_keys=False), **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def soup(path: Path) -> BeautifulSoup:
    """A rendered page, parsed."""
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


# Seconds for a render by Quarto: on a loaded machine the whole handbook takes more than five minutes.
QUARTO = 3600.0


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Releases of packages that are not in git leave nothing in the home of who runs the tests."""
    os.environ["XDG_STATE_HOME"] = str(shared_folder(tmp_path_factory) / "state")


@pytest.fixture(scope="session", params=["pandoc", "quarto"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn; Quarto where it is installed."""
    name: str = request.param
    if name == "quarto":
        need_quarto()
    return name


def need_quarto() -> None:
    """Skip a test where Quarto is missing; fail it where HANDBOOK_NEEDS_QUARTO says that Quarto must be there."""
    if shutil.which("quarto"):
        return
    if os.environ.get("HANDBOOK_NEEDS_QUARTO"):
        pytest.fail("HANDBOOK_NEEDS_QUARTO is set, and there is no quarto on PATH", pytrace=False)
    pytest.skip(LACKS + "Quarto")


@pytest.fixture(scope="session")
def rendered(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Render a book with the engine at hand; the folder of its pages."""

    def render(book: Path, *options: str) -> Path:
        output = tmp_path_factory.mktemp("site") / "site"
        done = run("render", "--book", book, "--engine", engine, "--to", "html", "--output", output, *options,
                   timeout=QUARTO)
        assert done.returncode == 0, done.stderr
        return output

    return render


@pytest.fixture(scope="session")
def handbook_site(rendered: Callable[[Path], Path]) -> Path:
    """The handbook itself, rendered by the engine at hand."""
    return rendered(ROOT)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, started once; nothing but the pages that a test opens asks for anything."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        pytest.skip(LACKS + "Chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason=LACKS + "playwright")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
             "--disable-component-update", "--disable-sync"]
    with sync_api.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=program, args=quiet)
        yield chromium
        chromium.close()


def epubcheck(book: Path) -> str:
    """What EPUBCheck says of an EPUB; nothing where it finds nothing. Debian's program is a Java archive."""
    program = shutil.which("epubcheck")
    if not program:
        pytest.skip(LACKS + "epubcheck")
    java = ["java", "-jar"] if zipfile.is_zipfile(program) else []
    done = subprocess.run([*java, program, "--failonwarnings", book], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember why tests were skipped."""
    if report.skipped and isinstance(report.longrepr, tuple):
        skipped.append(f"{report.nodeid}: {report.longrepr[2].removeprefix('Skipped: ')}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where a workflow runs the tests, its summary says how many there were and which failed."""
    stats = terminalreporter.stats
    counted = [f"{len(stats[name])} {name}" for name in ("failed", "error", "passed", "skipped") if stats.get(name)]
    failed = [report.nodeid for name in ("failed", "error") for report in stats.get(name, [])]
    text = "\n".join([f"## Tests: {', '.join(counted) or 'none'}", "", *(f"- `{name}`" for name in failed)])
    if SUMMARY:
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv(job_summary.SUMMARY, SUMMARY)
            job_summary.summarise(text)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Only what the machine lacks may be skipped; any other skip fails the run."""
    other = [entry for entry in skipped if LACKS not in entry]
    if other and session.exitstatus == 0:
        print("\nskipped without the machine lacking anything:", *other, sep="\n  ")
        session.exitstatus = 1
