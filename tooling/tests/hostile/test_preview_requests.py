"""What a page of another site, or a client that stalls, can ask of the preview and of the rehearsal's index."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labhandbook.book.preview.clients import MOST, Clients
from tooling.tests.book.preview_client import FILES, SOON, Preview, previewing
from tooling.tests.conftest import make_book
from tooling.tests.release.faulty_index import serving

CANARY = "CANARY-7f3a"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book beside secrets."""
    folder = tmp_path_factory.mktemp("beside")
    (folder / "SECRET.txt").write_text(CANARY, encoding="utf-8")
    made = make_book(folder / "book", {**FILES, "one.qmd": FILES["one.qmd"] + "\n[a file](shown.txt)\n",
                                       "shown.txt": "shown", "hidden.txt": CANARY})
    (made / "link").symlink_to("..")
    return made


@pytest.fixture(scope="module")
def preview(book: Path) -> Iterator[Preview]:
    """A preview of it."""
    with previewing(book) as running:
        yield running


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a rehearsal's index."""
    with serving(tmp_path_factory.mktemp("index")) as server:
        yield server.server_address[1]


def ask(port: int, request: str) -> tuple[int, str]:
    """The status and the text of the answer to a request as it is written, with {port} filled in."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(request.replace("{port}", str(port)).replace("\n", "\r\n").encode() + b"\r\n")
        client.shutdown(socket.SHUT_WR)
        data = b""
        while more := client.recv(1 << 16):
            data += more
    head = data.split(b"\r\n", 1)[0].split()
    return int(head[1]) if data.startswith(b"HTTP/") else 0, data.decode("utf-8", "replace")


FOREIGN = {
    "another name": ("GET {path} HTTP/1.1\nHost: evil.example:{port}\n", 421),
    "another name without a port": ("GET {path} HTTP/1.1\nHost: evil.example\n", 421),
    "a name that begins like ours": ("GET {path} HTTP/1.1\nHost: localhost.evil.example:{port}\n", 421),
    "a name that leads here": ("GET {path} HTTP/1.1\nHost: 127.0.0.1.nip.example:{port}\n", 421),
    "an address of the network": ("GET {path} HTTP/1.1\nHost: 192.168.0.1:{port}\n", 421),
    "another port": ("GET {path} HTTP/1.1\nHost: 127.0.0.1:1\n", 421),
    "no port": ("GET {path} HTTP/1.1\nHost: 127.0.0.1\n", 421),
    "no name": ("GET {path} HTTP/1.1\n", 400),
    "an old request without name": ("GET {path} HTTP/1.0\n", 400),
    "two names": ("GET {path} HTTP/1.1\nHost: 127.0.0.1:{port}\nHost: evil.example\n", 400),
    "an empty name": ("GET {path} HTTP/1.1\nHost:\n", 421),
    "another name in the request line": ("GET http://evil.example{path} HTTP/1.1\nHost: 127.0.0.1:{port}\n", 421),
    "a name with a login": ("GET {path} HTTP/1.1\nHost: evil@127.0.0.1:{port}\n", 421),
    "another site's page": ("GET {path} HTTP/1.1\nHost: 127.0.0.1:{port}\nOrigin: http://evil.example\n", 403),
    "no site's page": ("GET {path} HTTP/1.1\nHost: 127.0.0.1:{port}\nOrigin: null\n", 403),
    "a head": ("HEAD {path} HTTP/1.1\nHost: evil.example:{port}\n", 421),
}
OWN = ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"]


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("path", ["/one.html", "/.preview/events?page=one.html"])
def test_the_preview_answers_only_requests_for_this_machine(preview: Preview, name: str, path: str) -> None:
    request, code = FOREIGN[name]
    status, text = ask(preview.port, request.replace("{path}", path) + "Connection: close\n")
    assert status == code
    assert "The first words." not in text and "data:" not in text


@pytest.mark.parametrize("host", OWN)
def test_the_preview_answers_to_the_names_of_this_machine(preview: Preview, host: str) -> None:
    same = f"Host: {host}\nOrigin: http://{host}\nConnection: close\n"
    status, text = ask(preview.port, f"GET /one.html HTTP/1.1\n{same}")
    assert status == 200 and "The first words." in text


@pytest.mark.parametrize("name", FOREIGN)
def test_the_index_answers_only_requests_for_this_machine(index: int, name: str) -> None:
    request, code = FOREIGN[name]
    assert ask(index, request.replace("{path}", "/simple/") + "Connection: close\n")[0] == code


@pytest.mark.parametrize("path", ["/legacy/", "/_/oidc/mint-token"])
@pytest.mark.parametrize("headers",
                         ["Host: evil.example:{port}\n", "Host: 127.0.0.1:{port}\nOrigin: https://evil.example\n"])
def test_the_index_takes_nothing_from_another_site(index: int, path: str, headers: str) -> None:
    body = "{}"
    status, _ = ask(index, f"POST {path} HTTP/1.1\n{headers}Content-Length: {len(body)}\nConnection: close\n\n{body}")
    assert status in (403, 421)


@pytest.mark.parametrize("host", OWN)
def test_the_index_answers_to_the_names_of_this_machine(index: int, host: str) -> None:
    assert ask(index, f"GET /simple/ HTTP/1.1\nHost: {host}\nConnection: close\n")[0] == 200


# What the preview serves


@pytest.mark.parametrize("path", [
    "/../SECRET.txt", "/%2e%2e/SECRET.txt", "/..%2fSECRET.txt", "/%2e%2e%2fSECRET.txt", "/..\\SECRET.txt",
    "/.%2e/SECRET.txt", "/%252e%252e/SECRET.txt", "//../SECRET.txt", "/./../SECRET.txt", "/chapters/../../SECRET.txt",
    "/link/SECRET.txt", "/_extensions/handbook/../../../SECRET.txt", "/site/../../SECRET.txt", "/SECRET.txt",
    "/hidden.txt", "/_quarto.yml", "/one.qmd", "/.git/config", "/.preview/../../SECRET.txt",
    "/site/sections.js/../../SECRET.txt", "/site/%2e%2e/%2e%2e/SECRET.txt", "/site//etc/passwd", "/%00",
    "/one.html%00", "/shown.txt/../../SECRET.txt", "/" + "a/" * 3000, "/" + "%2e%2e/" * 40 + "etc/passwd",
])
def test_no_address_leads_out_of_the_book(preview: Preview, path: str) -> None:
    status, text = ask(preview.port, f"GET {path} HTTP/1.1\nHost: 127.0.0.1:{{port}}\nConnection: close\n")
    assert status == 404, text[:200]
    assert CANARY not in text and "root:" not in text


def test_a_file_that_becomes_a_link_out_of_the_book_is_gone(preview: Preview, book: Path) -> None:
    assert preview.get("/shown.txt")[2] == "shown"
    shown = book / "shown.txt"
    ways: list[Callable[[], None]] = [lambda: shown.symlink_to("../SECRET.txt"), lambda: os.mkfifo(shown)]
    for put in ways:
        shown.unlink()
        put()
        try:
            assert preview.get("/shown.txt")[0] == 404
        finally:
            shown.unlink()
            shown.write_text("shown", encoding="utf-8")
    preview.until("/shown.txt", "shown")


# Stalled clients


def test_a_crowd_that_stalls_holds_up_nobody(preview: Preview) -> None:
    """400 clients that never end their request and 400 that follow the news; the next one is answered."""
    crowd = [b"GET /one.html HTTP/1.1\r\nHost: 127",
             f"GET /.preview/events?page=one.html HTTP/1.1\r\nHost: 127.0.0.1:{preview.port}\r\n\r\n".encode()]
    for words in crowd:
        clients = []
        try:
            for _ in range(400):
                clients.append(socket.create_connection(("127.0.0.1", preview.port), timeout=30))
                clients[-1].sendall(words)
            assert preview.get("/one.html")[0] == 200
        finally:
            for client in clients:
                client.close()


def test_too_many_clients_end_the_oldest(preview: Preview) -> None:
    clients: list[socket.socket] = []
    try:
        clients += (socket.create_connection(("127.0.0.1", preview.port), timeout=SOON) for _ in range(MOST + 5))
        assert clients[0].recv(1) == b""
        clients[-1].sendall(f"GET /one.html HTTP/1.0\r\nHost: 127.0.0.1:{preview.port}\r\n\r\n".encode())
        assert clients[-1].recv(8) == b"HTTP/1.1"
    finally:
        for client in clients:
            client.close()


def test_a_client_that_sends_a_letter_at_a_time_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labhandbook.book.preview.clients.ASKING", 0.3)
    clients, (ours, theirs) = Clients(), socket.socketpair()
    with ours, theirs:
        clients.add(ours)
        deadline = time.monotonic() + SOON
        theirs.settimeout(SOON)
        while time.monotonic() < deadline:
            time.sleep(0.02)
            try:
                theirs.send(b"x")
            except OSError:
                break
            clients.end_stalled()
        assert theirs.recv(1) == b"", "the end that the server keeps is closed"


def test_a_request_that_is_answered_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labhandbook.book.preview.clients.ASKING", 0.0)
    clients, (ours, theirs) = Clients(), socket.socketpair()
    with ours, theirs:
        clients.add(ours)
        clients.asked(ours)
        clients.end_stalled()
        ours.sendall(b"y")
        assert theirs.recv(1) == b"y"


def test_an_edit_reaches_the_pages_while_a_crowd_follows(book: Path) -> None:
    with previewing(book) as preview:
        connections = []
        for _ in range(100):
            connections.append(http.client.HTTPConnection("127.0.0.1", preview.port, timeout=SOON))
            connections[-1].request("GET", "/.preview/events?page=one.html")
        streams = [connection.getresponse() for connection in connections]
        first = [stream.readline() for stream in streams]
        assert all(line.startswith(b"data: ") for line in first)
        text = (book / "one.qmd").read_text(encoding="utf-8")
        (book / "one.qmd").write_text(text + "\nFor everybody.\n", encoding="utf-8")
        news: list[bytes] = []

        def follow(stream: http.client.HTTPResponse, before: bytes) -> None:
            while (line := stream.readline()) in (b"\n", b":\n", before):
                pass
            news.append(line)

        threads = [threading.Thread(target=follow, args=pair) for pair in zip(streams, first, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (book / "one.qmd").write_text(text, encoding="utf-8")
        assert len(news) == 100 and all(line.startswith(b"data: ") for line in news)
        for connection in connections:
            connection.close()
