"""What PyPI refuses at upload, of names and metadata: the rules of its upload API, applied before an upload.

They follow warehouse (`forklift/legacy.py` and `forklift/metadata.py`, as of August 2026). What `packaging` finds in
a field comes under the rule of that field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from labhandbook.core.rules import UNVERIFIED, At, Finding, Rule, Rules, register
from labhandbook.core.wording import listed
from labhandbook.package.distribution import Distribution
from labhandbook.package.project import PYPROJECT, Project, normalise
from labhandbook.package.wheel_tags import allowed
from labhandbook.release.readme_page import render

SECTION = "sec-pypi-check"
VERSIONS = {"1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"}
FILE_LIMIT = 100 << 20
SUMMARY, LABEL = 512, 32
NAME = re.compile(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Offered:
    """A file to upload, and the project that it was built from if that is here."""

    file: Distribution
    project: Project | None = None

    def place(self, key: str, needle: str = "") -> tuple[str, int]:
        """Where to correct a field: the line of pyproject.toml that holds its text, or else its key."""
        if self.project is None or not key:
            return f"{self.file.file}/{self.file.metadata_path}", 0
        if needle and needle in self.project.text:
            return PYPROJECT, self.project.line(needle)
        return PYPROJECT, self.project.line(key, "project")


GATE: Rules[Offered] = Rules(lambda offered: offered.file.file)


def _rule(code: str, title: str, why: str, fix: str, section: str = SECTION) -> Rule:
    return register(Rule(code, title, why, fix, section))


METADATA = _rule(
    "REL301", "Every field of the metadata is valid",
    "PyPI reads the metadata by the specification and refuses the upload at the first field that breaks it.",
    "Correct the field in pyproject.toml, tag the corrected commit and build again.")
FORMAT = _rule(
    "REL302", "PyPI accepts the version of the metadata",
    "PyPI refuses a version of the format that it does not support yet, and a file without metadata.",
    f"Build with a backend that writes one of {', '.join(sorted(VERSIONS))}.", "sec-pypi-environment")
VERSION = _rule(
    "REL303", "The version is a public one",
    "A version with a plus sign is for your own machines: PyPI refuses it. setuptools-scm makes it from a commit "
    "without a tag, a changed file or a shallow clone.",
    "Commit everything, tag the commit with the version, and build again.", "sec-pypi-tag")
DIRECT = _rule(
    "REL304", "No dependency is given by an address",
    "PyPI refuses dependencies of the form name @ address, extras included: they could install anything.",
    "Depend on a released version, and release the other package first.", "sec-pypi-dependencies")
CLASSIFIER = _rule(
    "REL305", "Every classifier is on PyPI's list",
    "PyPI refuses the upload for a classifier that is unknown or deprecated.",
    "Copy the classifier letter by letter from PyPI's list, or remove it.", "sec-pypi-metadata")
PRIVATE = _rule(
    "REL306", "The package may be published",
    "A classifier that begins with Private :: is there to keep a package from being uploaded, and PyPI refuses it.",
    "Remove the classifier if the package is meant for everyone; otherwise don't publish.", "sec-pypi-metadata")
FILE_NAME = _rule(
    "REL307", "The file has the name that its metadata ask for",
    "PyPI compares the name with the metadata to the letter: NAME-VERSION in lower case with underscores, and "
    ".tar.gz for the sdist.",
    "Don't rename built files; build again with a current backend.", "sec-pypi-build")
TAG = _rule(
    "REL308", "PyPI accepts the wheel's platform",
    "A wheel built on a Linux machine fits that machine only, so PyPI accepts only manylinux and musllinux wheels.",
    "Build wheels with cibuildwheel, which makes manylinux wheels, or upload the sdist alone.", "sec-pypi-build")
SIZE = _rule(
    "REL309", "The file is at most 100 MB",
    "PyPI refuses larger uploads.",
    "Leave data out of the package; a higher limit can be asked for on PyPI, with a reason.", "sec-pypi-inspect")
README = _rule(
    "REL310", "The description can be shown",
    "PyPI refuses a description that its content type doesn't fit or that doesn't render.",
    "Name the file as readme in [project] with the ending .md, .rst or .txt, and correct what doesn't render.")
LICENCE = _rule(
    "REL311", "The licence is given once, as an expression or as text",
    "PyPI refuses an expression that isn't SPDX, and an expression beside the old licence field.",
    'Write license = "BSD-3-Clause" or another SPDX expression, and nothing else.', "sec-pypi-metadata-licence")
LICENCE_FILE = _rule(
    "REL312", "Every licence file that is named is there",
    "The metadata name a licence file that the archive doesn't hold; PyPI looks for it.",
    "See that license-files matches files that are in git and in the sdist.", "sec-pypi-metadata-licence")
LINK = _rule(
    "REL313", "Links have a label of at most 32 characters and a web address",
    "PyPI refuses the upload for any other label or address.",
    "Correct the link in [project.urls].", "sec-pypi-metadata")
SUMMARY_RULE = _rule(
    "REL314", "The summary is one line of at most 512 characters",
    "PyPI refuses a longer one, and one with a line break.",
    "Shorten description in [project]; the long text belongs in the README.", "sec-pypi-metadata")
EMAIL = _rule(
    "REL315", "E-mail addresses are valid",
    "PyPI refuses the upload for an address of an author or maintainer that can't exist.",
    "Correct the address in authors or maintainers, or leave the e-mail out.", "sec-pypi-metadata")

FIELDS = {
    "metadata-version": FORMAT, "version": VERSION, "classifier": CLASSIFIER, "description": README,
    "description-content-type": README, "license": LICENCE, "license-expression": LICENCE,
    "license-file": LICENCE_FILE, "project-url": LINK, "home-page": LINK, "download-url": LINK,
    "summary": SUMMARY_RULE, "author-email": EMAIL, "maintainer-email": EMAIL,
}
# The key of [project] that a field comes from, to name the line to correct.
KEYS = {
    "requires-dist": "dependencies", "classifier": "classifiers", "description": "readme", "summary": "description",
    "description-content-type": "readme", "license-expression": "license", "license-file": "license-files",
    "project-url": "urls", "home-page": "urls", "author-email": "authors", "maintainer-email": "maintainers",
    "provides-extra": "optional-dependencies",
}

Found = Iterator[tuple[Rule, str, str, str]]  # rule, field, the text to find it by, message


@GATE.finds(METADATA)
def metadata(offered: Offered) -> Iterator[Finding]:
    """Every field that `packaging` or PyPI refuses, by the rule of the field."""
    for rule, field, needle, message in _fields(offered.file):
        yield Finding(*offered.place(KEYS.get(field, field), needle), rule, message)


def _fields(file: Distribution) -> Found:
    from packaging.metadata import InvalidMetadata, Metadata
    from packaging.version import InvalidVersion, Version

    raw, unparsed = file.parsed
    if file.metadata_path not in file.held:
        yield FORMAT, "", "", f"there is no {file.metadata_path}"
        return
    for key in unparsed:
        yield METADATA, key, key, f"the field {key} can't be read"
    try:
        Metadata.from_raw(raw)  # type: ignore[arg-type]
    except ExceptionGroup as group:
        for error in group.exceptions:
            if isinstance(error, InvalidMetadata):
                written = str(raw.get(error.field.replace("-", "_"), ""))
                newer = "introduced in metadata version" in str(error)
                yield FORMAT if newer else FIELDS.get(error.field, METADATA), error.field, written, str(error)
    if not NAME.fullmatch(file.name):
        yield METADATA, "name", "name", f"{file.name!r} is not a name that PyPI accepts"
    if raw.get("metadata_version", "2.1") not in VERSIONS:
        yield FORMAT, "metadata-version", "", f"PyPI does not accept metadata of version {raw['metadata_version']}"
    with suppress(InvalidVersion):  # which `packaging` reports
        if Version(file.version).local:
            yield VERSION, "version", "version", f"{file.version} is a local version"
    yield from _requirements(raw)
    yield from _classifiers(file.classifiers)
    yield from _links(raw)
    yield from _emails(raw)
    if raw.get("license") and raw.get("license_expression"):
        yield LICENCE, "license", "license", "both License and License-Expression are there"
    if len(raw.get("summary") or "") > SUMMARY:
        yield SUMMARY_RULE, "summary", "description", f"the summary has {len(raw['summary'])} characters"


def _requirements(raw: dict[str, Any]) -> Found:
    from packaging.requirements import InvalidRequirement, Requirement

    for field in ("requires_dist", "provides_dist", "obsoletes_dist"):
        for text in raw.get(field, []):
            try:
                if Requirement(text).url is not None:
                    yield DIRECT, "requires-dist", text.partition("@")[0].strip(), f"{text} is given by an address"
            except InvalidRequirement:
                if field != "requires_dist":
                    yield METADATA, field.replace("_", "-"), text, f"{text} is no requirement"


def _classifiers(written: list[str]) -> Found:
    from trove_classifiers import all_classifiers, deprecated_classifiers

    for text in dict.fromkeys(written):
        if text.startswith("Private ::"):
            yield PRIVATE, "classifier", text, f"the classifier {text} keeps it from being published"
        elif text in deprecated_classifiers:
            instead = deprecated_classifiers[text]
            use = f"; use {listed(instead)}" if instead else ""
            yield CLASSIFIER, "classifier", text, f"{text} is deprecated{use}"
        elif text not in all_classifiers:
            yield CLASSIFIER, "classifier", text, f"{text} is not on PyPI's list of classifiers"


def _links(raw: dict[str, Any]) -> Found:
    for label, address in (raw.get("project_urls") or {}).items():
        if not label:
            yield LINK, "project-url", address, f"the link {address} has no label"
        elif len(label) > LABEL:
            yield LINK, "project-url", label, f"the label {label!r} has {len(label)} characters"
        elif not web_address(address):
            yield LINK, "project-url", label, f"{label} leads to {address!r}, which is no web address"
    for field in ("home_page", "download_url"):
        if field in raw and not web_address(raw[field]):
            yield LINK, field.replace("_", "-"), raw[field], f"{raw[field]!r} is no web address"


def web_address(text: str) -> bool:
    """Whether PyPI accepts an address: http or https, and nothing in it that has to be escaped."""
    from rfc3986 import exceptions, uri_reference, validators

    try:
        wanted = validators.Validator().allow_schemes("http", "https").require_presence_of("scheme")
        wanted.check_validity_of("scheme", "host", "port", "path", "query").validate(uri_reference(text).normalize())
    except (exceptions.RFC3986Exception, ValueError):
        return False
    return True


def _emails(raw: dict[str, Any]) -> Found:
    from email.utils import parseaddr

    from email_validator import EmailNotValidError, validate_email

    for field in ("author_email", "maintainer_email"):
        # PyPI checks the first address of a list.
        _, address = parseaddr(raw.get(field) or "")
        try:
            if address:
                validate_email(address, check_deliverability=False)
        except EmailNotValidError as error:
            yield EMAIL, field.replace("_", "-"), address, f"{address} is no e-mail address: {error}"


@GATE.finds(FILE_NAME)
def file_name(offered: Offered) -> Iterator[At]:
    """A file name that does not follow from the metadata."""
    file = offered.file
    wanted = f"{normalise(file.name).replace('-', '_')}-{_canonical(file.version)}"
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in file.file):
        yield At("the file name has characters that can't be printed")
    if not file.is_wheel:
        if file.file != f"{wanted}.tar.gz":
            yield At(f"by its metadata it must be {wanted}.tar.gz")
        return
    parsed = _wheel_name(file)
    if isinstance(parsed, str):
        yield At(parsed)
    elif f"{file.file_parts[0]}-{parsed[1]}" != wanted:
        yield At(f"by its metadata it must begin with {wanted}-")


@GATE.finds(TAG)
def platform(offered: Offered) -> Iterator[At]:
    """A platform that PyPI does not accept."""
    parsed = _wheel_name(offered.file) if offered.file.is_wheel else ""
    if not isinstance(parsed, str):
        for name in sorted({tag.platform for tag in parsed[3] if not allowed(tag.platform)}):
            yield At(f"PyPI accepts no wheels for {name}")


@GATE.finds(SIZE)
def size(offered: Offered) -> Iterator[At]:
    """A file over PyPI's limit."""
    if offered.file.size > FILE_LIMIT:
        yield At(f"it has {offered.file.size / (1 << 20):.0f} MB")


def _wheel_name(file: Distribution) -> Any:
    """A wheel's file name in its parts, or why it can't be read."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        return parse_wheel_filename(file.file)
    except InvalidWheelFilename as error:
        return str(error)


def _canonical(version: str) -> str:
    from packaging.version import InvalidVersion, Version

    try:
        return str(Version(version))
    except InvalidVersion:
        return version


@GATE.finds(README)
def description(offered: Offered) -> Iterator[At]:
    """A description that can't be shown; unverified when no renderer for it is installed."""
    raw = offered.file.metadata
    kind = str(raw.get("description_content_type") or "text/x-rst").partition(";")[0].strip().lower()
    problem, sure = render(raw["description"], kind) if raw.get("description") else ("", True)
    if problem:
        yield At(problem, *offered.place("readme"), None if sure else UNVERIFIED)
