"""The engine's own files beside the book's: templates, and the styles and scripts that it serves."""

from pathlib import Path

SITE = Path(__file__).with_name("site")
# The files of SITE that every site has.
SERVED = ("layout.css", "search.css", "layout.js", "search.js", "minisearch.js")
