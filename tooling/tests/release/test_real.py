"""Real packages go through check, build and inspect to the end: no crash, and nothing found that isn't so.

The lab's own and packages of other shapes, as their sdists on PyPI have them, and this repository. What a maintainer
would be told is written out for each; a finding that is not there fails the test.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tooling.tests.conftest import LACKS, ROOT, run
from tooling.tests.release.packages import git, published

# Found in every unpacked sdist: git isn't there to be asked, and the version is on the index.
ALWAYS = {"REL010", "REL083"}


@dataclass(frozen=True)
class Real:
    """A release on PyPI: the name of its sdist, what `check` and `inspect` find, and its shape."""

    project: str
    version: str
    sdist: str
    check: set[str]
    inspect: set[str]
    shape: str

    def __str__(self) -> str:
        return self.project


PACKAGES = [
    # A read-me with a relative link, an old licence form, Pythons past their end, a list without gpyreg.testing, a
    # bound below the first setuptools that reads [project]; an sdist has no change log to read.
    Real("gpyreg", "1.4.0", "gpyreg-1.4.0", {"REL008", "REL062", "REL020", "REL032", "REL071", "REL055"}, set(),
         "the lab's, setuptools-scm"),
    Real("pyvbmc", "1.5.0", "pyvbmc-1.5.0", {"REL020", "REL032", "REL071"}, {"REL213"},
         "the lab's, with large notebooks"),
    # Its wheel is for this machine only; PyPI wants manylinux.
    Real("markupsafe", "3.0.3", "markupsafe-3.0.3", {"REL032", "REL055"}, {"REL308"}, "a compiled extension"),
    # Its metadata stand in setup.py, and it has no [project.urls] to tell whose the name is.
    Real("zope.event", "6.0", "zope_event-6.0", {"REL050", "REL081"}, set(), "a namespace package"),
    Real("more-itertools", "10.8.0", "more_itertools-10.8.0", {"REL008", "REL032"}, set(), "without src, flit"),
]
ORDINARY = {"gpyreg", "zope.event", "more-itertools"}
Unpack = Callable[[Real], Path]


@pytest.fixture(scope="session")
def unpack(tmp_path_factory: pytest.TempPathFactory) -> Unpack:
    """Fetch and unpack an sdist, once in a session."""
    folder = tmp_path_factory.mktemp("real")

    def get(real: Real) -> Path:
        target = folder / real.sdist
        if not target.exists() and published(real.project, real.sdist, folder) is None:
            pytest.skip(LACKS + "the network")
        return target

    return get


def found(*args: str | Path) -> set[str]:
    """The codes of what a command found; it did not crash."""
    done = run("release", *args, "--format", "json", timeout=900)
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr, done.stderr
    data = json.loads(done.stdout)
    findings = data["findings"] if isinstance(data, dict) else [each for one in data for each in one["findings"]]
    return {finding["code"] for finding in findings}


@pytest.mark.parametrize("real", PACKAGES, ids=str)
def test_check_finds_what_its_maintainers_would_agree_with(real: Real, unpack: Unpack) -> None:
    assert found("check", unpack(real)) == real.check | ALWAYS


@pytest.mark.parametrize("real", [pytest.param(real, marks=[] if real.project in ORDINARY else pytest.mark.slow)
                                  for real in PACKAGES], ids=str)
def test_build_and_inspect_end_well(real: Real, unpack: Unpack) -> None:
    root = unpack(real)
    built = run("release", "build", root, timeout=900)
    assert built.returncode == 0 and f"{real.sdist}.tar.gz" in built.stderr, built.stderr
    assert found("inspect", root, "--compare-with", "none") == real.inspect
    # Beside the release that is on PyPI: a rebuild of the same version has no earlier one of its own to lose.
    shown = run("release", "inspect", root, "--compare-with", "none").stdout
    assert f"{real.sdist}.tar.gz" in shown and ".dist-info/" in shown


def test_a_package_without_a_project_table_is_named(unpack: Unpack) -> None:
    done = run("release", "plan", unpack(PACKAGES[3]))
    assert done.stdout.startswith("zope.event 6.0\n"), done.stdout + done.stderr


@pytest.mark.slow
def test_the_suite_of_a_namespace_package(unpack: Unpack, tmp_path: Path) -> None:
    """Its suite needs another runner, which stands in its `test` extra and is named in the settings."""
    root = shutil.copytree(unpack(PACKAGES[3]), tmp_path / "zope_event-6.0")
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + "\n[tool.handbook.release]\n"
                         'test-command = ["zope-testrunner", "--package", "zope.event"]\n')
    done = run("release", "test", root, timeout=900)
    assert done.returncode == 0 and "environments passed" in done.stderr, done.stdout + done.stderr


@pytest.mark.slow
def test_a_suite_with_other_tools_than_pytest_never_runs_a_strange_pytest(unpack: Unpack) -> None:
    """Its `test` extra lacks pytest: the kit adds it, and doesn't take the one that lies elsewhere on PATH."""
    done = run("release", "test", unpack(PACKAGES[3]), "--no-lowest", timeout=900)
    assert "module or package not found" not in done.stdout


@pytest.mark.slow
def test_this_repository(tmp_path: Path) -> None:
    """A clone of it: what is not committed has no part in a release."""
    git(tmp_path, "clone", "--quiet", str(ROOT), "clone")
    root = tmp_path / "clone"
    git(root, "tag", "--annotate", "v0.1.0", "--message", "0.1.0")
    assert found("check", root, "--offline") <= {"REL008", "REL009", "REL014", "REL016", "REL061", "REL081", "REL083"}
    built = run("release", "build", root)
    assert built.returncode == 0, built.stderr
    assert not found("inspect", root, "--compare-with", "none") & {"REL211", "REL212", "REL222", "REL320"}
