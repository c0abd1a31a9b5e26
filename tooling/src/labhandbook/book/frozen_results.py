"""What Quarto keeps of an executed page in `_freeze`: its text with what its cells made."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from labhandbook.book.boundary import own_file
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError


def frozen_text(root: Path, path: str) -> str | None:
    """The text of the page `path` with the results of its cells; None if there are none, or of an older page.

    Quarto keeps the hash of the page beside them (command/render/freeze.ts). The pictures of the results are beside
    them too, so that is where the text names them.
    """
    stem = PurePosixPath(path).with_suffix("")
    name = f"_freeze/{stem}/execute-results/html.json"
    file, page = own_file(root, name), own_file(root, path)
    if file is None or page is None:
        return None
    try:
        held = untrusted_data.json_data(untrusted_data.content(file), name)
        text = untrusted_data.text(page, path).replace("\r\n", "\n")
    except HandbookError:
        return None
    result = held.get("result") if isinstance(held, dict) else None
    made = result.get("markdown") if isinstance(result, dict) else None
    if not isinstance(made, str) or held.get("hash") != hashlib.md5(text.encode(), usedforsecurity=False).hexdigest():
        return None
    return made.replace(f"{stem.name}_files/", f"{'../' * (len(stem.parts) - 1)}_freeze/{stem}/")
