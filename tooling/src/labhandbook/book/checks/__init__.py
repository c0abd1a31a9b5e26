"""The checks: for every rule of the book a pure function from what was read to findings."""

from labhandbook.book.checks import (
    bibliography,
    built_site,
    chapter_text,
    cluster_facts,
    fact_reviews,
    internal_links,
    plain_words,
    prose_tools,
    reading_paths,
    shell_blocks,
)
from labhandbook.book.checks.check_input import BOOK

__all__ = ["BOOK", "bibliography", "built_site", "chapter_text", "cluster_facts", "fact_reviews", "internal_links",
           "plain_words", "prose_tools", "reading_paths", "shell_blocks"]
