"""The acceptance gate: what PyPI refuses at upload, told before it is uploaded and without a network.

An upload that is refused halfway leaves a version with one of its two files; a name that was accepted once is burnt.
`twine check` passes much of what is refused here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding, Findings
from labhandbook.package.distribution import Distribution, read
from labhandbook.package.project import PYPROJECT, Project
from labhandbook.release.release_rules import archive_form, upload_metadata


def gate(files: Sequence[Path | Distribution], project: Project | None = None) -> Findings:
    """What PyPI would refuse of these files, the first of equal findings for several files.

    With `project`, findings on metadata name the line of `pyproject.toml` that they come from. Ignoring a rule in
    the settings changes nothing here: PyPI doesn't read them. Raises HandbookError when a file can't be read, or the
    libraries that know PyPI's lists aren't installed.
    """
    _needed()
    read_files = (each if isinstance(each, Distribution) else read(each) for each in files)
    return Findings.of(finding for file in read_files for finding in _findings(file, project))


def _findings(file: Distribution, project: Project | None) -> Iterator[Finding]:
    for rule, message in (pair for look in archive_form.RULES for pair in look(file)):
        yield Finding(file.file, 0, rule, message)
    for rule, _, _, message in upload_metadata.names(file):
        yield Finding(file.file, 0, rule, message)
    for rule, field, needle, message in upload_metadata.metadata(file):
        place, line = _place(file, project, upload_metadata.KEYS.get(field, field), needle)
        yield Finding(place, line, rule, message)
    for message, severity in upload_metadata.description(file):
        place, line = _place(file, project, "readme", "")
        yield Finding(place, line, upload_metadata.README, message, severity)


def _place(file: Distribution, project: Project | None, key: str, needle: str) -> tuple[str, int]:
    """Where to mend a field: the line of pyproject.toml that holds its text, or else its key."""
    if project is None or not key:
        return f"{file.file}/{file.metadata_path}", 0
    if needle and needle in project.text:
        return PYPROJECT, project.line(needle)
    return PYPROJECT, project.line(key, "project")


def _needed() -> None:
    try:
        import email_validator  # noqa: F401
        import packaging.licenses  # noqa: F401
        import readme_renderer  # noqa: F401
        import rfc3986  # noqa: F401
        import trove_classifiers  # noqa: F401
    except ImportError as error:
        raise HandbookError(f"{error.name} isn't installed", why="it knows what PyPI takes",
                            todo="pip install 'labhandbook[release]'", section="sec-pypi-environment") from None
