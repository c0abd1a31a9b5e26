"""GitHub's REST API, as far as a release needs it: read data and lists, change, upload, and explain refusals.

Repository and token come from the variables that every job has (GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN);
elsewhere the repository is that of the git remote. https://docs.github.com/rest
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from labhandbook.core.errors import HandbookError
from labhandbook.core.git import GitState
from labhandbook.core.http_client import Answer, HttpClient, NoAnswer

API = "https://api.github.com"
VERSION = "2022-11-28"
PERMISSION = "sec-actions-workflow"
SLOWEST = 100_000  # bytes a second of an upload that is waited for


@dataclass(frozen=True)
class GitHub:
    """One repository. `attempts`, `seconds` and `pause` are those of `HttpClient`."""

    repository: str
    api: str = API
    token: str = ""
    pause: float = 1.0
    attempts: int = 4
    seconds: float = 30.0

    def get(self, path: str, **query: str | int) -> Any:
        """The data at a path below the repository; None where there is nothing. Raises HandbookError."""
        answer = self._ask("GET", self._address(path), query=query)
        return None if answer.status == 404 else _content(self._accepted(answer))

    def every(self, path: str, key: str = "", **query: str | int) -> list[dict[str, Any]]:
        """All entries of a list, from all of its pages; `key` names the list within the answer."""
        found: list[dict[str, Any]] = []
        address, given = self._address(path), {"per_page": 100, **query}
        while address:
            answer = self._accepted(self._ask("GET", address, query=given))
            found += _content(answer)[key] if key else _content(answer)
            address, given = answer.next, {}
        return found

    def send(self, method: str, path: str, **body: object) -> Any:
        """Change something; the answer. Raises HandbookError, also when the thing does not exist."""
        answer = self._accepted(self._ask(method, self._address(path), data=body))
        return _content(answer) if answer.body else None

    def upload(self, address: str, file: Path) -> None:
        """Add a file to a release at its upload address. Raises HandbookError; Unreachable may leave half a file."""
        content = file.read_bytes()
        patient = replace(self, seconds=self.seconds + len(content) / SLOWEST)
        self._accepted(patient._ask("POST", address.partition("{")[0], query={"name": file.name},
                                    content=content, headers={"Content-Type": "application/octet-stream"}))

    def _address(self, path: str) -> str:
        return f"{self.api}/repos/{self.repository}{'/' if path else ''}{path}"

    def _ask(self, method: str, address: str, **options: Any) -> Answer:
        client = HttpClient({"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION}, self.token,
                            self.attempts, self.pause, self.seconds)
        try:
            return client.ask(method, address, **options)
        except NoAnswer as problem:
            raise Unreachable(str(problem)) from None

    def _accepted(self, answer: Answer) -> Answer:
        """The answer to a request that succeeded. Raises HandbookError with GitHub's reason and what to do."""
        if answer.ok:
            return answer
        said = _words(answer)
        what = f"GitHub refuses {answer.method} {urlsplit(answer.url).path} ({answer.status})"
        if answer.headers.get("x-ratelimit-remaining") == "0" or answer.headers.get("retry-after"):
            raise HandbookError(what, why=f"too many requests: {said}", section=PERMISSION,
                                todo="run the job again later; nothing is lost")
        if answer.status == 401:
            raise HandbookError(what, why=f"the token isn't valid: {said}", section=PERMISSION,
                                todo="set GITHUB_TOKEN to ${{ github.token }} in a workflow, elsewhere to a new one")
        if answer.status in (403, 404):
            raise HandbookError(what, why=f"the token may not do this, or can't see {self.repository}: {said}",
                                todo=f"give the job these permissions: {_permission(answer)}", section=PERMISSION)
        raise HandbookError(what, why=said, todo="correct what GitHub names, then run the job again",
                            section=PERMISSION)


class Unreachable(HandbookError):
    """GitHub gave no answer that could be used, although it was asked several times."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"GitHub did not answer as expected: {problem}",
                         why="it may be overloaded or out of reach; nothing is lost",
                         todo="run the job again: it does what is missing", section="sec-actions-resume")


def open_github(state: GitState | None) -> GitHub:
    """The repository of a job, or of a clone's remote. Raises HandbookError when none is known."""
    repository = os.environ.get("GITHUB_REPOSITORY") or repository_of(state.url if state else None)
    if not repository:
        raise HandbookError("the repository on GitHub is not known",
                            why="GITHUB_REPOSITORY isn't set, and the git remote isn't on GitHub",
                            todo="add the remote, or set GITHUB_REPOSITORY=owner/name", section=PERMISSION)
    token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or ""
    return GitHub(repository, os.environ.get("GITHUB_API_URL", API).rstrip("/"), token)


def repository_of(url: str | None) -> str:
    """owner/name of a remote's address on GitHub, by https or ssh; empty for another one."""
    found = re.search(r"(?:^|@|//)(?:www\.)?github\.com[:/]+([\w.-]+/[\w.-]+?)(?:\.git)?/?$", url or "")
    return found[1] if found else ""


def _content(answer: Answer) -> Any:
    """The data of an answer. Raises Unreachable when it isn't JSON."""
    try:
        return answer.json()
    except ValueError:
        raise Unreachable("it sent something else than JSON") from None


def _words(answer: Answer) -> str:
    """GitHub's reasons for a refusal."""
    try:
        data = answer.json()
        errors, message = data.get("errors", []), data.get("message", answer.reason)
    except (ValueError, AttributeError):
        return re.sub(r"\s+", " ", answer.text)[:200] or str(answer.reason)
    reasons = [str(error.get("message") or f"{error.get('field')}: {error.get('code')}") if isinstance(error, dict)
              else str(error) for error in errors]
    return "; ".join([str(message), *reasons])


def _permission(answer: Answer) -> str:
    """The permission that a refused request needs, from what GitHub says or from its path."""
    if needed := answer.headers.get("x-accepted-github-permissions"):
        return needed.replace("=", ": ")
    path = urlsplit(answer.url).path
    if "/releases" in path:
        return "contents: write"
    names = {"/actions/": "actions: read", "/check-runs": "checks: read", "/status": "statuses: read",
             "/issues": "issues: write"}
    return next((right for part, right in names.items() if part in path), "contents: read")
