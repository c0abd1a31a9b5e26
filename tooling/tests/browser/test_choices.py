"""The fields above the list of jobs choose its rows; without a script the whole list is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labhandbook.hpc.choices import choices
from tooling.tests.browser.conftest import DESKTOP, PHONE, Open
from tooling.tests.hpc.slurm import CLUSTERS

PAGE = "chapters/hpc/systems.html"
ROWS = list(choices(CLUSTERS))


def commands(page: Any) -> list[str]:
    """The commands of the rows that are shown."""
    found: list[str] = page.locator(".choices tbody tr").evaluate_all(
        "(rows) => rows.filter((row) => row.checkVisibility()).map((row) => row.cells[5].textContent.trim())")
    return found


def expected(what: str, time: str, cluster: str = "") -> list[str]:
    """The commands that the package gives."""
    return [row.command for row in ROWS if (row.what, row.time) == (what, time)
            and cluster in ("", row.plan.cluster.name)]


def choose(page: Any, what: str, time: str, cluster: str = "all of them") -> list[str]:
    """The commands that a reader sees who chose these."""
    for place, value in enumerate((what, time, cluster)):
        page.locator(".choices-ask select").nth(place).select_option(value)
    return commands(page)


def walk(page: Any) -> None:
    """Choose a job on all clusters, on one, in pieces, and one that a cluster doesn't take."""
    first = ROWS[0]
    assert commands(page) == expected(first.what, first.time) and len(commands(page)) == 2
    assert choose(page, "100 runs of one core", "a day") == expected("100 runs of one core", "a day")
    assert choose(page, "one GPU", "three days", "Roihu") == expected("one GPU", "three days", "Roihu")
    assert "--kind requeue" in commands(page)[0]
    assert choose(page, "all GPUs of two nodes", "a day", "Roihu") == []
    assert "Nothing on Roihu takes such a job" in page.locator(".choices [role=status]").inner_text()
    assert choose(page, "all GPUs of two nodes", "a day") == expected("all GPUs of two nodes", "a day", "LUMI")
    assert page.locator(".choices [role=status]").inner_text() == ""


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_the_fields_choose_the_rows(open_page: Open, axe: str, size: tuple[int, int], scheme: str) -> None:
    page = open_page(PAGE, size=size, scheme=scheme)
    walk(page)
    page.evaluate(axe)
    found = page.evaluate("() => axe.run('.choices', { resultTypes: ['violations'] })")["violations"]
    assert not found, [one["id"] for one in found]
    code = page.locator(".choices tbody tr:not([hidden]) td:last-child code")
    code.click()
    assert page.evaluate("() => getSelection().toString().trim()") == commands(page)[0]


def test_they_work_from_the_folder(site: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto((site / PAGE).as_uri())
    walk(page)
    page.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_without_scripts_the_whole_list_is_there(open_page: Open, size: tuple[int, int]) -> None:
    page = open_page(PAGE, size=size, js=False)
    assert commands(page) == [row.command for row in ROWS]
    assert page.locator(".choices-ask").is_hidden()
    assert open_page("chapters/hpc/commands.html").locator(".choices-ask").count() == 0
