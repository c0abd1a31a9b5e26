"""The texts about a talk, filled into templates that the organiser can edit."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path

from labhandbook.core import templates, untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.core.wording import hint
from labhandbook.seminar.talk import NOT_ON_A_LINE, PACKAGED, TEXTS, Folder, Talk

PLACEHOLDER = re.compile(r"@([A-Z][A-Z ]*)@")
# YouTube's limits: https://developers.google.com/youtube/v3/docs/videos#snippet (title, description, tags).
TITLE, DESCRIPTION, TAGS = 100, 5000, 500


def words(folder: Folder, talk: Talk) -> dict[str, str]:
    """What each placeholder means for a talk; empty where the talk does not say."""
    start, end = talk.start, talk.end
    day = f"{start:%A} {start.day} {start:%B %Y}" if start else ""
    when = f"{start:%H:%M}–{end:%H:%M}" if start and end else ""
    found = {"SPEAKER": talk["speaker"], "AFFILIATION": talk["affiliation"], "TITLE": talk["title"],
             "ABSTRACT": talk["abstract"], "DAY": day, "TIME": when, "PLACE": talk.place, "ROOM": talk["room"],
             "ZOOM": "" if talk.cancelled else talk["zoom"], "SPEAKER WEB": talk["speaker-web"],
             "HOST": talk["host"], "VIDEO": talk["video"],
             "TAGS": ", ".join(tags(folder, talk)), "STATUS": "CANCELLED" if talk.cancelled else "",
             "WELCOME": "" if talk.cancelled else "Welcome!",
             "RECORDING": "The talk will be recorded." if talk.recorded and not talk.cancelled else "",
             "SERIES": folder.fact("name"), "SERIES WEB": folder.fact("web"), "FROM": folder.fact("from"),
             "PLAYLIST": folder.fact("playlist")}
    return {name: NOT_ON_A_LINE.sub(" ", text) if name != "ABSTRACT" else text for name, text in found.items()}


def tags(folder: Folder, talk: Talk) -> list[str]:
    """The words to find the video by: those of the talk and of the series, within YouTube's limit."""
    found: list[str] = []
    for word in dict.fromkeys([*talk.words("tags"), *(item.text for item in folder.series["tags"].words)]):
        word = _plain(word).replace(",", " ").strip()
        # YouTube counts the comma between two tags, and quotes around one with a space.
        if word and sum(len(each) + 3 for each in [*found, word]) <= TAGS:
            found.append(word)
    return found


def template(folder: Folder, name: str) -> tuple[str, str]:
    """A template and its name in messages: the organiser's, else the one that comes with the kit."""
    own = folder.path / "templates" / name
    path = own if own.exists() else PACKAGED / name
    shown = str(own) if path is own else name
    return untrusted_data.text(path, shown, section=TEXTS), shown


def filled(folder: Folder, name: str, meant: Mapping[str, str]) -> str:
    """A template with its words; a line whose words are all empty is left out.

    Raises HandbookError with `file:line` for a word that nothing means.
    """
    text, shown = template(folder, name)
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        asked = PLACEHOLDER.findall(line)
        new = words_in(line, meant, f"{shown}:{number}")
        if not asked or any(meant[word] for word in asked):
            lines.append(new)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines).strip("\n")) + "\n"


def words_in(line: str, meant: Mapping[str, str], where: str) -> str:
    """A line with its words. Raises HandbookError for a word that nothing means."""
    unknown = next((word for word in PLACEHOLDER.findall(line) if word not in meant), None)
    if unknown:
        raise HandbookError(f"nothing is called @{unknown}@{hint(unknown, meant)}", where=where,
                            todo="correct the word; the chapter lists all of them", section=TEXTS)
    return templates.fill(line, meant)


def web(folder: Folder, name: str, meant: Mapping[str, str]) -> str:
    """A template of HTML: nothing in a talk is markup, and an abstract keeps its paragraphs."""
    safe = {word: html.escape(text) for word, text in meant.items()}
    parts = re.split(r"\n\s*\n", safe["ABSTRACT"].strip())
    safe["ABSTRACT"] = "".join(f'<p dir="auto">{" ".join(part.split())}</p>' for part in parts if part)
    return filled(folder, name, safe)


def video(folder: Folder, talk: Talk) -> str:
    """Title, description and tags for YouTube, which refuses `<` and `>` and texts that are too long."""
    meant = {name: _plain(text) for name, text in words(folder, talk).items()}
    title = f"{meant['SPEAKER']}: {meant['TITLE']}"
    meant["VIDEO TITLE"] = title if len(title) <= TITLE else title[:TITLE - 1].rstrip() + "…"
    # An empty line at the top would be the first thing that YouTube shows of a talk without an abstract.
    whole = re.sub(r"(\nDescription:\n)\n+", r"\1", filled(folder, "video.txt", meant))
    over = len(whole.partition("\nDescription:\n")[2].encode()) - DESCRIPTION
    if over <= 0:
        return whole
    abstract = meant["ABSTRACT"].encode()
    kept = abstract[:max(0, len(abstract) - over - len("…".encode()) - 1)]
    return filled(folder, "video.txt", meant | {"ABSTRACT": kept.decode("utf-8", "ignore").rstrip() + "…"})


def write_templates(folder: Path, *, force: bool = False) -> list[Path]:
    """Copy the series' file and the templates that are not there yet into a folder; what is there stays."""
    made = []
    for source in sorted(PACKAGED.iterdir()):
        target = folder / source.name if source.suffix == ".yml" and source.stem == "series" else (
            folder / "templates" / source.name)
        if force or not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(target, source.read_bytes())
            made.append(target)
    return made


def _plain(text: str) -> str:
    """Text without what YouTube refuses."""
    return text.replace("<", "‹").replace(">", "›")
