"""Searching the handbook from any page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup

from tooling.tests.browser.conftest import Open, listing
from tooling.tests.conftest import ROOT

WORDS = 4


def texts(site: Path, urls: list[str]) -> dict[str, str]:
    """The words of each page's paragraphs and list items, a line each."""
    found = {}
    for url in urls:
        main = BeautifulSoup((site / url).read_text(encoding="utf-8"), "html.parser").select_one("main")
        assert main
        for ignored in main.select("[data-search-ignore], script, math, .header-section-number"):
            ignored.decompose()
        blocks = main.select("p, li:not(:has(p, li)), .csl-entry")
        found[url] = "\n".join(" ".join(block.get_text().split()) for block in blocks)
    return found


def phrases(texts: dict[str, str]) -> dict[str, str]:
    """A few plain words in a row from each page that no other page holds."""
    lowered = {url: text.lower() for url, text in texts.items()}
    found = {}
    for url, text in texts.items():
        for match in re.finditer(rf"(?:(?<= )[A-Za-z]{{3,}} ){{{WORDS}}}", text):
            phrase = match[0].strip()
            if sum(phrase.lower() in other for other in lowered.values()) == 1:
                found[url] = phrase
                break
    return found


@pytest.mark.long
def test_a_phrase_of_every_page_leads_to_it(site: Path, urls: list[str], base: str, open_page: Open) -> None:
    chosen = phrases(texts(site, urls))
    assert chosen.keys() == set(urls)
    page = open_page("chapters/hpc/index.html")
    page.keyboard.press("/")
    box = page.get_by_role("searchbox")
    lost = {}
    for url, phrase in chosen.items():
        box.fill(f'"{phrase}"')
        # A folder's index page is addressed by the folder.
        target = page.locator(f'.search-results a[href^="{base}{url.removesuffix("index.html")}"]').first
        try:
            target.wait_for(timeout=60_000)
        except Exception:
            lost[url] = [phrase, page.locator(".search-results").inner_text()]
    assert not lost, listing(lost)
    first = page.locator(".search-results a").first.get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(first)


def questions() -> list[dict[str, Any]]:
    """What people ask, and the ids of the sections that answer it."""
    loaded = yaml.safe_load((ROOT / "tooling/tests/cases/book/questions.yml").read_text(encoding="utf-8"))
    assert isinstance(loaded, list)
    return loaded


def test_questions_are_answered_by_sections(site: Path, urls: list[str], base: str, open_page: Open) -> None:
    """Of 40 questions at least 36 have an answer among the first three results, and at least 28 as the first."""
    titles = {}
    for url in urls:
        heading = BeautifulSoup((site / url).read_text(encoding="utf-8"), "html.parser").select_one("h1[id]")
        titles[url] = heading["id"] if heading else ""
    page = open_page("index.html")
    page.keyboard.press("/")
    box = page.get_by_role("searchbox")
    places = {}
    for question in questions():
        box.fill("")
        box.fill(question["ask"])
        page.wait_for_function("() => document.querySelector('.search-status').textContent")
        links = page.evaluate("() => [...document.querySelectorAll('.search-results a')].map((link) => link.href)")
        found = [url.partition("#")[2] or titles[url.removeprefix(base)] for url in links]
        places[question["ask"]] = min((found.index(id) for id in question["in"] if id in found), default=99)
    lost = {ask: place for ask, place in places.items() if place}
    assert len(places) == 40
    assert sum(place < 3 for place in places.values()) >= 36, lost
    assert sum(place < 1 for place in places.values()) >= 28, lost


def test_the_search_needs_no_server(site: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto((site / "chapters/hpc/errors.html").as_uri())
    page.keyboard.press("/")
    page.keyboard.type("cancelling jobs")
    page.locator('.search-results a[href$="chapters/hpc/commands.html#sec-commands-scancel"]').click()
    page.wait_for_url("file://**/chapters/hpc/commands.html#sec-commands-scancel")
    page.close()


@pytest.mark.parametrize(("typed", "first"), [
    ("scancle", "sec-commands-scancel"), ("--mem-per-cpu", "sec-"), ("HPC012", "sec-rule-hpc012"),
    ('"account/partition combination"', "sec-hpc-errors-submit"),
    ("copilot for code", "sec-ai-code"), ("I am sick", "sec-wellbeing-help"),
])
def test_slips_options_codes_and_messages_are_found(open_page: Open, typed: str, first: str) -> None:
    page = open_page("index.html")
    page.keyboard.press("/")
    page.keyboard.type(typed)
    link = page.locator(".search-results a").first
    link.wait_for()
    assert f"#{first}" in str(link.get_attribute("href"))


@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_a_key_opens_the_search_and_escape_closes_it(open_page: Open, key: str) -> None:
    page = open_page("chapters/packaging/pypi.html")
    page.keyboard.press(key)
    assert page.get_by_role("searchbox").evaluate("(box) => box === document.activeElement")
    page.keyboard.type("wheel / sdist")
    assert page.get_by_role("searchbox").input_value() == "wheel / sdist"
    page.keyboard.press("Escape")
    assert not page.locator("dialog.search").is_visible()


def test_results_are_walked_with_the_arrow_keys(open_page: Open) -> None:
    page = open_page("index.html")
    page.keyboard.press("/")
    page.keyboard.type("TestPyPI")
    page.locator(".search-results a").nth(1).wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = page.locator(".search-results a").nth(1)
    assert second.evaluate("(link) => link === document.activeElement")
    target = second.get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(target)


def test_nothing_found_is_said(open_page: Open) -> None:
    page = open_page("index.html")
    page.keyboard.press("/")
    page.keyboard.type('"qwertz asdfgh"')
    page.get_by_text("Nothing found").wait_for()
