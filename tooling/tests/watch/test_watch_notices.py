"""Notices by mail (a real SMTP server), by a command, on the desktop and on the terminal."""

from __future__ import annotations

import json
import os
import ssl
import sys
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tooling.tests.conftest import run
from tooling.tests.free_ports import free_ports
from tooling.tests.watch.conftest import Desk
from tooling.tests.watch.watched_site import Site

PAGE = "- name: News ☕\n  page: {}/list\n  items: ul.news > li\n"
PASSWORD = "smtp-s3cr3t"


class Mailbox:
    """What a mail server took; it refuses while `refuses` is set."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.users: list[bytes] = []
        self.refuses = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a mail, or not."""
        if self.refuses:
            return "451 try again later"
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def check(self, server: Any, session: Any, envelope: Any, mechanism: str, data: object) -> AuthResult:
        """Whether name and password are right."""
        assert isinstance(data, LoginPassword)
        self.users.append(data.login)
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)


@pytest.fixture
def mailbox(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mail server on this machine that asks for encryption and a password."""
    box = Mailbox()
    port, = free_ports(1)
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(desk.folder / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(desk.folder / "authority.pem"))
    server = Controller(box, hostname="127.0.0.1", port=port, authenticator=box.check, auth_required=True,
                        tls_context=context, require_starttls=True)
    server.start()
    monkeypatch.setenv("HANDBOOK_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("HANDBOOK_SMTP_PORT", str(port))
    monkeypatch.setenv("HANDBOOK_SMTP_USER", "maija")
    monkeypatch.setenv("HANDBOOK_SMTP_PASSWORD", PASSWORD)
    yield box
    server.stop()


def test_a_mail_says_what_is_new(site: Site, desk: Desk, mailbox: Mailbox) -> None:
    desk.watch(PAGE.format(site.address), "notify: {mail: lab@example.org}\n")
    desk.look()
    assert mailbox.mails == []
    site.items += [("/c", "Kolmas äöå 王\u202e\x1b"), ("/d", "Bcc: evil@example.org")]
    report = desk.look()
    (mail,) = mailbox.mails
    assert mail["Subject"] == "News ☕: 2 new" and mail["To"] == "lab@example.org"
    assert mail["From"] == "tester@example.org" and mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content()
    assert "Kolmas äöå 王" in text and f"{site.address}/c" in text and "\u202e" not in text and "\x1b" not in text
    assert mail["Message-ID"] == f"<{report.new[0]['id']}.watch@example.org>" and mailbox.users == [b"maija"]
    assert desk.look().new == [] and len(mailbox.mails) == 1 and PASSWORD not in desk.state.read_text()


@pytest.mark.parametrize("title", ["One\r\nBcc: evil@example.org", "x" * 999, "=?utf-8?q?a?=", "\ud83d\ude00"])
def test_a_title_adds_no_line_to_the_head_of_a_mail(site: Site, desk: Desk, mailbox: Mailbox, title: str) -> None:
    desk.watch(PAGE.format(site.address), "notify: {mail: lab@example.org}\n")
    desk.look()
    site.items.append(("/c", title.encode("utf-16", "surrogatepass").decode("utf-16")))
    report = desk.look()
    assert report.code == 0 and len(mailbox.mails) == 1 and "Bcc" not in mailbox.mails[0]


def test_a_mail_that_is_refused_is_sent_by_a_later_run(site: Site, desk: Desk, mailbox: Mailbox,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    desk.watch(PAGE.format(site.address), "notify: {mail: lab@example.org}\n")
    desk.look()
    site.items.append(("/c", "Third"))
    mailbox.refuses = True
    report = desk.look()
    assert report.code == 1 and report.codes == ["WAT005"] and "451" in report.findings[0]["message"]
    monkeypatch.setenv("HANDBOOK_SMTP_PASSWORD", "wrong-word")
    site.items.append(("/d", "Fourth"))
    report = desk.look()
    assert report.codes == ["WAT005"] and "wrong-word" not in report.output and report.titles == ["Fourth"]
    mailbox.refuses = False
    monkeypatch.setenv("HANDBOOK_SMTP_PASSWORD", PASSWORD)
    assert desk.look().code == 0
    assert [mail["Subject"] for mail in mailbox.mails] == ["News ☕: Third", "News ☕: Fourth"]
    assert desk.known()["notices"] == []


def test_a_mail_server_that_is_not_named_or_not_there_is_reported(site: Site, desk: Desk,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    desk.watch(PAGE.format(site.address), "notify: {mail: lab@example.org}\n")
    desk.look()
    site.items.append(("/c", "Third"))
    assert "HANDBOOK_SMTP_HOST is not set" in desk.look().findings[0]["message"]
    monkeypatch.setenv("HANDBOOK_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("HANDBOOK_SMTP_PORT", "99999")
    assert "is no port" in desk.look().findings[0]["message"]
    monkeypatch.setenv("HANDBOOK_SMTP_PORT", "9")
    assert "did not take it" in desk.look().findings[0]["message"]
    desk.watch(PAGE.format(site.address))
    assert desk.look().code == 0 and desk.known()["notices"] == [], "a way that is removed is not waited for"


SHOW = "import json, os, sys; print(json.dumps({'in': json.load(sys.stdin), 'env': dict(os.environ)}), " \
       "file=open('out.json', 'w'))"


def test_a_command_gets_the_notice_and_no_secret(site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORTAL_PASSWORD", "HANDBOOK_SMTP_PASSWORD", "GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.setenv(name, f"canary-{name}")
    desk.watch(PAGE.format(site.address),
               f"notify:\n  command: {json.dumps([sys.executable, '-c', SHOW])}\n  variables: GH_TOKEN\n")
    desk.look()
    site.items.append(("/c", "Third; rm -rf / $(id)"))
    report = desk.look()
    out = json.loads((desk.folder / "out.json").read_text())
    assert out["in"] == report.new[0] and out["in"]["again"] is False
    assert [name for name, value in out["env"].items() if "canary" in value] == ["GH_TOKEN"]


@pytest.mark.parametrize(("words", "said"), [
    (["no-such-program"], "can't be run"), (["./tell.sh"], "can't be run: Permission denied"),
    ([sys.executable, "-c", "print('no room'); exit(3)"], "exit code 3: no room")])
def test_a_command_that_fails_is_run_again(site: Site, desk: Desk, words: list[str], said: str) -> None:
    (desk.folder / "tell.sh").write_text("#!/bin/sh\ncat > out.json\n")
    desk.watch(PAGE.format(site.address), f"notify:\n  command: {json.dumps(words)}\n")
    desk.look()
    site.items.append(("/c", "Third"))
    report = desk.look()
    assert report.code == 1 and report.codes == ["WAT005"] and said in report.findings[0]["message"], report
    (desk.folder / "tell.sh").chmod(0o755)
    desk.watch(PAGE.format(site.address), "notify:\n  command: [./tell.sh]\n")
    report = desk.look()
    assert report.code == 0 and report.new == []
    assert json.loads((desk.folder / "out.json").read_text())["again"] is False


def test_the_desktop_shows_it_where_notify_send_is(site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = desk.folder / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    desk.watch(PAGE.format(site.address), "notify: {desktop: true}\n")
    report = desk.look()
    if not any(Path(folder, "notify-send").exists() for folder in ("/usr/bin", "/bin")):
        assert report.code == 0 and report.codes == ["WAT005"] and report.findings[0]["severity"] == "warning"
    (programs / "notify-send").write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {desk.folder}/shown\n")
    (programs / "notify-send").chmod(0o755)
    site.items.append(("/c", "<b>Third</b> --help"))
    assert desk.look().findings == []
    assert (desk.folder / "shown").read_text().splitlines()[:4] == [
        "--app-name=handbook", "--", "News ☕: 1 new", "  &lt;b&gt;Third&lt;/b&gt; --help"]


def test_the_terminal_shows_titles_and_addresses_and_cron_hears_only_of_news(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address))
    words = ("watch", desk.file, "--once", "--now", "--state", desk.state)
    first = run(*words)
    assert first.stdout == "" and "News ☕: 2 remembered; you get a notice" in first.stderr
    site.items.append(("/c", "Kolmas \x1b[31m\u202e"))
    done = run(*words, "--quiet", PYTHONIOENCODING="utf-8")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.splitlines() == ["News ☕: 1 new", "  Kolmas \\u001b[31m\\u202e", f"    {site.address}/c"]
    silent = run(*words, "--quiet")
    assert (silent.returncode, silent.stdout, silent.stderr) == (0, "", "")


def test_what_a_closed_terminal_did_not_take_is_shown_again(site: Site, desk: Desk) -> None:
    desk.watch(PAGE.format(site.address))
    desk.look()
    site.items.append(("/c", "Third"))
    program = Path(sys.executable).with_name("handbook")
    os.system(f"{program} watch {desk.file} --once --now --state {desk.state} 2>/dev/null >/dev/full")
    report = desk.look()
    assert report.titles == ["Third"] and report.new[0]["again"] is True
