"""What a package index has under a project's name, asked for at most two seconds."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.package.index_addresses import Index, index
from labhandbook.package.project import normalise
from labhandbook.package.simple_index import IndexDown, get

SECONDS = 2.0
SIMPLE = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True)
class Answer:
    """What the index has under a name, or in `problem` why there is no answer.

    `files` are its files and their sha256, where the index has it. `urls` and `people` are the addresses and
    e-mails of the project there and `summary` its description; `similar` are projects whose names the index treats as
    the same.
    """

    index: str
    problem: str = ""
    exists: bool = False
    versions: frozenset[str] = frozenset()
    files: Mapping[str, str] = field(default_factory=dict)
    urls: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    summary: str = ""
    similar: tuple[str, ...] = ()


def place_of(target: str) -> Index | Answer:
    """The index that a project names, or why there is none. Imports twine, which sets filters of warnings."""
    if target == "none":
        return Answer(target, "compare-with is none in [tool.handbook.release]")
    try:
        return index(target)
    except HandbookError as error:
        return Answer(target, error.what)


def look_up(name: str, place: Index | Answer, seconds: float = SECONDS) -> Answer:
    """Ask an index for a project, and for look-alikes when it doesn't have it. Never raises for the network."""
    if isinstance(place, Answer):
        return place
    deadline = time.monotonic() + seconds
    try:
        simple = _ask(f"{place.simple}{normalise(name)}/", seconds)
        about = _ask(place.json(normalise(name)), seconds)
        page = _wait(simple, deadline)
        if page is None:
            near = {other: _ask(f"{place.simple}{other}/", seconds) for other in look_alikes(name)}
            similar = tuple(str(found.get("name", other)) for other, future in near.items()
                            if (found := _wait(future, deadline)))
            return Answer(place.label, similar=similar)
        return _answer(place.label, page, _wait(about, deadline) or {})
    except (IndexDown, HandbookError, OSError, ValueError) as error:
        return Answer(place.label, f"{place.label} does not answer: {error or type(error).__name__}")


def look_alikes(name: str) -> list[str]:
    """The few other spellings to ask for: without separators, and with digits and letters exchanged."""
    bare = re.sub(r"[-_.]", "", name).lower()
    spelt = (bare, bare.translate(str.maketrans("10", "lo")), bare.translate(str.maketrans("lo", "10")))
    return [other for other in dict.fromkeys(spelt) if other != normalise(name)]


def alike(one: str, other: str) -> bool:
    """Whether PyPI treats two names as the same: separators, l, i or 1, and o or 0 make no difference."""
    def bare(name: str) -> str:
        return re.sub(r"[-_.]", "", name).lower().translate(str.maketrans("lio", "110"))

    return bare(one) == bare(other)


def _answer(label: str, page: dict[str, Any], about: dict[str, Any]) -> Answer:
    info = about.get("info") or {}
    files = {str(entry.get("filename", "")): str((entry.get("hashes") or {}).get("sha256", ""))
             for entry in page.get("files") or []}
    versions = page.get("versions") or list(about.get("releases") or {})
    urls = [*(info.get("project_urls") or {}).values(), info.get("home_page")]  # project_url is the index's own page
    return Answer(label, exists=True, versions=frozenset(map(str, versions)), files=files,
                  urls=frozenset(map(str, filter(None, urls))),
                  people=frozenset(_emails([info.get("author_email"), info.get("maintainer_email")])),
                  summary=str(info.get("summary") or ""))


def _emails(texts: Iterable[str | None]) -> list[str]:
    return [found.lower() for text in texts for found in re.findall(r"[\w.+-]+@[\w.-]+\w", text or "")]


def _ask(url: str, seconds: float) -> Future[dict[str, Any] | None]:
    """Ask in a thread that nothing waits for: an answer may come too late, and looking up a host has no time-out."""
    future: Future[dict[str, Any] | None] = Future()

    def run() -> None:
        try:
            future.set_result(_get(url, seconds))
        except Exception as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def _wait(future: Future[dict[str, Any] | None], deadline: float) -> dict[str, Any] | None:
    try:
        return future.result(timeout=max(deadline - time.monotonic(), 0.01))
    except TimeoutError:
        raise TimeoutError("it took too long") from None


def _get(url: str, seconds: float) -> dict[str, Any] | None:
    """A JSON document, None when the index says that there is no such thing."""
    answer = get(url, seconds, accept=f"{SIMPLE}, application/json;q=0.9")
    found = json.loads(answer[1]) if answer else None
    return found if isinstance(found, dict) or found is None else {}
