"""What a writer sees of an edit in a real browser."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tooling.tests.book.preview_client import CHAPTER, SOON, Preview

SEEN = """(words) => {
  window.seen = {};
  const look = () => {
    const text = document.querySelector("main").textContent;
    const now = performance.timeOrigin + performance.now();
    for (const word of text.match(/Edit-\\d+-x/g) || []) window.seen[word] ??= now;
  };
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
}"""


def edit_to_visible(page: Any, path: Path, edits: int) -> list[float]:
    """Seconds from the write of a file to the DOM that shows the new text, for each of some edits."""
    text = path.read_text()
    page.evaluate(SEEN)
    took = []
    for number in range(edits):
        word = f"Edit-{number}-x"
        start = time.time()
        path.write_text(f"{text.rstrip()}\n\nNow {word}.\n")
        page.wait_for_function("(word) => window.seen[word]", arg=word, polling=20, timeout=SOON * 1000)
        took.append(page.evaluate("(word) => window.seen[word]", word) / 1000 - start)
        time.sleep(0.1)
    path.write_text(text)
    return took


def test_every_edit_is_seen_in_the_browser(preview: Preview, book: Path, browser: Any) -> None:
    """How soon is for tooling/bench/edit.py to say."""
    page = browser.new_page()
    page.goto(f"{preview.base}one.html")
    took = edit_to_visible(page, book / "one.qmd", 10)
    page.close()
    assert len(took) == 10 and min(took) > 0


def test_the_browser_follows_and_keeps_the_place(preview: Preview, book: Path, browser: Any) -> None:
    parts = [f"\n## Part {number} {{#sec-p{number}}}\n\nText of part {number}.\n" for number in range(60)]
    long = CHAPTER + "".join(parts)
    (book / "one.qmd").write_text(long)
    preview.until("/one.html", "Text of part 59.")
    page = browser.new_page(viewport={"width": 1000, "height": 700})
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(f"{preview.base}one.html")
    page.evaluate("() => document.getElementById('sec-p40').scrollIntoView({ behavior: 'instant' })")
    top = "() => document.getElementById('sec-p40').getBoundingClientRect().top"
    before = page.evaluate(top)
    # More text above what is read
    (book / "one.qmd").write_text(long.replace("The first words.", "The first words.\n\nAnd more.\n\n" * 10))
    page.get_by_text("And more.").first.wait_for(state="attached")
    assert abs(page.evaluate(top) - before) < 3
    assert page.locator(".copy, .anchor").count() >= 60
    # A mistake is shown above the page, and disappears when it is corrected
    (book / "one.qmd").write_text(long + "\nSee @sec-nowhere.\n")
    panel = page.get_by_label("Mistakes")
    panel.wait_for()
    assert "BOOK005" in panel.inner_text() and "one.qmd:" in panel.inner_text()
    assert abs(page.evaluate(top) - before) < 3
    (book / "one.qmd").write_text(long)
    panel.wait_for(state="hidden")
    # A broken configuration, then a new style sheet: the page loads again
    config = (book / "_quarto.yml").read_text()
    (book / "_quarto.yml").write_text("project: [\n")
    panel.wait_for()
    (book / "_quarto.yml").write_text(config)
    panel.wait_for(state="hidden")
    with (book / "_extensions/handbook/tokens.css").open("a") as file:
        file.write("\n:root { --hb-measure: 30rem; }\n")
    measure = "getComputedStyle(document.documentElement).getPropertyValue('--hb-measure')"
    page.wait_for_function(f"() => {measure} === '30rem'")
    # A page that is not there yet; in a tab of its own, as the other one may still be loading again
    page.close()
    page = browser.new_page()
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(f"{preview.base}three.html")
    (book / "three.qmd").write_text("# Three {#sec-three}\n\nThe third.\n")
    (book / "_quarto.yml").write_text(config.replace("- two.qmd", "- two.qmd\n  - three.qmd"))
    page.get_by_text("The third.").wait_for()
    page.close()
    assert not failed
