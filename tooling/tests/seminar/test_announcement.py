"""The mail and the texts: what a mail program shows, and what a hostile value can't do."""

from __future__ import annotations

import email
import email.policy
import unicodedata
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup

from labhandbook.core.errors import HandbookError
from labhandbook.seminar.make_talk import make
from labhandbook.seminar.talk import PACKAGED, folder_of, read_folder
from labhandbook.seminar.talk_texts import PLACEHOLDER, video, words, write_templates
from tooling.tests.conftest import ROOT, run
from tooling.tests.seminar.talks import NOW, TALK, write
from tooling.tests.seminar.test_calendar_feed import NAMES, entries

MARKUP = '<script>alert(1)</script><img src=x onerror="alert(1)"> & "quotes" @ZOOM@ #eval("1+1")'


def made(path: Path) -> dict[str, bytes]:
    """What is made from a talk, by the names of the files."""
    return {file.name: file.read_bytes() for file in make(*folder_of(path), NOW)[0]}


def read(message: bytes) -> EmailMessage:
    """A mail as a mail program reads it."""
    found = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(found, EmailMessage) and not found.defects
    return found


def body(message: EmailMessage, kind: str) -> str:
    """The text or the HTML of a mail."""
    part = message.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content


@pytest.mark.parametrize("name", [*NAMES, TALK["speaker"]])
def test_text_and_html_say_the_same(folder: Path, name: str) -> None:
    message = read(made(write(folder, speaker=name))["mail.eml"])
    name = unicodedata.normalize("NFC", name)
    html = BeautifulSoup(body(message, "html"), "html.parser")
    for text in (body(message, "plain"), html.get_text(" ")):
        for said in (name, TALK["title"], "Thursday 3 December 2026", "10:15–11:00", TALK["room"], TALK["zoom"],
                     "Sea ice moves.", "We fill the gaps.", "The talk will be recorded."):
            assert said in text
    assert message["Subject"] == f"Machine Learning Coffee Seminar: {name}, {TALK['title']}"
    assert message["From"] == "Machine Learning Coffee Seminar <mlseminar@hiit.fi>" and message["X-Unsent"] == "1"
    assert [link["href"] for link in html("a")] == [TALK["zoom"], "https://fcai.fi/machine-learning-coffee-seminar"]


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [360, 1280])
def test_the_html_in_a_browser(folder: Path, browser: Any, name: str, width: int) -> None:
    """A mail program shows it with its letters whole, no wider than its window, and runs nothing in it."""
    path = write(folder, speaker=name, title=f"{MARKUP} {'x' * 200}", speaker_web=f"https://e.fi/{'y' * 250}")
    message = read(made(path)["mail.eml"])
    page = browser.new_page(viewport={"width": width, "height": 800})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append("a dialog"))
    page.set_content(body(message, "html"))
    shown = " ".join(page.locator("body").inner_text().split())
    for said in (unicodedata.normalize("NFC", name), MARKUP, "Thursday 3 December 2026, 10:15–11:00", TALK["zoom"]):
        assert said in shown
    assert page.evaluate("document.documentElement.scrollWidth") <= width and not asked
    page.close()


def test_the_mail_carries_the_calendar_entry(folder: Path) -> None:
    files = made(write(folder))
    (attachment,) = read(files["mail.eml"]).iter_attachments()
    assert attachment.get_content_type() == "text/calendar" and attachment.get_filename() == "talk.ics"
    assert attachment.get_payload(decode=True) == files["talk.ics"]
    assert list(entries(files["talk.ics"])) == [TALK["uid"]]


def test_the_same_talk_makes_the_same_files(folder: Path) -> None:
    path = write(folder)
    first = made(path)
    # A list that is there may be filled in, and stays.
    assert made(path) == {name: content for name, content in first.items() if name != "attendance.csv"}


def test_markup_in_a_talk_is_text(folder: Path) -> None:
    files = made(write(folder, title=MARKUP, abstract=MARKUP, speaker=MARKUP, host=MARKUP))
    html = BeautifulSoup(body(read(files["mail.eml"]), "html"), "html.parser")
    assert not html(["script", "img"]) and MARKUP in html.get_text()
    assert MARKUP in files["event.txt"].decode() and not {"<", ">"} & set(files["video.txt"].decode())


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\r", "\u2028", "\u0085", "\x0b"])
@pytest.mark.parametrize("field", ["speaker", "title"])
def test_no_line_is_added_to_the_header(folder: Path, field: str, break_: str) -> None:
    path = write(folder, **{field: f"A{break_}Bcc: all@example.org{break_}{break_}body"})
    done = run("seminar", "make", path)
    assert done.returncode == 1 and "SEM006" in done.stdout and not (folder / "made").exists()
    # Even without the check, the header stays one line.
    message = read(made(path)["mail.eml"])
    assert message["Bcc"] is None and "Bcc: all@example.org" in message["Subject"]


def test_an_abstract_without_end_is_refused(folder: Path) -> None:
    done = run("seminar", "make", write(folder, abstract="word " * 200_000))
    assert done.returncode == 1 and "SEM006 the abstract has 999999 characters" in done.stdout


def test_video_within_the_limits_of_youtube(folder: Path) -> None:
    path = write(folder, title="長い" * 140, abstract="冰 " * 4999,
                 tags=["sea ice, far north", *map(str, range(400))])
    text = video(*folder_of(path))
    head, _, description = text.partition("\nDescription:\n")
    title = head.splitlines()[0].removeprefix("Title: ")
    assert len(title) <= 100 and title.endswith("…")
    assert len(description.encode()) <= 5000 and TALK["speaker"] in description
    (tags,) = [line.removeprefix("Tags: ") for line in head.splitlines() if line.startswith("Tags: ")]
    assert len(tags) <= 500 and tags.startswith("sea ice  far north, 0, 1")


def test_a_video_without_an_abstract_begins_with_its_speaker(folder: Path) -> None:
    assert f"\nDescription:\nSpeaker: {TALK['speaker']}" in video(*folder_of(write(folder, abstract=None)))


def test_a_cancelled_talk_is_announced_as_cancelled(folder: Path) -> None:
    files = made(write(folder, status="cancelled"))
    message = read(files["mail.eml"])
    assert message["Subject"].startswith("CANCELLED ") and message["To"] == "list@example.org"
    for text in (*(body(message, kind) for kind in ("plain", "html")), files["event.txt"].decode()):
        assert "this talk does not take place" in text
        assert not any(said in text for said in ("will be recorded", TALK["zoom"], "Join", "Welcome"))


def test_lines_without_words_are_left_out(folder: Path) -> None:
    text = body(read(made(write(folder, zoom=None, host=None, recording="no"))["mail.eml"]), "plain")
    assert "Zoom" not in text and "Host" not in text and "recorded" not in text and "\n\n\n" not in text


def test_the_organisers_own_template_is_taken(folder: Path) -> None:
    (folder / "templates").mkdir()
    (folder / "templates/event.txt").write_text("@SPEAKER@ / @ROOM@\n")
    assert made(write(folder))["event.txt"].decode() == f"{TALK['speaker']} / {TALK['room']}\n"


@pytest.mark.parametrize(("name", "text", "said"), [
    ("event.txt", "one\n@SPEKER@\n", "event.txt:2: nothing is called @SPEKER@; did you mean SPEAKER?"),
    ("mail.txt", "Hello\n", "begins with no subject"),
])
def test_a_wrong_template_is_named(folder: Path, name: str, text: str, said: str) -> None:
    (folder / "templates").mkdir()
    (folder / "templates" / name).write_text(text)
    done = run("seminar", "make", write(folder))
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_init_keeps_what_is_there(folder: Path) -> None:
    (folder / "series.yml").write_text("name: Ours\nfrom: a@b.fi\n")
    names = {path.name for path in write_templates(folder)}
    assert names == {path.name for path in PACKAGED.iterdir()} - {"series.yml"} and not write_templates(folder)
    assert read_folder(folder).fact("name") == "Ours"
    assert len(write_templates(folder, force=True)) == len(list(PACKAGED.iterdir()))


def test_the_series_is_that_of_the_book(folder: Path) -> None:
    people = yaml.safe_load((ROOT / "chapters/people.yml").read_text(encoding="utf-8"))
    series = read_folder(folder)
    assert series.fact("from") == people["seminar-team"]["email"]
    assert series.fact("playlist") == people["youtube"]["playlist"]
    coffee = people["seminars"]["coffee"]
    assert (series.fact("name"), series.fact("web")) == (coffee["name"], coffee["web"])


def test_the_chapter_lists_all_words(folder: Path) -> None:
    text = (ROOT / "chapters/seminars/organising.qmd").read_text(encoding="utf-8")
    assert all(f"`{word}`" in text or f"`@{word}@`" in text for word in words(*folder_of(write(folder))))
    used = {word for path in PACKAGED.glob("*.*") if path.suffix != ".typ"
            for word in PLACEHOLDER.findall(path.read_text(encoding="utf-8"))}
    assert used <= {*words(*folder_of(write(folder))), "VIDEO TITLE", "MISSING"}


def test_an_unreadable_talk_is_an_error(folder: Path) -> None:
    (folder / "a.yml").write_text("title: [")
    with pytest.raises(HandbookError, match="not valid YAML"):
        folder_of(folder / "a.yml")
    done = run("seminar", "make", folder / "a.yml")
    assert done.returncode == 2 and "a.yml:1" in done.stderr
