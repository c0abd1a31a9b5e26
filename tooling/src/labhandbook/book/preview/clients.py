"""The clients of the preview's server: each has a time in which it must ask, and there are not too many of them."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

# Seconds in which a client must have sent its request; and how many clients there may be at once.
ASKING = 20.0
MOST = 500


class Clients:
    """The open connections, and since when each of them has been waited for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[socket.socket, float] = {}
        self._busy: dict[socket.socket, None] = {}

    def add(self, client: socket.socket) -> None:
        """A client has come, or must ask again: it has ASKING seconds. One too many ends the one that came first."""
        with self._lock:
            self._busy.pop(client, None)
            self._since.pop(client, None)
            self._since[client] = time.monotonic()
            if len(self._since) + len(self._busy) > MOST:
                _end(next(iter(self._since if len(self._since) > 1 else self._busy)))

    def asked(self, client: socket.socket) -> None:
        """A client's request has come; the answer may take its time."""
        with self._lock:
            self._since.pop(client, None)
            self._busy[client] = None

    def drop(self, client: socket.socket) -> None:
        """A client has gone."""
        with self._lock:
            self._since.pop(client, None)
            self._busy.pop(client, None)

    def end_stalled(self) -> None:
        """End the clients that have not asked in time; their threads then close them."""
        old = time.monotonic() - ASKING
        with self._lock:
            for client, since in self._since.items():
                if since > old:
                    break
                _end(client)


def _end(client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
