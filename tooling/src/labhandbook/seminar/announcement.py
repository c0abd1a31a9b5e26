"""The announcement as a mail: text and HTML, with the talk's calendar entry."""

from __future__ import annotations

import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from labhandbook.core.errors import HandbookError
from labhandbook.seminar.talk import TEXTS, Folder, Talk
from labhandbook.seminar.talk_texts import filled, web, words


def mail(folder: Folder, talk: Talk, entry: bytes) -> bytes:
    """The announcement as a draft that mail programs open. Raises HandbookError when the template has no subject."""
    meant = words(folder, talk)
    text = filled(folder, "mail.txt", meant)
    head, _, body = text.partition("\n\n")
    if not head.startswith("Subject: ") or "\n" in head:
        raise HandbookError("the template of the mail begins with no subject", where="mail.txt:1",
                            todo="let its first line be `Subject: ...` and the second one empty", section=TEXTS)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = " ".join(head.removeprefix("Subject: ").split())
    message["From"] = _address(folder.fact("name"), folder.fact("from"))
    if folder.fact("to"):
        message["To"] = _address("", folder.fact("to"))
    message["X-Unsent"] = "1"  # Outlook opens it as a draft
    message.set_content(body)
    message.add_alternative(web(folder, "mail.html", meant), subtype="html")
    message.add_attachment(entry, maintype="text", subtype="calendar", filename="talk.ics",
                           params={"method": "PUBLISH", "charset": "utf-8"})
    # Boundaries that follow from the content: the same talk makes the same file.
    name = hashlib.sha256(text.encode() + entry).hexdigest()[:24]
    for number, part in enumerate(message.walk()):
        if part.is_multipart():
            part.set_boundary(f"={name}-{number}=")
    return message.as_bytes()


def _address(name: str, address: str) -> Address:
    """An address of the header."""
    user, _, domain = address.rpartition("@")
    return Address(name, user, domain)
