"""A release's licence, addresses, description, modules and entry points, from its files."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Any

from labhandbook.core import untrusted_data
from labhandbook.package.distribution import Distribution
from labhandbook.package.project import normalise
from labhandbook.package.public_api import imported
from labhandbook.recipe.requirement_specs import parse

# Classifiers that mean exactly one licence.
CLASSIFIERS = {
    "MIT License": "MIT", "Apache Software License": "", "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "The Unlicense (Unlicense)": "Unlicense",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "Zero-Clause BSD (0BSD)": "0BSD", "zlib/libpng License": "Zlib",
}
# Sentences that only one licence has, or a licence together with others that come later in this list.
SENTENCES = [
    ("zope public license (zpl) version 2.1", "ZPL-2.1"),
    ("apache license version 2.0", "Apache-2.0"), ("mozilla public license version 2.0", "MPL-2.0"),
    ("permission is hereby granted, free of charge", "MIT"),
    ("permission to use, copy, modify, and/or distribute this software for any", "ISC"),
    ("permission to use, copy, modify, and distribute this software for any", "ISC"),
    ("this is free and unencumbered software released into the public domain", "Unlicense"),
]
LABELS = {
    "homepage": ("homepage", "home", "website"),
    "documentation": ("documentation", "docs", "doc", "userguide"),
    "repository": ("repository", "source", "sourcecode", "code", "github", "git", "gitlab", "sourcerepository"),
}


def licence(sdist: Distribution, wheel: Distribution, guess: str = "") -> tuple[str, str]:
    """The SPDX expression of a release, or an empty string, and what a person must compare.

    It is what the metadata say, else what one classifier or the licence file's own words say, else `guess`. What the
    files alone say, or say otherwise, is never taken silently.
    """
    stated = wheel.metadata.get("license_expression") or ""
    short = str(wheel.metadata.get("license") or "").strip()
    by_classifier = [CLASSIFIERS.get(label.rpartition(" :: ")[2], "") for label in wheel.classifiers
            if label.startswith("License :: ")]
    by_text = {path: found for path in sdist.licences if (found := by_words(sdist.text(path)))}
    texts = set(by_text.values())
    # A guess counts only where the release names that family of licences.
    said = " ".join([short, *wheel.classifiers, *(sdist.text(path) for path in sdist.licences)])
    if guess and not re.search(rf"\b{re.escape(guess.partition('-')[0])}\b", said, re.IGNORECASE):
        guess = ""
    stated_there = [stated, short if len(short) < 60 else "", by_classifier[0] if len(by_classifier) == 1 else ""]
    found = next(filter(None, map(spdx, filter(None, stated_there))), "")
    unstated = [*texts] if len(texts) == 1 else []
    chosen = found or next(filter(None, map(spdx, filter(None, [*unstated, guess]))), "")
    named = " ".join([short, *wheel.classifiers]).lower()
    agreed = {path for path, name in by_text.items() if not found and name.partition("-")[0].lower() in named}
    return chosen, _doubt(chosen, found, by_text, sdist, agreed) if chosen else ""


def _doubt(chosen: str, stated: str, by_text: dict[str, str], sdist: Distribution, agreed: set[str]) -> str:
    """What a person must compare, with the first line of the file: nothing where metadata and files agree.

    `agreed` are the files whose licence the metadata name in words that are no SPDX expression.
    """
    for path, name in by_text.items():
        if path in agreed:
            return ""
        first = next((line.strip() for line in sdist.text(path).splitlines() if line.strip()), "")[:80]
        if not stated:
            return f"the metadata name no licence; {chosen} is read from {path}, which begins {first!r}: check it"
        # The texts of -only and -or-later, and of some variants of BSD, are the same.
        if name.partition("-")[0] not in chosen:
            return f"the metadata say {chosen}, and {path} looks like {name}: it begins {first!r}; check the licence"
    return "" if stated else f"the metadata name no licence; {chosen} is what grayskull takes it for: check it"


def spdx(text: str) -> str:
    """A licence as SPDX writes it, empty where it is none of its expressions."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(text)) if len(text) < 2_000 else ""
    except InvalidLicenseExpression:
        return ""


def by_words(text: str) -> str:
    """The licence that a licence file's own words show, an empty string where they show none."""
    words = re.sub(r"[\s*]+", " ", text).lower().replace(", version", " version")
    for sentence, name in SENTENCES:
        if sentence in words:
            return name
    if "redistribution and use in source and binary forms" in words:
        named = re.search(r"neither the names? of|names? of (its|the) (contributors|copyright)[^.]*endorse", words)
        return "BSD-3-Clause" if named else "BSD-2-Clause"
    return ""


def addresses(wheel: Distribution) -> dict[str, str]:
    """Homepage, documentation and repository, as far as the metadata or the README's links say."""
    found: dict[str, str] = {}
    if page := wheel.metadata.get("home_page"):
        found["homepage"] = str(page)
    urls: dict[str, str] = wheel.metadata.get("project_urls") or {}
    for label, url in urls.items():
        for field, labels in LABELS.items():
            if re.sub(r"[\W_]", "", label.lower()) in labels:
                found.setdefault(field, url.strip())
    forge = re.compile(r"https://(?:github|gitlab)\.com/[\w.-]+/[\w.-]+")
    here = normalise(wheel.name)
    if "repository" not in found:
        for url in [*found.values(), *urls.values(), *forge.findall(str(wheel.metadata.get("description") or ""))]:
            match = forge.match(url)
            if match and normalise(match[0].rpartition("/")[2].removesuffix(".git")) == here:
                found["repository"] = match[0].removesuffix(".git")
                break
    if "homepage" not in found:
        for field in ("documentation", "repository"):
            if field in found:
                found["homepage"] = found[field]
                break
    return {field: url.removesuffix(".git") for field,
            url in found.items() if url.startswith(("http://", "https://"))}


def imports(wheel: Distribution, modules_of: Callable[[str], set[str]] = lambda project: set()) -> list[str]:
    """The modules that a user imports first: each top-level package, or the packages in a namespace.

    Those that need what only an extra requires are left out. `modules_of` says what a project's modules are called,
    and is asked where they are not called as the project is.
    """
    names = {name for name, path in wheel.modules.items()}
    packages = {name for name in names
                if any(path.endswith(f"{name.replace('.', '/')}/__init__.py") for path in wheel.modules.values())}
    found: list[str] = []
    for name in sorted(names, key=lambda name: (name.count("."), name)):
        top = "." not in name or name in packages
        if top and not any(name.startswith(f"{shorter}.") for shorter in found):
            found.append(name)
    found = [name for name in found if "-" not in name]  # a package of type stubs, NAME-stubs, is never imported
    public = [name for name in found if not name.startswith("_") and name.split(".")[0] not in (
        "tests", "test", "docs", "examples")]
    if len(public) < 2:
        return public or found
    outside = {name: _outside(wheel, name) for name in public}
    extra, always = _requirements(wheel)
    names, used = set(extra), set[str]().union(*outside.values())
    if used - names - always - sys.stdlib_module_names:
        with ThreadPoolExecutor(8) as pool:
            names.update(*pool.map(modules_of, [project for name, project in extra.items() if name not in used]))
    return [name for name in public if not names & outside[name]] or public


def _requirements(wheel: Distribution) -> tuple[dict[str, str], set[str]]:
    """The projects that only extras require, by what their modules are mostly called, and so the others' modules."""
    asked = [one for text in wheel.requires if (one := parse(text))]
    called = {one.name: normalise(one.name).replace("-", "_").removeprefix("python_") for one in asked}
    always = {one.name for one in asked if not one.marker or one.marker.evaluate({"extra": ""})}
    return ({called[one.name]: one.name for one in asked if one.name not in always and "extra" in str(one.marker)},
            {called[name] for name in always})


def _outside(wheel: Distribution, module: str) -> set[str]:
    """The first names of all that importing a module imports from other projects."""
    api, seen, queue, found = wheel.api, set[str](), [module], set[str]()
    while queue:
        name = queue.pop()
        if name.partition(".")[0] not in api.known:
            found.add(name.partition(".")[0])
        elif name not in seen:
            seen.add(name)
            queue += [*imported(api.sources.get(name) or "", name, name in api.packages),
                      *filter(None, [name.rpartition(".")[0]])]
    return found


def stubs(wheel: Distribution) -> list[str]:
    """The folders of type stubs, as patterns of the files in a package."""
    folders = {path.partition("/")[0] for path in wheel.installed if "/" in path}
    return [f"**/{name}/**" for name in sorted(folders) if name.endswith("-stubs")]


def entry_points(wheel: Distribution) -> list[str]:
    """The commands that the package installs, without the extras that they are for: conda has none."""
    groups = ("console_scripts", "gui_scripts")
    return [f"{name} = {target.partition('[')[0].strip()}" for group in groups
            for name, target in wheel.entry_points.get(group, {}).items()]


def build_requires(sdist: Distribution) -> list[str]:
    """The requirements of `[build-system]`; setuptools where the sdist has none (PEP 517).

    Raises HandbookError when its `pyproject.toml` can't be read.
    """
    found = pyproject(sdist).get("build-system", {}).get("requires")
    return [str(one) for one in found] if isinstance(found, list) else ["setuptools"]


def pyproject(sdist: Distribution) -> dict[str, Any]:
    """The sdist's `pyproject.toml`, empty without one. Raises HandbookError when it can't be read."""
    return untrusted_data.toml(sdist.text("pyproject.toml"), f"{sdist.file}: pyproject.toml")


LANGUAGES = {".c": "c", ".pyx": "c", ".cpp": "cxx", ".cc": "cxx", ".cxx": "cxx", ".f90": "fortran", ".f": "fortran",
             ".rs": "rust", ".go": "go", ".cu": "cuda"}


def languages(paths: Iterable[str]) -> list[str]:
    """The compiled languages of source files, tests and documentation left out."""
    found = {LANGUAGES[suffix] for path in paths if (suffix := PurePosixPath(path).suffix.lower()) in LANGUAGES
             and not {"test", "tests", "docs", "doc", "examples", "benchmarks"} & set(PurePosixPath(path).parts)}
    return sorted(found)
