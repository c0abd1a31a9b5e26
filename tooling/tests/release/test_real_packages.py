"""Check, build, inspect and test end for real packages: no crash, and nothing found that isn't so.

The lab's own and packages of other shapes, as their sdists on PyPI have them, and this repository. What a maintainer
would see is written out for each; a finding that is not there fails the test.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from labhandbook.package.machine import interpreters
from tooling.tests.conftest import LACKS, ROOT, run
from tooling.tests.package.sample_packages import git, published

pytestmark = pytest.mark.long

# Found in every unpacked sdist: git isn't there to be asked, and the version is on the index.
ALWAYS = {"REL010", "REL083"}


@dataclass(frozen=True)
class Real:
    """A release on PyPI: the name of its sdist, what `check` and `inspect` find, and its shape.

    `command` is its suite's, where that isn't pytest's.
    """

    project: str
    version: str
    sdist: str
    check: set[str]
    inspect: set[str]
    shape: str
    command: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.project


PACKAGES = [
    # A read-me with a relative link, an old licence form, Pythons past their end, a folder without __init__.py, a
    # bound below the first setuptools that reads [project]; an sdist has no change log to read.
    Real("gpyreg", "1.4.0", "gpyreg-1.4.0", {"REL008", "REL062", "REL020", "REL032", "REL055"}, {"REL227"},
         "the lab's, setuptools-scm"),
    # Its tests stay out of the wheel and import each other as parts of the package.
    Real("pyvbmc", "1.5.0", "pyvbmc-1.5.0", {"REL020", "REL032"}, {"REL213"},
         "the lab's, with large notebooks"),
    # Its wheel is for this machine only; PyPI wants manylinux.
    Real("markupsafe", "3.0.3", "markupsafe-3.0.3", {"REL032"}, {"REL308"}, "a compiled extension"),
    # Its metadata is in setup.py, and no [project.urls] says who owns the name.
    Real("zope.event", "6.0", "zope_event-6.0", {"REL050", "REL081"}, set(), "a namespace package",
         ("zope-testrunner", "--package", "zope.event")),
    Real("more-itertools", "10.8.0", "more_itertools-10.8.0", {"REL008", "REL032"}, set(), "without src, flit"),
]
HERE = "{}.{}".format(*sys.version_info)
Unpack = Callable[[Real], Path]


def some(ordinary: set[str]) -> list[object]:
    """All packages; those that aren't named here take too long for an ordinary run."""
    return [pytest.param(real, id=str(real), marks=[] if real.project in ordinary else pytest.mark.slow)
            for real in PACKAGES]


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


@pytest.mark.parametrize("real", some({"gpyreg", "zope.event", "more-itertools"}))
def test_build_and_inspect_end_well(real: Real, unpack: Unpack) -> None:
    root = unpack(real)
    built = run("release", "build", root, timeout=900)
    assert built.returncode == 0 and f"{real.sdist}.tar.gz" in built.stderr, built.stderr
    assert found("inspect", root, "--compare-with", "none") == real.inspect
    # Beside the release that is on PyPI: a rebuild of the same version has no earlier one of its own to lose.
    shown = run("release", "inspect", root, "--compare-with", "none").stdout
    assert f"{real.sdist}.tar.gz" in shown and ".dist-info/" in shown


def test_a_package_without_a_project_table_is_named(unpack: Unpack) -> None:
    done = run("release", "status", unpack(PACKAGES[3]))
    assert done.stdout.startswith("zope.event 6.0\n"), done.stdout + done.stderr


@pytest.mark.parametrize("real", some({"zope.event"}))
def test_its_suite_passes_on_the_installed_files(real: Real, unpack: Unpack, tmp_path: Path) -> None:
    root = shutil.copytree(unpack(real), tmp_path / real.sdist)
    with (root / "pyproject.toml").open("a") as stream:
        stream.write(f"\n[tool.handbook.release]\ntest-command = {json.dumps(real.command)}\n")
    done = run("release", "test", root, "--no-lowest", "--python", HERE, timeout=3600)
    assert done.returncode == 0 and "2 of 2 environments passed\n" in done.stderr, done.stdout + done.stderr
    found = set(re.findall(r"REL6\d\d", done.stdout))
    assert found <= {"REL607"}, "but for the Pythons of its classifiers that this machine lacks: " + done.stdout


def test_a_compiled_extension_is_built_for_every_python(unpack: Unpack) -> None:
    """Its wheel fits one Python; on the others the sdist is built and tested, as pip would do."""
    done = run("release", "test", unpack(PACKAGES[2]), timeout=900)
    found = {each.minor for each in interpreters(">=3.9")}
    assert done.returncode == 0 and re.search(r"(\d+) of \1 environments passed", done.stderr), done.stderr
    assert re.search(rf"wheel on Python {re.escape(HERE)}\.\d+: 80 tests passed", done.stderr), done.stderr
    for minor in found - {sys.version_info[:2]}:
        assert re.search(r"sdist on Python {}\.{}\.\d+: 80 tests passed".format(*minor), done.stderr), done.stderr


def test_a_suite_for_another_runner_is_reported_as_untested(unpack: Unpack) -> None:
    """Only its settings show that zope.event's tests need another runner: installed, and not tested."""
    done = run("release", "test", unpack(PACKAGES[3]), "--no-lowest", "--python", HERE, timeout=900)
    assert done.returncode == 0 and "0 of 2 environments passed; 2 installed, without tests to run" in done.stderr
    assert done.stdout.count("REL603") == 1 and "found no tests" in done.stdout


@pytest.mark.slow
def test_a_bound_that_is_too_low_is_found(unpack: Unpack, tmp_path: Path) -> None:
    """GPyReg says SciPy >= 1.7.3, where an inverse survival function isn't as exact as its tests ask for."""
    if "3.9" not in {"{}.{}".format(*each.minor) for each in interpreters()}:
        pytest.skip(LACKS + "Python 3.9")
    root = shutil.copytree(unpack(PACKAGES[0]), tmp_path / PACKAGES[0].sdist)
    with (root / "pyproject.toml").open("a") as stream:
        stream.write('\n[tool.handbook.release]\n'
                     'test-command = ["pytest", "--pyargs", "gpyreg.testing.test_smoothbox_student_t"]\n')
    done = run("release", "test", root, "--python", "3.9", timeout=1800)
    assert done.returncode == 1 and "2 of 3 environments passed" in done.stderr, done.stdout + done.stderr
    assert "REL605 wheel on Python 3.9" in done.stdout and "test_isf" in done.stdout and "rtol=1e-10" in done.stdout
    assert "REL602" not in done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """This repository with a tag: what is not committed has no part in a release."""
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(ROOT), "clone")
    # On a runner that checks a pull request, what was cloned is on no branch.
    git(folder, "checkout", "--quiet", "-B", "main")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(folder, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    git(folder, "tag", "--annotate", "v0.1.0", "--message", "0.1.0")
    return folder


def test_this_repository(clone: Path) -> None:
    # Before its first release: no heading, and nothing is pushed or on the index yet.
    assert found("check", clone, "--offline") == {"REL008", "REL016", "REL081", "REL083"}
    built = run("release", "build", clone)
    assert built.returncode == 0, built.stderr
    assert found("inspect", clone, "--compare-with", "none") == set()


@pytest.mark.slow
def test_this_package_passes_its_own_trials(clone: Path) -> None:
    """As its settings say: wheel, sdist and lowest dependencies, with the tests that the checkout holds."""
    done = run("release", "test", clone, "--python", HERE, timeout=3600)
    assert done.returncode == 0 and "3 of 3 environments passed" in done.stderr, done.stdout + done.stderr
