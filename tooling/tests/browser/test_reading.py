"""What a reader does on a page: choose a theme, copy, switch tabs, tick, open the book's contents, use the keys."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup

from tooling.tests.browser.conftest import PHONE, Open, listing

TABBED = "chapters/hpc/workflow.html"


def ground(page: Any) -> str:
    """The colour behind the text."""
    found: str = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    return found


def test_the_theme_follows_the_system_until_it_is_chosen(open_page: Open) -> None:
    page = open_page("index.html", scheme="light")
    light = ground(page)
    page.emulate_media(color_scheme="dark")
    dark = ground(page)
    assert light != dark
    toggle = page.get_by_role("button", name="Dark theme")
    assert toggle.get_attribute("aria-pressed") == "true"
    page.emulate_media(color_scheme="light")
    assert ground(page) == light
    toggle.click()
    assert ground(page) == dark and toggle.get_attribute("aria-pressed") == "true"
    page.reload()
    assert ground(page) == dark
    page.goto("chapters/hpc/systems.html")
    assert ground(page) == dark
    page.emulate_media(color_scheme="dark")
    page.get_by_role("button", name="Dark theme").click()
    assert ground(page) == light


# Boxes that hide a part of their text, tabs that are not open included.
CUT = """
(selector) => {
  document.querySelectorAll("[data-inactive]").forEach((one) => one.removeAttribute("data-inactive"));
  return [...document.querySelectorAll(selector)].filter((one) => one.scrollWidth > one.clientWidth + 1)
    .map((one) => one.innerText.split("\\n").sort((a, b) => b.length - a.length)[0]);
}
"""


@pytest.mark.long
@pytest.mark.parametrize(("size", "boxes"), [((1200, 900), "main pre"), (PHONE, "main .table-scroll")],
                         ids=["code on a small desktop", "tables on a phone"])
def test_nothing_is_cut(urls: list[str], open_page: Open, size: tuple[int, int], boxes: str) -> None:
    page = open_page("index.html", size=size)
    cut: dict[str, list[str]] = {}
    for url in urls:
        page.goto(url)
        if found := page.evaluate(CUT, boxes):
            cut[url] = found
    assert not cut, listing(cut)


def test_a_row_of_a_wide_table_is_a_card_on_a_phone(open_page: Open) -> None:
    """Each cell says what its column is; the first names the card."""
    words = "(cell) => getComputedStyle(cell, '::before').content"
    page = open_page("chapters/hpc/systems.html", size=PHONE)
    row = page.locator("table.cards tbody tr").first
    labels = [row.locator("td").nth(place).evaluate(words) for place in range(3)]
    assert labels == ["none", '"Use"', '"Because"']
    page.set_viewport_size({"width": 1400, "height": 900})
    assert row.locator("td").nth(1).evaluate(words) == "none"


@pytest.mark.long
def test_copying_gives_exactly_the_code(site: Path, urls: list[str], open_page: Open) -> None:
    page = open_page("index.html")
    copied = 0
    for url in urls:
        html = BeautifulSoup((site / url).read_text(encoding="utf-8"), "html.parser")
        wanted = [pre.get_text() for pre in html.select("main pre")]
        page.goto(url)
        buttons = page.locator("main .copy")
        assert buttons.count() == len(wanted), url
        for place in {0, len(wanted) // 2, len(wanted) - 1} & set(range(len(wanted))):
            # A click by script reaches the buttons in hidden tabs too.
            buttons.nth(place).evaluate("(button) => button.click()")
            page.locator(".copy.done").first.wait_for(state="attached")
            assert page.evaluate("() => navigator.clipboard.readText()") == wanted[place], (url, place)
            copied += 1
            page.evaluate("() => document.querySelector('.copy.done').classList.remove('done')")
    assert copied > 10


def test_tabs_of_a_group_switch_together_here_and_on_other_pages(open_page: Open) -> None:
    page = open_page(TABBED)
    groups = page.locator(".panel-tabset[data-group]").evaluate_all("(sets) => sets.map((set) => set.dataset.group)")
    group = next(name for name in groups if groups.count(name) > 1)
    sets = page.locator(f'.panel-tabset[data-group="{group}"]')
    name = sets.nth(1).get_by_role("tab").nth(1).inner_text()
    sets.nth(1).get_by_role("tab", name=name, exact=True).click()
    chosen = sets.locator("[role=tab][aria-selected=true]").all_inner_texts()
    having = [name in sets.nth(place).get_by_role("tab").all_inner_texts() for place in range(sets.count())]
    assert [text == name for text in chosen] == having
    assert sum(having) > 1
    page.reload()
    assert sets.locator("[role=tab][aria-selected=true]").all_inner_texts() == chosen


def test_arrow_keys_walk_the_tabs(open_page: Open) -> None:
    page = open_page(TABBED)
    tabs = page.locator(".panel-tabset").first.get_by_role("tab")
    last = tabs.count() - 1
    tabs.first.focus()
    for key, place in (("ArrowRight", 1), ("ArrowLeft", 0), ("ArrowLeft", last), ("ArrowRight", 0), ("End", last),
                       ("Home", 0)):
        page.keyboard.press(key)
        assert tabs.nth(place).evaluate("(tab) => tab === document.activeElement")
        assert tabs.nth(place).get_attribute("aria-selected") == "true"
        panel = tabs.nth(place).get_attribute("aria-controls")
        assert page.locator(f"#{panel}").is_visible()
        assert page.locator(".panel-tabset").first.locator("> [role=tabpanel]:visible").count() == 1


def test_a_link_into_a_hidden_tab_opens_it(open_page: Open) -> None:
    page = open_page(TABBED)
    panel = page.locator("[role=tabpanel][data-inactive]").first.get_attribute("id")
    page.goto(f"{TABBED}#{panel}")
    assert page.locator(f"#{panel}").is_visible()


def test_rules_of_a_step_are_behind_a_line(open_page: Open) -> None:
    page = open_page("chapters/packaging/pypi.html")
    line = page.locator("details.rules").first
    count = line.locator("a.rule").count()
    assert line.locator("summary").inner_text() == f"Checked by {count} rules"
    assert not line.locator("a.rule").first.is_visible()
    line.locator("summary").focus()
    page.keyboard.press("Enter")
    badge = line.locator("a.rule").first
    code, title = badge.inner_text(), badge.get_attribute("title")
    badge.click()
    page.wait_for_url(f"**/*rules.html#sec-rule-{code.lower()}")
    heading = page.locator(f"#sec-rule-{code.lower()} > h2").inner_text()
    assert title and heading.startswith(f"{code}: {title}")


def test_ticks_stay(open_page: Open) -> None:
    page = open_page("chapters/together/joining.html")
    boxes = page.locator("main input[type=checkbox]")
    boxes.nth(1).check()
    boxes.nth(3).check()
    page.reload()
    assert [boxes.nth(place).is_checked() for place in range(4)] == [False, True, False, True]
    boxes.nth(1).uncheck()
    page.reload()
    assert [boxes.nth(place).is_checked() for place in range(4)] == [False, False, False, True]


def test_ticks_are_counted_and_removed(open_page: Open) -> None:
    page = open_page("chapters/seminars/organising.html", size=PHONE)
    section = page.locator("#sec-organising-access")
    count, reset = section.get_by_role("status"), section.get_by_role("button", name="Remove these ticks")
    assert count.inner_text() == "0 of 5 done" and not reset.is_visible()
    section.locator("input").nth(1).check()
    section.locator("input").nth(4).check()
    page.locator("#sec-organising-after input").first.check()
    assert count.inner_text() == "2 of 5 done"
    reset.click()
    assert count.inner_text() == "0 of 5 done" and not reset.is_visible()
    page.reload()
    assert page.locator("main input:checked").count() == 1
    assert page.locator("#sec-organising-after").get_by_role("status").inner_text() == "1 of 5 done"
    page.emulate_media(media="print")
    assert page.locator(".ticks:visible").count() == 0


def test_parts_of_the_book_fold(open_page: Open) -> None:
    page = open_page("chapters/hpc/systems.html")
    book = page.get_by_role("navigation", name="Book")
    assert book.get_by_role("link", name="First job on a cluster").is_visible()
    assert not book.get_by_role("link", name="Ongoing seminars").is_visible()
    other, own = (book.get_by_role("button", name=f"Chapters of {part}") for part in ("Seminars", "HPC resources"))
    assert [one.get_attribute("aria-expanded") for one in (other, own)] == ["false", "true"]
    other.click()
    own.click()
    assert book.get_by_role("link", name="Ongoing seminars").is_visible()
    assert not book.get_by_role("link", name="First job on a cluster").is_visible()
    assert [one.get_attribute("aria-expanded") for one in (other, own)] == ["true", "false"]


def test_arrow_keys_turn_the_pages(open_page: Open) -> None:
    page = open_page("chapters/hpc/workflow.html")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/resources.html")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/workflow.html")
    page.locator("main pre[tabindex]:visible").first.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Search", exact=True).click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+ArrowRight")
    assert page.url.endswith("/workflow.html")


def test_a_report_names_the_page_and_the_section(open_page: Open) -> None:
    page = open_page("chapters/hpc/monitoring.html#sec-hpc-workflow-logs")
    link = page.get_by_role("link", name="Report an issue")
    asked = parse_qs(urlsplit(link.get_attribute("href")).query)
    (title,) = asked["title"]
    assert re.fullmatch(r"(\d+) Monitor jobs and read logs: \1\.\d+ Read the log", title)
    assert asked["body"][0].split("\n")[0].endswith("/chapters/hpc/monitoring.html#sec-hpc-workflow-logs")
    assert asked["body"][0].split("\n")[1] == "For: HPC contact"
    page.goto("chapters/kit.html")
    asked = parse_qs(urlsplit(link.get_attribute("href")).query)
    assert asked["title"] == ["1 Install the kit"] and asked["body"][0].split("\n")[0].endswith("/chapters/kit.html")


def test_a_print_has_the_open_tab_and_its_name(open_page: Open) -> None:
    page = open_page(TABBED)
    tabs = page.locator(".panel-tabset").first
    tabs.get_by_role("tab").nth(1).click()
    name = tabs.get_by_role("tab").nth(1).inner_text()
    page.emulate_media(media="print")
    shown = tabs.locator("> [role=tabpanel]:visible")
    assert shown.count() == 1 and shown.locator(".tab-name").inner_text() == name
    assert page.locator("section.step").first.evaluate("(one) => getComputedStyle(one).breakInside") == "auto"


def test_on_a_phone_the_book_opens_by_button_and_closes_by_escape(open_page: Open) -> None:
    page = open_page("chapters/seminars/organising.html", size=PHONE)
    book = page.get_by_role("navigation", name="Book")
    assert not book.is_visible()
    button = page.get_by_role("button", name="Contents")
    box = button.bounding_box()
    assert box["height"] >= 44 and box["y"] > 400
    button.click()
    assert book.is_visible()
    current = book.locator("[aria-current=page]").bounding_box()
    assert 0 < current["y"] < 800
    page.keyboard.press("Escape")
    assert not book.is_visible()
    button.click()
    book.get_by_role("link", name="Ongoing seminars").click()
    page.wait_for_url("**/ongoing.html")


def focused(page: Any) -> str:
    """What has the focus, and whether one sees it."""
    found: str = page.evaluate("""() => {
      const one = document.activeElement;
      const style = getComputedStyle(one);
      const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && style.opacity !== "0";
      return (seen ? "" : "unseen ") + one.tagName.toLowerCase() + "." + one.className;
    }""")
    return found


@pytest.mark.parametrize("url", [TABBED, "chapters/packaging/pypi.html", "index.html"])
def test_the_keyboard_alone_reaches_everything(open_page: Open, url: str) -> None:
    page = open_page(url)
    page.keyboard.press("Tab")
    assert focused(page).startswith("a.skip")
    page.keyboard.press("Enter")
    page.wait_for_function("location.hash === '#content'")
    page.goto("about:blank")
    page.goto(url)
    wanted = page.evaluate("""() => [...document.querySelectorAll(
      "a[href], button, summary, input, pre[tabindex], [role=region][tabindex]")]
      .filter((one) => one.checkVisibility() && one.tabIndex >= 0 && !one.closest("dialog")
        && !(one.matches("summary") && getComputedStyle(one).pointerEvents === "none")).length""")
    unseen, reached = set(), 0
    page.evaluate("() => { window.reached = new Set(); }")
    for _ in range(wanted + 20):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement === document.body"):
            break
        if (what := focused(page)).startswith("unseen"):
            unseen.add(what)
        reached = page.evaluate("() => window.reached.add(document.activeElement).size")
    assert reached >= wanted
    assert not unseen


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_says_how_old_its_facts_are(open_page: Open, scheme: str) -> None:
    """Amber, with a sign and words, from the day after the first of the page's facts is due."""
    page = open_page("chapters/hpc/systems.html", scheme=scheme)
    day = page.locator(".page-facts [data-confirmed]")
    begin, due = (date.fromisoformat(day.get_attribute(f"data-{name}")) for name in ("confirmed", "due"))

    def on(today: date) -> tuple[str, bool]:
        """What the page says on that day, and whether it is amber."""
        page.clock.set_fixed_time(f"{today}T12:00:00")
        page.reload()
        assert day.get_attribute("title") == f"{begin}; due to be checked again by {due}"
        amber, shown = page.evaluate("""() => ["var(--hb-caution)", ""].map((color) => {
            const one = document.querySelector(".page-facts [data-confirmed]");
            one.style.color = color;
            return getComputedStyle(one).color;
        })""")
        return day.inner_text(), amber == shown

    assert on(begin) == ("today", False)
    assert on(begin + timedelta(1)) == ("1 day ago", False)
    assert on(due)[1] is False
    said, amber = on(due + timedelta(1))
    assert said.endswith(" ago ▲ check again") and amber
    assert on(begin + timedelta(365)) == ("12 months ago ▲ check again", True)
    assert on(begin + timedelta(3 * 365)) == ("3 years ago ▲ check again", True)


def test_without_scripts_a_page_says_the_day_itself(open_page: Open) -> None:
    page = open_page("chapters/hpc/systems.html", js=False)
    day = page.locator(".page-facts [data-confirmed]")
    assert day.inner_text() == day.get_attribute("data-confirmed")


def test_a_talk_is_over_from_the_day_after_it(open_page: Open) -> None:
    page = open_page("chapters/seminars/ongoing.html")
    page.clock.set_fixed_time("2026-12-03T23:00:00")
    said = page.evaluate("""() => {
        const list = document.createElement("ul");
        list.className = "talks";
        list.innerHTML = ["2026-12-04", "2026-12-03", "2026-12-02"].map((day) =>
            `<li><span data-talk="${day}">${day}</span></li>`).join("");
        document.querySelector("main").append(list);
        document.dispatchEvent(new Event("handbook-main"));
        document.dispatchEvent(new Event("handbook-main"));
        return [...list.children].map((one) => one.textContent);
    }""")
    assert said == ["2026-12-04", "2026-12-03", "2026-12-02 (over)"]
