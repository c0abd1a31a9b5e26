"""Equations have a font for maths, on the pages that need it, and callouts have drawn icons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tooling.tests.browser.conftest import DESKTOP, PHONE, Open, listing

GP = "chapters/research/gaussian-processes.html"
FONT = "maths.woff2"
KINDS = ("note", "tip", "important", "caution", "warning")


def other_fonts(page: Any) -> list[str]:
    """What in the equations is set in another font than the book's."""
    page.evaluate("document.fonts.ready.then(() => null)")
    client = page.context.new_cdp_session(page)
    client.send("DOM.enable")
    client.send("CSS.enable")
    root = client.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
    tokens = client.send("DOM.querySelectorAll", {"nodeId": root, "selector": "math :is(mi, mo, mn, mtext)"})
    return [client.send("DOM.getOuterHTML", {"nodeId": node})["outerHTML"] for node in tokens["nodeIds"]
            for font in client.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
            if not font["isCustomFont"]]


@pytest.mark.long
def test_every_character_of_the_equations_is_in_the_font(site: Path, urls: list[str], open_page: Open) -> None:
    """A character that is missing is added to tooling/figures/maths_font.py."""
    page = open_page("index.html")
    with_maths = [url for url in urls if "<math" in (site / url).read_text(encoding="utf-8")]
    wrong = {}
    for url in with_maths:
        page.goto(url)
        if found := other_fonts(page):
            wrong[url] = found
    assert len(with_maths) > 5 and not wrong, listing(wrong)


def test_the_font_works_from_the_folder_and_only_where_there_are_equations(site: Path, browser: Any) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((site / "chapters/hpc/systems.html").as_uri())
    assert page.evaluate("document.fonts.ready.then((all) => all.status)") == "loaded"
    assert asked and not any(FONT in url for url in asked)
    page.goto((site / GP).as_uri())
    assert not other_fonts(page) and any(FONT in url for url in asked)
    page.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_bracket_grows_with_what_it_holds_and_numbers_stay_in_sight(open_page: Open, size: tuple[int, int]) -> None:
    page = open_page(GP, size=size)
    page.evaluate("document.fonts.ready.then(() => null)")
    heights = "(all) => all.map((one) => one.getBoundingClientRect().height)"
    plain = page.locator('.equation mo[stretchy="false"]').evaluate_all(heights)
    grown = page.locator('.equation mo[stretchy="true"]').evaluate_all(heights)
    assert max(grown) > 1.25 * max(plain)
    for equation in page.locator(".equation").all():
        edges = equation.evaluate("""(one) => [one, one.querySelector(".equation-number")].map((part) => {
            const box = part.getBoundingClientRect(); return [box.right, box.bottom]; })""")
        assert edges[1][0] <= edges[0][0] + 1 and edges[1][1] <= edges[0][1] + 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_icon_is_drawn_in_the_colour_of_its_word(open_page: Open, scheme: str) -> None:
    page = open_page("chapters/packaging/pypi.html", scheme=scheme)
    callouts = "".join(f'<p class="callout-{kind}"><b class="callout-kind tried">word</b></p>' for kind in KINDS)
    page.evaluate("(html) => document.querySelector('main').insertAdjacentHTML('beforeend', html)", callouts)
    found = page.evaluate("""() => Promise.all([...document.querySelectorAll(".tried")].map(async (one) => {
        const style = getComputedStyle(one, "::before"), image = new Image();
        image.src = style.maskImage.match(/^url\\("(.*)"\\)$/)[1].replace(/\\\\(.)/g, "$1");
        await image.decode();
        const size = parseFloat(style.width), same = style.backgroundColor === getComputedStyle(one).color;
        return [image.src, style.content, size > 8 && size < 24, same];
    }))""")
    assert len({source for source, *_ in found}) == len(KINDS)
    assert {tuple(rest) for _, *rest in found} == {('""', True, True)}
