"""`handbook recipe submit` and `update`: branch, file, commit and the words of the pull request."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from labhandbook.errors import HandbookError
from labhandbook.files import write_atomic
from labhandbook.recipe.checkout import Checkout, checkout, open_with_gh
from labhandbook.recipe.drift import Drift, compare
from labhandbook.recipe.lint import judge
from labhandbook.recipe.reading import Reading, find, read
from labhandbook.rules import Finding, Severity

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
    comments: list[tuple[str, str]]
    findings: list[Finding] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    opened: str = ""


def submit(path: Path, clone: Path, *, branch: str = "", gh: bool = False) -> Proposed | list[Finding]:
    """Put a recipe into a clone of your fork of staged-recipes; the findings instead when it has errors.

    Raises HandbookError when the clone can't be used. Nothing is changed before all is known to fit.
    """
    file = find(path)
    reading = read(file, str(path))
    found = judge(reading)
    if any(one.weight is Severity.ERROR for one in found):
        return found
    name = reading.get("package.name")
    text = reading.text
    place = checkout(clone, "recipes", "your fork of staged-recipes")
    target = place.root / "recipes" / name / file.name
    own = target.exists() and target.resolve() == file.resolve()
    if target.exists() and not own:
        raise HandbookError(f"recipes/{name}/{file.name} is there already", where=str(target),
                            why="another recipe would be lost", todo="look at it, then remove it", section=SECTION)
    branch = branch or f"{name}-recipe"
    place.branch(branch)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not own:
        write_atomic(target, text)
    commit = place.commit(target, f"Add {name}")
    return _propose(place, branch, commit, f"Add {name}", staged_text(reading), staged_comments(reading), STAGED,
                    found, gh=gh)


def update(feedstock: Path, version: str = "", *, branch: str = "", gh: bool = False,
           target: str = "pypi") -> tuple[Drift, Proposed | None]:
    """Bring the recipe of a feedstock's checkout to a release; nothing is proposed when it is there already.

    Raises HandbookError when the checkout or the release can't be used.
    """
    place = checkout(feedstock, "recipe", "your fork of the feedstock")
    drift = compare(place.root, version=version, target=target)
    if not drift.findings:
        return drift, None
    name, new = drift.release.name, drift.release.version
    branch = branch or f"update-{new}"
    same = drift.reading.get("package.version") == new
    if same and drift.reading.written("build.number").isdigit():
        drift.edits.field("build.number", int(drift.reading.get("build.number")) + 1)
    text = drift.edits.text()
    place.branch(branch)
    write_atomic(drift.reading.path, text)
    title = f"{name} {new}" if not same else f"Correct the recipe of {name} {new}"
    commit = place.commit(drift.reading.path, title)
    words = feedstock_text(drift, same=same)
    comments = [("to let conda-forge render the feedstock anew", "@conda-forge-admin, please rerender")]
    return drift, _propose(place, branch, commit, title, words, comments, f"conda-forge/{name}-feedstock", [],
                           gh=gh, left=drift.edits.left)


def _propose(place: Checkout, branch: str, commit: str, title: str, text: str, comments: list[tuple[str, str]],
             repository: str, findings: list[Finding], *, gh: bool, left: list[str] | None = None) -> Proposed:
    body = place.root / place.git("rev-parse", "--git-dir") / TEXT_FILE
    write_atomic(body, text)
    made = Proposed(branch, commit, title, text, body, comments, findings, left or [])
    if gh:
        made.opened = open_with_gh(place.root, repository, title, body, branch)
    return made


def staged_text(reading: Reading) -> str:
    """The pull request's text: the package, and staged-recipes' checklist, ticked where the recipe shows it."""
    urls = [value.text for value in reading.values("source.url")]
    files = ", ".join(value.text for value in reading.values("about.license_file"))
    on_pypi = all("/packages/source/" in url for url in urls) and bool(urls)
    lines = [
        f"{reading.get('about.summary')}", "", f"Home page: {reading.get('about.homepage')}", "", "Checklist", "",
        _box(True, "Title of this PR is meaningful"),
        _box(False, f"License file is packaged (the recipe names {files or 'none'})"),
        _box(on_pypi, "Source is from official source"),
        _box(False, "Package does not vendor other packages"),
        _box(reading.noarch, "If static libraries are linked in, the license of the static library is packaged"),
        _box(reading.noarch, "Package does not ship static libraries"),
        _box(reading.get("build.number") == "0", "Build number is 0"),
        _box(bool(urls) and not any("git" in url.partition(":")[0] for url in urls),
             "A tarball (`url`) rather than a repo is used in the recipe"),
        _box(False, "GitHub users listed in the maintainer section have posted a comment confirming they are willing "
                    "to be listed there"),
    ]
    return "\n".join(lines) + "\n"


def _box(ticked: bool, text: str) -> str:
    return f"- [{'x' if ticked else ' '}] {text}"


def staged_comments(reading: Reading) -> list[tuple[str, str]]:
    """The comments to write on the pull request, each with its occasion."""
    people = [value.text for value in reading.values("extra.recipe-maintainers")]
    others = [(f"from {name}, if it isn't you", f"I am willing to be listed as a maintainer of "
                                                f"{reading.get('package.name')}.") for name in people]
    return [*others,
            ("after a network error in a check", "@conda-forge-admin, please restart ci"),
            ("for review, as your first contribution", "@conda-forge-admin, please ping conda-forge/help-python"),
            ("for review, if you have contributed before", "@conda-forge/help-python, ready for review!")]


def feedstock_text(drift: Drift, *, same: bool) -> str:
    """The text of a feedstock's pull request: what changed, and its checklist."""
    changes = [f"- {one.message}" for one in drift.findings]
    boxes = [_box(False, "Used a personal fork of the feedstock to propose changes"),
             _box(same, "Bumped the build number (if the version is unchanged)"),
             _box(not same, "Reset the build number to 0 (if the version changed)"),
             _box(False, "Re-rendered with the latest conda-smithy"),
             _box(bool(drift.reading.values("about.license_file")), "Ensured the license file is being packaged")]
    return "\n".join(["Changes, found by comparing the recipe with the release:", "", *changes, "", "Checklist", "",
                      *boxes]) + "\n"
