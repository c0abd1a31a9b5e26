"""What must hold between several builds of one commit."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from labhandbook.core.rules import Finding, Rule, Severity, register
from labhandbook.core.wording import listed
from labhandbook.package.backend_settings import places, remedy
from labhandbook.package.distribution import Distribution
from labhandbook.package.project import Project

INCOMPLETE = register(Rule(
    "REL201", "The sdist holds everything that the wheel needs",
    "A wheel made from the sdist differs from one made from the sources. conda-forge, and users without a fitting "
    "wheel, build from the sdist and get a broken package.",
    "Name the missing files in MANIFEST.in or in the backend's settings for the sdist, then build again.",
    "sec-pypi-metadata-packages"))
UNSTABLE = register(Rule(
    "REL202", "Two builds of one commit give the same bytes",
    "When every build is different, nobody can check that a file comes from its commit.",
    "Remove what depends on the time, the folder, or the order of files, such as a time stamp in a generated module.",
    "sec-pypi-build", Severity.WARNING))
# Lines on the commit, and on licence files: tools write these files from git, and an sdist then holds them.
COMMIT = re.compile(r"(__)?commit_id(__)? *[=:]|License-File:")
HARMLESS = re.compile(r"\.dist-info/(RECORD|top_level\.txt|licenses/.+)$")
RECORD = re.compile(r"\.dist-info/RECORD$")
# Each bill of materials has a serial number of its own (PEP 770, CycloneDX), so maturin writes another one each time.
OWN_NUMBER = re.compile(r"\.dist-info/sboms/")


def reproducible(first: Distribution, second: Distribution) -> Iterator[Finding]:
    """Two builds of the same sources, in different folders, are equal to the byte."""
    if first.file != second.file:
        yield Finding(first.file, 0, UNSTABLE, f"a second build made {second.file}")
    elif first.sha256 != second.sha256:
        members = changed(first, second) or sorted(first.files.keys() ^ second.files.keys())
        if members and all(OWN_NUMBER.search(path) for path in members):
            return
        yield Finding(first.file, 0, UNSTABLE, f"a second build differs in {listed(members)}" if members else
                      "a second build holds the same files with other times or modes, or in another order")


def complete(wheel: Distribution, of_tree: Distribution, again: Distribution, project: Project,
             tree: Collection[str]) -> Iterator[Finding]:
    """The wheel made from the sdist holds what the wheel made from the tree holds.

    `again` is a second wheel from the sdist: what differs even there says nothing about the sdist. `tree` are the
    files of the commit.
    """
    fix = remedy(places(project).sdist)
    if project.tool == "setuptools" and any(re.match(r"build/(lib|bdist)", path) for path in tree):
        fix = "git rm -r --cached build, and add build/ to .gitignore: setuptools takes old files from build/lib."
    ours, theirs = _comparable(wheel), _comparable(of_tree)
    if lacking := sorted(theirs.keys() - ours.keys()):
        yield Finding(wheel.file, 0, INCOMPLETE, f"made from the sdist it lacks {listed(lacking)}", None, fix)
    if added := sorted(path for path in ours.keys() - theirs.keys() if not HARMLESS.search(path)):
        yield Finding(wheel.file, 0, INCOMPLETE, f"made from the sources it would lack {listed(added)}",
                      Severity.WARNING, fix)
    unstable = set(changed(wheel, again))
    differing = [path for path in changed(wheel, of_tree) if path in ours and path not in unstable
                 and not HARMLESS.search(path) and not _only_commit(wheel.text(path), of_tree.text(path))]
    if differing:
        yield Finding(wheel.file, 0, INCOMPLETE,
                      f"made from the sources it would hold other contents of {listed(differing)}", Severity.WARNING,
                      fix)
    if wheel.file != of_tree.file:
        yield Finding(wheel.file, 0, INCOMPLETE, f"made from the sources it would be {of_tree.file}")


def changed(first: Distribution, second: Distribution) -> list[str]:
    """The files that both hold with different contents; the list of hashes in a wheel only follows from them."""
    both = first.files.keys() & second.files.keys()
    different = sorted(path for path in both if first.files[path].sha256 != second.files[path].sha256)
    return [path for path in different if not RECORD.search(path)] or different


def _only_commit(one: str, other: str) -> bool:
    """Whether two texts differ only in what setuptools-scm and pbr know in a repository and not in an sdist."""
    kept = ["\n".join(line for line in text.splitlines() if not COMMIT.match(line)) for text in (one, other)]
    return bool(one and other) and kept[0] == kept[1]


def _comparable(wheel: Distribution) -> dict[str, str]:
    return {path: member.sha256 for path, member in wheel.files.items() if not RECORD.search(path)}
