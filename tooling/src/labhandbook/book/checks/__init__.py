"""The checks: for every rule of the book a pure function from what was read to findings."""

from labhandbook.book.checks import bibliography, clusters, facts, links, paths, prose, shell, site, text
from labhandbook.book.checks.reading import CHECKS

__all__ = ["CHECKS", "bibliography", "clusters", "facts", "links", "paths", "prose", "shell", "site", "text"]
