"""How long an edit takes to be seen: from saving a chapter to its new words in a real browser, by engine.

Run it with `python tooling/bench/edit.py`. It edits a copy of the handbook, shows each chapter in Chromium and
measures from the save to the document that holds the new words. Quarto's rows are there where Quarto is on PATH. Both
engines take the time they need; the load of the machine is printed, since other work makes every edit slower. Then it
says what the preview costs while nobody edits, with 10,000 other files beside the book.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Error, Page, sync_playwright

from labhandbook.core.process import processor_seconds

ROOT = Path(__file__).resolve().parents[2]
# Runs in every page before it is read: notes when an edit's word is first in the document.
SEEN = """(() => {
  window.seen = {};
  const look = () => {
    for (const word of document.documentElement?.textContent.match(/edited\\d+now/g) ?? [])
      window.seen[word] ??= performance.timeOrigin + performance.now();
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
})()"""
CHAPTERS = ("chapters/seminars/ongoing", "chapters/research/gaussian-processes", "chapters/contributing",
            "chapters/hpc/resources", "chapters/packaging/pypi-upload", "chapters/packaging/actions-rules")


def copy_book(folder: Path) -> Path:
    """A copy of the handbook's sources, without what renders and tests have made."""
    ignore = shutil.ignore_patterns(".git", ".venv", "_book", ".quarto", "__pycache__", "tests", "*.egg-info")
    return Path(shutil.copytree(ROOT, folder / "book", ignore=ignore))


def serve(engine: str, book: Path) -> tuple[subprocess.Popen[str], str]:
    """Start a preview and wait until it answers; the process and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = {"pandoc": [str(Path(sys.executable).with_name("handbook")), "preview", "--no-open"],
               "quarto": ["quarto", "preview", "--no-browser"]}[engine]
    # Quarto's pre-render script asks the package for the facts.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen([*command, "--port", str(port)], cwd=book, text=True, env={**os.environ, "PATH": path},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return process, f"http://127.0.0.1:{port}/"
        time.sleep(0.1)
    sys.exit(f"the preview of {engine} did not start")


def edits(page: Page, book: Path, address: str, chapter: str, count: int) -> list[float]:
    """Edit a chapter `count` times; the seconds until the browser shows each edit, none for one it never shows."""
    source = book / f"{chapter}.qmd"
    before = source.read_text(encoding="utf-8")
    page.add_init_script(SEEN)
    page.goto(f"{address}{chapter}.html")
    page.wait_for_selector("main")
    taken = []
    for number in range(count):
        word = f"edited{number}now"
        text = re.sub(r"(\n\{\{< page-facts [^\n]*\n)", rf"\1\n{word}\n", before, count=1)
        time.sleep(1)   # a person who edits fast
        start = time.time()
        source.write_text(text, encoding="utf-8")
        try:
            page.wait_for_function("(word) => window.seen[word]", arg=word, polling=50, timeout=120_000)
            taken.append(page.evaluate("(word) => window.seen[word]", word) / 1000 - start)
        except Error:
            break
    source.write_text(before, encoding="utf-8")
    return taken


def beside(book: Path, count: int = 10_000) -> None:
    """Write files that are no part of the book: a hundred in each folder."""
    for number in range(count):
        file = book / f"notes/{number // 100}/{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def idle(process: subprocess.Popen[str], seconds: float = 30.0) -> float:
    """The share of a processor that a preview and its pandoc use while nothing happens, in per cent."""
    def used() -> float:
        rows = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pids = [int(row.split()[0]) for row in rows.splitlines() if str(process.pid) in row.split()]
        return sum(found[0] for pid in pids if (found := processor_seconds(pid)))

    time.sleep(10)   # what follows the last edit
    before = used()
    time.sleep(seconds)
    return 100 * (used() - before) / seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=20, help="edits of each chapter")
    options = parser.parse_args()
    engines = ["pandoc", *(["quarto"] if shutil.which("quarto") else [])]
    browser_path = shutil.which("chromium") or sys.exit("Chromium is not on PATH")
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    print(f"{'engine':<8} {'chapter':<40} {'size':>8} {'median':>9} {'worst':>9}")
    for engine in engines:
        with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
            book = copy_book(Path(place))
            beside(book)
            process, address = serve(engine, book)
            browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            every: list[float] = []
            try:
                for chapter in CHAPTERS:
                    taken = edits(browser.new_page(), book, address, chapter, options.edits)
                    size = (book / f"{chapter}.qmd").stat().st_size / 1000
                    summary = (f"{1000 * statistics.median(taken):6.0f} ms {1000 * max(taken):6.0f} ms" if taken
                            else "   was not shown")
                    print(f"{engine:<8} {chapter:<40} {size:5.1f} kB {summary}", flush=True)
                    every += taken
                if every:
                    print(f"{engine:<8} {'all edits':<49} {1000 * statistics.median(every):6.0f} ms", flush=True)
                print(f"{engine:<8} {'while nobody edits':<49} {idle(process):6.2f} % of a processor", flush=True)
            finally:
                browser.close()
                process.send_signal(signal.SIGINT)
                process.wait(30)


if __name__ == "__main__":
    main()
