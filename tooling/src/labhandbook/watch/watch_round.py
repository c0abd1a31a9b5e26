"""One round: asks for what is due, compares it with what is known, and keeps what is new as notices."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookiejar import CookieJar
from typing import Any

from labhandbook.core.http_client import Answer
from labhandbook.core.rules import UNVERIFIED, WARNING, Finding, Rule, Severity
from labhandbook.package.machine import without_secrets
from labhandbook.watch.form_login import Refused, log_in, login_form, values_of
from labhandbook.watch.polite_client import DAY, VALIDATORS, PoliteClient, Postponed, Rejected
from labhandbook.watch.watch_file import Login, Watch, WatchFile
from labhandbook.watch.watch_rules import ADDRESSES, ANSWER, DAMAGED, FORM
from labhandbook.watch.watch_sources import Item, digest, read_items, request
from labhandbook.watch.watch_state import State

SLACK = 0.1  # of the time between two looks: cron comes some seconds earlier or later
ENOUGH = 3  # known titles under new addresses that are no chance
LONGEST_HEADER = 500  # characters of an ETag that is kept
SHORTEST_SECRET = 3  # characters; a shorter value would be found in every other word


@dataclass
class Round:
    """A round over the watches of a file. `remembered` says how many items a first look found."""

    file: WatchFile
    state: State
    ways: tuple[str, ...]
    client: PoliteClient
    findings: list[Finding] = field(default_factory=list)
    remembered: dict[str, int] = field(default_factory=dict)
    _sessions: dict[Login, CookieJar | Exception] = field(default_factory=dict)
    _secrets: set[str] = field(default_factory=set)

    def ask_all(self) -> None:
        """Ask for everything that is due. Raises HandbookError when the state can't be written."""
        if self.state.damaged:
            self.findings.append(Finding(str(self.state.path), 0, DAMAGED, "it was damaged, and its copy was used"))
        for watch in self.file.watches:
            entry = self.state.entry(watch)
            if self.client.early or entry.get("next", 0) <= time.time() + SLACK * watch.every:
                self._look_at(watch, entry)
        self.state.write()

    def _look_at(self, watch: Watch, entry: dict[str, Any]) -> None:
        """Ask for one watch, and note what came of it."""
        try:
            answer = self._answer(watch, entry)
            items = None if answer.status == 304 else read_items(watch, answer)
            if items == [] and watch.kind == "page" and not watch.within:
                self._nothing(watch, entry)
        except Postponed as error:
            entry["next"] = error.until
            late = time.time() - entry.setdefault("since", int(time.time())) > DAY
            self._report(watch, ANSWER, str(error), None if late else UNVERIFIED)
            return
        except Rejected as error:
            entry.pop("known", None)
            entry["next"] = int(time.time()) + (DAY if isinstance(error, Refused) else watch.every)
            self._report(watch, error.rule, str(error))
            return
        entry.pop("since", None)
        entry["next"] = int(time.time()) + watch.every
        if items is not None:
            entry["known"] = {name: answer.headers[name] for name in VALIDATORS
                              if 0 < len(answer.headers.get(name, "")) <= LONGEST_HEADER}
            self._compare(watch, entry, items)

    def _answer(self, watch: Watch, entry: dict[str, Any]) -> Answer:
        """The answer for a watch, after robots.txt and a login. Raises Postponed and Rejected."""
        wanted = request(watch)
        if wanted.site and entry.get("robots", 0) <= time.time():
            self.client.check_robots(wanted.address)
            entry["robots"] = int(time.time()) + DAY
        cookies = self._session(watch.login) if watch.login else None
        answer = self.client.get(wanted.address, entry.get("known", {}), headers=wanted.headers, token=wanted.token,
                                 cookies=cookies, largest=wanted.largest)
        if watch.login and login_form(answer, watch.login) is not None:
            raise Refused("the page shows the login's form although the login was accepted")
        return answer

    def _session(self, login: Login) -> CookieJar:
        """The cookies of a login; of several watches with the same one, the first logs in."""
        if login not in self._sessions:
            try:
                values = values_of(login)
                self._secrets.update(value for value in values.values() if len(value) >= SHORTEST_SECRET)
                self._sessions[login] = log_in(self.client, login, values)
            except (Postponed, Rejected) as error:
                self._sessions[login] = error
        session = self._sessions[login]
        if isinstance(session, Exception):
            raise session
        return session

    def _nothing(self, watch: Watch, entry: dict[str, Any]) -> None:
        """Judge a page on which nothing was found. Raises Rejected when there was something before."""
        if entry.get("seen"):
            raise Rejected(FORM, f"`items` finds nothing any more, although {len(entry['seen'])} were found before")
        if "seen" not in entry:
            self._report(watch, FORM, "`items` finds nothing yet; check the selector", WARNING)

    def _compare(self, watch: Watch, entry: dict[str, Any], items: list[Item]) -> None:
        """Remember the items of a list; those that are new become a notice, in one write."""
        first, seen = "seen" not in entry, entry.setdefault("seen", {})
        fresh = [item for item in items if item.id not in seen]
        same = _same_titles(fresh, seen.values()) if len(fresh) == len(items) else []
        if same and len(same) >= len(items) / 2:
            self._report(watch, ADDRESSES, f"the addresses of all items are new, and {len(same)} titles are known")
            fresh = [item for item in fresh if item not in same]
        for item in items:
            # What is listed now comes last: what is listed no more is forgotten first.
            seen.pop(item.id, None)
            seen[item.id] = digest(item.title)
        if first:
            self.remembered[watch.name] = len(items)
        elif fresh:
            self.state.notices.append({
                "id": digest("\n".join([watch.name, *(item.id for item in fresh)])), "watch": watch.name,
                "found": datetime.now(UTC).isoformat(timespec="seconds"), "left": list(self.ways), "begun": [],
                "items": [{"title": self._clean(item.title), "link": self._clean(item.link)} for item in fresh]})
            self.state.write()

    def _report(self, watch: Watch, rule: Rule, message: str, severity: Severity | None = None) -> None:
        self.findings.append(Finding(self.file.shown, watch.line, rule, f"{watch.name}: {self._clean(message)}",
                                     severity))

    def _clean(self, text: str) -> str:
        """Text without the values of logins, in case a site repeats them."""
        return without_secrets(text, *self._secrets)


def _same_titles(items: list[Item], titles: Iterable[str]) -> list[Item]:
    """The items whose titles were seen under other addresses; none when they share too few titles to be a list."""
    known = set(titles)
    same = [item for item in items if digest(item.title) in known]
    return same if len({item.title for item in same}) >= ENOUGH else []
