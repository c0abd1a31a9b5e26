"""Logging in by a form, as a browser does: hidden fields and cookies included, and on the named site only.

Cookies live as long as the round; neither they nor any value is ever written.
"""

from __future__ import annotations

from collections.abc import Mapping
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin

from labhandbook.core.http_client import Answer
from labhandbook.core.time_limit import TooLong, time_limit
from labhandbook.watch.polite_client import PoliteClient, Rejected, origin
from labhandbook.watch.watch_file import Login, NoSecret
from labhandbook.watch.watch_rules import ACCEPTED, FORM
from labhandbook.watch.watch_sources import SECONDS

if TYPE_CHECKING:
    from bs4 import Tag

REDIRECTS = (301, 302, 303)
UNTOUCHED = ("submit", "button", "image", "reset", "file")  # kinds of inputs that hold no data


class Refused(Rejected):
    """The site took neither name nor password. It is not asked again at once, so that no account is locked."""

    def __init__(self, message: str) -> None:
        super().__init__(ACCEPTED, message)


def values_of(login: Login) -> dict[str, str]:
    """The value of each field. Raises Rejected when one can't be had."""
    try:
        return {name: secret.value() for name, secret in login.fields}
    except NoSecret as error:
        raise Rejected(ACCEPTED, str(error)) from None


def log_in(client: PoliteClient, login: Login, values: Mapping[str, str]) -> CookieJar:
    """The cookies of a session. Raises Refused, Rejected and Postponed."""
    from requests.cookies import RequestsCookieJar

    jar: CookieJar = RequestsCookieJar()
    page = client.accepted(client.ask("GET", login.page, cookies=jar))
    form = login_form(page, login)
    if form is None:
        raise Rejected(FORM, f"the login's page has no form with the fields {', '.join(values)}")
    address = urljoin(page.url, str(form.get("action") or page.url))
    if origin(page.url) != origin(login.page) or origin(address) != origin(login.page):
        raise Rejected(ACCEPTED, f"the login leads from {origin(login.page)[1]} to {origin(address)[1]}: nothing was "
                                 "sent. If that is where you log in, write its address in the login's `page`")
    if str(form.get("method", "get")).lower() != "post":
        raise Rejected(ACCEPTED, "the form would put the password into an address, where logs keep it: nothing "
                                 "was sent")
    content = urlencode({**_prefilled(form), **values}).encode()
    answer = client.ask("POST", address, {"Content-Type": "application/x-www-form-urlencoded"}, content=content,
                        cookies=jar, follow=False)
    if answer.status in REDIRECTS:
        # Some sites give the session its last cookie on the page that they lead to.
        target = urljoin(address, answer.headers.get("location", ""))
        if origin(target) == origin(address):
            answer = client.ask("GET", target, cookies=jar)
    elif answer.status >= 300:  # 307 and 308 ask for the same form again elsewhere
        raise Refused(f"the login was answered with {answer.status} {answer.reason}")
    if answer.status in (401, 403) or login_form(answer, login) is not None:
        raise Refused("the login was refused: the site shows its form again")
    return jar


def login_form(answer: Answer, login: Login) -> Tag | None:
    """The form of an answer that has the fields of the login; None where there is none. Raises Rejected."""
    from bs4 import BeautifulSoup

    try:
        with time_limit(SECONDS):
            forms = BeautifulSoup(answer.body, "lxml").find_all("form")
    except TooLong as error:
        raise Rejected(FORM, f"it can't be read: {error}") from None
    for form in forms:
        names = {field.get("name") for field in form.find_all(["input", "select", "textarea"])}
        if names.issuperset(name for name, _ in login.fields):
            return form
    return None


def _prefilled(form: Tag) -> Mapping[str, str]:
    """What the form sends by itself: hidden fields, what is filled in or ticked, and its first button."""
    found: dict[str, str] = {}
    for field in form.find_all("input"):
        kind = str(field.get("type", "text")).lower()
        if field.get("name") and kind not in UNTOUCHED and (kind not in ("checkbox", "radio")
                                                            or field.has_attr("checked")):
            found[str(field["name"])] = str(field.get("value", "on" if kind in ("checkbox", "radio") else ""))
    button = form.select_one("button[name]:not([type=button]):not([type=reset]), input[type=submit][name]")
    return found | ({str(button["name"]): str(button.get("value", ""))} if button else {})
