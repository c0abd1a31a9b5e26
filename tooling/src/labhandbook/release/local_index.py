"""A package index on loopback that keeps PyPI's rules: releases are rehearsed against it.

It speaks what clients speak: the simple index as HTML (PEP 503) and JSON (PEP 691) with hashes, `requires-python`,
yanks and metadata (PEP 658), the upload API as twine posts to it, the JSON API, and trusted publishing's exchange of
tokens. It knows its own files only and asks no other index. Faults can be set to see how clients bear them.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import html
import json
import secrets
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import unquote, urlsplit

from labhandbook.core.loopback import refusal
from labhandbook.package.project import normalise
from labhandbook.release.local_index_files import Refused, Store, Stored

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
USER = "__token__"
AnyServer = TypeVar("AnyServer", bound=HTTPServer)


@dataclass
class Fault:
    """Something that goes wrong `times` times, after `skip` good ones. `on` is "upload", "page", "json" or "file".

    `kind` is "error" (503), "hang" (no answer for `seconds`, then none at all), "cut" (the connection breaks in the
    middle of an upload), "lost" (the upload is taken, the answer gets lost) or "corrupt" (half a file).
    """

    on: str
    kind: str
    times: int = 1
    seconds: float = 30.0
    skip: int = 0


class Server(ThreadingHTTPServer):
    """The server's state: its store, the token that may upload, and the faults to come."""

    daemon_threads = True

    def __init__(self, store: Store, token: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.store = store
        self.token = token
        self.faults: list[Fault] = []
        self.publisher: dict[str, str] = {}
        self.requests: list[tuple[str, str, int]] = []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The address of the index's root."""
        return f"http://127.0.0.1:{self.server_address[1]}"

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
    """Serve the index that lies in `folder`; without `token` a fresh one is made for this run."""
    with running(Server(Store(folder, lag), token or "pypi-" + secrets.token_urlsafe(24), port)) as server:
        yield server


@contextlib.contextmanager
def running(server: AnyServer) -> Iterator[AnyServer]:
    """Let a server answer in a thread of its own for the time of a block."""
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    @property
    def index(self) -> Server:
        """The server with its state."""
        return cast(Server, self.server)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: requests stand in `Server.requests`."""

    def parse_request(self) -> bool:
        """Read a request; refuse one that a page of another site has made."""
        if not super().parse_request():
            return False
        refused = refusal(self.path, self.headers, self.index.server_address[1])
        if refused:
            self.close_connection = True
            self._answer(refused[0], refused[1])
        return refused is None

    def do_GET(self) -> None:
        """Pages, files and the JSON API."""
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        kind = {"simple": "page", "pypi": "json", "files": "file"}.get(parts[0], "")
        if self._broken(kind):
            return
        if parts[0] == "simple":
            self._simple(parts[1:])
        elif parts[0] == "files" and len(parts) == 2:
            self._file(parts[1])
        elif parts[0] == "pypi" and parts[-1] == "json" and len(parts) in (3, 4):
            self._json(parts[1], parts[2] if len(parts) == 4 else "")
        elif parts == ["_", "oidc", "audience"]:
            self._answer(200, json.dumps({"audience": "loopback"}), "application/json")
        else:
            self._answer(404, "Not Found")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """An upload, or an identity to be exchanged for a token."""
        if urlsplit(self.path).path == "/_/oidc/mint-token":
            self._mint()
            return
        fault = self.index.fault("upload")
        length = int(self.headers.get("Content-Length", 0))
        if fault and fault.kind == "cut":
            self.rfile.read(length // 2)
            self._reset()
            return
        body = self.rfile.read(length)
        if fault and fault.kind in ("error", "hang"):
            self._fail(fault)
            return
        filename, status, message = self._upload(body)
        self.index.requests.append(("upload", filename, status))
        if fault and fault.kind == "lost":
            self._reset()
            return
        self._answer(status, message, reason=message)

    def _upload(self, body: bytes) -> tuple[str, int, str]:
        expected = base64.b64encode(f"{USER}:{self.index.token}".encode()).decode()
        if not hmac.compare_digest(self.headers.get("Authorization", ""), f"Basic {expected}"):
            return "", 403, "Invalid or non-existent authentication information."
        filename = ""
        try:
            fields, filename, content = parse_form(self.headers.get("Content-Type", ""), body)
            self.index.store.add(fields, filename, content)
        except Refused as refusal:
            return filename, refusal.status, str(refusal)
        return filename, 200, "OK"

    def _simple(self, parts: list[str]) -> None:
        store, wants_json = self.index.store, SIMPLE_JSON in self.headers.get("Accept", "")
        if not any(parts):
            names = store.projects()
            page = {"meta": {"api-version": "1.0"}, "projects": [{"name": name} for name in names]}
            links = "".join(f'<a href="/simple/{name}/">{name}</a>\n' for name in names)
        else:
            files = store.files(parts[0], lagging=True)
            if not files:
                self._answer(404, "Not Found")
                return
            page = {"meta": {"api-version": "1.0"}, "name": normalise(parts[0]),
                    "files": [as_json(file) for file in files]}
            links = "".join(as_link(file) for file in files)
        if wants_json:
            self._answer(200, json.dumps(page), SIMPLE_JSON)
        else:
            self._answer(200, f"<!DOCTYPE html>\n<html><body>\n{links}</body></html>\n", "text/html")

    def _json(self, project: str, version: str) -> None:
        files = [file for file in self.index.store.files(project) if version in ("", file.version)]
        if not files:
            self._answer(404, '{"message": "Not Found"}', "application/json")
            return
        releases: dict[str, list[dict[str, Any]]] = {}
        for file in files:
            releases.setdefault(file.version, []).append(
                {"filename": file.filename, "digests": {"sha256": file.sha256}, "size": file.size,
                 "url": f"{self.index.url}/files/{file.filename}", "yanked": bool(file.yanked),
                 "yanked_reason": file.yanked or None, "requires_python": file.requires_python or None})
        latest = version or files[-1].version
        described = {"info": {"name": normalise(project), "version": latest}, "releases": releases,
                     "urls": releases[latest]}
        self._answer(200, json.dumps(described), "application/json")

    def _file(self, filename: str) -> None:
        path = self.index.store.path(Path(filename).name)
        if not self.index.store.find(filename.removesuffix(".metadata")) or not path.exists():
            self._answer(404, "Not Found")
            return
        content = path.read_bytes()
        self._answer(200, content, "application/octet-stream")

    def _mint(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        claims = json.loads(base64.urlsafe_b64decode(str(body["token"]).split(".")[1] + "=="))
        expected = self.index.publisher
        if expected and all(claims.get(key) == value for key, value in expected.items()):
            self._answer(200, json.dumps({"success": True, "token": self.index.token}), "application/json")
            return
        error = {"code": "invalid-publisher", "description": "valid token, but no corresponding publisher"}
        self._answer(422, json.dumps({"message": "Token request failed", "errors": [error]}), "application/json")

    def _broken(self, kind: str) -> bool:
        fault = self.index.fault(kind) if kind else None
        if fault is None:
            return False
        if fault.kind == "corrupt":
            path = self.index.store.path(Path(unquote(self.path)).name)
            self._answer(200, path.read_bytes()[: path.stat().st_size // 2], "application/octet-stream")
        else:
            self._fail(fault)
        return True

    def _fail(self, fault: Fault) -> None:
        if fault.kind == "hang":
            time.sleep(fault.seconds)
            self._reset()
        else:
            self._answer(503, "Service Unavailable", reason="Service Unavailable")

    def _reset(self) -> None:
        """Break the connection as a crashed server does, without the goodbye."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _answer(self, status: int, content: str | bytes, kind: str = "text/plain", reason: str | None = None) -> None:
        data = content.encode() if isinstance(content, str) else content
        with contextlib.suppress(OSError):
            self.send_response(status, reason)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)


def parse_form(content_type: str, body: bytes) -> tuple[dict[str, list[str]], str, bytes]:
    """The fields, the file name and the file of a multipart form. Raises Refused when it is none."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str):
        raise Refused(400, "No form in the request.")
    fields: dict[str, list[str]] = {}
    filename, content = "", b""
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        described = Message()
        described["Content-Disposition"] = next(
            line.partition(b":")[2].decode() for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-disposition:"))
        name = str(described.get_param("name", header="content-disposition"))
        if name == "content":
            filename, content = str(described.get_filename("")), value
        else:
            fields.setdefault(name, []).append(value.decode())
    if not filename or Path(filename).name != filename:
        raise Refused(400, "Upload payload does not have a file.")
    return fields, filename, content


def as_json(file: Stored) -> dict[str, Any]:
    """A file on a project's page (PEP 691)."""
    entry: dict[str, Any] = {"filename": file.filename, "url": f"/files/{file.filename}",
                             "hashes": {"sha256": file.sha256}, "yanked": file.yanked or False}
    if file.requires_python:
        entry["requires-python"] = file.requires_python
    if file.metadata:
        entry["core-metadata"] = entry["dist-info-metadata"] = {"sha256": file.metadata}
    return entry


def as_link(file: Stored) -> str:
    """A file on a project's page (PEP 503, 592 and 658)."""
    attributes = f' data-requires-python="{html.escape(file.requires_python)}"' if file.requires_python else ""
    attributes += f' data-yanked="{html.escape(file.yanked)}"' if file.yanked else ""
    for name in ("core-metadata", "dist-info-metadata") if file.metadata else ():
        attributes += f' data-{name}="sha256={file.metadata}"'
    return f'<a href="/files/{file.filename}#sha256={file.sha256}"{attributes}>{file.filename}</a>\n'
