"""GitHub's REST API, as far as a release needs it: read pages of lists, write, upload, and say why it refuses.

Repository and token come from the variables that every job has (GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN);
elsewhere the repository is that of the git remote. https://docs.github.com/rest
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from labhandbook.core.errors import HandbookError
from labhandbook.core.git import GitState

if TYPE_CHECKING:
    from requests import Response, Session

API = "https://api.github.com"
VERSION = "2022-11-28"
PASSING = (429, 500, 502, 503, 504)
ATTEMPTS = 4
SECONDS = 30.0
PERMISSION = "sec-actions-workflow"


@dataclass(frozen=True)
class GitHub:
    """One repository.

    What can be read is asked for `attempts` times, each for `seconds`; `pause` is the first pause in seconds between
    two, and each next one is longer.
    """

    repository: str
    api: str = API
    token: str = ""
    pause: float = 1.0
    attempts: int = ATTEMPTS
    seconds: float = SECONDS

    def get(self, path: str, **query: str | int) -> Any:
        """What lies at a path below the repository; None where there is nothing. Raises HandbookError."""
        answer = self._ask("GET", self._address(path), params=query)
        return None if answer.status_code == 404 else _content(self._judged(answer))

    def every(self, path: str, key: str = "", **query: str | int) -> list[dict[str, Any]]:
        """All entries of a list on however many pages; `key` is where the list stands in the answer."""
        found: list[dict[str, Any]] = []
        address, given = self._address(path), {"per_page": 100, **query}
        while address:
            answer = self._judged(self._ask("GET", address, params=given))
            found += _content(answer)[key] if key else _content(answer)
            address, given = str(answer.links.get("next", {}).get("url", "")), {}
        return found

    def send(self, method: str, path: str, **body: object) -> Any:
        """Change something; the answer. Raises HandbookError, also for what isn't there."""
        answer = self._judged(self._ask(method, self._address(path), json=body))
        return _content(answer) if answer.content else None

    def upload(self, address: str, file: Path) -> None:
        """Add a file to a release at its upload address. Raises HandbookError; Unreachable may leave half a file."""
        self._judged(self._ask("POST", address.partition("{")[0], params={"name": file.name}, data=file.read_bytes(),
                               headers={"Content-Type": "application/octet-stream"}))

    def _address(self, path: str) -> str:
        return f"{self.api}/repos/{self.repository}{'/' if path else ''}{path}"

    def _ask(self, method: str, address: str, **options: Any) -> Response:
        """GitHub's answer. What may pass is asked for again, unless asking twice could do something twice."""
        import requests

        problem, attempts = "", 1 if method == "POST" else self.attempts
        with self._session() as session:
            for number in range(attempts):
                if number:
                    time.sleep(self.pause * 3 ** (number - 1))
                try:
                    answer = session.request(method, address, timeout=self.seconds, **options)
                except requests.RequestException as error:
                    problem = f"{urlsplit(address).hostname} can't be reached: {type(error).__name__}"
                    continue
                if answer.status_code not in PASSING:
                    return answer
                problem = f"it answers {answer.status_code} {answer.reason}"
        raise Unreachable(problem)

    def _session(self) -> Session:
        import requests

        session = requests.Session()
        session.headers.update({"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION})
        # Given here, the token comes before whatever a .netrc says for that host.
        session.auth = _Bearer(self.token)
        return session

    def _judged(self, answer: Response) -> Response:
        """The answer if it is a good one. Raises HandbookError that tells why GitHub won't, and what to do."""
        if answer.ok:
            return answer
        raise self._refusal(answer)

    def _refusal(self, answer: Response) -> HandbookError:
        said = _words(answer)
        what = f"GitHub refuses {answer.request.method} {urlsplit(answer.url).path} ({answer.status_code})"
        if answer.headers.get("X-RateLimit-Remaining") == "0" or answer.headers.get("Retry-After"):
            return HandbookError(what, why=f"too many requests: {said}", section=PERMISSION,
                                 todo="run the job again later; nothing is lost")
        if answer.status_code == 401:
            return HandbookError(what, why=f"the token isn't valid: {said}", section=PERMISSION,
                                 todo="set GITHUB_TOKEN to ${{ github.token }} in a workflow, elsewhere to a new one")
        if answer.status_code in (403, 404):
            return HandbookError(what, why=f"the token may not do this, or can't see {self.repository}: {said}",
                                 todo=f"give the job these permissions: {_permission(answer)}", section=PERMISSION)
        return HandbookError(what, why=said, todo="mend what it says, then run the job again", section=PERMISSION)


class Unreachable(HandbookError):
    """GitHub gave no answer that could be used, although it was asked several times."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"GitHub didn't take part: {problem}",
                         why="it may be overloaded or out of reach; nothing is lost",
                         todo="run the job again: it goes on with what is missing", section="sec-actions-resume")


class _Bearer:
    """Puts the token, if there is one, into each request."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: Any) -> Any:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def open_github(state: GitState | None) -> GitHub:
    """The repository of a job, or of a clone's remote. Raises HandbookError when none is known."""
    repository = os.environ.get("GITHUB_REPOSITORY") or repository_of(state.url if state else None)
    if not repository:
        raise HandbookError("which repository on GitHub this is can't be told",
                            why="GITHUB_REPOSITORY isn't set, and the git remote isn't on GitHub",
                            todo="add the remote, or set GITHUB_REPOSITORY=owner/name", section=PERMISSION)
    token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or ""
    return GitHub(repository, os.environ.get("GITHUB_API_URL", API).rstrip("/"), token)


def repository_of(url: str | None) -> str:
    """owner/name of a remote's address on GitHub, by https or ssh; empty for another one."""
    found = re.search(r"(?:^|@|//)(?:www\.)?github\.com[:/]+([\w.-]+/[\w.-]+?)(?:\.git)?/?$", url or "")
    return found[1] if found else ""


def _content(answer: Response) -> Any:
    """What a good answer says. Raises Unreachable when it is something else than GitHub sends."""
    try:
        return answer.json()
    except ValueError:
        raise Unreachable("it sent a page instead of an answer") from None


def _words(answer: Response) -> str:
    """What an answer says is wrong."""
    try:
        data = answer.json()
    except ValueError:
        return re.sub(r"\s+", " ", answer.text)[:200] or str(answer.reason)
    errors = [str(error.get("message") or f"{error.get('field')}: {error.get('code')}") if isinstance(error, dict)
              else str(error) for error in data.get("errors", [])]
    return "; ".join([str(data.get("message", answer.reason)), *errors])


def _permission(answer: Response) -> str:
    """The permission that a refused request needs, from what GitHub says or from its path."""
    if needed := answer.headers.get("X-Accepted-GitHub-Permissions"):
        return needed.replace("=", ": ")
    path = urlsplit(answer.url).path
    if "/releases" in path:
        return "contents: write"
    names = {"/actions/": "actions: read", "/check-runs": "checks: read", "/status": "statuses: read",
             "/issues": "issues: write"}
    return next((right for part, right in names.items() if part in path), "contents: read")
