"""A site on this machine as people watch one: a list, a feed, a login, redirects, errors, slow answers."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import html
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

USER, PASSWORD = "maija.meikäläinen", "s3cr3t+pä ss&word"
Reply = Callable[["Handler"], None]


@dataclass
class Site:
    """What the site shows, and what it was asked. `replies` and `posts` answer single paths instead."""

    port: int = 0
    items: list[tuple[str, str]] = field(default_factory=list)  # address and title
    form: str = '<ul class="news"><li><a href="{}">{}</a></li></ul>'
    posts: dict[str, Reply] = field(default_factory=dict)
    robots: tuple[int, str] = (404, "")
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)

    @property
    def address(self) -> str:
        """Where the site is."""
        return f"http://127.0.0.1:{self.port}"

    def list(self) -> str:
        """The page with all items."""
        before, _, rest = self.form.partition("<li>")
        entry, _, after = rest.partition("</li>")
        entries = "".join("<li>" + entry.format(html.escape(link), html.escape(title)) + "</li>"
                          for link, title in self.items)
        return f"<!doctype html><meta charset=utf-8><title>News</title>{before}{entries}{after}"

    def feed(self) -> str:
        """The same items as Atom."""
        entries = "".join(f"<entry><id>tag:site,{link}</id><title type='html'>{title}</title><link href='{link}'/>"
                          "</entry>" for link, title in (map(html.escape, item) for item in self.items))
        return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>News</title>{entries}</feed>"


class Handler(BaseHTTPRequestHandler):
    """Answers for a site."""

    site: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """A page."""
        self._note("")
        path = self.path.partition("?")[0]
        if path in self.site.replies:
            self.site.replies[path](self)
        elif path == "/robots.txt":
            self.send(self.site.robots[0], self.site.robots[1], "text/plain")
        elif path == "/list":
            self.send(200, self.site.list())
        elif path == "/feed":
            self.send(200, self.site.feed(), "application/atom+xml")
        elif path == "/login":
            self._form()
        elif path == "/members":
            if self._cookie("session") in self.site.sessions:
                self.send(200, self.site.list())
            else:
                self.lead("/login", 302)
        else:
            self.send(404, "nothing here")

    def do_POST(self) -> None:
        """The login: token, cookie, name and password must all be right."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._note(body)
        given = {name: values[0] for name, values in parse_qs(body).items()}
        if self.path in self.site.posts:
            self.site.posts[self.path](self)
        elif self.path != "/login?step=2" or not self._cookie("visit") or given.get("csrf") != self._cookie("visit"):
            self.send(403, "no token")
        elif (given.get("user"), given.get("pw"), given.get("go")) != (USER, PASSWORD, "in"):
            self._form("wrong name or password")
        else:
            self.lead("/welcome", 303)

    def _form(self, message: str = "") -> None:
        token = secrets.token_hex(8)
        cookie = f"visit={token}; Path=/; HttpOnly"
        self.send(200, f"<form action='/search'><input name=q></form><p>{message}</p>"
                       f"<form method=post action='/login?step=2'><input type=hidden name=csrf value={token}>"
                       "<input name=user><input type=password name=pw><input type=checkbox name=stay>"
                       "<button name=go value=in>Log in</button></form>", Set_Cookie=cookie)

    def lead(self, where: str, status: int = 302) -> None:
        """A redirect; to /welcome with a session."""
        more = {}
        if where == "/welcome":
            session = secrets.token_hex(8)
            self.site.sessions.add(session)
            more = {"Set_Cookie": f"session={session}; Path=/"}
        self.send(status, "", Location=where, **more)

    def send(self, status: int, body: str | bytes, kind: str = "text/html; charset=utf-8", **headers: str) -> None:
        """An answer with an ETag, gzipped where that is accepted; 304 where the asker has it."""
        data = body.encode() if isinstance(body, str) else body
        tag = f'"{hashlib.sha256(data).hexdigest()[:12]}"'
        if status == 200 and self.headers.get("If-None-Match") == tag:
            status, data = 304, b""
        elif "gzip" in self.headers.get("Accept-Encoding", ""):
            data, headers = gzip.compress(data), {**headers, "Content-Encoding": "gzip"}
        self.send_response(status)
        for name, value in {"Content-Type": kind, "ETag": tag, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(data)

    def _cookie(self, name: str) -> str:
        found = SimpleCookie(self.headers.get("Cookie", "")).get(name)
        return found.value if found else ""

    def _note(self, body: str) -> None:
        self.site.asked.append(f"{self.command} {self.path}")
        self.site.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.site.bodies.append(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving() -> Iterator[Site]:
    """A site that is up."""
    site = Site(items=[("/a", "First"), ("/b", "Second")])
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Handler,), {"site": site}))
    server.daemon_threads = True
    site.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def slow(handler: Handler) -> None:
    """An answer that comes byte by byte and never ends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    with contextlib.suppress(OSError):
        while True:
            handler.wfile.write(b"<")
            time.sleep(0.05)
