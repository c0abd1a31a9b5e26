"""`handbook recipe submit` and `update`: branch, files, commit and the text of the pull request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.core.rules import ERROR, Findings
from labhandbook.recipe import pull_request
from labhandbook.recipe.checkout import Checkout, checkout, open_with_gh
from labhandbook.recipe.line_edits import Edits
from labhandbook.recipe.pull_request import Comment
from labhandbook.recipe.recipe_diff import Drift, diff
from labhandbook.recipe.recipe_lint import judge, shown
from labhandbook.recipe.recipe_reader import find, parse, read
from labhandbook.recipe.recipe_rules.release_agreement import LICENCE

STAGED, SECTION, UPDATE = "conda-forge/staged-recipes", "sec-conda-forge-pr", "sec-conda-forge-update"
RERENDER = Comment("to let conda-forge render the feedstock again", "@conda-forge-admin, please rerender")
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


def bump(feedstock: Path, *, branch: str = "", gh: bool = False) -> Proposed:
    """Raise the build number of a feedstock's checkout by one, and change nothing else.

    Raises HandbookError when the number is no plain number, or the checkout can't be used.
    """
    place = checkout(feedstock, "recipe", "your fork of the feedstock")
    file = find(place.root)
    reading = read(file, shown(file))
    edits = Edits(reading)
    old = edits.raise_build_number()
    if old is None:
        raise HandbookError(f"the build number is {reading.written('build.number') or 'missing'}",
                            where=f"{reading.file}:{reading.line('build.number')}",
                            why="only a plain number, or a variable that is one, can be raised here",
                            todo="raise it by hand", section=UPDATE)
    refuse_new_errors(edits)
    name = reading.get("extra.feedstock-name") or reading.get("recipe.name") or reading.get("package.name")
    branch = branch or f"build-{old + 1}"
    place.branch(branch)
    write_atomic(reading.path, edits.data)
    title = f"Build {name} {reading.get('package.version') or reading.get('recipe.version')} again"
    commit = place.commit([reading.path], title)
    text = pull_request.feedstock([f"the build number is {old + 1}, it was {old}"], [], place.owner, same=True,
                                  licence=False)
    made = Proposed(branch, commit, title, text, _text_file(place), [RERENDER])
    return _write(made, place, f"conda-forge/{name}-feedstock", gh=gh)


def refuse_new_errors(edits: Edits) -> None:
    """Raise HandbookError when the changed recipe has errors that it did not have before."""
    before = {(one.rule.code, one.message) for one in judge(edits.reading) if one.weight == ERROR}
    after = judge(parse(edits.text, edits.reading.path, edits.reading.file))
    new = [one for one in after if one.weight == ERROR and (one.rule.code, one.message) not in before]
    if new:
        raise HandbookError(f"the changed recipe would have an error: {new[0].rule.code} {new[0].message}",
                            where=new[0].place, why="nothing was changed", todo="make the change by hand",
                            section=UPDATE)


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
    if same:
        drift.edits.raise_build_number()
    refuse_new_errors(drift.edits)
    branch = branch or f"update-{new}"
    place.branch(branch)
    write_atomic(drift.reading.path, drift.edits.data)
    title = f"{name} {new}" if not same else f"Correct the recipe of {name} {new}"
    commit = place.commit([drift.reading.path], title)
    licence = bool(drift.reading.values("about.license_file")) and not any(one.rule is LICENCE for one in drift.left)
    text = pull_request.feedstock([one.message for one in drift.edits.settled], [one.message for one in drift.left],
                                  place.owner, same=same, licence=licence)
    made = Proposed(branch, commit, title, text, _text_file(place), [RERENDER])
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
