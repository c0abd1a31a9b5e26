"""The form of a project's version tags, such as v{version}, as its tags show it where no setting names one."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from labhandbook.core.git import git, lines

DEFAULT = "v{version}"
NEWEST = 40
# A version at the end of a tag, after its prefix or at its start.
VERSION = re.compile(r"(?:^|(?<=[-_/@=])|(?<=[-_/@=][vV])|(?<=^[vV]))\d+(?:\.\d+)+"
                     r"(?:[-_.]?(?:a|b|c|rc|alpha|beta|pre|post|dev)[-_.]?\d*)*$", re.IGNORECASE)


def learn(root: Path, name: str, here: tuple[str, ...]) -> str:
    """The form of the tags of a project called `name`: of the tags on the commit, else of the newest ones.

    In a repository of several packages the tags that carry the project's name are its own.
    """
    newest = lines(git(root, "for-each-ref", f"--count={NEWEST}", "--sort=-creatordate",
                       "--format=%(refname:strip=2)", "refs/tags"))
    counted = Counter(form for tag in newest if (form := form_of(tag)))
    own = [form for form in counted if named(form, name)]
    here_forms = [form for tag in here if (form := form_of(tag))]
    for forms in ([form for form in here_forms if named(form, name)], own,
                  sorted({form for form in here_forms if plain(form)}, key=lambda form: -counted[form]),
                  [form for form, _ in counted.most_common() if plain(form)]):
        if forms:
            return forms[0]
    return DEFAULT


def form_of(tag: str) -> str:
    """The form of one tag, empty where it ends with no version."""
    found = VERSION.search(tag)
    return re.sub(r"[{}]", "", tag[:found.start()]) + "{version}" if found else ""


def named(form: str, name: str) -> bool:
    """Whether a form carries a project's name. npm writes NAME@VERSION, for another package of that name."""
    before = form.partition("{")[0]
    return bool(name) and "@" not in before and _bare(re.sub(r"[-_/=]+[vV]?$", "", before)) == _bare(name)


def plain(form: str) -> bool:
    """Whether a form carries no name of a package."""
    return bool(re.fullmatch(r"(v|V|rel(ease)?[-_/]?v?|version[-_/]?)?\{version\}", form))


def _bare(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
