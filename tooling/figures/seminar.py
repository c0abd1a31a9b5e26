"""The coffee seminar: what is done when, and the two ways to connect the devices in the classroom.

The words are the organising page's. Each item names words that the page must hold, so that the two can't part.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from tooling.figures.drawing import ROOT, SMALL, WIDTH, Picture

CHAPTER = ROOT / "chapters" / "seminars" / "organising.qmd"
# When; what, with words of the page that say so.
TIMES = (
    ("As soon as you know", "#sec-organising-access", (
        ("ask for access: FCAI site and YouTube, documents, Zoom",
         "**FCAI Squarespace and the FCAI YouTube channel**"),
        ("take over the Zoom meeting: you act first, then its owner", "you go first, the previous owner"))),
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
    high = sum(34 + STEP * len(items) + 14 for _, _, items in TIMES)
    picture = Picture("chapters/seminars/time-line.svg", "What an organiser does, and when", seen, high)
    picture.line([(LINE, 22), (LINE, high - 20)], colour="line", thick=3)
    y = 22.0
    for when, section, items in TIMES:
        said("{" + section + "}", *(words for _, words in items))
        day = when == "On the day"
        picture.circle(LINE, y, 11 if day else 9, fill="accent" if day else "bg", line="accent", thick=3)
        picture.text(LINE + 26, y + 6, when, bold=True, colour="accent" if day else "text")
        for what, _ in items:
            y += STEP
            picture.circle(LINE + 31, y + 7, 2.5, fill="muted")
            picture.text(LINE + 42, y + 12, what, size=15, room=WIDTH - LINE - 46)
        y += 48
    return picture


def frame(file: str, title: str, seen: str, meeting: str, high: float) -> Picture:
    """What both wirings have: the meeting at the top and the key at the foot."""
    picture = Picture(f"chapters/seminars/{file}.svg", title, seen, high)
    picture.box(6, 8, WIDTH - 12, 58, "Zoom meeting", (meeting,), filled=True)
    picture.line([(8, high - 14), (40, high - 14)], colour="text", thick=2.5)
    picture.text(48, high - 9, "cable", size=SMALL, colour="muted")
    picture.line([(120, high - 14), (152, high - 14)], colour="accent", thick=2, dashes="5 4")
    picture.text(160, high - 9, "through Zoom", size=SMALL, colour="muted")
    return picture


def joins(picture: Picture, x: float, top: float, words: str) -> None:
    """A computer's way into the meeting."""
    picture.arrow([(x, top - 3), (x, 69)], colour="accent", thick=2, dashes="5 4")
    picture.text(x + 10, (top + 66) / 2 + 5, words, size=SMALL, colour="accent", bold=True)


def own_laptop(meeting: str, microphone: str, camera: str) -> Picture:
    """Both devices on the organiser's laptop."""
    said(*OWN)
    picture = frame("wiring-own-laptop", "The classroom with your own laptop", (
        f"The {microphone} microphone and the {camera} are connected by cable to your laptop, which starts the Zoom "
        f"meeting {meeting} and records. The speaker's laptop is connected to the projector, joins the meeting, and "
        "shares its screen there, with its microphone muted and its camera off."), meeting, 348)
    picture.box(6, 118, 216, 78, "Speaker's laptop", ("shares its screen,", "muted, camera off"))
    picture.box(WIDTH - 236, 118, 230, 78, "Your laptop", ("starts the meeting, records,", "microphone on"),
                line="accent", thick=2)
    joins(picture, 114, 118, "joins")
    joins(picture, WIDTH - 121, 118, "starts")
    picture.box(6, 244, 140, 66, "Projector", ("shows the talk",))
    picture.box(212, 244, 172, 66, "Microphone", (microphone,))
    picture.box(394, 244, 140, 66, "Camera", (camera,))
    for x in (76, 344, 464):
        picture.line([(x, 196), (x, 244)], colour="text", thick=2.5)
    return picture


def classroom_computer(meeting: str, microphone: str, camera: str) -> Picture:
    """Both devices on the computer of the classroom."""
    said(*ROOM)
    picture = frame("wiring-classroom", "The classroom with its own computer", (
        f"The {microphone} microphone, the {camera} and the projector are connected by cable to the classroom "
        f"computer, which joins the Zoom meeting {meeting}. Your laptop starts the meeting and records, and the "
        "speaker's laptop joins and shares its screen; both are muted and have no device connected."), meeting, 348)
    boxes = ((6, "Speaker's laptop", ("shares its screen,", "muted"), "joins"),
             (184, "Your laptop", ("starts the meeting,", "records, muted"), "starts"),
             (362, "Classroom PC", ("university account,", "microphone on"), "joins"))
    for x, heading, words, way in boxes:
        room = heading.startswith("Classroom")
        picture.box(x, 118, 172, 78, heading, words, line="accent" if room else "line", thick=2 if room else 1)
        joins(picture, x + 86, 118, way)
    for x, wide, heading, name in ((6, 140, "Projector", "shows the talk"), (184, 172, "Microphone", microphone),
                                   (394, 140, "Camera", camera)):
        picture.box(x, 244, wide, 66, heading, (name,))
        middle = x + wide / 2
        ends = [(448, 196), (448, 220), (middle, 220), (middle, 244)] if middle < 400 else [(464, 196), (464, 244)]
        picture.line(ends, colour="text", thick=2.5)
    return picture
