"""A login by a real form: token, cookie and session; what is refused; where credentials never go."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labhandbook.watch.polite_client import DAY
from tooling.tests.conftest import run
from tooling.tests.watch.conftest import Desk
from tooling.tests.watch.watched_site import PASSWORD, USER, Site, serving

LOGIN = """
- name: Members
  page: {0}/members
  items: ul.news > li
  login:
    page: {0}/login
    fields:
      user: env:PORTAL_USER
      pw: env:PORTAL_PASSWORD
"""


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_USER", USER)
    monkeypatch.setenv("PORTAL_PASSWORD", PASSWORD)


def written(desk: Desk) -> str:
    """Everything that the command has written into its folder."""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in desk.folder.rglob("*")
                     if path.is_file() and path != desk.file)


def test_a_page_behind_a_login_is_watched_and_nothing_secret_is_kept(site: Site, desk: Desk) -> None:
    desk.watch(LOGIN.format(site.address))
    assert desk.look().code == 0
    # A site may repeat who is logged in, and with what.
    site.items += [(f"/c?u={USER}", f"Welcome {USER}, your password is {PASSWORD}")]
    report = desk.look()
    assert report.titles == ["Welcome ***, your password is ***"]
    assert site.asked[-4:] == ["GET /login", "POST /login?step=2", "GET /welcome", "GET /members"]
    assert len(site.sessions) == 2
    for text in (written(desk), report.output):
        assert PASSWORD not in text and USER not in text
        assert not any(session in text for session in site.sessions)


def test_two_watches_of_one_login_log_in_once(site: Site, desk: Desk) -> None:
    lines = LOGIN.format(site.address)
    desk.watch(lines + lines.replace("Members", "Others").replace("> li", "a"))
    assert desk.look().code == 0
    assert site.asked.count("POST /login?step=2") == 1 and site.asked.count("GET /members") == 2


def test_a_refused_login_is_reported_and_not_tried_again_for_a_day(site: Site, desk: Desk,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_PASSWORD", "wrong-pass-word")
    desk.watch(LOGIN.format(site.address))
    report = desk.look()
    assert report.code == 1 and report.codes == ["WAT003"] and "wrong-pass-word" not in report.output + written(desk)
    assert desk.look(now=False).findings == [] and site.asked.count("POST /login?step=2") == 1
    entry = desk.known()["watches"]["Members"]
    assert entry["next"] - DAY > 1_700_000_000 and "seen" not in entry
    monkeypatch.setenv("PORTAL_PASSWORD", PASSWORD)
    assert desk.look().code == 0


def test_a_variable_that_is_not_set_is_named(site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTAL_PASSWORD")
    desk.watch(LOGIN.format(site.address) + f"- name: News\n  page: {site.address}/list\n  items: li\n")
    report = desk.look()
    assert report.codes == ["WAT003"] and "PORTAL_PASSWORD is not set" in report.findings[0]["message"]
    assert "News" in desk.known()["watches"] and not site.bodies[-1], "the other watches go on"


def test_a_keyring_keeps_the_values(site: Site, desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "tested_ring.py").write_text(
        "import keyring.backend\n"
        "class Ring(keyring.backend.KeyringBackend):\n"
        "    priority = 1\n"
        f"    def get_password(self, service, user): return {{('portal', 'pw'): {PASSWORD!r}}}.get((service, user))\n"
        "    def set_password(self, service, user, password): ...\n")
    for name, code in (("pw", 0), ("other", 1)):
        desk.watch(LOGIN.format(site.address).replace("env:PORTAL_PASSWORD", f"keyring:portal:{name}"))
        done = run("watch", desk.file, "--once", "--now", "--state", desk.state, PYTHONPATH=str(tmp_path),
                   PYTHON_KEYRING_BACKEND="tested_ring.Ring", PORTAL_PASSWORD="")
        assert done.returncode == code, done.stderr
    assert "WAT003" in done.stdout and "the keyring has no entry of other for portal" in done.stdout
    done = run("watch", desk.file, "--once", "--now", "--state", desk.state, PYTHON_KEYRING_BACKEND="no_such.Ring")
    assert done.returncode == 1 and "the keyring can't be read: No module named 'no_such'" in done.stdout


def test_a_login_form_that_has_changed_is_reported(site: Site, desk: Desk) -> None:
    site.replies["/login"] = lambda handler: handler.send(200, "<form method=post><input name=email></form>")
    desk.watch(LOGIN.format(site.address))
    report = desk.look()
    assert report.code == 1 and report.codes == ["WAT001"] and "user, pw" in report.findings[0]["message"]


def test_a_session_that_the_page_does_not_accept_is_no_change_of_form(site: Site, desk: Desk) -> None:
    desk.watch(LOGIN.format(site.address))
    desk.look()
    site.replies["/members"] = lambda handler: handler.lead("/login")
    assert desk.look().codes == ["WAT003"]


FORM = "<form method='{}' action='{}'><input name=user><input name=pw></form>"


@pytest.mark.parametrize("way", ["form", "page", "post", "get"])
def test_credentials_go_to_no_other_place(site: Site, desk: Desk, way: str) -> None:
    with serving() as thief:
        other = f"http://localhost:{thief.port}"
        thief.replies["/login"] = lambda handler: handler.send(200, FORM.format("post", "/take"))
        replies = {
            "form": lambda handler: handler.send(200, FORM.format("post", f"{other}/take")),
            "page": lambda handler: handler.lead(f"{other}/login"),
            "get": lambda handler: handler.send(200, FORM.format("get", "/login")),
            "post": lambda handler: handler.send(200, FORM.format("post", "/moved"))}
        site.replies["/login"] = replies[way]
        desk.watch(LOGIN.format(site.address))
        # 307 asks a browser to send the same form again elsewhere.
        site.posts["/moved"] = lambda handler: handler.lead(f"{other}/take", 307)
        report = desk.look()
        assert report.code == 1 and report.codes == ["WAT003"], report
        everything = "".join(thief.bodies + thief.asked + [str(each) for each in thief.headers])
        assert "s3cr3t" not in everything and "maija" not in everything
        assert not any("s3cr3t" in line for line in site.asked)


def test_a_redirect_of_the_page_takes_no_cookies_along(site: Site, desk: Desk) -> None:
    desk.watch(LOGIN.format(site.address))
    desk.look()
    with serving() as thief:
        site.replies["/members"] = lambda handler: handler.lead(f"http://localhost:{thief.port}/list")
        desk.look()
        assert thief.asked == ["GET /list"] and "cookie" not in thief.headers[0]
        assert not re.search("s3cr3t|session", str(thief.headers))
