"""The acceptance gate: what PyPI refuses at upload, found beforehand and without a network.

An upload that is refused halfway leaves a version with one of its two files, and no file name can be used twice.
`twine check` accepts much of what is refused here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.kit_extras import kit_with
from labhandbook.core.rules import Findings
from labhandbook.package.distribution import Distribution, read
from labhandbook.package.project import Project
from labhandbook.release.release_rules import archive_form  # noqa: F401
from labhandbook.release.release_rules.upload_metadata import GATE, Offered


def gate(files: Sequence[Path | Distribution], project: Project | None = None) -> Findings:
    """What PyPI would refuse of these files; equal findings for several files come once.

    With `project`, findings on metadata name the line of `pyproject.toml` that they come from. Ignoring a rule in
    the settings changes nothing here: PyPI doesn't read them. Raises HandbookError when a file can't be read, or the
    libraries that know PyPI's lists aren't installed.
    """
    _needed()
    read_files = (each if isinstance(each, Distribution) else read(each) for each in files)
    return Findings.of(finding for file in read_files for finding in GATE.run(Offered(file, project)))


def _needed() -> None:
    try:
        import email_validator  # noqa: F401
        import packaging.licenses  # noqa: F401
        import readme_renderer  # noqa: F401
        import rfc3986  # noqa: F401
        import trove_classifiers  # noqa: F401
    except ImportError as error:
        raise HandbookError(f"{error.name} isn't installed", why="it knows what PyPI accepts",
                            todo=kit_with("release"), section="sec-kit-extras") from None
