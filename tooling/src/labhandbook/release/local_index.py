"""A package index on this machine that keeps PyPI's rules: releases are rehearsed against it.

It offers what clients use: the simple index as HTML (PEP 503) and JSON (PEP 691) with hashes, `requires-python` and
metadata (PEP 658), and the upload API that twine uses. It has its own files only and asks no other index.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import html
import json
import secrets
import threading
from collections.abc import Iterator
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


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    @property
    def index(self) -> Server:
        """The server with its store."""
        return cast(Server, self.server)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

    def parse_request(self) -> bool:
        """Read a request; refuse one that a page of another site has made."""
        if not super().parse_request():
            return False
        refused = refusal(self.path, self.headers, self.index.server_address[1])
        if refused:
            self.close_connection = True
            self.answer(refused[0], refused[1])
        return refused is None

    def do_GET(self) -> None:
        """Answer with a page or a file."""
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        if parts == ["simple"]:
            names = sorted({entry.project for entry in self.index.store.entries.values()})
            self._page("".join(f'<a href="/simple/{name}/">{name}</a>\n' for name in names))
        elif parts[0] == "simple" and len(parts) == 2:
            self._simple(parts[1])
        elif parts[0] == "files" and len(parts) == 2:
            self._file(parts[1])
        else:
            self.answer(404, "Not Found")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Accept an upload, or refuse it."""
        _, status, message = self.upload(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.answer(status, message, reason=message)

    def upload(self, body: bytes) -> tuple[str, int, str]:
        """Accept a form with a file; its name, the status and the message of the answer."""
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

    def listed(self, project: str) -> list[Stored]:
        """The files on a project's page."""
        return self.index.store.files(project)

    def _simple(self, project: str) -> None:
        files = self.listed(project)
        if not files:
            self.answer(404, "Not Found")
        elif SIMPLE_JSON in self.headers.get("Accept", ""):
            page = {"meta": {"api-version": "1.0"}, "name": normalise(project),
                    "files": [self.as_json(file) for file in files]}
            self.answer(200, json.dumps(page), SIMPLE_JSON)
        else:
            self._page("".join(self.as_link(file) for file in files))

    def _page(self, links: str) -> None:
        self.answer(200, f"<!DOCTYPE html>\n<html><body>\n{links}</body></html>\n", "text/html")

    def as_json(self, file: Stored) -> dict[str, Any]:
        """A file on a project's page (PEP 691)."""
        entry: dict[str, Any] = {"filename": file.filename, "url": f"/files/{file.filename}",
                                 "hashes": {"sha256": file.sha256}}
        if file.requires_python:
            entry["requires-python"] = file.requires_python
        if file.metadata:
            entry["core-metadata"] = entry["dist-info-metadata"] = {"sha256": file.metadata}
        return entry

    def as_link(self, file: Stored, more: str = "") -> str:
        """A file on a project's page (PEP 503 and 658)."""
        if file.requires_python:
            more += f' data-requires-python="{html.escape(file.requires_python)}"'
        for name in ("core-metadata", "dist-info-metadata") if file.metadata else ():
            more += f' data-{name}="sha256={file.metadata}"'
        return f'<a href="/files/{file.filename}#sha256={file.sha256}"{more}>{file.filename}</a>\n'

    def _file(self, filename: str) -> None:
        path = self.index.store.path(Path(filename).name)
        if filename.removesuffix(".metadata") in self.index.store.entries and path.exists():
            self.answer(200, path.read_bytes(), "application/octet-stream")
        else:
            self.answer(404, "Not Found")

    def answer(self, status: int, content: str | bytes, kind: str = "text/plain", reason: str | None = None) -> None:
        """Send an answer."""
        data = content.encode() if isinstance(content, str) else content
        with contextlib.suppress(OSError):
            self.send_response(status, reason)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)


class Server(ThreadingHTTPServer):
    """The server with its store and the token that may upload."""

    daemon_threads = True
    handler = Handler

    def __init__(self, store: Store, token: str = "", port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), self.handler)
        self.store = store
        self.token = token or "pypi-" + secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        """The address of the index's root."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def running(server: AnyServer) -> Iterator[AnyServer]:
    """Let a server answer in a thread of its own for the time of a block."""
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def parse_form(content_type: str, body: bytes) -> tuple[dict[str, list[str]], str, bytes]:
    """The fields, the file name and the file of a multipart form. Raises Refused when it is not one."""
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
