"""The words that the engine writes itself, in the language of the book."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from labhandbook.book.model import Book, load_yaml

WORDS = Path(__file__).parent / "engine/site/words.yml"


@cache
def all_words() -> dict[str, dict[str, str]]:
    """The words of every language that has some, by the names of Quarto's `language:`."""
    held: dict[str, dict[str, str]] = load_yaml(WORDS, WORDS.name)
    return held


def words(book: Book) -> dict[str, str]:
    """The words of one book: `language:` and `crossref:` of its configuration change them."""
    own: Any = book.html_option("language")
    crossref: Any = book.html_option("crossref")
    names = {f"crossref-{key}": value for key, value in crossref.items()} if isinstance(crossref, dict) else {}
    written = all_words()["en"] | all_words().get(book.language.partition("-")[0], {})
    # As in Quarto, another word before captions leaves that of the references.
    written |= {f"crossref-{kind}-prefix": written[f"crossref-{kind}-title"] for kind in ("fig", "tbl")}
    return written | {
        key: str(value or "") for key, value in [*(own.items() if isinstance(own, dict) else ()), *names.items()]}
