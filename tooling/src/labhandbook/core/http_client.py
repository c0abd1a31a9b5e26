"""The one HTTP client: limits of size and time, retries of what may pass, no redirects to other schemes."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from labhandbook.core.loopback import HOSTS

if TYPE_CHECKING:
    from http.cookiejar import CookieJar

    from requests import PreparedRequest, Response, Session

LARGEST = 1 << 30  # bytes of an answer
CHUNK = 1 << 16
# Answers of a server that is overloaded or restarts: the same request may succeed later.
PASSING = (429, 500, 502, 503, 504)
REDIRECTS = 10


@dataclass(frozen=True)
class Answer:
    """A server's answer. `url` is the final address; the names of `headers` are in lower case."""

    method: str
    url: str
    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return self.status < 400

    @property
    def text(self) -> str:
        """The body as UTF-8 text."""
        return self.body.decode("utf-8", "replace")

    @property
    def next(self) -> str:
        """The address of the next page of a list (RFC 8288), empty on the last page."""
        found = re.search(r'<([^<>]*)>[^<>]*;\s*rel="?next\b', self.headers.get("link", ""))
        return urljoin(self.url, found[1]) if found else ""

    def json(self) -> Any:
        """The body as data. Raises ValueError when it isn't JSON."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None


class NoAnswer(Exception):
    """No answer that can be used came; trying again later may help. The message says what happened.

    `answer` is what the server sent instead, if it sent anything.
    """

    def __init__(self, problem: str, answer: Answer | None = None) -> None:
        super().__init__(problem)
        self.answer = answer


@dataclass(frozen=True)
class HttpClient:
    """How to ask: `attempts` times, each at most `seconds` in all, with a first pause of `pause` seconds that grows.

    Only what may pass is asked for again, and never a POST, which could do something twice. `token` is sent as a
    bearer token; passwords in ~/.netrc are not used. Without `follow` an answer may be a redirect. An answer has at
    most `largest` bytes. `cookies` are sent to the hosts that set them, and new ones are kept there.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    attempts: int = 1
    pause: float = 1.0
    seconds: float = 30.0
    follow: bool = True
    largest: int = LARGEST
    cookies: CookieJar | None = None

    def ask(self, method: str, address: str, *, query: Mapping[str, str | int] | None = None, data: object = None,
            content: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to a request with `data` as JSON or `content` as its body. Raises NoAnswer."""
        problem: NoAnswer | None = None
        for number in range(1 if method == "POST" else self.attempts):
            if number:
                time.sleep(self.pause * 3 ** (number - 1))
            try:
                answer = self._in_time(address, lambda: self._once(method, address, query, data, content, headers))
            except NoAnswer as error:
                problem = error
                continue
            if answer.status not in PASSING:
                return answer
            problem = NoAnswer(f"it answers {answer.status} {answer.reason}", answer)
        raise problem or NoAnswer("it was not asked")

    def _in_time(self, address: str, ask: Callable[[], Answer]) -> Answer:
        """The answer, or NoAnswer after `seconds`, whatever takes so long: the name, the headers, many redirects.

        The timeout of requests is for each read, so a server that sends its headers byte by byte never reaches it.
        The thread of such a request is left behind: it asks for nothing more, and the command can end without it.
        """
        result: Future[Answer] = Future()

        def fill() -> None:
            try:
                result.set_result(ask())
            except BaseException as error:
                result.set_exception(error)

        threading.Thread(target=fill, daemon=True).start()
        try:
            return result.result(self.seconds)
        except TimeoutError:
            raise self._late(urlsplit(address).hostname) from None

    def _once(self, method: str, address: str, query: Mapping[str, str | int] | None, data: object,
              content: bytes | None, headers: Mapping[str, str] | None) -> Answer:
        import requests
        import urllib3

        host, start = urlsplit(address).hostname, time.monotonic()
        kind = {"Content-Type": "application/json"} if data is not None else {}
        body = content if data is None else json.dumps(data).encode()
        try:
            with _session(self.cookies, start + self.seconds) as session, session.request(
                    method, address, params=dict(query or {}), data=body, auth=_Bearer(self.token), stream=True,
                    allow_redirects=self.follow, timeout=self.seconds,
                    headers={"User-Agent": "labhandbook", **self.headers, **kind, **(headers or {})},
                    proxies={"no_proxy": ",".join(HOSTS)} if host in HOSTS else None) as got:
                return Answer(method, got.url, got.status_code, got.reason,
                              {name.lower(): value for name, value in got.headers.items()},
                              self._body(got, str(host), start))
        except requests.Timeout:
            raise self._late(host) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if "timed out" in str(error):
                raise self._late(host) from None
            raise NoAnswer(f"{host} can't be reached: {_reason(error)}") from None

    def _body(self, got: Response, host: str, start: float) -> bytes:
        """The whole body. What arrives byte by byte may not take longer than the rest."""
        body = bytearray()
        while chunk := got.raw.read1(CHUNK, decode_content=True):
            body += chunk
            if len(body) > self.largest:
                raise NoAnswer(f"{host} sends more than {self.largest >> 20} MiB")
            if time.monotonic() - start > self.seconds:
                raise self._late(host)
        return bytes(body)

    def _late(self, host: str | None) -> NoAnswer:
        return NoAnswer(f"{host} gave no answer within {self.seconds:g} s")


def _session(cookies: CookieJar | None, deadline: float) -> Session:
    import requests

    class Careful(requests.Session):
        """Follows redirects to the same scheme or to https, until the deadline."""

        def get_redirect_target(self, resp: Response) -> str | None:
            """The next address. Raises RequestException for another scheme and after the deadline."""
            target = super().get_redirect_target(resp)
            if target is not None:
                if time.monotonic() > deadline:
                    resp.close()
                    raise requests.Timeout
                scheme = urlsplit(urljoin(resp.url, target)).scheme
                if scheme not in ("https", urlsplit(resp.url).scheme):
                    resp.close()
                    raise requests.exceptions.InvalidSchema(f"it redirects to an address with {scheme}:")
            return target

    session = Careful()
    session.max_redirects = REDIRECTS
    if cookies is not None:
        session.cookies = cookies  # type: ignore[assignment]
    return session


class _Bearer:
    """Puts the token, if there is one, into each request; given explicitly, it takes precedence over ~/.netrc."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _reason(error: BaseException) -> str:
    """The innermost reason of an error: requests wraps those of urllib3, which wrap those of the system."""
    while error.args and isinstance(inner := getattr(error.args[0], "reason", error.args[0]), BaseException):
        error = inner
    return re.sub(r"^.*?>: |^.*\): ", "", str(error)) or type(error).__name__
