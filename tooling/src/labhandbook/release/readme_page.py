"""A README as the index shows it, rendered in a process with limits: some texts keep a renderer busy for hours."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache

from labhandbook.core.process import Limits, TimeoutExpired, isolated, run

LIMITS = Limits(2 << 30, 20)  # bytes of address space, seconds of processor time
PATIENCE = 300  # seconds by the clock
PROGRAM = """
import io, json, sys, warnings
warnings.simplefilter("ignore")
text, kind = json.load(sys.stdin)
found = {"lacking": "", "page": None, "raw": None, "said": ""}
try:
    if kind == "text/x-rst":
        from readme_renderer import rst
        said = io.StringIO()
        found["page"] = rst.render(text, stream=said)
        found["said"] = said.getvalue().strip()[:20000]
    else:
        from readme_renderer import markdown
        if not markdown.variants:
            raise ImportError("readme-renderer lacks its md extra")
        found["page"], found["raw"] = markdown.render(text), markdown.variants["GFM"](text)
except ImportError as error:
    found["lacking"] = str(error) or "readme-renderer is not installed"
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Shown:
    """The page as HTML, None when there is none; the same before it is cleaned (Markdown only); what was said of it.

    `problem` says why it could not be rendered within the limits.
    """

    page: str | None = None
    raw: str | None = None
    said: str = ""
    problem: str = ""


@lru_cache(maxsize=8)
def show(text: str, kind: str) -> Shown:
    """Render a README of type text/markdown or text/x-rst. Raises ImportError without a renderer for it."""
    try:
        done = run(isolated("-c", PROGRAM), stdin=json.dumps([text, kind]), limits=LIMITS, timeout=PATIENCE)
    except TimeoutExpired:
        return Shown(problem=f"rendering it takes longer than {PATIENCE} s")
    if done.returncode:
        return Shown(problem=f"rendering it needs more than {LIMITS.seconds} s or {(LIMITS.memory or 0) >> 30} GiB")
    found = json.loads(done.stdout)
    if found.pop("lacking"):
        raise ImportError("readme_renderer can't render this kind of text")
    return Shown(**found)


def render(text: str, kind: str) -> tuple[str, bool]:
    """What is wrong when PyPI renders a text, empty when nothing is, and whether that is sure."""
    if kind not in ("text/markdown", "text/x-rst"):
        return "", True
    try:
        shown = show(text, kind)
    except ImportError:
        return "it can't be rendered here: readme-renderer with its md extra isn't installed", False
    if shown.problem:
        return shown.problem, False
    if shown.page is not None:
        return "", True
    if kind == "text/markdown":
        return "it doesn't render as Markdown", True
    words = re.sub(r"<string>:", "line ", shown.said).strip().splitlines()
    return f"it doesn't render as reStructuredText: {words[0] if words else 'nothing comes out'}", True
