"""GitHub on loopback: the part of its REST API that a release asks, its identities for jobs, and faults to come."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from labhandbook.release.local_index import running

Json = dict[str, Any]
CREATED = "2026-01-02T03:04:05Z"


@dataclass
class Fault:
    """A refusal of the next `times` requests of a method whose path a pattern finds.

    With `half` an upload leaves a file of which GitHub knows only the name, as a broken upload does.
    """

    method: str
    path: str
    status: int = 503
    times: int = 1
    half: bool = False


@dataclass
class Job:
    """What a workflow says of a job: its environment and whether it may ask for an identity."""

    environment: str = ""
    identity: bool = False


@dataclass
class State:
    """A repository on GitHub. `remote` is the bare repository that has its tags, `jobs` are those that may run.

    `runs` are workflow runs as the API lists them, `checks` and `statuses` those of other programs, `environments`
    those of deployments with their `policies` by name, `issues` the repository's, `others` what is answered for paths
    of other repositories.
    """

    repository: str
    remote: Path
    token: str
    default_branch: str = "main"
    runs: list[Json] = field(default_factory=list)
    checks: list[Json] = field(default_factory=list)
    statuses: list[Json] = field(default_factory=list)
    releases: list[Json] = field(default_factory=list)
    contents: dict[int, bytes] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    workflow: str = ".github/workflows/release.yml"
    ref: str = ""
    immutable: bool = False
    private: bool = False
    environments: list[Json] = field(default_factory=list)
    policies: dict[str, list[Json]] = field(default_factory=dict)
    issues: list[Json] = field(default_factory=list)
    others: dict[str, Json] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def commit(self, name: str) -> str:
        """The commit of a tag or another name; empty where the remote has none."""
        done = subprocess.run(["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"], cwd=self.remote,
                              capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def run(self, path: str, conclusion: str | None, number: int = 0, sha: str = "") -> Json:
        """Add the run of a workflow on the commit of the remote's default branch."""
        made = {"id": number or len(self.runs) + 100, "path": path, "head_sha": sha or self.commit("HEAD"),
                "status": "completed" if conclusion else "in_progress", "conclusion": conclusion,
                "html_url": f"https://example.org/{self.repository}/runs/{len(self.runs) + 100}"}
        self.runs.append(made)
        return made

    def assets(self, tag: str) -> dict[str, bytes]:
        """The files of the one release of a tag."""
        (release,) = [each for each in self.releases if each["tag_name"] == tag]
        return {each["name"]: self.contents[each["id"]] for each in release["assets"] if each["state"] == "uploaded"}

    def fault(self, method: str, path: str) -> Fault | None:
        """The next fault for this request, used up by one."""
        for fault in self.faults:
            if fault.times > 0 and fault.method == method and re.search(fault.path, path):
                fault.times -= 1
                return fault
        return None


class Server(ThreadingHTTPServer):
    """GitHub with one repository; lists come `page` entries at a time."""

    daemon_threads = True

    def __init__(self, state: State, page: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.state = state
        self.page = page
        self.lock = threading.RLock()

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def serving(state: State, page: int = 2) -> Iterator[Server]:
    """Serve the repository."""
    with running(Server(state, page)) as server:
        yield server


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    @property
    def github(self) -> Server:
        """The server with its state."""
        return cast(Server, self.server)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: requests are in `State.asked`."""

    def do_GET(self) -> None:
        self._do()

    def do_POST(self) -> None:
        self._do()

    def do_PATCH(self) -> None:
        self._do()

    def do_DELETE(self) -> None:
        self._do()

    def _do(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        with self.github.lock:
            if parts.path == "/identity":
                self._identity(query)
                return
            state = self.github.state
            state.asked.append(f"{self.command} {parts.path}")
            if fault := state.fault(self.command, parts.path):
                if fault.half:
                    self._upload(parts.path, query, body, "starter")
                self._answer(fault.status, {"message": "Something went wrong"})
            elif self.headers.get("Authorization") != f"Bearer {state.token}":
                self._answer(401, {"message": "Bad credentials"})
            else:
                self._route(parts.path, query, body)

    def _route(self, path: str, query: dict[str, str], body: bytes) -> None:
        head = f"/repos/{self.github.state.repository}"
        if path.startswith("/uploads/"):
            self._answer(201, self._upload(path, query, body, "uploaded"))
            return
        if other := self.github.state.others.get(path.removeprefix("/repos/")):
            self._answer(200, other)
            return
        for pattern, method, answer in ROUTES:
            found = re.fullmatch(pattern, path.removeprefix(head).strip("/"))
            if found and method == self.command and path.startswith(head):
                answer(self, query, json.loads(body or b"{}"), *found.groups())
                return
        self._answer(404, {"message": "Not Found"})

    def _identity(self, query: dict[str, str]) -> None:
        """Who is publishing: the claims of the job whose name the runner's bearer holds."""
        state = self.github.state
        name = self.headers.get("Authorization", "").removeprefix("bearer ").removeprefix("Bearer ")
        job = state.jobs.get(name, Job())
        if not job.identity:
            self._answer(403, {"message": "no id-token: write"})
            return
        claims = {"aud": query["audience"], "repository": state.repository, "environment": job.environment,
                  "repository_owner": state.repository.partition("/")[0],
                  "workflow_ref": f"{state.repository}/{state.workflow}@{state.ref}"}
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        self._answer(200, {"value": f"head.{payload}.signature"})

    def _upload(self, path: str, query: dict[str, str], body: bytes, state: str) -> Json:
        release = self._release(path.split("/")[-2])
        number = len(self.github.state.contents) + 1
        made = {"id": number, "name": query["name"], "size": len(body), "state": state,
                "digest": f"sha256:{hashlib.sha256(body).hexdigest()}" if state == "uploaded" else None}
        self.github.state.contents[number] = body
        release["assets"].append(made)
        return made

    def _release(self, number: str) -> Json:
        return next(each for each in self.github.state.releases if each["id"] == int(number))

    def _page(self, entries: list[Json], query: dict[str, str], key: str = "") -> None:
        """A page of a list, with the address of the next."""
        number, size = int(query.get("page", 1)), self.github.page
        shown = entries[(number - 1) * size:number * size]
        headers = {}
        if len(entries) > number * size:
            parts = urlsplit(self.path)
            rest = "&".join(each for each in parts.query.split("&") if not each.startswith("page="))
            headers["Link"] = f'<{self.github.url}{parts.path}?{rest}&page={number + 1}>; rel="next"'
        self._answer(200, {"total_count": len(entries), key: shown} if key else shown, headers)

    def _answer(self, status: int, content: object, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(content).encode()
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)),
                                **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

    def about(self, query: dict[str, str], body: Json) -> None:
        self._answer(200, {"default_branch": self.github.state.default_branch, "private": self.github.state.private})

    def commit(self, query: dict[str, str], body: Json, name: str) -> None:
        sha = self.github.state.commit(name)
        self._answer(200 if sha else 404, {"sha": sha} if sha else {"message": "No commit found"})

    def workflow_runs(self, query: dict[str, str], body: Json) -> None:
        runs = [each for each in self.github.state.runs if each["head_sha"] == query["head_sha"]]
        self._page(runs, query, "workflow_runs")

    def check_runs(self, query: dict[str, str], body: Json, sha: str) -> None:
        self._page(self.github.state.checks, query, "check_runs")

    def status(self, query: dict[str, str], body: Json, sha: str) -> None:
        self._page(self.github.state.statuses, query, "statuses")

    def releases(self, query: dict[str, str], body: Json) -> None:
        self._page(self.github.state.releases, query)

    def release_of_tag(self, query: dict[str, str], body: Json, tag: str) -> None:
        found = [each for each in self.github.state.releases if each["tag_name"] == tag and not each["draft"]]
        self._answer(200 if found else 404, found[0] if found else {"message": "Not Found"})

    def release(self, query: dict[str, str], body: Json, number: str) -> None:
        self._answer(200, self._release(number))

    def assets(self, query: dict[str, str], body: Json, number: str) -> None:
        self._page(self._release(number)["assets"], query)

    def create(self, query: dict[str, str], body: Json) -> None:
        number = len(self.github.state.releases) + 1
        made = {**body, "id": number, "assets": [], "immutable": False, "created_at": CREATED,
                "html_url": f"https://example.org/{self.github.state.repository}/releases/{number}",
                "upload_url": f"{self.github.url}/uploads/releases/{number}/assets{{?name,label}}"}
        self.github.state.releases.append(made)
        self._answer(201, made)

    def generate(self, query: dict[str, str], body: Json) -> None:
        self._answer(200, {"name": body["tag_name"], "body": "What's changed, by GitHub"})

    def change(self, query: dict[str, str], body: Json, number: str) -> None:
        release = self._release(number)
        release.update(body)
        release["immutable"] = self.github.state.immutable and not release["draft"]
        self._answer(200, release)

    def remove(self, query: dict[str, str], body: Json, number: str) -> None:
        for release in self.github.state.releases:
            release["assets"][:] = [each for each in release["assets"] if each["id"] != int(number)]
        self._answer(204, None)


    def environments(self, query: dict[str, str], body: Json) -> None:
        self._page(self.github.state.environments, query, "environments")

    def policies(self, query: dict[str, str], body: Json, name: str) -> None:
        self._page(self.github.state.policies[name], query, "branch_policies")

    def issues(self, query: dict[str, str], body: Json) -> None:
        wanted = set(query["labels"].split(",")) if "labels" in query else set()
        self._page([each for each in self.github.state.issues if wanted <= {label["name"] for label in each["labels"]}
                    and query.get("state", "open") in (each["state"], "all")], query)

    def open_issue(self, query: dict[str, str], body: Json) -> None:
        number = len(self.github.state.issues) + 1
        labels = [{"name": name} for name in body.pop("labels", [])]
        made = {**body, "number": number, "state": "open", "labels": labels, "comments": [],
                "html_url": f"https://example.org/{self.github.state.repository}/issues/{number}"}
        self.github.state.issues.append(made)
        self._answer(201, made)

    def change_issue(self, query: dict[str, str], body: Json, number: str) -> None:
        issue = self.github.state.issues[int(number) - 1]
        issue.update(body)
        self._answer(200, issue)

    def comment(self, query: dict[str, str], body: Json, number: str) -> None:
        self.github.state.issues[int(number) - 1]["comments"].append(body["body"])
        self._answer(201, body)


ROUTES: list[tuple[str, str, Callable[..., None]]] = [
    (r"", "GET", Handler.about),
    (r"commits/([^/]+)", "GET", Handler.commit),
    (r"actions/runs", "GET", Handler.workflow_runs),
    (r"commits/(\w+)/check-runs", "GET", Handler.check_runs),
    (r"commits/(\w+)/status", "GET", Handler.status),
    (r"releases", "GET", Handler.releases),
    (r"releases/tags/([^/]+)", "GET", Handler.release_of_tag),
    (r"releases/(\d+)", "GET", Handler.release),
    (r"releases/(\d+)/assets", "GET", Handler.assets),
    (r"releases", "POST", Handler.create),
    (r"releases/generate-notes", "POST", Handler.generate),
    (r"releases/(\d+)", "PATCH", Handler.change),
    (r"releases/assets/(\d+)", "DELETE", Handler.remove),
    (r"environments", "GET", Handler.environments),
    (r"environments/([^/]+)/deployment-branch-policies", "GET", Handler.policies),
    (r"issues", "GET", Handler.issues),
    (r"issues", "POST", Handler.open_issue),
    (r"issues/(\d+)", "PATCH", Handler.change_issue),
    (r"issues/(\d+)/comments", "POST", Handler.comment),
]
