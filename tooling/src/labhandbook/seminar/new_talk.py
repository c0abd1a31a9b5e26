"""`handbook seminar new`: writes the file of a talk."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import yaml

from labhandbook.core.errors import HandbookError
from labhandbook.seminar.talk import CLOCK, DAY, FIELDS, TALK


def write_talk(folder: Path, answers: Mapping[str, str], name: str = "") -> Path:
    """Write the file of a talk and return its path.

    Raises HandbookError for an answer that no talk can have, and when there is a file with its name.
    """
    for field, answer in answers.items():
        check_answer(field, answer)
    path = folder / f"{answers['date']}-{file_name(name or answers['speaker'].split()[-1:])}.yml"
    lines = []
    for field, comment in FIELDS.items():
        value = str(uuid.uuid4()) if field == "uid" else answers.get(field, "")
        lines.append(f"{field}:{scalar(value, field)}{f'  # {comment}' if comment else ''}\n")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write("".join(lines))
    except FileExistsError:
        raise HandbookError(f"{path} exists", where=str(path), todo="edit it, or choose another name with --name",
                            section=TALK) from None
    except OSError as error:
        raise HandbookError(f"{path} can't be written: {error.strerror or error}", where=str(path),
                            todo="choose another folder or name", section=TALK) from None
    return path


def check_answer(field: str, answer: str) -> None:
    """Raise HandbookError for a day, a time or an answer about the recording that is none."""
    if field == "date":
        try:
            fine = bool(DAY.fullmatch(answer) and date.fromisoformat(answer))
        except ValueError:
            fine = False
        if not fine:
            raise HandbookError(f"{answer[:40]} is not a day", todo="write it as 2026-12-03", section=TALK)
    if field in ("start", "end") and not CLOCK.fullmatch(answer):
        raise HandbookError(f"{answer[:40]} is not a time", todo="write it as 10:15", section=TALK)
    if field == "recording" and answer not in ("yes", "no", ""):
        raise HandbookError(f"{answer[:40]} is neither yes nor no",
                            todo="leave it empty until the speaker has answered", section=TALK)


def scalar(text: str, field: str) -> str:
    """A value behind its colon, in quotes where YAML needs them."""
    if field == "abstract" and "\n" in text and text.replace("\n", "").isprintable():
        return " |\n" + "\n".join(f"  {line}".rstrip() for line in text.strip().split("\n"))
    if not text or field in ("date", "start", "end", "recording", "status"):
        return f" {text}".rstrip() if re.fullmatch(r"[\w:.-]*", text) else f" {_dumped(text)}"
    return f" {_dumped(text)}"


def file_name(word: str | list[str]) -> str:
    """A word for a file's name: in ASCII where its letters have one, else in its own script."""
    text = "".join(word)
    plain = "".join(re.findall(r"[a-z0-9]+", unicodedata.normalize("NFKD", text).encode("ascii", "ignore")
                               .decode().lower()))
    own = "".join(letter for letter in unicodedata.normalize("NFC", text) if letter.isalnum())
    return (plain or own or "talk")[:40]


def _dumped(text: str) -> str:
    """A text as one line of YAML."""
    written: str = yaml.safe_dump(text, allow_unicode=True, width=10 ** 9, default_style='"')
    return written.strip()
