"""The poster, the title slide and the attendance list as PDFs: Typst sets the organiser's templates."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.seminar.talk import PACKAGED, TEXTS, Folder, Talk
from labhandbook.seminar.talk_texts import words

SHEETS = ("poster", "title-slide", "attendance")
USED = (".typ", ".svg", ".png", ".jpg")  # what a template may include, such as a logo
# PDF/A is the one form for which Typst says which letter no font has.
STRICT, UNSHOWN = "a-2b", re.compile(r'the text `"(.+?)"` could not be displayed')


def sheets(folder: Folder, talk: Talk) -> tuple[dict[str, bytes], str]:
    """The PDFs by the names of their files, and the first letter that no font on this computer shows, else "".

    Raises HandbookError when Typst refuses a template.
    """
    meant = json.dumps(words(folder, talk))
    # A moment of the talk's own: the same talk makes the same files.
    made_at = int(talk.start.timestamp()) if talk.start else 0
    with tempfile.TemporaryDirectory(prefix="handbook-seminar-") as name:
        place = Path(name)
        # The organiser's own files replace those of the kit. Typst sees only these copies.
        for source in (PACKAGED, folder.path / "templates"):
            for file in source.glob("*"):
                if file.suffix in USED:
                    write_atomic(place / file.name, untrusted_data.content(file, section=TEXTS))
        made = {f"{sheet}.pdf": _set(place / f"{sheet}.typ", meant, made_at) for sheet in SHEETS}
    return {file: pdf for file, (pdf, _) in made.items()}, next((letter for _, letter in made.values() if letter), "")


def _set(template: Path, meant: str, made_at: int) -> tuple[bytes, str]:
    """The PDF of a template, and the first letter that no font shows."""
    import typst

    letter = ""
    standards: Any
    for standards in (STRICT, []):
        try:
            return typst.compile(str(template), root=str(template.parent), sys_inputs={"talk": meant},
                                 pdf_standards=standards, timestamp=made_at), letter
        except typst.TypstError as error:
            found = UNSHOWN.search(error.message)
            if not standards or not found:
                line = re.search(r"([\w-]+\.typ):(\d+)", error.diagnostic)
                raise HandbookError(f"{template.name} can't be set", where=":".join(line.groups()) if line
                                    else template.name, why=error.message,
                                    todo="correct the template, or delete it to get the kit's own",
                                    section=TEXTS) from None
            letter = found[1]
    raise AssertionError("a PDF without a standard is set or refused")
