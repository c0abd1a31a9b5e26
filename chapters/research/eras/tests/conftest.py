"""A small made-up tournament, and a stand-in for the service on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mhi_eras import convert, synthetic

MODEL = "9b157d9b-ce61-4ab5-9413-413f13a0c0a6"


@pytest.fixture(scope="session")
def tournament(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train and live, as CSV and as Parquet: 110 eras of 60 rows and 12 features."""
    folder = tmp_path_factory.mktemp("tournament")
    synthetic(folder, seed=1, eras=110, rows=60, count=12)
    for name in ("train", "live"):
        convert(folder / f"{name}.csv", folder / f"{name}.parquet")
    return folder


class Service:
    """What the service holds: files to fetch, one account, and what was submitted to it."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.key = "Token PUBLIC$SECRET"
        self.uploads: dict[str, bytes] = {}
        self.submitted: list[dict[str, Any]] = []
        self.status = 200
        self.address = ""

    def answer(self, query: str, variables: dict[str, Any], key: str | None) -> dict[str, Any]:
        """The answer to a GraphQL request: just those that the client makes."""
        if "listDatasets" in query:
            return {"data": {"listDatasets": list(self.files)}}
        if "dataset(" in query:
            return {"data": {"dataset": f"{self.address}/file/{variables['filename']}"}}
        if key != self.key:
            return {"errors": [{"message": f"invalid key {key}"}]}
        if "account" in query:
            return {"data": {"account": {"models": [{"id": MODEL, "name": "wobble", "tournament": 8}]}}}
        if "submission_upload_auth" in query:
            name = variables["filename"]
            return {"data": {"submission_upload_auth": {"filename": name, "url": f"{self.address}/put/{name}"}}}
        if "create_submission" in query:
            self.submitted.append(variables)
            return {"data": {"create_submission": {"id": "the-id"}}}
        return {"errors": [{"message": "what?"}]}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Service]:
    """The stand-in, running; this process and those it starts use it, with the right key in the environment."""
    state = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = state.answer(body["query"], body["variables"] or {}, self.headers.get("Authorization"))
            self.reply(json.dumps(answer).encode())

        def do_GET(self) -> None:
            data = state.files[self.path.removeprefix("/file/")]
            start = int(self.headers.get("Range", "bytes=0-")[6:-1])
            self.reply(data[start:])

        def do_PUT(self) -> None:
            state.uploads[self.path.removeprefix("/put/")] = self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(b"")

        def reply(self, data: bytes) -> None:
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("MHI_ERAS_SERVICE", state.address)
    monkeypatch.setenv("NUMERAI_PUBLIC_ID", "PUBLIC")
    monkeypatch.setenv("NUMERAI_SECRET_KEY", "SECRET")
    monkeypatch.chdir(tmp_path)
    yield state
    server.shutdown()
    server.server_close()
