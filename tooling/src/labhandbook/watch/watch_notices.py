"""Delivering notices: by mail, on the desktop, to a command, and on the terminal.

A notice is in the state before it is delivered and until it was. A kill between the two delivers it twice, with the
same id; a notice is never lost.
"""

from __future__ import annotations

import html
import json
import os
import shutil
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate
from functools import partial
from typing import Any

from labhandbook.core.escapes import visible
from labhandbook.core.loopback import HOSTS
from labhandbook.core.process import TimeoutExpired, environment, run
from labhandbook.core.rules import WARNING, Finding
from labhandbook.package.machine import without_secrets
from labhandbook.watch.watch_file import WatchFile
from labhandbook.watch.watch_rules import DELIVERED
from labhandbook.watch.watch_state import State

Notice = dict[str, Any]
TERMINAL, DESKTOP = "terminal", "notify-send"
TLS, SUBMISSION = 465, 587  # ports
SECONDS = 60  # for a mail server or a command
SESSION = ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR")


class Undelivered(Exception):
    """A notice was not taken; the message says why."""


def ways(file: WatchFile) -> tuple[str, ...]:
    """The ways that a new notice is delivered by on this machine; the terminal is the last one."""
    wanted = {"mail": bool(file.mail), "desktop": file.desktop and bool(shutil.which(DESKTOP)),
              "command": bool(file.command), TERMINAL: True}
    return tuple(way for way, used in wanted.items() if used)


def deliver(file: WatchFile, state: State) -> list[Finding]:
    """Deliver what is left by every way but the terminal. What went wrong stays left for the next run."""
    found: dict[tuple[str, str], Finding] = {}
    if file.desktop and not shutil.which(DESKTOP):
        found["desktop", ""] = Finding(file.shown, 0, DELIVERED, f"{DESKTOP} is not on this machine", WARNING,
                                       "Install it, or remove `desktop`.")
    senders: dict[str, Callable[[WatchFile, list[Notice]], None]] = {
        "mail": _mail, "desktop": _desktop, "command": _command}
    for notice in list(state.notices):
        for way in [each for each in notice["left"] if each != TERMINAL]:
            if way not in ways(file):
                _done(state, [notice], way)
            elif (way, "") not in found:
                try:
                    hand_over(state, [notice], way, partial(senders[way], file))
                except Undelivered as problem:
                    found[way, ""] = Finding(file.shown, 0, DELIVERED, without_secrets(f"{way}: {problem}"))
    return list(found.values())


def hand_over(state: State, notices: list[Notice], way: str, send: Callable[[list[Notice]], None]) -> None:
    """Deliver notices by one way, noted before and after. Raises what `send` raises."""
    given = [{**{key: notice[key] for key in ("id", "watch", "found", "items")}, "again": way in notice["begun"]}
             for notice in notices]
    begun = [notice for notice in notices if way not in notice["begun"]]
    for notice in begun:
        notice["begun"].append(way)
    if begun:
        state.write()
    try:
        send(given)
    except Undelivered:
        for notice in notices:
            notice["begun"].remove(way)
        state.write()
        raise
    _done(state, notices, way)


def _done(state: State, notices: list[Notice], way: str) -> None:
    """Note that notices need this way no more."""
    for notice in notices:
        notice["left"].remove(way)
    state.notices = [each for each in state.notices if each["left"]]
    if notices:
        state.write()


def as_text(notice: Notice) -> str:
    """A notice for people: the watch, and title and address of each item."""
    again = " (perhaps for the second time)" if notice["again"] else ""
    lines = [f"{notice['watch']}: {len(notice['items'])} new{again}"]
    for item in notice["items"]:
        lines += [f"  {item['title']}", *([f"    {item['link']}"] if item["link"] else [])]
    return visible("\n".join(lines))


def _mail(file: WatchFile, given: list[Notice]) -> None:
    """Send a notice by the mail server that the environment names. Its Message-ID stays when it is sent again."""
    host, user = os.environ.get("HANDBOOK_SMTP_HOST", ""), os.environ.get("HANDBOOK_SMTP_USER", "")
    port = os.environ.get("HANDBOOK_SMTP_PORT", "")
    if not host:
        raise Undelivered("HANDBOOK_SMTP_HOST is not set")
    if port and not (port.isascii() and port.isdecimal() and int(port) < 65536):
        raise Undelivered("HANDBOOK_SMTP_PORT is no port")
    (notice,) = given
    items = notice["items"]
    message = EmailMessage()
    said = items[0]["title"] if len(items) == 1 else f"{len(items)} new"
    message["Subject"] = " ".join(visible(f"{notice['watch']}: {said}").split())
    message["From"] = sender = os.environ.get("HANDBOOK_SMTP_FROM") or file.contact
    message["To"], message["Date"] = file.mail, formatdate(localtime=True)
    message["Message-ID"] = f"<{notice['id']}.watch@{file.contact.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday reply comes back
    message.set_content(as_text(notice) + "\n")
    context, number = ssl.create_default_context(), int(port or SUBMISSION)
    try:
        with (smtplib.SMTP_SSL(host, number, timeout=SECONDS, context=context) if number == TLS
              else smtplib.SMTP(host, number, timeout=SECONDS)) as server:
            server.ehlo()
            secure = number == TLS or host in HOSTS
            if number != TLS and server.has_extn("starttls"):
                server.starttls(context=context)
                secure = True
            if user and not secure:
                raise Undelivered(f"{host} offers no encryption, so the password was not sent")
            if user:
                server.login(user, os.environ.get("HANDBOOK_SMTP_PASSWORD", ""))
            server.send_message(message, sender, [file.mail])
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise Undelivered(f"{host} did not take it: {error}") from None


def _desktop(_: WatchFile, given: list[Notice]) -> None:
    """Show a notice on the desktop of this machine."""
    head, *body = as_text(given[0]).splitlines()
    # The desktop reads the text, unlike its head, as markup (freedesktop.org, Desktop Notifications Specification).
    _run([DESKTOP, "--app-name=handbook", "--", head, html.escape("\n".join(body), quote=False)],
         environment(names=SESSION))


def _command(file: WatchFile, given: list[Notice]) -> None:
    """Hand a notice to the command of the file, as JSON on its standard input."""
    _run(list(file.command), environment(names=file.variables), str(file.path.absolute().parent),
         json.dumps(given[0], ensure_ascii=False) + "\n")


def _run(command: list[str], env: dict[str, str], cwd: str | None = None, stdin: str | None = None) -> None:
    try:
        done = run(command, env=env, cwd=cwd, stdin=stdin, timeout=SECONDS, merged=True)
    except TimeoutExpired:
        raise Undelivered(f"{command[0]} did not end within {SECONDS} s") from None
    except (OSError, ValueError) as error:
        raise Undelivered(f"{command[0]} can't be run: {getattr(error, 'strerror', None) or error}") from None
    if done.returncode:
        said = "".join(f": {line}" for line in done.stdout.strip().splitlines()[-1:])
        raise Undelivered(f"{command[0]} ended with exit code {done.returncode}{said}")
