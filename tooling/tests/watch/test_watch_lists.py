"""Pages, feeds, releases and pull requests: a first look is quiet, each new item is reported once."""

from __future__ import annotations

import json

import pytest

from tooling.tests.seminar.test_calendar_feed import NAMES
from tooling.tests.watch.conftest import Desk
from tooling.tests.watch.watched_site import Site

PAGE = "- name: News\n  page: {}/list\n  items: ul.news > li\n"
FEED = "- name: Feed\n  feed: {}/feed\n"


@pytest.mark.parametrize("lines", [PAGE, FEED], ids=["page", "feed"])
def test_the_first_look_is_quiet_and_each_item_is_reported_once(site: Site, desk: Desk, lines: str) -> None:
    desk.watch(lines.format(site.address))
    assert desk.look().titles == []
    site.items.insert(0, ("/c", "Third & <last>"))
    report = desk.look()
    assert report.code == 0 and [(notice["watch"], notice["items"]) for notice in report.new] == [
        (lines[8:12], [{"title": "Third & <last>" if "page:" in lines else "Third &", "link": f"{site.address}/c"}])]
    assert desk.look().new == []
    # An item that goes and comes back is not new.
    kept, site.items = site.items, site.items[1:]
    desk.look()
    site.items = kept
    assert desk.look().new == []


@pytest.mark.parametrize("name", [*NAMES, "عنوان", "\x1b[31mred\x1b[0m\u202e", "a\u0000b", "x" * 5000, "'; drop"])
def test_titles_in_any_script_stay_what_they_are(site: Site, desk: Desk, name: str) -> None:
    desk.watch(PAGE.format(site.address))
    desk.look()
    site.items.append(("/new/ä ö?q=1&r=2", name))
    report = desk.look()
    (title,) = report.titles
    kept = " ".join(name.replace("\x00", "�").split())
    assert title in (kept, name.replace("\x00", ""), f"{name[:300]}…")
    assert "\x1b" not in report.output and "\u202e" not in report.output
    assert desk.look().new == []


def test_items_without_addresses_are_known_by_their_text(site: Site, desk: Desk) -> None:
    site.form = "<div class=news><li><b hidden={}>{}</b></li></div>"
    desk.watch(PAGE.format(site.address).replace("ul.news > li", ".news b"))
    desk.look()
    site.items.append(("x", "Without a link"))
    assert desk.look().new[0]["items"] == [{"title": "Without a link", "link": ""}]


def test_items_that_share_an_address_stay_two(site: Site, desk: Desk) -> None:
    site.items = [("/all", "One"), ("/all", "Two")]
    desk.watch(PAGE.format(site.address))
    desk.look()
    site.items.append(("/all", "Three"))
    assert desk.look().titles == ["Three"]


def test_a_link_that_leads_to_no_page_is_no_address(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address))
    desk.look()
    site.items += [("javascript:alert(1)", "Script"), ("http://[", "Broken")]
    assert [item["link"] for item in desk.look().new[0]["items"]] == ["", ""]


def test_a_page_whose_selector_finds_nothing_any_more_has_changed(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address))
    desk.look()
    form, site.form = site.form, '<div class="stream"><li><a href="{}">{}</a></li></div>'
    for _ in range(2):  # the page is asked for whole each time: an answer 304 would hide it
        report = desk.look()
        assert report.code == 1 and report.codes == ["WAT001"] and report.findings[0]["line"] == 3
        assert "2 were found before" in report.findings[0]["message"] and not report.new
    site.form = form
    site.items.append(("/c", "Third"))
    report = desk.look()
    assert (report.code, report.titles) == (0, ["Third"])


def test_a_list_may_be_empty_where_the_file_names_the_list(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address) + "  list: ul.news\n")
    desk.look()
    site.items = []
    assert desk.look().code == 0
    site.form = "<p>No list</p><li></li>"
    report = desk.look()
    assert report.code == 1 and report.codes == ["WAT001"] and "ul.news" in report.findings[0]["message"]


def test_a_first_look_that_finds_nothing_warns_and_loses_nothing(site: Site, desk: Desk) -> None:
    site.items = []
    desk.watch(PAGE.format(site.address))
    report = desk.look()
    assert report.code == 0 and [finding["severity"] for finding in report.findings] == ["warning"]
    site.items = [("/a", "First")]
    assert desk.look().titles == ["First"]


def test_addresses_that_all_change_are_no_news(site: Site, desk: Desk) -> None:
    site.items = [(f"/{number}", f"Call {number}") for number in range(6)]
    desk.watch(PAGE.format(site.address))
    desk.look()
    site.items = [("/calls/7", "Call 7"), *((f"/calls{link}", title) for link, title in site.items)]
    report = desk.look()
    assert report.titles == ["Call 7"] and report.codes == ["WAT007"] and report.code == 0
    assert desk.look().findings == []


def test_a_list_that_is_wholly_new_is_news(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address))
    desk.look()
    site.items = [("/x", "New one"), ("/y", "First")]
    assert desk.look().titles == ["New one", "First"]


def test_a_feed_that_is_none_any_more_has_changed(site: Site, desk: Desk) -> None:
    desk.watch(FEED.format(site.address))
    desk.look()
    site.replies["/feed"] = lambda handler: handler.send(200, "<html><p>We have moved</p></html>")
    report = desk.look()
    assert report.code == 1 and report.codes == ["WAT001"] and "no feed" in report.findings[0]["message"]


RSS = ("<?xml version='1.0' encoding='iso-8859-1'?><rss version='2.0'><channel><title>T</title>{}</channel></rss>")


def test_rss_with_relative_links_and_another_encoding_is_read(site: Site, desk: Desk) -> None:
    entries = ["<item><title>Eins</title><link>/1</link></item>"]
    site.replies["/feed"] = lambda handler: handler.send(
        200, RSS.format("".join(entries)).encode("latin-1"), "application/rss+xml")
    desk.watch(FEED.format(site.address))
    desk.look()
    entries.append("<item><title>Zwölf &amp;lt;b&amp;gt;</title><link>/2</link><guid>x2</guid></item>")
    (notice,) = desk.look().new
    assert notice["items"][0]["title"].startswith("Zwölf") and notice["items"][0]["link"] == f"{site.address}/2"


BOMB = "<!DOCTYPE a [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {name} '{f'&{before};' * 10}'>" for before, name in zip("abcdefgh", "bcdefghi", strict=True)) + "]>"


@pytest.mark.parametrize("body", [
    "<ul class=news><li>" * 20_000, "<ul class=news><li><a href=/a>A<p></ul></div>" + "<![CDATA[<!--", "\x00\xff" * 9,
    "<!--" * 100_000, "<a " + "b=c " * 100_000, BOMB + "<rss version='2.0'><channel><title>&i;</title></channel>",
], ids=["deep", "unclosed", "binary", "comments", "attributes", "bomb"])
@pytest.mark.parametrize("lines", [PAGE, FEED], ids=["page", "feed"])
def test_malformed_answers_are_read_or_reported(site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch, lines: str,
                                                     body: str) -> None:
    monkeypatch.setattr("labhandbook.watch.watch_sources.SECONDS", 0.5)
    desk.watch(lines.format(site.address))
    desk.look()
    site.replies["/list"] = site.replies["/feed"] = lambda handler: handler.send(200, body.encode("latin-1"))
    report = desk.look()
    assert report.code in (0, 1) and not report.error


def test_a_page_in_another_encoding_is_read(site: Site, desk: Desk) -> None:
    page = "<meta charset=iso-8859-15><ul class=news><li>Käyttö {}</li></ul>"
    kinds = ["text/html; charset=ISO-8859-15", "text/html"]
    site.replies["/list"] = lambda handler: handler.send(200, page.format(len(kinds)).encode("iso-8859-15"), kinds[0])
    desk.watch(PAGE.format(site.address))
    desk.look()
    kinds.pop(0)
    assert desk.look().titles == ["Käyttö 1"]


def releases(*names: str) -> str:
    """An index's page of a project."""
    return json.dumps({"files": [{"filename": name, "url": f"/{name}", "hashes": {}} for name in names]})


def test_a_release_on_the_index_is_reported_once(site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDBOOK_PYPI", site.address)
    files = ["demo_lab-1.0.tar.gz"]
    site.replies["/simple/demo-lab/"] = lambda handler: handler.send(200, releases(*files),
                                                                     "application/vnd.pypi.simple.v1+json")
    desk.watch("- name: Demo\n  release: Demo.Lab\n")
    assert desk.look().code == 0
    files += ["demo_lab-1.1-py3-none-any.whl", "demo_lab-1.1.tar.gz", "demo_lab-2.0rc1.tar.gz", "junk.txt"]
    assert desk.look().titles == ["Demo.Lab 2.0rc1 (a pre-release)", "Demo.Lab 1.1"]
    assert desk.look().new == [] and "GET /robots.txt" not in site.asked
    assert site.headers[-1]["if-none-match"]


def test_a_pull_request_is_reported_when_it_opens_and_when_it_is_merged(site: Site, desk: Desk,
                                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", site.address)
    monkeypatch.setenv("GITHUB_TOKEN", "canary-token")
    pulls = [{"number": 1, "state": "closed", "merged_at": "2026-01-01", "title": "v1", "html_url": "https://x/1"}]
    api = "/repos/conda-forge/demo-feedstock/pulls"
    site.replies[api] = lambda handler: handler.send(200, json.dumps(pulls))
    site.replies[f"{api}/2"] = lambda handler: handler.send(200, json.dumps(pulls[0]))
    desk.watch("- name: All\n  pull: conda-forge/demo-feedstock\n")
    desk.look()
    pulls.insert(0, {"number": 2, "state": "open", "title": "v2 by bot", "html_url": "https://x/2"})
    assert desk.look().titles == ["#2 open: v2 by bot"]
    desk.watch("- name: All\n  pull: conda-forge/demo-feedstock\n- name: One\n  pull: conda-forge/demo-feedstock#2\n")
    assert desk.look().new == []
    pulls[0] |= {"state": "closed", "merged_at": "2026-01-02"}
    assert desk.look().titles == ["#2 merged: v2 by bot"] * 2
    assert site.headers[-1]["authorization"] == "Bearer canary-token"
    assert "canary-token" not in desk.state.read_text()
    site.replies[api] = lambda handler: handler.send(200, '{"a": [1]}')
    assert desk.look().codes == ["WAT001"]


def test_a_watch_with_another_source_starts_with_a_quiet_look(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address))
    desk.look()
    desk.watch(PAGE.format(site.address).replace("ul.news > li", "ul.news a"))
    site.items.append(("/c", "Third"))
    assert desk.look().new == []
    site.items.append(("/d", "Fourth"))
    assert desk.look().titles == ["Fourth"]


def test_what_is_remembered_has_an_end(site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labhandbook.watch.watch_state.MOST", 4)
    desk.watch(PAGE.format(site.address))
    desk.look()
    for number in range(6):
        site.items = [(f"/{number}", f"Item {number}"), *site.items[:2]]
        assert desk.look().titles == [f"Item {number}"]
    assert len(desk.known()["watches"]["News"]["seen"]) == 4


def test_the_state_is_private(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address))
    desk.look()
    assert desk.state.parent.stat().st_mode & 0o077 == desk.state.stat().st_mode & 0o077 == 0
