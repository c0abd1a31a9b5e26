"""The handbook in a real browser: rendered by the embedded engine, served on this machine, read by Chromium."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from labhandbook.release.local_index import running
from tooling.tests.conftest import LACKS, Quiet, run, shared_folder

DESKTOP, TABLET, PHONE = (1400, 900), (1000, 800), (390, 800)

Open = Callable[..., Any]


def listing(wrong: dict[str, list[str]]) -> str:
    """What is wrong on which page, whole."""
    return "\n".join([line for url, what in wrong.items() for line in ("", url, *(f"  {one}" for one in what))])


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The handbook as a site: the folder in HANDBOOK_SITE, else rendered once for all processes that run tests."""
    if given := os.environ.get("HANDBOOK_SITE"):
        return Path(given).resolve()
    output = shared_folder(tmp_path_factory) / "site"
    with output.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not output.exists():
            done = run("render", "--engine", "pandoc", "--to", "html", "--output", output)
            assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="session")
def urls(site: Path) -> list[str]:
    """The addresses of all pages."""
    found = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    whole = ("data-search", 'id="quarto-document-content"')  # not pages that only lead to another
    return [url for url in found if any(mark in (site / url).read_text(encoding="utf-8") for mark in whole)]


@pytest.fixture(scope="session")
def base(site: Path) -> Iterator[str]:
    """Where the site is served."""
    with running(ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}/"


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    pytest.importorskip("axe_playwright_python", reason=LACKS + "axe-playwright-python")
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def open_page(browser: Any, base: str) -> Iterator[Open]:
    """Open a page of the site as a new reader: `open_page(url, size=..., scheme=..., js=...)`.

    The test fails when a page asked another machine for something, or when one of its scripts failed.
    """
    contexts: list[Any] = []
    wrong: list[str] = []

    def heard(request: Any) -> None:
        if not request.url.startswith((base, "data:", "blob:")):
            wrong.append(f"a request to {request.url}")

    def opened(url: str, *, size: tuple[int, int] = DESKTOP, scheme: str = "light", js: bool = True) -> Any:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme,
                                      java_script_enabled=js, reduced_motion="reduce",
                                      has_touch=size == PHONE, base_url=base)
        context.set_default_timeout(10_000)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=base)
        contexts.append(context)
        page = context.new_page()
        page.on("request", heard)
        page.on("pageerror", lambda error: wrong.append(f"a script failed: {error}"))
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrong, "\n".join(wrong)
