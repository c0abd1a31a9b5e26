"""Take tooling/figures/site.png, the picture of the site in the README, from the rendered `_book/`.

Run it after `make` when the first page has changed. It needs Chromium; the bytes depend on its version, so no test
compares them.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(__file__).with_name("site.png")


def main() -> None:
    """Open the first page in a window of a laptop's size and save what it shows."""
    browser_path = shutil.which("chromium") or sys.exit("Chromium is not on PATH")
    page_file = ROOT / "_book" / "index.html"
    if not page_file.is_file():
        sys.exit("_book/ is missing: run make first")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        page.goto(page_file.as_uri())
        page.screenshot(path=TARGET)
        browser.close()


if __name__ == "__main__":
    main()
