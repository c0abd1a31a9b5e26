"""The file that lists what is watched, read with the place of every value. Names and passwords are never in it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from labhandbook.core import untrusted_data
from labhandbook.core.escapes import visible
from labhandbook.core.loopback import HOSTS
from labhandbook.core.process import SECRET
from labhandbook.core.untrusted_data import Unreadable
from labhandbook.core.wording import hint, listed
from labhandbook.core.yaml_reader import Value, read_yaml
from labhandbook.package import secret_patterns
from labhandbook.watch.watch_rules import FILE, LOGIN, NOTICES

KINDS = ("page", "feed", "release", "pull")
TOP = ("contact", "every", "notify", "watches")
FIELDS = ("name", *KINDS, "items", "list", "every", "login")
WAYS = ("mail", "desktop", "command", "variables")
SECONDS = {"min": 60, "h": 3600, "d": 86400}
USUAL, SHORTEST = 3600, 300  # seconds between two looks
LONGEST = 500  # characters of a selector or a name
EMAIL = re.compile(r"[^\s@<>(),;:\\\"\[\]]+@[^\s@<>(),;:\\\"\[\]]+")
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(#\d{1,9})?", re.ASCII)
PROJECT = re.compile(r"[A-Za-z0-9]([\w.-]{0,98}[A-Za-z0-9])?", re.ASCII)
VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|keyring:[^:\s]+:[^:\s]+")


class NoSecret(Exception):
    """A variable is not set or the keyring has no such entry. The message names it, never a value."""


@dataclass(frozen=True)
class Secret:
    """Where a value is kept: `env:NAME` or `keyring:SERVICE:USER`."""

    reference: str

    def value(self) -> str:
        """The value. Raises NoSecret."""
        kind, _, name = self.reference.partition(":")
        if kind == "env":
            if not os.environ.get(name):
                raise NoSecret(f"the variable {name} is not set")
            return os.environ[name]
        service, _, user = name.partition(":")
        try:
            import keyring  # with it comes the backend, which can lack a module or a desktop

            found = keyring.get_password(service, user)
        except Exception as error:  # backends raise what they like
            raise NoSecret(f"the keyring can't be read: {error}") from None
        if not found:
            raise NoSecret(f"the keyring has no entry of {user} for {service}")
        return found


@dataclass(frozen=True)
class Login:
    """A login form: its page, and where the value of each field is kept."""

    page: str
    fields: tuple[tuple[str, Secret], ...]


@dataclass(frozen=True)
class Watch:
    """One thing that is watched. `source` is an address, a project or a repository, as `kind` says.

    `items` selects the entries of a page's list, `within` the list itself. `every` is in seconds.
    """

    name: str
    line: int
    kind: str
    source: str
    items: str = ""
    within: str = ""
    every: int = USUAL
    login: Login | None = None


@dataclass(frozen=True)
class WatchFile:
    """All that a file says. `mail` is an address or empty; `variables` are those that the command sees."""

    path: Path
    shown: str
    contact: str
    watches: tuple[Watch, ...]
    mail: str = ""
    desktop: bool = False
    command: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


def read_watches(path: Path) -> WatchFile:
    """What a file says. Raises HandbookError with `file:line` when it can't be read or names something unknown."""
    shown = str(path)
    text = untrusted_data.text(path, shown, section=FILE)
    for line, what in secret_patterns.secrets(text.encode()):
        raise Unreadable(shown, f"holds {what}", line, why="everybody who sees the file can use it", section=LOGIN,
                         todo="remove it, replace it where it was issued, and keep the new one in a variable")
    return _Reader(path, shown).file(read_yaml(text, shown, section=FILE))


class _Reader:
    """Turns values into watches; each problem is an error with its line."""

    def __init__(self, path: Path, shown: str) -> None:
        self.path, self.shown = path, shown

    def wrong(self, problem: str, line: int, todo: str = "correct that line", section: str = FILE) -> Unreadable:
        return Unreadable(self.shown, problem, line, todo=todo, section=section)

    def file(self, given: Value) -> WatchFile:
        self.known(given, TOP, "watches:")
        contact, notify = given["contact"], given["notify"]
        if not EMAIL.fullmatch(contact.text) or not contact.text.isascii():
            raise self.wrong("needs `contact`, your mail address", given.at("contact"),
                             "write `contact: you@example.org`: it says to a site's owner who asks")
        usual = self.duration(given["every"], USUAL)
        watches = [self.watch(each, usual) for each in given["watches"].items]
        if not watches:
            raise self.wrong("lists nothing under `watches`", given.at("watches"), "add what to watch for")
        names: dict[str, int] = {}
        for watch in watches:
            if names.setdefault(watch.name.casefold(), watch.line) != watch.line:
                raise self.wrong(f"has two watches named {watch.name}", watch.line, "give each a name of its own")
        self.known(notify, WAYS, "mail: ...")
        mail, variables = notify["mail"], notify["variables"]
        if mail and not EMAIL.fullmatch(mail.text):
            raise self.wrong("has no mail address in `mail`", notify.at("mail"), section=NOTICES)
        command = tuple(each.text for each in notify["command"].items)
        if notify["command"] and not (command and all(command)):
            raise self.wrong("has no list of words in `command`", notify.at("command"),
                             "write it as [program, argument]", NOTICES)
        for each in variables.words:
            if not VARIABLE.fullmatch(each.text):
                raise self.wrong("has no name of a variable", each.line, "write names, never values", NOTICES)
        return WatchFile(self.path, self.shown, contact.text, tuple(watches), mail.text,
                         notify["desktop"].data is True, command, tuple(each.text for each in variables.words))

    def known(self, given: Value, names: tuple[str, ...], example: str) -> None:
        """Check that a value is a mapping of known keys, each written once."""
        if given and not given.map:
            raise self.wrong("has no fields here", given.line, f"write fields such as `{example}`")
        for name, line in given.repeated.items():
            raise self.wrong(f"has {name[:60]} twice", line)
        for name, line in given.keys.items():
            if name not in names:
                raise self.wrong(f"has no field called {name[:60]}{hint(name, names)}", line,
                                 f"the fields are {listed(names, 12)}")

    def watch(self, given: Value, usual: int) -> Watch:
        self.known(given, FIELDS, "feed: https://...")
        kinds = [kind for kind in KINDS if kind in given.map]
        if len(kinds) != 1:
            raise self.wrong("has a watch without one source", given.line, f"write one of {listed(KINDS)}")
        kind = kinds[0]
        name, source, line = visible(" ".join(given["name"].text.split())), given[kind].text.strip(), given.at(kind)
        if not name or len(name) > LONGEST:
            raise self.wrong("has a watch without a name", given.at("name"), "add `name: ...`")
        if kind in ("page", "feed"):
            self.address(source, line)
        elif not (REPOSITORY if kind == "pull" else PROJECT).fullmatch(source):
            raise self.wrong(f"has no {'project' if kind == 'release' else 'repository'} in `{kind}`", line,
                             "write owner/name, or owner/name#5 for one pull request" if kind == "pull" else
                             "write the project's name")
        items = self.selector(given, "items", needed=kind == "page")
        if kind != "page" and (items or given["list"]):
            raise self.wrong(f"has a selector for a {kind}", given.at("items" if items else "list"),
                             "selectors are for pages; remove the line")
        if given["login"] and kind not in ("page", "feed"):
            raise self.wrong(f"has a login for a {kind}", given.at("login"), "logins are for pages and feeds")
        return Watch(name, given.line, kind, source, items, self.selector(given, "list", needed=False),
                     self.duration(given["every"], usual), self.login(given["login"]) if given["login"] else None)

    def selector(self, given: Value, field: str, *, needed: bool) -> str:
        import soupsieve

        text, line = given[field].text.strip(), given.at(field)
        if needed and not text:
            raise self.wrong("has a page without `items`", line, "add the CSS selector of its entries")
        try:
            if text and len(text) <= LONGEST:
                soupsieve.compile(text)
        except (soupsieve.SelectorSyntaxError, RecursionError) as error:
            raise self.wrong(f"has no CSS selector in `{field}`: {str(error).partition(chr(10))[0]}", line) from None
        if len(text) > LONGEST:
            raise self.wrong(f"has a selector with {len(text)} characters in `{field}`", line, "write a shorter one")
        return text

    def address(self, text: str, line: int, *, secret: bool = False) -> None:
        """Check an address; nothing secret is sent to it in the clear, and nothing secret is in it."""
        try:
            parts = urlsplit(text)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            fine = False
        if not fine or re.search(r"\s", text) or not text.isprintable():
            raise self.wrong("has no whole address", line, "copy it from the browser: https://...")
        if "@" in parts.netloc or any(SECRET.search(name) for name, _ in parse_qsl(parts.query)):
            raise self.wrong("has a password or a token in an address", line,
                             "remove it; a login keeps its values in variables or the keyring", LOGIN)
        if secret and parts.scheme == "http" and parts.hostname not in HOSTS:
            raise self.wrong("has a login without https", line,
                             "write https://: a password would be readable on its way", LOGIN)

    def login(self, given: Value) -> Login:
        self.known(given, ("page", "fields"), "page: https://...")
        self.address(given["page"].text, given.at("page"), secret=True)
        fields = []
        for name, value in given["fields"].map.items():
            if not REFERENCE.fullmatch(value.text):
                raise self.wrong(f"has a value in the login's field {name[:60]}", value.line,
                                 "write env:NAME or keyring:SERVICE:USER; values are never in the file", LOGIN)
            fields.append((name, Secret(value.text)))
        if not fields:
            raise self.wrong("has a login without `fields`", given.at("fields"),
                             "name each field of the form and where its value is kept", LOGIN)
        return Login(given["page"].text, tuple(fields))

    def duration(self, given: Value, usual: int) -> int:
        found = re.fullmatch(r"(\d{1,4}) ?(min|h|d)", given.text.strip(), re.ASCII)
        seconds = int(found[1]) * SECONDS[found[2]] if found else 0
        if given and seconds < SHORTEST:
            raise self.wrong("has no time in `every`", given.line,
                             f"write it as 30min, 6h or 1d, at least {SHORTEST // 60}min")
        return seconds or usual

