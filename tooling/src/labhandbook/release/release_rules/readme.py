"""Rules on the README, which is the package's page on the index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser

from labhandbook.core.rules import ERROR, WARNING, At, unverified
from labhandbook.core.wording import listed
from labhandbook.release.project_facts import PROJECT, Facts
from labhandbook.release.readme_page import show

SECTION = "sec-pypi-check"
KINDS = ("text/markdown", "text/x-rst", "text/plain")
# Attributes that change what a reader sees; others are dropped without anyone noticing.
SEEN = {"align", "bgcolor", "border", "color", "height", "media", "open", "srcset", "start", "style", "valign",
        "width"}
# Tags that GitHub's Markdown, which the index uses, shows as text instead of obeying them.
SHOWN_AS_TEXT = {"iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp"}


class Reader(HTMLParser):
    """Collects links, images, tags and attributes of a page, and its text outside code."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.images: list[str] = []
        self.tags: dict[str, set[str]] = {}
        self.text: list[str] = []
        self._code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a tag."""
        values = dict(attrs)
        self.tags.setdefault(tag, set()).update(values)
        self._code += tag in ("pre", "code")
        if tag == "a" and values.get("href"):
            self.links.append(str(values["href"]))
        if tag == "img" and values.get("src"):
            self.images.append(str(values["src"]))
        if tag == "source" and values.get("srcset"):
            self.images.append(str(values["srcset"]).split()[0])

    def handle_endtag(self, tag: str) -> None:
        """Leave code."""
        self._code -= tag in ("pre", "code")

    def handle_data(self, data: str) -> None:
        """Keep what is no code."""
        if not self._code:
            self.text.append(data)


@lru_cache(maxsize=8)
def rendered(text: str, kind: str) -> tuple[Reader | None, Reader | None, str]:
    """A README as the index shows it, the same before the index cleans it, and what kept it from being shown.

    Raises ImportError without readme_renderer. The page before cleaning exists for Markdown only.
    """
    if kind == "text/plain":
        return None, None, ""
    shown = show(text, kind)
    if shown.problem or (shown.page is None and text.strip()):
        return None, None, shown.problem or shown.said or "it can't be rendered"
    return _read(shown.page or ""), _read(shown.raw) if shown.raw is not None else None, ""


def _read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def rendering(facts: Facts) -> tuple[Reader | None, Reader | None, str] | None:
    """The README rendered; None when there is none to render or no renderer."""
    if facts.readme is None or facts.readme[0] not in facts.texts:
        return None
    kind = facts.readme[1] or "text/x-rst"
    try:
        return rendered(facts.texts[facts.readme[0]], kind) if kind in KINDS else None
    except ImportError:
        return None


def relative(target: str) -> bool:
    """Whether a link or image needs the repository's files to work."""
    return not re.match(r"(?i)[a-z][a-z0-9+.-]*:|//|#", target)


@PROJECT.rule("REL060", "The README is there and becomes the package's page",
      why="Without a description the page on the index is empty, and twine check --strict refuses the files.",
      fix='Write README.md and readme = "README.md".',
      section=SECTION)
def there(facts: Facts) -> Iterator[At]:
    """No README, a missing file, or a type that the index doesn't know."""
    project = facts.project
    if not project.table:
        return
    line, value = project.line("readme", "project"), project.table.get("readme")
    if facts.readme is None:
        if "readme" in project.dynamic:
            return  # The backend puts it together; inspect looks at the built description.
        if isinstance(value, dict) and isinstance(value.get("text"), str):
            yield unverified("the description is in pyproject.toml itself and was not rendered", line=line)
        else:
            yield At("no README is declared", line=project.line("[project]"), severity=WARNING)
        return
    file, kind = facts.readme
    if file not in facts.texts:
        yield At(f"{file} is missing or is not UTF-8 text", line=line)
    elif not facts.texts[file].strip():
        yield At(f"{file} is empty", file, severity=WARNING)
    if kind not in KINDS:
        yield At(f"{file} has {'the content type ' + kind if kind else 'an ending without a content type'}: the "
                 f"index shows "
                 f"Markdown, reStructuredText and plain text", line=line)


@PROJECT.rule("REL061", "Images in the README have full addresses",
      why="The index has none of the repository's files, so the page of this version will always show a broken "
          "image.",
      fix="Write the image's https address, for example of the file on GitHub in its raw form.",
      section=SECTION, severity=WARNING)
def images(facts: Facts) -> Iterator[At]:
    """Images by a relative path."""
    if (found := rendering(facts)) and (page := found[1] or found[0]) and facts.readme:
        targets = list(dict.fromkeys(filter(relative, page.images)))
        if targets:
            what = "the images {} are" if len(targets) > 1 else "the image {} is"
            yield At(f"{what.format(listed(targets))} relative", facts.readme[0],
                     facts.line(facts.readme[0], re.escape(targets[0])))


@PROJECT.rule("REL062", "Links in the README have full addresses",
      why="On the index a relative link leads nowhere.",
      fix="Write the https address of the file in the repository or the documentation.",
      section=SECTION, severity=WARNING)
def links(facts: Facts) -> Iterator[At]:
    """Links by a relative path."""
    if (found := rendering(facts)) and found[0] and facts.readme:
        targets = list(dict.fromkeys(filter(relative, found[0].links)))
        if targets:
            target = re.escape(targets[0])
            pattern = rf"(?:\]\(|href=[\"']?|`[^`\n]*<|\]:\s*){target}"
            line = facts.line(facts.readme[0], pattern) or facts.line(facts.readme[0], target)
            what = "links are" if len(targets) > 1 else "the link is"
            yield At(f"{what} relative: {listed(targets)}", facts.readme[0], line)


@PROJECT.rule("REL063", "The index shows the whole README",
      why="The index drops HTML that it doesn't allow and refuses reStructuredText with errors.",
      fix="Write it in Markdown, or with tags and attributes that the index allows; put the rest into the "
          "documentation.",
      section=SECTION)
def whole(facts: Facts) -> Iterator[At]:
    """HTML that is dropped, or a README that can't be rendered."""
    if facts.readme is None or facts.readme[0] not in facts.texts:
        return
    try:
        from readme_renderer.clean import ALLOWED_ATTRIBUTES, ALLOWED_TAGS

        found = rendering(facts)
        if found is None and facts.readme[1] in KINDS:
            raise ImportError
    except ImportError:
        yield unverified("readme-renderer is not installed with its Markdown extra, so the README was not rendered")
        return
    file = facts.readme[0]
    if found is None:
        return
    page, raw, problem = found
    if problem:
        first = re.search(r":(\d+):.*?\) (.*)", problem)
        yield At(f"the index can't show it: {first[2] if first else problem.splitlines()[0]}", file,
                 int(first[1]) if first else 0)
    if raw is None or page is None:
        return
    for tag, attributes in sorted(raw.tags.items()):
        if tag not in ALLOWED_TAGS and (line := facts.line(file, rf"(?i)<{tag}\b")):
            yield At(f"the tag <{tag}> is dropped", file, line, WARNING)
        kept = ALLOWED_ATTRIBUTES.get(tag, set()) | ALLOWED_ATTRIBUTES["*"]
        dropped = [name for name in sorted((attributes & SEEN) - kept)
                   if tag in ALLOWED_TAGS and facts.line(file, rf"(?is)<{tag}\b[^>]*\b{name}\s*=?")]
        if dropped:
            line = facts.line(file, rf"(?is)<{tag}\b[^>]*\b{dropped[0]}\b")
            yield At(f"<{tag}> loses {listed(dropped)}", file, line, WARNING)
    written = "".join(raw.text)
    for tag in sorted(SHOWN_AS_TEXT):
        if re.search(rf"(?i)</?{tag}[\s>]", written):
            yield At(f"<{tag}> is shown as text", file, facts.line(file, rf"(?i)<{tag}\b"), ERROR)
