"""The index of a rehearsal with what only tests need: faults, yanks, deletions, a lag, identities, the JSON API."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from labhandbook.package.project import normalise
from labhandbook.package.simple_index import sha256
from labhandbook.release import local_index, local_index_files
from labhandbook.release.local_index import running
from labhandbook.release.local_index_files import HELP, Fields, Refused, Stored


@dataclass
class Fault:
    """Something that goes wrong `times` times, after `skip` good ones. `on` is "upload", "page", "json" or "file".

    `kind` is "error" (503), "hang" (no answer for `seconds`, then none at all), "cut" (the connection breaks in the
    middle of an upload), "lost" (the upload is accepted, the answer gets lost) or "corrupt" (half a file).
    """

    on: str
    kind: str
    times: int = 1
    seconds: float = 30.0
    skip: int = 0


class Store(local_index_files.Store):
    """Files that can be yanked, deleted, swapped, and that are listed only after `lag` seconds."""

    def __init__(self, folder: Path, lag: float = 0.0) -> None:
        super().__init__(folder)
        self.lag = lag
        self.added: dict[str, float] = {}
        self.yanked: dict[str, str] = {}
        self.deleted: set[str] = set()

    def add(self, fields: Fields, filename: str, content: bytes) -> None:
        """Accept an upload."""
        if filename in self.deleted:
            raise Refused(400, f"This filename has already been used, use a different version. {HELP}")
        super().add(fields, filename, content)
        self.added.setdefault(filename, time.time())

    def yank(self, filename: str, reason: str) -> None:
        """Hide a file from installers that don't ask for exactly its version (PEP 592)."""
        self.yanked[filename] = reason

    def delete(self, filename: str) -> None:
        """Remove a file; its name stays used."""
        self.deleted.add(filename)
        del self.entries[filename]
        self.path(filename).unlink()

    def swap(self, filename: str, content: bytes, *, announce: bool) -> None:
        """Put other bytes in a file's place, as a broken or hostile server would; `announce` changes its hash too."""
        self.path(filename).write_bytes(content)
        if announce:
            self.entries[filename].sha256 = sha256(content)


class Handler(local_index.Handler):
    """One request, which may go wrong."""

    lost = False

    @property
    def faulty(self) -> Server:
        """The server with its faults."""
        return cast(Server, self.server)

    def do_GET(self) -> None:
        """Answer, unless a fault is set for this kind of request."""
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        fault = self.faulty.fault({"simple": "page", "pypi": "json", "files": "file"}.get(parts[0], ""))
        if fault and fault.kind == "corrupt":
            data = self.index.store.path(parts[-1]).read_bytes()
            self.answer(200, data[: len(data) // 2], "application/octet-stream")
        elif fault:
            self._fail(fault)
        elif parts[0] == "pypi" and parts[-1] == "json":
            self._json(parts[1], parts[2] if len(parts) == 4 else "")
        elif parts == ["_", "oidc", "audience"]:
            self.answer(200, json.dumps({"audience": "loopback"}), "application/json")
        else:
            super().do_GET()

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Exchange an identity for a token, or accept an upload, unless a fault is set."""
        if urlsplit(self.path).path == "/_/oidc/mint-token":
            self._mint()
            return
        fault = self.faulty.fault("upload")
        if fault is None or fault.kind == "lost":
            self.lost = fault is not None
            super().do_POST()
            return
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length // 2 if fault.kind == "cut" else length)
        self._fail(fault)

    def upload(self, body: bytes) -> tuple[str, int, str]:
        """Accept an upload and take note of it."""
        filename, status, message = super().upload(body)
        self.faulty.requests.append(("upload", filename, status))
        return filename, status, message

    def answer(self, status: int, content: str | bytes, kind: str = "text/plain", reason: str | None = None) -> None:
        """Send an answer, or lose it."""
        if self.lost:
            self._reset()
        else:
            super().answer(status, content, kind, reason)

    def listed(self, project: str) -> list[Stored]:
        """The files that are old enough."""
        store = self.faulty.store
        return [file for file in store.files(project) if store.added.get(file.filename, 0) <= time.time() - store.lag]

    def as_json(self, file: Stored) -> dict[str, Any]:
        """A file on a project's page, with its yank."""
        return super().as_json(file) | {"yanked": self.faulty.store.yanked.get(file.filename, False)}

    def as_link(self, file: Stored, more: str = "") -> str:
        """A file on a project's page, with its yank."""
        yanked = self.faulty.store.yanked.get(file.filename)
        return super().as_link(file, f' data-yanked="{html.escape(yanked)}"' if yanked is not None else "")

    def _json(self, project: str, version: str) -> None:
        files = [file for file in self.index.store.files(project) if version in ("", file.version)]
        if not files:
            self.answer(404, '{"message": "Not Found"}', "application/json")
            return
        releases: dict[str, list[dict[str, Any]]] = {}
        for file in files:
            releases.setdefault(file.version, []).append(
                {"filename": file.filename, "digests": {"sha256": file.sha256},
                 "url": f"{self.index.url}/files/{file.filename}", "requires_python": file.requires_python or None,
                 "size": self.index.store.path(file.filename).stat().st_size})
        latest = version or files[-1].version
        self.answer(200, json.dumps({"info": {"name": normalise(project), "version": latest}, "releases": releases,
                                     "urls": releases[latest]}), "application/json")

    def _mint(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        claims = json.loads(base64.urlsafe_b64decode(str(body["token"]).split(".")[1] + "=="))
        expected = self.faulty.publisher
        if expected and all(claims.get(key) == value for key, value in expected.items()):
            self.answer(200, json.dumps({"success": True, "token": self.index.token}), "application/json")
            return
        error = {"code": "invalid-publisher", "description": "valid token, but no corresponding publisher"}
        self.answer(422, json.dumps({"message": "Token request failed", "errors": [error]}), "application/json")

    def _fail(self, fault: Fault) -> None:
        if fault.kind == "error":
            self.answer(503, "Service Unavailable", reason="Service Unavailable")
            return
        time.sleep(fault.seconds if fault.kind == "hang" else 0)
        self._reset()

    def _reset(self) -> None:
        """Break the connection as a crashed server does, without closing it in order."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class Server(local_index.Server):
    """The index with the faults to come, the requests that came, and the identity that it trusts."""

    handler = Handler
    store: Store

    def __init__(self, store: Store, token: str = "", port: int = 0) -> None:
        super().__init__(store, token, port)
        self.faults: list[Fault] = []
        self.publisher: dict[str, str] = {}
        self.requests: list[tuple[str, str, int]] = []
        self._lock = threading.Lock()

    def fault(self, on: str) -> Fault | None:
        """The next fault for this kind of request, used up by one."""
        with self._lock:
            for fault in self.faults:
                if fault.on == on and fault.skip > 0:
                    fault.skip -= 1
                elif fault.on == on and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def uploads(self, status: int = 200) -> list[str]:
        """The names of the files whose uploads were answered with `status`."""
        return [name for kind, name, answer in self.requests if kind == "upload" and answer == status]


@contextlib.contextmanager
def serving(folder: Path, *, lag: float = 0.0, token: str = "", port: int = 0) -> Iterator[Server]:
    """Serve the index in `folder`; without `token` a new one is made for this run."""
    with running(Server(Store(folder, lag), token, port)) as server:
        yield server
