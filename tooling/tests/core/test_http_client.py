"""The HTTP client against real servers on this machine: limits, retries, redirects, tokens."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from labhandbook.core import http_client
from labhandbook.core.github_api import GitHub
from labhandbook.core.http_client import HttpClient, NoAnswer

Reply = Callable[[BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def serving(reply: Reply) -> Iterator[tuple[str, list[str]]]:
    """A server that answers by `reply`; its address, and the method and path of each request so far."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.close_connection = True
            with contextlib.suppress(OSError):
                reply(self)

        do_GET = do_POST = do_PATCH = answer

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def send(request: BaseHTTPRequestHandler, status: int = 200, body: bytes = b"fine", **headers: str) -> None:
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), "Connection": "close", **{key.replace("_", "-"): text
                                                              for key, text in headers.items()}}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


def chunked(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    request.wfile.write(b"4\r\nfine\r\n5\r\nagain\r\n0\r\n\r\n")


def test_an_answer_has_its_body_and_address() -> None:
    def reply(request: BaseHTTPRequestHandler) -> None:
        send(request, body=b'{"a": 1}', Link='<page?n=1>; rel="first", <page?n=3>; rel="next"')

    with serving(reply) as (address, asked):
        answer = HttpClient().ask("GET", f"{address}/x", query={"q": "a b"})
        assert answer.json() == {"a": 1} and answer.ok and answer.next == f"{address}/page?n=3"
        assert asked == ["GET /x?q=a+b"]


def test_a_chunked_body_is_whole() -> None:
    with serving(chunked) as (address, _):
        assert HttpClient().ask("GET", address).body == b"fineagain"


@pytest.mark.parametrize(("method", "status", "times"), [
    ("GET", 503, 3), ("PATCH", 429, 3), ("POST", 503, 1), ("GET", 404, 1), ("GET", 200, 1)])
def test_what_may_pass_is_asked_again_unless_it_would_happen_twice(method: str, status: int, times: int) -> None:
    with serving(lambda request: send(request, status)) as (address, asked):
        client = HttpClient(attempts=3, pause=0)
        if status in http_client.PASSING:
            with pytest.raises(NoAnswer, match=f"it answers {status}"):
                client.ask(method, address)
        else:
            assert client.ask(method, address).status == status
        assert len(asked) == times


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x"])
def test_a_redirect_to_another_scheme_is_refused(target: str) -> None:
    with (serving(lambda request: send(request, 302, Location=target)) as (address, _),
          pytest.raises(NoAnswer, match="redirects to")):
        HttpClient().ask("GET", address)


def test_a_redirect_from_https_to_http_is_refused() -> None:
    import requests
    import urllib3

    answer = requests.Response()
    answer.status_code, answer.url = 302, "https://example.org/a"
    answer.headers["Location"], answer.raw = "http://example.org/b", urllib3.HTTPResponse()
    with http_client._session(None, math.inf) as session, pytest.raises(requests.exceptions.InvalidSchema):
        session.get_redirect_target(answer)
    answer.headers["Location"] = "/b"
    assert http_client._session(None, math.inf).get_redirect_target(answer) == "/b"


def test_redirects_within_http_are_followed_to_an_end() -> None:
    def reply(request: BaseHTTPRequestHandler) -> None:
        send(request, *((200, b"there") if request.path == "/b" else (302, b"")), Location="/b")

    with serving(reply) as (address, _):
        answer = HttpClient().ask("GET", f"{address}/a")
        assert answer.body == b"there" and answer.url == f"{address}/b"
    with (serving(lambda request: send(request, 302, Location="/again")) as (address, asked),
          pytest.raises(NoAnswer, match=r"[Rr]edirects")):
        HttpClient().ask("GET", address)
    assert len(asked) <= http_client.REDIRECTS + 1


def test_a_body_that_is_too_large_is_refused() -> None:
    with (serving(lambda request: send(request, body=b"x" * (2 << 20))) as (address, _),
          pytest.raises(NoAnswer, match="sends more than 1 MiB")):
        HttpClient(largest=1 << 20).ask("GET", address)


def silent(request: BaseHTTPRequestHandler) -> None:
    time.sleep(0.5)


def drip(request: BaseHTTPRequestHandler, letter: bytes) -> None:
    for _ in range(100):
        request.wfile.write(letter)
        request.wfile.flush()
        time.sleep(0.02)


def slow(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    drip(request, b"x")


def slow_headers(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.flush_headers()
    drip(request, b"X")


def slow_redirects(request: BaseHTTPRequestHandler) -> None:
    time.sleep(0.05)
    send(request, 302, Location=f"{request.path}x")


def slow_storing(request: BaseHTTPRequestHandler) -> None:
    request.rfile.read(int(request.headers["Content-Length"]))
    time.sleep(0.5)
    send(request, 201)


def test_a_large_file_has_more_time_than_a_small_request(tmp_path: Path) -> None:
    """A minute for six megabytes, on top of what every request has."""
    large = tmp_path / "demo.tar.gz"
    large.write_bytes(bytes(6_000_000))
    with serving(slow_storing) as (address, asked):
        GitHub("lab/demo", seconds=0.2, attempts=1).upload(f"{address}/files{{?name}}", large)
    assert asked == ["POST /files?name=demo.tar.gz"]


@pytest.mark.parametrize("reply", [silent, slow, slow_headers, slow_redirects])
def test_a_server_that_takes_too_long_is_left(reply: Reply) -> None:
    with serving(reply) as (address, _), pytest.raises(NoAnswer, match=r"gave no answer within 0\.2 s"):
        HttpClient(seconds=0.2).ask("GET", address)


def short(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b"x")


def test_half_a_body_is_no_answer() -> None:
    with serving(short) as (address, _), pytest.raises(NoAnswer, match="can't be reached"):
        HttpClient().ask("GET", address)


def test_nobody_listening_is_named() -> None:
    with pytest.raises(NoAnswer, match=r"^127\.0\.0\.1 can't be reached: .*Connection refused"):
        HttpClient().ask("GET", "http://127.0.0.1:9/x")


def test_a_token_is_sent_and_no_proxy_or_netrc_is_used_here(monkeypatch: pytest.MonkeyPatch, tmp_path_factory:
                                                            pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    sent: list[str | None] = []

    def reply(request: BaseHTTPRequestHandler) -> None:
        sent.append(request.headers["Authorization"])
        send(request)

    with serving(reply) as (address, _):
        HttpClient(token="t").ask("GET", address)
        HttpClient().ask("POST", address, data={"a": 1})
    assert sent == ["Bearer t", None]
