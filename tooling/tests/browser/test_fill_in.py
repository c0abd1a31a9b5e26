"""Fill in once: what a reader types for a name is in every block that asks for it, and is copied with it."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tooling.tests.browser.conftest import PHONE, Open

pytestmark = pytest.mark.walk

READY, PYPI = "chapters/hpc/getting-ready.html", "chapters/packaging/pypi.html"


def blocks(page: Any) -> list[str]:
    """The texts of the page's code blocks."""
    found: list[str] = page.locator("main pre > code").all_text_contents()
    return found


def fill(page: Any, **values: str) -> None:
    """Type values into the dialog and close it."""
    page.locator(".fill-in-open:visible").first.click()
    for name, value in values.items():
        page.locator(f"dialog.fill-in input[name={name}]").fill(value)
    page.get_by_role("button", name="Done").click()


def test_a_value_is_in_every_block_that_asks_and_on_other_pages(open_page: Open) -> None:
    page = open_page(READY)
    before = blocks(page)
    fill(page, PROJECT="project_465000001", CSC_USER="maria")
    after = blocks(page)
    asked = "${PROJECT:?set it to your project}"
    assert len(before) == len(after) and sum(asked in text for text in before) > 5
    for old, new in zip(before, after, strict=True):
        wanted = old.replace(asked, "project_465000001").replace("${CSC_USER:?set it to your CSC user}", "maria")
        assert new == (wanted.replace("$CSC_USER", "maria") if "CSC_USER:?" in old else wanted)
    page.reload()
    assert blocks(page) == after
    page.goto("chapters/hpc/workflow.html")
    assert "${PROJECT:?" not in "".join(blocks(page)) and "project_465000001" in "".join(blocks(page))
    page.locator(".fill-in-open:visible").first.click()
    page.get_by_role("button", name="Clear").click()
    page.goto(READY)
    assert blocks(page) == [text.replace("${CSC_USER:?set it to your CSC user}", "maria").replace(
        "$CSC_USER", "maria") if "CSC_USER:?" in text else text for text in before]


def test_the_copied_block_holds_the_value_and_bash_reads_it(open_page: Open) -> None:
    page = open_page(PYPI)
    fill(page, PACKAGE="my.pack-age", VERSION="2.0.0")
    first = page.locator("div.sourceCode", has=page.locator("code", has_text="export PACKAGE=")).first
    first.locator(".copy").click()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    done = subprocess.run(["bash", "-c", copied + '\nprintf "%s\\n" "$PACKAGE" "$VERSION" "$MODULE" "$SCRATCH"'],
                          capture_output=True, text=True, check=True, cwd="/",
                          env={"HOME": "/h", "PATH": "/usr/bin:/bin"})
    assert done.stdout.splitlines()[-4:] == ["my.pack-age", "2.0.0", "my.pack_age", "/h/release-my.pack-age-2.0.0"]


@pytest.mark.parametrize("value", ["a b", "$(reboot)", "a;b", 'a"b', "a'b", "a`b`", "a\\b", "ä"])
def test_a_value_that_the_shell_would_read_is_not_taken(open_page: Open, value: str) -> None:
    page = open_page(READY)
    before = blocks(page)
    fill(page, PROJECT=value)
    assert blocks(page) == before and not page.locator("dialog.fill-in").is_visible()


@pytest.mark.parametrize("size", [(1400, 900), PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dialog_is_accessible(open_page: Open, axe: str, size: tuple[int, int], scheme: str) -> None:
    page = open_page(READY, size=size, scheme=scheme)
    page.locator(".fill-in-open:visible").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("first")
    page.evaluate(axe)
    assert page.evaluate("() => axe.run()")["violations"] == []
    page.keyboard.press("Escape")
    assert "first" in "".join(blocks(page))
    assert page.evaluate("() => document.activeElement.className").startswith("fill-in-open")


def test_without_scripts_blocks_are_as_written(open_page: Open) -> None:
    page = open_page(READY, js=False)
    assert page.locator(".fill-in-open, dialog.fill-in").count() == 0
    assert "${PROJECT:?set it to your project}" in "".join(blocks(page))
