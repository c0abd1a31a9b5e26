"""The preview's web server: pages from memory, files from their folders, news by server-sent events.

It listens on this machine only, answers only requests for this machine, and only names that the book has, so that
no path leads out of it. Every client has a thread and a time in which it must ask; too many clients end the oldest.
"""

from __future__ import annotations

import mimetypes
import secrets
import sys
from functools import partial
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from labhandbook.book.boundary import own_file
from labhandbook.book.engine.search_index import INDEX, search_script, sections
from labhandbook.book.engine.site_files import SITE
from labhandbook.book.preview.clients import Clients
from labhandbook.book.preview.live_book import LiveBook
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.loopback import refusal
from labhandbook.core.rules import Finding

OWN = ".preview/"
HTML = "text/html; charset=utf-8"
TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".json": "application/json",
         ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp",
         ".pdf": "application/pdf", ".sh": "text/plain", ".py": "text/plain", ".yml": "text/plain",
         ".txt": "text/plain", ".md": "text/plain", ".wasm": "application/wasm"}
TEXT = ("text/", "application/json", "image/svg+xml")
BEAT = 10
LARGEST = 1 << 30


class Server(ThreadingHTTPServer):
    """Serves one live book on this machine."""

    daemon_threads = True
    block_on_close = False
    # Connections that the system keeps until they are accepted; with the 5 of the standard library, a crowd of new
    # clients would make each of them try again after seconds.
    request_queue_size = 1024

    def __init__(self, port: int) -> None:
        self.clients = Clients()
        self.live: LiveBook | None = None
        self._sections: dict[str, tuple[int, list[dict[str, str]]]] = {}
        # A browser that was connected to an earlier preview on this port must load this one's pages.
        self.run = secrets.token_hex(4)
        try:
            super().__init__(("127.0.0.1", port), Handler)
        except OSError as error:
            raise HandbookError(f"port {port} can't be used: {error.strerror}",
                                why="another program listens there, perhaps another preview",
                                todo="choose another with --port, or --port 0 for a free one",
                                section="sec-contributing-preview") from None

    def service_actions(self) -> None:
        """Twice a second: end clients that have asked nothing for too long."""
        self.clients.end_stalled()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a new client a thread."""
        self.clients.add(request)
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the system gives no more threads
            self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self.clients.drop(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that left is no error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def version(self, url: str) -> str:
        """The state of a page, different from that of every other time and run."""
        assert self.live
        return f"{self.run}.{self.live.version(url)}"

    def page(self, url: str) -> bytes | None:
        """A page with what the preview adds to it; None when there is none at this address."""
        assert self.live
        shown = self.live.pages.get(url)
        return self._complete(shown.html, url) if shown else None

    def search_script(self) -> bytes:
        """What the search reads, of the pages as they are now. Raises HandbookError as `synonyms` does."""
        assert self.live
        pages = dict(self.live.pages)
        for url, shown in pages.items():
            if self._sections.get(url, (None,))[0] != shown.version:
                self._sections[url] = shown.version, sections(url, shown.html)
        return search_script(self.live.book, [one for url in pages for one in self._sections[url][1]]).encode()

    def lacking(self, url: str) -> bytes:
        """The page for an address that has none."""
        assert self.live
        book = escape(self.live.book.title)
        what = ("The preview makes no PDF and no EPUB: <code>handbook render</code> does."
                if url.endswith((".pdf", ".epub")) else "No page of the handbook has this address.")
        sheets = [name for name in self.live.files if name.endswith(".css")]
        styles = "".join(f'<link rel="stylesheet" href="/{name}">' for name in sheets)
        return self._complete(
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<title>Not here – {book}</title>\n{styles}\n</head>\n<body>\n'
            f'<div class="columns"><main class="lacking"><h1>Not here</h1>\n'
            f'<p><code>/{escape(url)}</code></p>\n<p>{what}</p>\n'
            f'<p><a href="/index.html">{book}</a></p></main></div>\n</body>\n</html>\n', url)

    def _complete(self, html: str, url: str) -> bytes:
        script = (f'<link rel="stylesheet" href="/{OWN}preview.css">\n<script src="/{OWN}preview.js" defer '
                  f'data-page="{escape(url)}" data-version="{self.version(url)}"></script>\n</head>')
        html = html.replace("</head>", script, 1)
        return html.replace('<div class="columns">', self.panel(url) + '\n<div class="columns">', 1).encode()

    def panel(self, url: str) -> str:
        """What is wrong with a page, as HTML; an empty, hidden panel when all is well."""
        assert self.live
        errors, findings = self.live.problems(url)
        items = [self._error(error) for error in errors] + [self._finding(finding) for finding in findings]
        hidden = "" if items else " hidden"
        return (f'<aside id="preview-panel" aria-label="Mistakes" aria-live="polite" data-search-ignore{hidden}>\n'
                f'<ul>\n{"".join(items)}</ul>\n</aside>')

    def _error(self, error: HandbookError) -> str:
        where = f"<code>{escape(error.where)}</code> " if error.where else ""
        return f"<li>{where}{escape(error.what)}{self._more(' '.join((error.why, error.todo)), error.section)}</li>\n"

    def _finding(self, finding: Finding) -> str:
        rule = finding.rule
        return (f"<li><code>{escape(finding.place)}</code> <strong>{rule.code}</strong> {escape(finding.message)}"
                f"{self._more(finding.fix, rule.section)}</li>\n")

    def _more(self, text: str, section: str) -> str:
        assert self.live
        address = self.live.section(section)
        link = f' <a href="/{quote(address, safe="/#")}">Read how</a>' if address else ""
        return f"<span>{escape(text.strip())}{link}</span>"


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def handle_one_request(self) -> None:
        """Answer one request of this client."""
        self.server.clients.add(self.connection)
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Read a request; refuse one that a page of another site has made."""
        fine = super().parse_request()
        self.server.clients.asked(self.connection)
        if fine and (refused := refusal(self.path, self.headers, self.server.server_address[1])):
            self.close_connection = True
            self._send(refused[0], "text/plain; charset=utf-8", refused[1].encode())
            return False
        return fine

    def do_GET(self) -> None:
        """Answer with headers and content."""
        split = urlsplit(self.path)
        name = unquote(split.path).removeprefix("/")
        if name == f"{OWN}events":
            self._events(parse_qs(split.query).get("page", [""])[0])
        elif name.startswith(OWN):
            own = {path.name: path for path in SITE.glob("preview.*")}.get(name.removeprefix(OWN))
            self._file(own, name)
        else:
            self._page(name)

    def do_HEAD(self) -> None:
        """Answer with headers."""
        self.do_GET()

    def _page(self, name: str) -> None:
        live = self.server.live
        assert live
        url = f"{name}index.html" if name.endswith("/") or not name else name
        page = self.server.page(url)
        if page is not None:
            self._send(200, HTML, page)
        elif url in live.moved:
            self._send(200, HTML, live.moved[url].encode())
        elif f"{name}/index.html" in live.pages:
            self._send(301, HTML, b"", ("Location", f"/{quote(name)}/"))
        elif name == INDEX:
            self._index()
        else:
            path = live.files.get(name)
            inside = path and (path.is_relative_to(SITE) or own_file(live.book.root, name))
            self._file(path if inside else None, name)

    def _index(self) -> None:
        try:
            self._send(200, "text/javascript; charset=utf-8", self.server.search_script())
        except HandbookError as error:
            self._send(404, "text/plain; charset=utf-8", error.what.encode())

    def _file(self, path: Path | None, name: str) -> None:
        try:
            content = untrusted_data.content(path, largest=LARGEST) if path else None
        except HandbookError:
            content = None
        if content is None:
            self._send(404, HTML, self.server.lacking(name))
        else:
            kind = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
            self._send(200, f"{kind}; charset=utf-8" if kind.startswith(TEXT) else kind, content)

    def _send(self, code: int, kind: str, content: bytes, *more: tuple[str, str]) -> None:
        self.send_response(code)
        for key, value in (("Content-Type", kind), ("Content-Length", str(len(content))),
                           ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
                           ("Cross-Origin-Resource-Policy", "same-origin"), *more):
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _events(self, url: str) -> None:
        """Send a page each new state of it, until the browser leaves."""
        live = self.server.live
        assert live
        self.close_connection = True
        self.send_response(200)
        for key, value in (("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"),
                           ("Connection", "close")):
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        live.viewers[url] += 1
        sent = ""
        try:
            while not live.closed:
                version = self.server.version(url)
                self.wfile.write(f"data: {version}\n\n".encode() if version != sent else b":\n\n")
                sent = version
                with live.news:
                    live.news.wait_for(partial(self._new, url, sent), BEAT)
        except OSError:
            pass
        finally:
            live.viewers[url] -= 1

    def _new(self, url: str, sent: str) -> bool:
        return bool(self.server.live and self.server.live.closed) or self.server.version(url) != sent

    def log_message(self, format: str, *args: object) -> None:
        """Requests are no news."""
