"""`handbook recipe submit` and `update`: branch, files, commit and the text of the pull request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.core.rules import Findings
from labhandbook.recipe import pull_request
from labhandbook.recipe.checkout import Checkout, checkout, open_with_gh
from labhandbook.recipe.pull_request import Comment
from labhandbook.recipe.recipe_diff import Drift, diff
from labhandbook.recipe.recipe_lint import judge
from labhandbook.recipe.recipe_reader import find, read
from labhandbook.recipe.recipe_rules.release_agreement import LICENCE

STAGED, SECTION = "conda-forge/staged-recipes", "sec-conda-forge-pr"
TEXT_FILE = "handbook-pull-request.md"


@dataclass
class Proposed:
    """A branch with its commit, and the texts for people and bots; `opened` is the pull request's address."""

    branch: str
    commit: str
    title: str
    text: str
    body: Path
    comments: Sequence[Comment]
    findings: Findings = field(default_factory=Findings)
    opened: str = ""


def submit(path: Path, clone: Path, *, branch: str = "", gh: bool = False) -> Proposed | Findings:
    """Put a recipe into a clone of your fork of staged-recipes; the findings instead when it has errors.

    Raises HandbookError when the clone can't be used. Nothing changes before every check has passed.
    """
    file = find(path)
    reading = read(file, str(path))
    found = judge(reading)
    if found.failed():
        return found
    name = reading.get("package.name")
    place = checkout(clone, "recipes", "your fork of staged-recipes")
    branch = branch or f"{name}-recipe"
    target = place.root / "recipes" / name
    if place.holds(f"recipes/{name}", branch) and target.resolve() != file.parent.resolve():
        raise HandbookError(f"recipes/{name} is there already", where=str(target),
                            why="another recipe would be lost", todo="check it, then remove it", section=SECTION)
    # Another branch may not have them: they are read before it is checked out.
    parts = {target / part: untrusted_data.content(file.parent / part) for part in beside(file)}
    place.branch(branch)
    for part, data in parts.items():
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
    title = f"Add {name}"
    commit = place.commit(list(parts), title)
    made = Proposed(branch, commit, title, pull_request.staged(reading, place.root, place.owner), _text_file(place),
                    pull_request.staged_comments(reading, place.owner), found)
    return _write(made, place, STAGED, gh=gh)


def beside(file: Path) -> list[Path]:
    """A recipe's own files, relative to its folder: the recipe, licences, patches and scripts; no packages."""
    skipped = {"output", "build_artifacts"}
    return [path.relative_to(file.parent) for path in sorted(file.parent.rglob("*")) if path.is_file()
            and not any(part.startswith(".") or part in skipped for part in path.relative_to(file.parent).parts)]


def update(feedstock: Path, version: str = "", *, branch: str = "", gh: bool = False,
           target: str = "pypi") -> tuple[Drift, Proposed | None]:
    """Bring version, hash and build number of a feedstock's checkout to a release; None when they are right.

    Other differences are for a person: `Drift.left`. Raises HandbookError when the checkout or the release can't be
    used.
    """
    place = checkout(feedstock, "recipe", "your fork of the feedstock")
    drift = diff(place.root, version=version, target=target)
    if not drift.edits.changes:
        return drift, None
    name, new = drift.release.name, drift.release.version
    same = drift.reading.get("package.version") == new
    if same and drift.reading.written("build.number").isdigit():
        drift.edits.build_number(int(drift.reading.get("build.number")) + 1)
    branch = branch or f"update-{new}"
    place.branch(branch)
    write_atomic(drift.reading.path, drift.edits.data)
    title = f"{name} {new}" if not same else f"Correct the recipe of {name} {new}"
    commit = place.commit([drift.reading.path], title)
    licence = bool(drift.reading.values("about.license_file")) and not any(one.rule is LICENCE for one in drift.left)
    text = pull_request.feedstock([one.message for one in drift.edits.settled], [one.message for one in drift.left],
                                  place.owner, same=same, licence=licence)
    comment = Comment("to let conda-forge render the feedstock again", "@conda-forge-admin, please rerender")
    made = Proposed(branch, commit, title, text, _text_file(place), [comment])
    return drift, _write(made, place, f"conda-forge/{name}-feedstock", gh=gh)


def _text_file(place: Checkout) -> Path:
    """Where the text of the pull request is kept: in git's own folder, so that it is never committed."""
    return place.root / place.git("rev-parse", "--git-dir") / TEXT_FILE


def _write(made: Proposed, place: Checkout, repository: str, *, gh: bool) -> Proposed:
    """Keep the text, and open the pull request if that is asked for."""
    write_atomic(made.body, made.text)
    if gh:
        head = f"{place.owner}:{made.branch}" if place.owner else made.branch
        made.opened = open_with_gh(place.root, repository, made.title, made.body, made.branch, head)
    return made
