"""What is pinned or was tried in one version: actions, Quarto, Python tools; and data files past their review."""

from __future__ import annotations

import base64
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from packaging.version import InvalidVersion, Version

from labhandbook.book.book_rules import MOVED, PIN, REVIEW, TOOL
from labhandbook.book.facts import Fact
from labhandbook.core.errors import HandbookError
from labhandbook.core.github_api import GitHub
from labhandbook.core.rules import Finding, Severity
from labhandbook.package.name_lookup import Answer, look_up, place_of

PINS = "tooling/src/labhandbook/github/actions.toml"
OLDEST = "conda-forge.python-min"
SEEN = re.compile(rf"tools\.([\w-]+(?=\.seen)|{OLDEST})(\.seen)?")
# Tools whose releases are on GitHub, and not on an index.
ON_GITHUB = {"quarto": "quarto-dev/quarto-cli", "conda-smithy": "conda-forge/conda-smithy"}
# Tools whose versions are days: each release counts.
BY_DAY = {"conda-smithy"}
SECONDS = 20.0

Open = Callable[[str], GitHub]


def actions(root: Path, hub: Open) -> list[Finding]:
    """What GitHub says of the pinned actions: newer releases, and tags that name another commit than the pin."""
    path = root / PINS
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    pinned = {name: entry for name, entry in tomllib.loads(text).items() if isinstance(entry, dict)}
    lines = {name: text[:text.index(f'["{name}"]')].count("\n") + 1 for name in pinned}
    with ThreadPoolExecutor(4) as pool:
        asked = {name: pool.submit(_of_action, hub(name), entry["tag"]) for name, entry in pinned.items()}
    found = [Finding(PINS, lines[name], PIN, f"no workflow uses {name}", remedy="Remove it from the table.")
             for name in unused(root, pinned)]
    for name, entry in pinned.items():
        try:
            newest, commit, proposed = asked[name].result()
        except HandbookError as problem:
            found.append(Finding(PINS, lines[name], PIN, f"{name} could not be looked up: {problem.what}",
                                 Severity.UNVERIFIED))
            continue
        if newer(newest, entry["tag"]):
            change = f'write tag = "{newest}" and commit = "{proposed}" here, and in the lines of .github.'
            found.append(Finding(PINS, lines[name], PIN, f"{name} is pinned at {entry['tag']}, and {newest} is out",
                                 remedy=f"Read its release notes; {change}" if proposed else ""))
        if commit and commit != entry["commit"]:
            found.append(Finding(PINS, lines[name] + 2, MOVED,
                                 f"{name} {entry['tag']} is {commit} today, and {entry['commit']} was pinned"))
    return found


def unused(root: Path, names: Iterable[str]) -> list[str]:
    """The actions of these names that no file below .github and no chapter uses; none where there is no .github."""
    jobs = sorted((root / ".github").rglob("*.yml"))
    text = "".join(path.read_text(encoding="utf-8") for path in [*jobs, *(root / "chapters").rglob("*.qmd")] if jobs)
    return [name for name in names if text and not re.search(rf"uses: {re.escape(name)}[@/]", text)]


def _of_action(github: GitHub, tag: str) -> tuple[str, str, str]:
    """An action's newest release, the commit that a tag names today, and that of the newer release to change to.

    Each is empty where there is none.
    """
    release, commit = github.get("releases/latest"), github.get(f"commits/{tag}")
    newest = str((release or {}).get("tag_name", ""))
    proposed = (github.get(f"commits/{newest}") or {}).get("sha", "") if newer(newest, tag) else ""
    return newest, str((commit or {}).get("sha", "")), str(proposed)


def tried(facts: Sequence[Fact], hub: Open, index: Callable[[str], Answer]) -> list[Finding]:
    """Tools of which a feature release is out since the text was tried with them; corrections do not count."""
    seen = {match[1]: fact for fact in facts if (match := SEEN.fullmatch(fact.name))}
    with ThreadPoolExecutor(4) as pool:
        asked = {name: pool.submit(_newest, name, hub, index) for name in seen}
    found = []
    for name, fact in seen.items():
        try:
            newest = asked[name].result()
        except HandbookError as problem:
            found.append(Finding(fact.file, fact.line, TOOL, f"{name} could not be looked up: {problem.what}",
                                 Severity.UNVERIFIED))
            continue
        if newer(newest, fact.value, parts=3 if name in BY_DAY else 2):
            found.append(Finding(fact.file, fact.line, TOOL,
                                 f"the text was tried with {name} {fact.value}, and {newest} is out"))
    return found


def _newest(name: str, hub: Open, index: Callable[[str], Answer]) -> str:
    """The newest final version of a tool. Raises HandbookError when the index can't be read."""
    if name in ON_GITHUB:
        release = hub(ON_GITHUB[name]).get("releases/latest")
        return str((release or {}).get("tag_name", ""))
    if name == OLDEST:  # conda-forge's own file of pins
        held = hub("conda-forge/conda-forge-pinning-feedstock").get("contents/recipe/conda_build_config.yaml") or {}
        text = base64.b64decode(str(held.get("content", ""))).decode("utf-8", "replace")
        pinned = re.search(r"^python_min:\n(?:\s*#.*\n)*\s*- '([\d.]+)'", text, re.MULTILINE)
        return pinned[1] if pinned else ""
    answer = index(name)
    if answer.problem:
        raise HandbookError(answer.problem)
    versions = [version for text in answer.versions if (version := _version(text)) and not version.is_prerelease]
    return str(max(versions, default=""))


def newer(one: str, other: str, parts: int = 4) -> bool:
    """Whether a version is newer than another in its first `parts` numbers; a leading v does not count."""
    first, second = _version(one), _version(other)
    # The text may give fewer numbers of a version than the release has.
    count = min(parts, len(second.release) if second else 0)
    return bool(first and second) and _padded(first, count) > _padded(second, count)


def _padded(version: Version | None, count: int) -> tuple[int, ...]:
    return ((*version.release, 0, 0, 0, 0)[:count]) if version else ()


def _version(text: str) -> Version | None:
    try:
        return Version(text.removeprefix("v"))
    except InvalidVersion:
        return None


def reviews(root: Path, today: date) -> Iterator[Finding]:
    """Data files of the package whose review day is past; those beside the chapters are the book's own."""
    for path in sorted((root / "tooling" / "src").rglob("*.toml")):
        text = path.read_text(encoding="utf-8")
        for match in re.finditer(r"^review-by = (\d{4}-\d\d-\d\d)$", text, re.MULTILINE):
            if date.fromisoformat(match[1]) < today:
                yield Finding(path.relative_to(root).as_posix(), text.count("\n", 0, match.start()) + 1, REVIEW,
                              f"to be looked up again by {match[1]}, which is past")


def on_index(name: str) -> Answer:
    """What PyPI says of a package."""
    return look_up(name, place_of("pypi"), SECONDS)
