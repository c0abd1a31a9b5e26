"""The site lists the talks of the calendar that the seminar kit writes, and publishes that calendar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tooling.tests.conftest import make_book, soup
from tooling.tests.seminar.talks import TALK, feed, write

PAGE = "# Talks {#sec-talks}\n\nWhat is on.\n\n{{< talks >}}\n"
NAME = "محمد بن موسى; \\ <b>*it*</b>, " + "a name that is long enough for the line to be folded " * 2


def test_talks_are_listed_newest_first(rendered: Callable[[Path], Path], tmp_path: Path) -> None:
    book = make_book(tmp_path / "book", {"index.qmd": "# Home\n", "talks.qmd": PAGE})
    page = soup(rendered(book) / "talks.html").main
    assert page and "No talk is listed yet." in page.get_text() and not page(class_="talks")
    seminars = book / "seminars"
    seminars.mkdir()
    write(seminars, video="https://example.org/v")
    write(seminars, "2027-01-14-b.yml", date="2027-01-14", uid="b", speaker=NAME, title="{{< var x >}} @sec-talks",
          abstract="END:VEVENT\n\n<script>alert(1)</script>", status="cancelled", zoom=None)
    calendar = feed(seminars)
    site = rendered(book)
    page = soup(site / "talks.html").main
    assert page
    (listed,) = page(class_="talks")
    new, old = listed("li")
    said = " ".join(new.get_text().split())
    assert said.startswith(f"14 January 2027, 10:15–11:00. Exactum B123 Cancelled: {' '.join(NAME.split())}: "
                           "{{< var x >}} @sec-talks")
    assert "END:VEVENT <script>alert(1)</script>" in said and not listed(["script", "b"])
    said = " ".join(old.get_text().split())
    assert said.startswith(f"3 December 2026, 10:15–11:00. Exactum B123 {TALK['speaker']}: {TALK['title']}")
    assert "Sea ice moves." in said and "Cancelled" not in said
    assert [one["data-talk"] for one in listed.select("[data-talk]")] == ["2027-01-14", "2026-12-03"]
    assert {str(link["href"]) for link in old("a")} == {
        TALK["zoom"], "https://example.org/v", "https://fcai.fi/machine-learning-coffee-seminar"}
    (subscribe,) = [link for link in page("a") if link.get_text() == "this calendar"]
    assert (site / str(subscribe["href"])).read_bytes() == calendar
