"""Drawn pictures on their pages: they follow the theme, fit a phone, and their text stays where it belongs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tooling.tests.browser.conftest import DESKTOP, PHONE, Open, listing

pytestmark = pytest.mark.long

# Words that cross the edge of a box or of the picture, as this browser's fonts set them, and words too small to read.
MISPLACED = """
(smallest) => [...document.querySelectorAll("svg.picture")].flatMap((picture) => {
  const scale = picture.getBoundingClientRect().width / picture.viewBox.baseVal.width;
  const [panel, ...boxes] = [...picture.querySelectorAll("rect")].map((one) => one.getBBox());
  const inside = (a, b) => a.x >= b.x - 1 && a.x + a.width <= b.x + b.width + 1;
  const apart = (a, b) => a.x + a.width < b.x + 1 || b.x + b.width < a.x + 1
    || a.y + a.height * 0.8 < b.y + 1 || b.y + b.height < a.y + a.height * 0.25;
  return [...picture.querySelectorAll("text")].filter((text) => {
    const words = text.getBBox();
    return !inside(words, panel) || boxes.some((box) => !apart(words, box) && !inside(words, box))
      || parseFloat(getComputedStyle(text).fontSize) * scale < smallest;
  }).map((text) => text.textContent);
})
"""
CONTRAST = """
() => [...document.querySelectorAll("svg.picture")].map((picture) => [
  getComputedStyle(picture.querySelector("rect")).fill, getComputedStyle(document.body).backgroundColor])
"""


@pytest.fixture(scope="module")
def pictured(site: Path, urls: list[str]) -> list[str]:
    """The pages with a drawn picture."""
    found = [url for url in urls if 'class="picture"' in (site / url).read_text(encoding="utf-8")]
    assert len(found) > 10
    return found


@pytest.mark.parametrize(("size", "smallest"), [(DESKTOP, 13), (PHONE, 12)], ids=["desktop", "phone"])
def test_words_stay_in_their_boxes_and_can_be_read(pictured: list[str], open_page: Open, size: tuple[int, int],
                                                   smallest: float) -> None:
    page = open_page("index.html", size=size)
    wrong: dict[str, list[str]] = {}
    for url in pictured:
        page.goto(url)
        page.evaluate("document.querySelectorAll('[data-inactive]').forEach((one) => delete one.dataset.inactive)")
        if found := page.evaluate(MISPLACED, smallest):
            wrong[url] = found
    assert not wrong, listing(wrong)


def test_a_picture_too_wide_for_a_phone_scrolls_in_a_box_that_keys_reach(pictured: list[str], open_page: Open,
                                                                         axe: str) -> None:
    """The page itself doesn't scroll sideways; a printed page has the picture whole."""
    page = open_page("chapters/hpc/systems.html", size=PHONE)
    box = page.locator(".picture-box").first
    wide = "(one) => [one.scrollWidth > one.clientWidth, document.documentElement.scrollWidth > innerWidth]"
    assert box.evaluate(wide) == [True, False]
    page.evaluate(axe)
    found = page.evaluate("() => axe.run('.picture-box', { resultTypes: ['violations'] })")["violations"]
    assert not found, [one["id"] for one in found]
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")
    page.emulate_media(media="print")
    assert box.evaluate(wide) == [False, False]
    page.goto("chapters/seminars/organising.html")
    assert page.locator("svg.picture").count() == 3 and page.locator(".picture-box").count() == 0


def test_a_picture_has_the_page_s_own_ground_in_every_theme(pictured: list[str], open_page: Open) -> None:
    """Also when the reader chose on the page what the system does not say."""
    page = open_page(pictured[0], scheme="light")
    seen = []
    for url in pictured:
        page.goto(url)
        for theme in ("light", "dark"):
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
            for ground, around in page.evaluate(CONTRAST):
                assert ground == around, f"{url}, {theme}"
                seen.append((theme, ground))
    assert len({ground for _, ground in seen}) == 2


def test_a_picture_is_printed_on_light_ground(pictured: list[str], open_page: Open) -> None:
    page = open_page(pictured[0], scheme="dark")
    dark = page.evaluate(CONTRAST)[0][0]
    page.emulate_media(media="print", color_scheme="dark")
    light = page.evaluate(CONTRAST)[0][0]
    assert (dark, light) == ("rgb(16, 22, 29)", "rgb(252, 253, 254)")


def test_a_picture_is_one_image_with_a_name(pictured: list[str], open_page: Open) -> None:
    page = open_page(pictured[0])
    for url in pictured:
        page.goto(url)
        for picture in page.query_selector_all("svg.picture"):
            assert picture.get_attribute("role") == "img" and len(picture.get_attribute("aria-label")) > 40
            assert not picture.query_selector_all("title, style, [id], [tabindex]")


def test_the_file_of_a_picture_lies_beside_its_page(pictured: list[str], site: Path, open_page: Open) -> None:
    """So the engine knows of it, and the preview shows a picture that was drawn anew."""
    page = open_page(pictured[0])
    for url in pictured:
        page.goto(url)
        for picture in page.query_selector_all("svg.picture"):
            assert (site / url).parent.joinpath(picture.get_attribute("data-src")).is_file()
