from __future__ import annotations
import pytest
from tooling.tests.browser.conftest import DESKTOP, PHONE, TABLET
from tooling.tests.browser import test_pages as t
axe = t.axe
URLS=["chapters/kit.html","chapters/hpc/errors.html","chapters/hpc/recipes.html"]
def test_all(open_page, axe):
    for size in (DESKTOP, TABLET, PHONE):
        t.test_every_page_fits_and_holds_still(URLS, open_page, size)
    t.test_axe_finds_nothing(URLS, open_page, axe, "light")

    page = open_page("chapters/hpc/errors.html", size=PHONE)
    page.locator(".message-search input").fill("exit code 137")
    page.screenshot(path="/tmp/job3/phone.png")
    page.evaluate(axe)
    assert page.evaluate("() => axe.run()")["violations"] == []
    page = open_page("chapters/hpc/errors.html", size=DESKTOP)
    page.locator(".message-search input").fill("oom-kill event in StepId")
    page.screenshot(path="/tmp/job3/desk.png")
    page = open_page("chapters/kit.html", size=DESKTOP)
    page.screenshot(path="/tmp/job3/kit.png", full_page=True)
