"""What a web server on this machine must ask of every request, so that no page from elsewhere speaks through it.

A page of any site can make its own name lead to 127.0.0.1 and then read what a local server answers (DNS rebinding).
Its requests carry the name in `Host`. What a page of another site sends carries that site in `Origin`.
"""

from __future__ import annotations

from email.message import Message
from urllib.parse import urlsplit

HOSTS = ("127.0.0.1", "localhost", "::1")  # as urlsplit gives the name of a host
NAMES = frozenset(("127.0.0.1", "localhost", "[::1]"))


def refusal(target: str, headers: Message, port: int) -> tuple[int, str] | None:
    """Why to refuse a request, as status and sentence; None for one that may be answered.

    `target` is what the request line asks for, `port` where the server listens.
    """
    hosts = headers.get_all("Host") or []
    if len(hosts) != 1:
        return 400, "A request needs one Host."
    own = {f"{name}:{port}" for name in NAMES} | (set(NAMES) if port == 80 else set())
    if hosts[0].strip().lower() not in own:
        return 421, "This server answers to 127.0.0.1 and localhost only."
    try:
        asked = urlsplit(target).netloc.lower() if not target.startswith("/") else ""
    except ValueError:
        return 400, "The address can't be read."
    if asked and asked not in own:
        return 421, "This server answers to 127.0.0.1 and localhost only."
    origins = headers.get_all("Origin") or []
    if any(origin.strip().lower() not in {f"http://{host}" for host in own} for origin in origins):
        return 403, "Pages of other sites may not use this server."
    return None
