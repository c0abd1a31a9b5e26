"""What a page weighs and how soon it is painted on a slow phone: each page of a site, or of several.

Run it with `python tooling/bench/page_weight.py [SITE ...] [--page PATH ...]`. Where no site is named, it renders the
handbook with each engine of this machine, so that Quarto's page of the same chapter is measured too. A page is opened
in Chromium without a cache, over the line of Lighthouse's slow 4G (1.6 Mbit/s, 150 ms) on a processor four times
slower, from a server that compresses as GitHub Pages does. Its weight is what came over the line until it was quiet,
without the search index, which is asked for only when a reader searches.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
HANDBOOK = Path(sys.executable).with_name("handbook")
PHONE = {"width": 390, "height": 800}
LINE = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
SLOWER = 4
TEXT = (".html", ".css", ".js", ".svg", ".json", ".xml")


class Compressing(SimpleHTTPRequestHandler):
    """Serves a folder, its texts compressed, and adds what it sent to `sent`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, *args: Any, sent: dict[str, int], **names: Any) -> None:
        self.sent = sent
        super().__init__(*args, **names)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are no news."""

    def do_GET(self) -> None:
        """A file, or 404."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        known = path.is_file()
        body = path.read_bytes() if known else b""
        self.send_response(200 if known else 404)
        if path.suffix in TEXT:
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.sent[self.path.partition("?")[0].lstrip("/")] = len(body)


@contextmanager
def served(site: Path) -> Iterator[tuple[str, dict[str, int]]]:
    """The address of a folder that is served, and the bytes of each file that was sent."""
    sent: dict[str, int] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Compressing, directory=str(site), sent=sent))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", sent
    finally:
        server.shutdown()
        server.server_close()


def opened(browser: Browser, base: str, url: str, *, slow: bool) -> float:
    """Open a page as a new reader with a phone; milliseconds until something was painted."""
    context = browser.new_context(viewport={"width": PHONE["width"], "height": PHONE["height"]})
    page = context.new_page()
    if slow:
        line = context.new_cdp_session(page)
        line.send("Network.enable")
        line.send("Network.emulateNetworkConditions", LINE)
        line.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(base + url, wait_until="networkidle")
    # A page that waits for its styles may be quiet before it is painted.
    painted = page.wait_for_function("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    milliseconds: float = painted.json_value()
    context.close()
    return milliseconds


def pages(site: Path) -> list[str]:
    """The pages of a site, without those that only lead to another."""
    return [path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html"))
            if "http-equiv=\"refresh\"" not in path.read_text(encoding="utf-8", errors="replace")]


def rendered(folder: Path) -> Iterator[Path]:
    """The handbook as a site under `folder`, by each engine; says why one is left out."""
    for engine in ("pandoc", "quarto"):
        if engine == "quarto" and not shutil.which("quarto"):
            print("Quarto's pages are left out: there is no quarto on PATH")
            continue
        done = subprocess.run([HANDBOOK, "render", "--book", ROOT, "--engine", engine, "--to", "html",
                               "--output", folder / engine], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        yield folder / engine


def main() -> int:
    """Print a line for each page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sites", nargs="*", type=Path)
    parser.add_argument("--page", action="append", help="only this page of each site; may be repeated")
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    program = shutil.which("chromium") or sys.exit("Chromium is not on PATH")
    print(f"{'compressed':>10} {'files':>5} {'first paint':>11}  page")
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for site in asked.sites or rendered(Path(folder)):
            with served(site) as (base, sent):
                for url in pages(site):
                    if asked.page and url not in asked.page:
                        continue
                    sent.clear()
                    times = [opened(browser, base, url, slow=True) for _ in range(asked.times)]
                    kilobytes = sum(sent.values()) / 1000
                    print(f"{kilobytes:7.1f} kB {len(sent):5} {statistics.median(times):8.0f} ms  {site.name}/{url}")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
