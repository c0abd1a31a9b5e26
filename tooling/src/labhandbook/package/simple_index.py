"""Reading a package index as pip sees it: its simple pages and its files, past every cache."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from labhandbook.core.errors import HandbookError
from labhandbook.core.http_client import HttpClient, NoAnswer
from labhandbook.package.index_addresses import Index
from labhandbook.package.project import normalise

if TYPE_CHECKING:
    from packaging.version import Version

ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
FRESH = {"Cache-Control": "no-cache, max-age=0", "Pragma": "no-cache", "Accept-Encoding": "identity"}


class IndexDown(Exception):
    """The index gave no answer that could be used; trying again later may help. The message says what happened."""


@dataclass(frozen=True)
class Listed:
    """A file on a project's simple page. `sha256` and the time in `uploaded` are empty where the page has none."""

    filename: str
    url: str
    sha256: str
    yanked: str | None = None
    uploaded: str = ""


def listing(index: Index, project: str, timeout: float = 20) -> dict[str, Listed]:
    """The files on a project's simple page by name; none when there is no page yet.

    Raises IndexDown when the index doesn't answer, HandbookError when it denies access or has put the project under
    quarantine (PEP 792): it then shows no files and takes none.
    """
    answer = get(page_of(index, project), timeout, accept=ACCEPT)
    return {} if answer is None else read_page(index, project, *answer)


def page_of(index: Index, project: str) -> str:
    """The address of a project's simple page."""
    return f"{index.simple}{normalise(project)}/"


def read_page(index: Index, project: str, kind: str, body: bytes, final: str) -> dict[str, Listed]:
    """The files on a project's simple page by name: its content type, its body and the address it came from.

    Raises as `listing` does.
    """
    try:
        files = _from_json(body) if "json" in kind else _from_html(body.decode("utf-8", "replace"))
        state = json.loads(body).get("project-status", {}) if "json" in kind else {}
        status, reason = state.get("status"), str(state.get("reason") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise IndexDown(f"{index.label} sent a page that can't be read") from None
    if status == "quarantined":
        raise HandbookError(f"{project} is under quarantine on {index.label}",
                            why=reason or "the index takes it for unsafe: it shows no files of it and takes none",
                            todo="read the mail of the index to the project's owners, and answer it",
                            section="sec-pypi-install")
    return {file.filename: replace(file, url=urljoin(final, file.url)) for file in files}


def download(file: Listed, timeout: float = 60) -> bytes:
    """The bytes of a listed file. Raises IndexDown."""
    answer = get(file.url, timeout)
    if answer is None:
        raise IndexDown(f"{file.filename} is on the page, but not to be had")
    return answer[1]


def release_of(filename: str) -> tuple[str, Version] | None:
    """The normalised project name and the version of a wheel or an sdist, by its file name; None for other files."""
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

    try:
        return parse_wheel_filename(filename)[:2] if filename.endswith(".whl") else parse_sdist_filename(filename)
    except (InvalidSdistFilename, InvalidWheelFilename):
        return None


def sha256(data: bytes) -> str:
    """The hash of a file's bytes."""
    return hashlib.sha256(data).hexdigest()


def get(address: str, timeout: float, accept: str = "*/*") -> tuple[str, bytes, str] | None:
    """Content type, body and final address of a page, past caches; None when there is no such page.

    Raises IndexDown for anything that may pass, HandbookError when access is denied.
    """
    host = urlsplit(address).hostname
    try:
        answer = HttpClient(FRESH, seconds=timeout).ask("GET", address, headers={"Accept": accept})
    except NoAnswer as problem:
        raise IndexDown(str(problem)) from None
    if answer.status in (404, 410):
        return None
    if answer.status in (401, 403):
        raise HandbookError(f"{host} denies access to {urlsplit(address).path}", why=f"it answers {answer.status}",
                            todo="give an index that can be read without a password", section="sec-pypi-install")
    if not answer.ok:
        raise IndexDown(f"{host} answers {answer.status} {answer.reason}")
    return answer.headers.get("content-type", ""), answer.body, answer.url


def _from_json(body: bytes) -> list[Listed]:
    return [Listed(file["filename"], file["url"], file["hashes"].get("sha256", ""), _yanked(file.get("yanked")),
                   str(file.get("upload-time") or "")) for file in json.loads(body)["files"]]


def _yanked(value: object) -> str | None:
    """The reason of a yank, None for a file that isn't yanked."""
    return value if isinstance(value, str) else ("" if value else None)


def _from_html(page: str) -> list[Listed]:
    links = _Links()
    links.feed(page)
    return links.files


class _Links(HTMLParser):
    """The links of a simple page (PEP 503)."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[Listed] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Remember a link to a file."""
        given = dict(attrs)
        if tag != "a" or not given.get("href"):
            return
        address, fragment = urldefrag(str(given["href"]))
        found = re.search(r"sha256=([0-9a-f]{64})", fragment)
        yanked = given["data-yanked"] or "" if "data-yanked" in given else None
        self.files.append(Listed(unquote(urlsplit(address).path.rsplit("/", 1)[-1]), address,
                                 found[1] if found else "", yanked))
