"""A stand-in for the program that signs files, installed as the real one would be."""

from __future__ import annotations

import sys
import venv
from pathlib import Path

import pytest


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let a stand-in for pypi_attestations be installed with this Python; the file in which it says what it saw."""
    venv.create(folder / "signer", system_site_packages=True)
    site = next((folder / "signer").glob("lib*/python*/site-packages"))
    package, seen = site / "pypi_attestations", folder / "seen.json"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "import json, os, pathlib, sys\nassert sys.argv[1] == 'sign'\n"
        "seen = {'env': dict(os.environ), 'cwd': os.getcwd(), 'path': sys.path}\n"
        f"pathlib.Path({str(seen)!r}).write_text(json.dumps(seen))\n"
        "for name in sys.argv[2:]:\n    pathlib.Path(name + '.publish.attestation').write_text('{\"signed\": 1}')\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(sys, "executable", str(folder / "signer" / "bin" / "python"))
    return seen
