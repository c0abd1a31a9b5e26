"""Every page on every screen: it fits, holds still, is accessible, and is whole without scripts and on paper."""

from __future__ import annotations

from typing import Any

import pytest

from tooling.tests.browser.conftest import DESKTOP, PHONE, TABLET, Open, listing

pytestmark = pytest.mark.long

# Layout shifts are counted from the first byte on.
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) {
    const nodes = shift.sources.map((one) => one.node?.nodeName + "." + one.node?.className);
    window.shifts.push(shift.value + " " + nodes);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
# What sticks out to the right, unless it lies in a box of its own that scrolls.
TOO_WIDE = """
() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.tagName + "." + one.className).slice(0, 5).concat("the page is too wide")
"""
# Buttons that only a script makes work.
DEAD = """
() => [...document.querySelectorAll("main button, .search-open, .theme-toggle")]
  .filter((one) => one.checkVisibility()).length
"""
# The tab that is chosen must not hide mistakes in the others.
SHOW_TABS = """
() => document.querySelectorAll("[data-inactive]").forEach((one) => one.removeAttribute("data-inactive"))
"""
HIDDEN = """
(selector) => [...document.querySelectorAll(selector)].filter((one) => !one.checkVisibility())
  .map((one) => one.outerHTML.slice(0, 120))
"""


AROUND = ".site-header, #book, .toc, .site-footer, .contents-open, .copy, .tabs, .anchor, .fill-in-open, .ticks"


@pytest.mark.parametrize("size", [DESKTOP, TABLET, PHONE], ids=["desktop", "tablet", "phone"])
def test_every_page_fits_and_holds_still(urls: list[str], open_page: Open, size: tuple[int, int]) -> None:
    page = open_page("index.html", size=size)
    page.add_init_script(SHIFTS)
    wrong: dict[str, list[str]] = {}
    for url in urls:
        page.goto(url)
        page.wait_for_function("document.readyState === 'complete'")
        assert page.locator("h1").first.is_visible(), url
        found = page.evaluate(TOO_WIDE) + page.evaluate("() => window.shifts")
        if found:
            wrong[url] = found
    assert not wrong, listing(wrong)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(urls: list[str], open_page: Open, axe: str, scheme: str) -> None:
    page = open_page("index.html", scheme=scheme)
    wrong = {}
    for url in urls:
        page.goto(url)
        page.evaluate(axe)
        page.evaluate(SHOW_TABS)
        found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")["violations"]
        if found:
            wrong[url] = [f"{one['id']}: {one['help']}: {node['html'][:160]} {node['failureSummary']}"
                          for one in found for node in one["nodes"][:3]]
    assert not wrong, listing(wrong)


def test_axe_finds_nothing_in_the_search_and_the_book_menu(open_page: Open, axe: str) -> None:
    page = open_page("chapters/hpc/workflow.html", size=PHONE)
    page.get_by_role("button", name="Contents").click()
    page.evaluate(axe)
    assert page.evaluate("() => axe.run()")["violations"] == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Search", exact=True).click()
    page.keyboard.type("slurm")
    page.locator(".search-results a").first.wait_for()
    assert page.evaluate("() => axe.run()")["violations"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_a_contrast_of_seven(open_page: Open, scheme: str) -> None:
    page = open_page("chapters/hpc/workflow.html", scheme=scheme)
    ratio = page.evaluate("""() => {
      const light = (color) => {
        const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((one) => one / 255)
          .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const text = getComputedStyle(document.querySelector("main p")).color;
      const ground = getComputedStyle(document.body).backgroundColor;
      const [high, low] = [light(text), light(ground)].sort((a, b) => b - a);
      return (high + 0.05) / (low + 0.05);
    }""")
    assert ratio >= 7


def test_every_page_is_whole_without_scripts(urls: list[str], open_page: Open) -> None:
    page = open_page("index.html", js=False)
    hidden = {}
    for url in urls:
        page.goto(url)
        found = page.evaluate(HIDDEN, "main :is(p, li, pre, td, h1, h2, h3, h4, [role=tabpanel], .tab-name)"
                                      ":not(.toc *):not(details:not([open]) *)")
        assert page.locator("#book a").count() > len(urls) // 2
        assert not page.evaluate(DEAD), url
        if found:
            hidden[url] = found[:3]
    assert not hidden, listing(hidden)


def test_a_printed_page_holds_the_text_and_no_navigation(urls: list[str], open_page: Open) -> None:
    page = open_page("index.html")
    page.emulate_media(media="print")
    for url in urls:
        page.goto(url)
        assert page.locator(f":is({AROUND}):visible").count() == 0, url
        # Of a row of tabs the open one is printed.
        closed = ".toc *, details:not([open]) *, [data-inactive], [data-inactive] *"
        assert not page.evaluate(HIDDEN, f"main :is(p, pre, [role=tabpanel]):not({closed})"), url
        assert page.locator("main .panel-tabset:not(:has(> [role=tabpanel]:not([data-inactive])))").count() == 0
        assert not page.evaluate(TOO_WIDE), url


def visible_boxes(page: Any) -> dict[str, Any]:
    """Where the text column, the footer's links and the page's contents lie."""
    found: dict[str, Any] = page.evaluate("""() => Object.fromEntries(
      ["main h1", ".site-footer .steps", ".toc", "#book [aria-current]"].map((selector) => {
        const box = document.querySelector(selector).getBoundingClientRect();
        return [selector, [box.left, box.right, box.top, box.bottom]];
      }))""")
    return found


def test_the_footer_lines_up_with_the_text_and_the_sidebar_shows_the_page(open_page: Open) -> None:
    page = open_page("chapters/contributing.html", size=(1400, 420))
    boxes = visible_boxes(page)
    assert abs(boxes["main h1"][0] - boxes[".site-footer .steps"][0]) < 2
    assert boxes[".toc"][0] >= boxes["main h1"][1]
    assert 0 < boxes["#book [aria-current]"][2] < boxes["#book [aria-current]"][3] < 420
