"""What is watched, as a list of items: where to ask for it, and how the answer is read."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from urllib.parse import urljoin, urlsplit

from labhandbook.core.errors import HandbookError
from labhandbook.core.github_api import API, VERSION
from labhandbook.core.http_client import Answer
from labhandbook.core.time_limit import TooLong, time_limit
from labhandbook.package.index_addresses import index
from labhandbook.package.project import normalise
from labhandbook.package.simple_index import ACCEPT, IndexDown, page_of, read_page, release_of
from labhandbook.watch.polite_client import LARGEST, Rejected
from labhandbook.watch.watch_file import Watch
from labhandbook.watch.watch_rules import ANSWER, FORM

LONGEST_TITLE = 300  # characters
LARGEST_INDEX = 64 << 20  # bytes of a project's page on the index
SECONDS = 20  # of processor time for reading one answer; the largest pages need five
PULLS = 50  # of a repository, the ones that changed last


@dataclass(frozen=True)
class Item:
    """An entry of a list. `key` recognises it: its address or the feed's own id, else its title."""

    key: str
    title: str
    link: str

    @property
    def id(self) -> str:
        """The key as the state keeps it."""
        return digest(self.key)


@dataclass(frozen=True)
class Request:
    """What to ask for a watch. `site` says whether it is a page for people, for which robots.txt is read."""

    address: str
    headers: dict[str, str] = field(default_factory=dict)
    token: str = ""
    largest: int = LARGEST
    site: bool = True


def digest(text: str) -> str:
    """A short name for a text; two texts do not share one."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def request(watch: Watch) -> Request:
    """What to ask for a watch. Raises HandbookError when the index's address is not known."""
    if watch.kind == "release":
        return Request(page_of(index("pypi"), watch.source), {"Accept": ACCEPT}, largest=LARGEST_INDEX, site=False)
    if watch.kind == "pull":
        repository, _, number = watch.source.partition("#")
        api = os.environ.get("GITHUB_API_URL", API).rstrip("/")
        query = f"?state=all&sort=updated&direction=desc&per_page={PULLS}"
        return Request(f"{api}/repos/{repository}/pulls{f'/{number}' if number else query}",
                       {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION},
                       os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or "", site=False)
    return Request(watch.source)


def read_items(watch: Watch, answer: Answer) -> list[Item]:
    """The items of an answer, in its order. Raises Rejected when it doesn't have the form of such a list."""
    try:
        with time_limit(SECONDS):
            items: Iterable[Item] = READERS[watch.kind](watch, answer)
    except TooLong as error:
        raise Rejected(FORM, f"it can't be read: {error}") from None
    return list({item.id: item for item in items}.values())


def _page(watch: Watch, answer: Answer) -> list[Item]:
    from bs4 import BeautifulSoup
    from bs4.dammit import EncodingDetector

    kind = answer.headers.get("content-type", "")
    given = kind.lower().partition("charset=")[2].partition(";")[0].strip(" \"'")
    soup = BeautifulSoup(answer.body, "lxml", from_encoding=given or EncodingDetector.find_declared_encoding(
        answer.body, is_html=True, search_entire_document=False) or "utf-8")
    within = soup.select(watch.within) if watch.within else [soup]
    if not within:
        raise Rejected(FORM, f"nothing matches `list`, {watch.within}")
    base = soup.select_one("base[href]")
    start = urljoin(answer.url, str(base["href"])) if base else answer.url
    found: list[tuple[str, str]] = []
    for element in (each for part in within for each in part.select(watch.items)):
        anchor = element if element.name == "a" and element.has_attr("href") else element.select_one("a[href]")
        found.append((_title(element.get_text(" ")), _link(start, str(anchor["href"])) if anchor else ""))
    shared = Counter(link for _, link in found)
    return [Item(f"{link}\n{title}" if shared[link] > 1 else link or title, title or link, link)
            for title, link in found if title or link]


def _feed(watch: Watch, answer: Answer) -> list[Item]:
    import feedparser
    from bs4 import BeautifulSoup

    # A stream: feedparser takes other things for addresses or names of files.
    feed = feedparser.parse(BytesIO(answer.body), response_headers={
        "content-type": answer.headers.get("content-type", ""), "content-location": answer.url})
    if not feed.version:
        raise Rejected(FORM, f"it is no feed: {answer.headers.get('content-type', 'an answer without a type')}")
    found = []
    for entry in feed.entries:
        link = _link(answer.url, str(entry.get("link", "")))
        title = str(entry.get("title", ""))
        if "<" in title and entry.get("title_detail", {}).get("type") != "text/plain":
            title = BeautifulSoup(title, "lxml").get_text(" ")
        found.append(Item(str(entry.get("id", "")) or link or title, _title(title) or link, link))
    return [item for item in found if item.key]


def _releases(watch: Watch, answer: Answer) -> list[Item]:
    where = index("pypi")
    try:
        files = read_page(where, watch.source, answer.headers.get("content-type", ""), answer.body, answer.url)
    except (IndexDown, HandbookError) as problem:
        raise Rejected(ANSWER, str(problem)) from None
    released = {found[1] for name, file in files.items() if file.yanked is None and (found := release_of(name))}
    project = normalise(watch.source)
    return [Item(str(version), f"{watch.source} {version}{' (a pre-release)' if version.is_prerelease else ''}",
                 f"{where.public}/project/{project}/{version}/") for version in sorted(released, reverse=True)]


def _pulls(watch: Watch, answer: Answer) -> list[Item]:
    try:
        data = answer.json()
        return [_pull(each) for each in (data if isinstance(data, list) else [data])]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Rejected(FORM, "GitHub's answer is no list of pull requests") from None


def _pull(data: dict[str, object]) -> Item:
    """A pull request in its state: merged is news about one that was open."""
    state = "merged" if data.get("merged_at") else "open" if data["state"] == "open" else "closed"
    return Item(f"{data['number']} {state}", _title(f"#{data['number']} {state}: {data['title']}"),
                _link("", str(data["html_url"])))


READERS: dict[str, Callable[[Watch, Answer], list[Item]]] = {
    "page": _page, "feed": _feed, "release": _releases, "pull": _pulls}


def _title(text: str) -> str:
    """Words on one line, not without end."""
    words = " ".join(text.split())
    return words if len(words) <= LONGEST_TITLE else f"{words[:LONGEST_TITLE]}…"


def _link(start: str, target: str) -> str:
    """The whole address of a link; empty for one that leads to no page, such as javascript:."""
    try:
        address = urljoin(start, target.strip())
        return address if urlsplit(address).scheme in ("http", "https") else ""
    except ValueError:
        return ""
