"""What holds for the site of either engine; `make test-quarto` reads the one that Quarto makes and we publish."""

from __future__ import annotations

import pytest

from tooling.tests.browser.conftest import DESKTOP, PHONE, Open, listing
from tooling.tests.browser.test_pages import HIDDEN, SHOW_TABS, TOO_WIDE

pytestmark = pytest.mark.long


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_can_be_read(urls: list[str], open_page: Open, size: tuple[int, int]) -> None:
    """It has a title and fits; `open_page` fails for a script that breaks and for a request to another machine."""
    page = open_page("index.html", size=size)
    wrong: dict[str, list[str]] = {}
    for url in urls:
        page.goto(url)
        page.wait_for_function("document.readyState === 'complete'")
        found = page.evaluate(TOO_WIDE) + ["no title"] * (not page.locator("main h1").first.is_visible())
        if found:
            wrong[url] = found
    assert urls and not wrong, listing(wrong)


def test_every_page_has_its_text_without_scripts(urls: list[str], open_page: Open) -> None:
    page = open_page("index.html", js=False)
    wrong: dict[str, list[str]] = {}
    for url in urls:
        page.goto(url)
        page.evaluate(SHOW_TABS)
        hidden = "main :is(p, li, pre, h2, h3):not(nav *, aside *, .tab-pane *, details:not([open]) *, .collapse *)"
        if found := page.evaluate(HIDDEN, hidden):
            wrong[url] = found[:3]
    assert not wrong, listing(wrong)


def test_no_page_shuts_anyone_out(urls: list[str], open_page: Open, axe: str) -> None:
    """axe's critical violations; the rest of Quarto's own header and menus is Quarto's."""
    page = open_page("index.html")
    wrong: dict[str, list[str]] = {}
    for url in urls:
        page.goto(url)
        page.evaluate(axe)
        found = page.evaluate("() => axe.run('main', { resultTypes: ['violations'] })")["violations"]
        critical = [one for one in found if one["impact"] == "critical"]
        if critical:
            wrong[url] = [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in critical]
    assert not wrong, listing(wrong)
