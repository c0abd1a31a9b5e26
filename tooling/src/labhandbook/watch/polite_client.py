"""Asking sites politely: by name, seldom, only for what has changed, and not for what they close to programs.

A host that did not answer is left alone for five minutes, then twice as long each time, up to a day, or as long as it
says itself (Retry-After).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import CookieJar
from importlib import metadata
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from labhandbook.core.http_client import Answer, HttpClient, NoAnswer
from labhandbook.core.loopback import HOSTS
from labhandbook.core.rules import Rule
from labhandbook.core.section_addresses import site
from labhandbook.watch.watch_rules import ALLOWED, ANSWER

if TYPE_CHECKING:
    from protego import Protego

AGENT = "labhandbook"  # the name that robots.txt can have rules for
SECONDS = 30.0  # for an answer
LARGEST = 4 << 20  # bytes of a page or a feed
FIRST_PAUSE, DAY, WEEK = 300, 86400, 7 * 86400  # seconds
BETWEEN, LONGEST_BETWEEN = 1.0, 60.0  # seconds between two requests to a host
VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


class Postponed(Exception):
    """The host can't be asked now; the message says why, `until` when to ask again, in seconds since 1970."""

    def __init__(self, message: str, until: int) -> None:
        super().__init__(message)
        self.until = until


class Rejected(Exception):
    """The host answers, and not with what is watched; `rule` says what does not hold."""

    def __init__(self, rule: Rule, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def origin(address: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address: what a browser takes for one site."""
    parts = urlsplit(address)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)


def moment(seconds: float) -> str:
    """A moment as people read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


@cache
def user_agent(contact: str) -> str:
    """Who asks: the program, its page, and the person."""
    return f"{AGENT}/{metadata.version('labhandbook')} (+{site()}/chapters/watching.html; {contact})"


@dataclass
class PoliteClient:
    """The requests of one round. `hosts` is the part of the state that says which hosts to leave alone, and how long.

    With `early` they are asked anyway, because a person wants it.
    """

    contact: str
    hosts: dict[str, Any]
    early: bool = False
    _asked: dict[str, float] = field(default_factory=dict)
    _between: dict[str, float] = field(default_factory=dict)
    _robots: dict[tuple[str, str, int], Protego] = field(default_factory=dict)

    def get(self, address: str, known: Mapping[str, str], *, headers: Mapping[str, str] | None = None,
            token: str = "", cookies: CookieJar | None = None, largest: int = LARGEST) -> Answer:
        """The answer to a question; status 304 when nothing has changed since the one whose headers are in `known`.

        Raises Postponed and Rejected.
        """
        conditions = {VALIDATORS[name]: known[name] for name in VALIDATORS if known.get(name)}
        return self.accepted(self.ask("GET", address, {**conditions, **(headers or {})}, token=token,
                                      cookies=cookies, largest=largest))

    def accepted(self, answer: Answer) -> Answer:
        """The answer, if it is one to what was asked. Raises Rejected."""
        if answer.ok:
            return answer
        raise Rejected(ANSWER, f"{urlsplit(answer.url).hostname} answers {answer.status} {answer.reason}")

    def ask(self, method: str, address: str, headers: Mapping[str, str] | None = None, *,
            content: bytes | None = None, token: str = "", cookies: CookieJar | None = None, largest: int = LARGEST,
            follow: bool = True) -> Answer:
        """The answer to one request, whatever it is. Raises Postponed."""
        host = urlsplit(address).netloc
        entry = self.hosts.get(host, {})
        if not self.early and entry.get("until", 0) > time.time():
            raise Postponed(f"{host} is left alone until {moment(entry['until'])}: {entry.get('why', '')}",
                            int(entry["until"]))
        if urlsplit(address).hostname not in HOSTS:
            time.sleep(max(0.0, self._asked.get(host, 0.0) + self._between.get(host, BETWEEN) - time.monotonic()))
        client = HttpClient({"User-Agent": user_agent(self.contact)}, token, seconds=SECONDS, follow=follow,
                            largest=largest, cookies=cookies)
        try:
            answer = client.ask(method, address, headers=headers, content=content)
        except NoAnswer as problem:
            raise self._leave_alone(host, str(problem), problem.answer) from None
        finally:
            self._asked[host] = time.monotonic()
        if answer.status == 403 and _wait(answer):
            raise self._leave_alone(host, f"it answers {answer.status} {answer.reason}", answer)
        self.hosts.pop(host, None)
        return answer

    def check_robots(self, address: str) -> None:
        """Raise Rejected where the site closes an address to programs (RFC 9309), Postponed if it doesn't answer."""
        from protego import Protego

        host, where = urlsplit(address).netloc, origin(address)
        if where not in self._robots:
            answer = self.ask("GET", f"{urlsplit(address).scheme}://{host}/robots.txt")
            self._robots[where] = Protego.parse(answer.text if answer.ok else "")
        rules = self._robots[where]
        if not rules.can_fetch(address, AGENT):
            raise Rejected(ALLOWED, f"the robots.txt of {host} closes this address to programs")
        self._between[host] = min(LONGEST_BETWEEN, max(BETWEEN, rules.crawl_delay(AGENT) or 0))

    def _leave_alone(self, host: str, why: str, answer: Answer | None) -> Postponed:
        """Note that a host is not to be asked for some time, and the error that says so."""
        times = int(self.hosts.get(host, {}).get("times", 0)) + 1
        pause = max(min(DAY, FIRST_PAUSE * 2 ** min(times - 1, 10)), _wait(answer) if answer else 0)
        until = int(time.time() + pause)
        self.hosts[host] = {"times": times, "until": until, "why": why}
        return Postponed(why, until)


def _wait(answer: Answer) -> int:
    """For how many seconds a host asks to be left alone, at most a week; 0 when it doesn't say."""
    said = answer.headers.get("retry-after", "").strip()
    if not said and answer.headers.get("x-ratelimit-remaining") == "0":
        reset = answer.headers.get("x-ratelimit-reset", "")
        said = str(int(reset) - int(time.time())) if reset.isascii() and reset.isdecimal() and len(reset) < 12 else ""
    try:
        seconds = int(said) if len(said) < 10 else parsedate_to_datetime(said).timestamp() - time.time()
    except (ValueError, OverflowError):
        return 0
    return int(min(WEEK, max(0, seconds)))
