"""The coffee seminar: what is done when, and the two ways to connect the devices in the classroom.

The words are the organising page's. Each item names words that the page must hold, so that the two can't part.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from tooling.figures.drawing import NARROW, ROOT, SMALL, Picture, wrap

CHAPTER = ROOT / "chapters" / "seminars" / "organising.qmd"
# When; what, with words of the page that say so.
TIMES = (
    ("As soon as you know", "#sec-organising-access", (
        ("ask for access: FCAI site and YouTube, documents, Zoom",
         "**FCAI Squarespace and the FCAI YouTube channel**"),
        ("take over the Zoom meeting: you act first, then its owner",
         "you do the first step, and the previous owner"))),
    ("Before the seminar", "#sec-organising-before", (
        ("create the event on Squarespace", "**Create the event on Squarespace**"),
        ("see that the advertising e-mail goes out", "**See that the advertising e-mail goes out.**"),
        ("reserve the microphone, print the attendance list", "**Print the attendance list**"),
        ("your first time: test the classroom on an earlier day", "test the classroom on an earlier day"))),
    ("On the day", "#sec-organising-day", (
        ("fetch microphone, camera, attendance list and a pen", "Take the attendance list and a pen."),
        ("set up the classroom, start recording", "**Start recording** in Zoom."),
        ("watch the chat, count who came", "Watch the chat"))),
    ("After the seminar", "#sec-organising-after", (
        ("return the equipment, bring leftover food", "**Return the equipment**"),
        ("record the attendance", "**Record the attendance**"),
        ("edit and upload the video", "**Upload the video**"))),
)
# The words of the page that the two wirings show.
OWN = ("Connect the microphone and the Owl camera to your laptop.", "its microphone muted and its camera off",
       "Connect the speaker's laptop to the projector", "Start the Zoom meeting from your laptop.")
ROOM = ("Connect the microphone and the Owl camera to the classroom computer.", "your laptop hosts the meeting",
        "join the meeting, and show it on the projector screen", "and mute the laptops")
LINE, STEP = 26, 22


def said(*words: str) -> None:
    """Raise ValueError when the page no longer says something that a picture shows."""
    text = CHAPTER.read_text(encoding="utf-8")
    for each in words:
        if each not in text:
            raise ValueError(f"{CHAPTER.name} no longer says {each!r}: draw what it says now")


def pictures() -> Iterator[Picture]:
    """The time line and the two wirings."""
    yield time_line()
    people = yaml.safe_load((ROOT / "chapters" / "people.yml").read_text(encoding="utf-8"))
    devices = people["equipment"]
    names = people["zoom"]["meeting"], devices["microphone"]["name"], devices["camera"]["name"]
    yield own_laptop(*names)
    yield classroom_computer(*names)


def time_line() -> Picture:
    """What an organiser does, in four parts from top to bottom."""
    seen = "A line from top to bottom with four points. " + " ".join(
        f"{when}: {'; '.join(what for what, _ in items)}." for when, _, items in TIMES)
    room = NARROW - LINE - 46
    wrapped = [[wrap(what, SMALL, room) for what, _ in items] for _, _, items in TIMES]
    high = sum(48 + STEP * sum(map(len, each)) for each in wrapped)
    picture = Picture("chapters/seminars/time-line.svg", "What an organiser does, and when", seen, high, NARROW)
    picture.line([(LINE, 22), (LINE, high - 20)], colour="line", thick=3)
    y = 22.0
    for (when, section, items), lines in zip(TIMES, wrapped, strict=True):
        said("{" + section + "}", *(words for _, words in items))
        day = when == "On the day"
        picture.circle(LINE, y, 11 if day else 9, fill="accent" if day else "bg", line="accent", thick=3)
        picture.text(LINE + 26, y + 6, when, bold=True, colour="accent" if day else "text")
        for what in lines:
            picture.circle(LINE + 31, y + STEP + 7, 2.5, fill="muted")
            for line in what:
                y += STEP
                picture.text(LINE + 42, y + 12, line, size=SMALL, room=room)
        y += 48
    return picture


def frame(file: str, title: str, seen: str, meeting: str, high: float) -> Picture:
    """What both wirings have: the meeting at the top and the key at the foot."""
    picture = Picture(f"chapters/seminars/{file}.svg", title, seen, high, NARROW)
    picture.box(6, 8, NARROW - 12, 58, "Zoom meeting", (meeting,), filled=True)
    picture.line([(8, high - 14), (40, high - 14)], colour="text", thick=2.5)
    picture.text(48, high - 9, "cable", size=SMALL, colour="muted")
    picture.line([(120, high - 14), (152, high - 14)], colour="accent", thick=2, dashes="5 4")
    picture.text(160, high - 9, "through Zoom", size=SMALL, colour="muted")
    return picture


def joins(picture: Picture, x: float, top: float, words: str, free: float = 66) -> None:
    """A computer's way into the meeting; the words are between `free` and the computer."""
    picture.arrow([(x, top - 3), (x, 69)], colour="accent", thick=2, dashes="5 4")
    picture.text(x + 10, (top + free) / 2 + 5, words, size=SMALL, colour="accent", bold=True)


def own_laptop(meeting: str, microphone: str, camera: str) -> Picture:
    """Both devices on the organiser's laptop."""
    said(*OWN)
    picture = frame("wiring-own-laptop", "The classroom with your own laptop", (
        f"The {microphone} microphone and the {camera} are connected by cable to your laptop, which starts the Zoom "
        f"meeting {meeting} and records. The speaker's laptop is connected to the projector, joins the meeting, and "
        "shares its screen there, with its microphone muted and its camera off."), meeting, 366)
    picture.box(6, 118, 166, 92, "Speaker's laptop", ("shares its screen,", "muted, camera off"))
    picture.box(184, 118, 190, 92, "Your laptop", ("starts the meeting,", "records,", "microphone on"),
                line="accent", thick=2)
    joins(picture, 89, 118, "joins")
    joins(picture, 279, 118, "starts")
    devices(picture, 262, microphone, camera)
    for x in (63, 196, 323):
        picture.line([(x, 210), (x, 262)], colour="text", thick=2.5)
    return picture


def devices(picture: Picture, top: float, microphone: str, camera: str) -> None:
    """What the computers are connected to."""
    for x, wide, heading, name in ((6, 114, "Projector", "shows the talk"), (126, 140, "Microphone", microphone),
                                   (272, 102, "Camera", camera)):
        picture.box(x, top, wide, 66, heading, (name,))


def classroom_computer(meeting: str, microphone: str, camera: str) -> Picture:
    """Both devices on the computer of the classroom."""
    said(*ROOM)
    picture = frame("wiring-classroom", "The classroom with its own computer", (
        f"The {microphone} microphone, the {camera} and the projector are connected by cable to the classroom "
        f"computer, which joins the Zoom meeting {meeting}. Your laptop starts the meeting and records, and the "
        "speaker's laptop joins and shares its screen; both are muted and have no device connected."), meeting, 480)
    picture.box(6, 118, 166, 78, "Speaker's laptop", ("shares its screen,", "muted"))
    picture.box(208, 118, 166, 78, "Your laptop", ("starts the meeting,", "records, muted"))
    picture.box(6, 250, 368, 78, "Classroom PC", ("university account,", "microphone on"), line="accent", thick=2)
    joins(picture, 89, 118, "joins")
    joins(picture, 291, 118, "starts")
    joins(picture, 190, 250, "joins", 196)
    devices(picture, 376, microphone, camera)
    for x in (63, 196, 323):
        picture.line([(x, 328), (x, 376)], colour="text", thick=2.5)
    return picture
