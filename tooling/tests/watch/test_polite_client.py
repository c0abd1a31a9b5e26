"""Politeness: who asks, conditional requests, back-off, Retry-After, robots.txt, and answers without end."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate

import pytest

from labhandbook.watch import polite_client
from tooling.tests.watch.conftest import Desk
from tooling.tests.watch.watched_site import Handler, Site, serving, slow

PAGE = "- name: News\n  page: {}/list\n  items: ul.news > li\n"


def waits(desk: Desk) -> float:
    """For how many seconds the one host of the state is to be left alone."""
    ((_, entry),) = desk.known()["hosts"].items()
    return float(entry["until"] - time.time())


def test_a_request_names_the_program_and_the_contact(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address))
    desk.look()
    assert {headers["user-agent"] for headers in site.headers} == {polite_client.user_agent("tester@example.org")}
    assert "tester@example.org" in site.headers[0]["user-agent"] and "watching.html" in site.headers[0]["user-agent"]


def test_a_page_that_has_not_changed_is_not_sent_again(site: Site, desk: Desk) -> None:
    sent = []

    def reply(handler: Handler) -> None:
        sent.append(handler.headers.get("If-None-Match"))
        handler.send(200, site.list(), Last_Modified="Sat, 28 Nov 2026 10:00:00 GMT")

    site.replies["/list"] = reply
    desk.watch(PAGE.format(site.address))
    desk.look()
    desk.look()
    assert sent[0] is None and sent[1] and site.headers[-1]["if-modified-since"] == "Sat, 28 Nov 2026 10:00:00 GMT"


def test_robots_txt_is_obeyed_and_asked_for_once_a_day(site: Site, desk: Desk) -> None:
    site.robots = (200, "User-agent: *\nDisallow: /*st$\nAllow: /list-of-all\n")
    desk.watch(PAGE.format(site.address) + PAGE.format(site.address).replace("News", "All").replace("/list", "/feed"))
    report = desk.look()
    assert report.code == 1 and report.codes.count("WAT004") == 1 and "GET /list" not in site.asked
    assert site.asked.count("GET /robots.txt") == 1 and "GET /feed" in site.asked
    site.robots = (200, "User-agent: labhandbook\nAllow: /\n\nUser-agent: *\nDisallow: /\n")
    assert "WAT004" not in desk.look().codes and "GET /list" in site.asked
    count = site.asked.count("GET /robots.txt")
    desk.look()
    assert site.asked.count("GET /robots.txt") == count


@pytest.mark.parametrize(("status", "fine"), [(404, True), (403, True), (503, False)])
def test_a_missing_robots_txt_allows_and_one_that_fails_does_not(site: Site, desk: Desk, status: int,
                                                                 fine: bool) -> None:
    site.robots = (status, "User-agent: *\nDisallow: /\n")
    desk.watch(PAGE.format(site.address))
    report = desk.look()
    assert report.code == 0 and ("GET /list" in site.asked) is fine


def failing(status: int, **headers: str) -> Callable[[Handler], None]:
    """An error as an answer."""
    return lambda handler: handler.send(status, "later", **headers)


def test_a_host_that_fails_is_left_alone_longer_each_time(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address))
    desk.look()
    site.replies["/list"] = failing(500)
    pauses = []
    for _ in range(3):
        report = desk.look()
        assert report.code == 0 and [each["severity"] for each in report.findings] == ["unverified"]
        pauses.append(round(waits(desk) / 60))
    assert pauses == [5, 10, 20]
    asked = len(site.asked)
    assert desk.look(now=False).findings == [] and len(site.asked) == asked
    del site.replies["/list"]
    site.items.append(("/c", "Third"))
    assert desk.look().titles == ["Third"] and desk.known()["hosts"] == {}


@pytest.mark.parametrize(("said", "least", "most"), [
    ("7200", 7100, 7200), ("9" * 20, 0, 300), ("soon", 0, 300), ("-5", 0, 300), ("99999999", 600_000, 604_800)])
def test_retry_after_is_respected_within_a_week(site: Site, desk: Desk, said: str, least: int, most: int) -> None:
    site.replies["/list"] = failing(429, Retry_After=said)
    desk.watch(PAGE.format(site.address))
    desk.look()
    assert least <= waits(desk) <= most


def test_retry_after_may_be_a_date(site: Site, desk: Desk) -> None:
    date = formatdate(time.time() + 5000, usegmt=True)
    site.replies["/list"] = lambda handler: handler.send(503, "", Retry_After=date)
    desk.watch(PAGE.format(site.address))
    desk.look()
    assert 4900 < waits(desk) <= 5000


def test_github_says_when_its_limit_ends(site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", site.address)
    site.replies["/repos/a/b/pulls"] = lambda handler: handler.send(
        403, "{}", X_RateLimit_Remaining="0", X_RateLimit_Reset=str(int(time.time()) + 2000))
    desk.watch("- name: Pulls\n  pull: a/b\n")
    desk.look()
    assert 1900 < waits(desk) <= 2000


def test_what_does_not_answer_for_a_day_is_an_error(site: Site, desk: Desk) -> None:
    site.replies["/list"] = failing(500)
    desk.watch(PAGE.format(site.address))
    assert desk.look().code == 0
    since = desk.known()["watches"]["News"]["since"]
    desk.state.write_text(desk.state.read_text().replace(str(since), str(since - 2 * polite_client.DAY)))
    report = desk.look()
    assert report.code == 1 and report.codes == ["WAT002"] and "500" in report.findings[0]["message"]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_page_that_is_gone_is_an_error_at_once(site: Site, desk: Desk, status: int) -> None:
    site.replies["/list"] = failing(status)
    desk.watch(PAGE.format(site.address))
    report = desk.look()
    assert report.code == 1 and report.codes == ["WAT002"] and str(status) in report.findings[0]["message"]


def bombs(handler: Handler) -> None:
    """64 MiB of blanks in 64 KiB."""
    handler.send(200, " " * (64 << 20))


def test_an_answer_without_end_is_cut_off(site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.watch(PAGE.format(site.address))
    desk.look()
    for reply, seconds, words in ((bombs, 30.0, "more than 4 MiB"), (slow, 0.3, "no answer within 0.3 s")):
        monkeypatch.setattr(polite_client, "SECONDS", seconds)
        site.replies["/list"] = reply
        report = desk.look()
        assert report.code == 0 and words in report.findings[0]["message"]


def test_redirects_are_followed_and_loops_are_not(site: Site, desk: Desk) -> None:
    site.replies["/old"] = lambda handler: handler.lead("/list", 301)
    site.replies["/loop"] = lambda handler: handler.lead("/loop")
    desk.watch(PAGE.format(site.address).replace("/list", "/old") + PAGE.format(site.address).replace(
        "News", "Loop").replace("/list", "/loop"))
    desk.look()
    site.items.append(("c", "Third"))
    report = desk.look()
    assert report.new[0]["items"] == [{"title": "Third", "link": f"{site.address}/c"}]
    assert [each["severity"] for each in report.findings] == ["unverified"]


def test_a_host_that_is_not_there_does_not_stop_the_others(site: Site, desk: Desk) -> None:
    with serving() as gone:
        port = gone.port
    desk.watch(PAGE.format(f"http://127.0.0.1:{port}").replace("News", "Gone") + PAGE.format(site.address))
    report = desk.look()
    assert report.codes == ["WAT002"] and "seen" in desk.known()["watches"]["News"]


def test_nothing_is_asked_before_it_is_due(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address), "every: 2h\n")
    desk.look(now=False)
    asked = len(site.asked)
    desk.look(now=False)
    assert len(site.asked) == asked
    state = desk.known()
    # cron comes some seconds earlier or later
    soon = str(int(time.time()) + 600)
    desk.state.write_text(desk.state.read_text().replace(str(state["watches"]["News"]["next"]), soon))
    desk.look(now=False)
    assert len(site.asked) == asked + 1
