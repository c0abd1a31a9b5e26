"""`handbook release check` on real repositories, on published packages of the lab, and on this one."""

from __future__ import annotations

import json
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Severity
from labhandbook.core.section_addresses import address
from labhandbook.package.index_addresses import index
from labhandbook.package.name_lookup import Answer, alike, look_alikes, look_up, place_of
from labhandbook.release.check_project import Checked, check
from tooling.tests.conftest import LACKS, ROOT, run
from tooling.tests.package.sample_packages import KINDS, git, make, pyproject, write
from tooling.tests.release.faulty_index import Fault, Server, serving

pytestmark = pytest.mark.walk

PUBLISHED = {"gpyreg": "1.4.0", "pyvbmc": "1.5.0"}
CHANGELOG = {"CHANGELOG.md": "# Changelog\n\n## 1.2.0 - 2026-01-02\n"}


def codes(found: Checked, *weights: Severity) -> set[str]:
    return {finding.rule.code for finding in found.findings if not weights or finding.weight in weights}


@pytest.fixture
def loopback(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "index") as server:
        yield server


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_sound_package_of_each_backend_and_shape_raises_no_alarm(tmp_path: Path, kind: str) -> None:
    remote = make(tmp_path / "remote", kind, CHANGELOG)
    git(tmp_path, "clone", "--quiet", str(remote), "clone")
    assert codes(check([tmp_path / "clone"], offline=True)) == {"REL016", "REL081", "REL083"}, "these were not asked"


def test_what_a_careless_release_looks_like(tmp_path: Path) -> None:
    make(tmp_path, "setuptools-scm", pyproject("setuptools-scm", ("[tool.setuptools_scm]", ""),
                                               ('"click>=8.1"', '"click==8.1.7", "pytest"')), tag="")
    git(tmp_path, "tag", "v1.2.0")
    git(tmp_path, "tag", "v1.1.0")
    write(tmp_path, {"README.md": "# Demo\n\n![A](docs/a.png)\n", "src/demo/new/__init__.py": ""})
    found = check([tmp_path], offline=True)
    assert codes(found, Severity.ERROR) == {"REL006", "REL011", "REL014"}
    assert {"REL041", "REL044", "REL061"} <= codes(found, Severity.WARNING)
    assert found.findings.failed()


def test_the_remote_and_the_index_are_asked(tmp_path: Path, loopback: Server) -> None:
    setting = ("[project.scripts]", f'[tool.handbook.release]\ncompare-with = "{loopback.url}"\n\n[project.scripts]')
    remote = make(tmp_path / "remote", changes={**CHANGELOG, **pyproject("setuptools", setting)})
    git(tmp_path, "clone", "--quiet", str(remote), "clone")
    clone = tmp_path / "clone"
    assert codes(check([clone])) == set()
    git(remote, "tag", "--delete", "v1.2.0")
    loopback.faults.append(Fault("page", "error"))
    found = check([clone])
    assert codes(found, Severity.UNVERIFIED) == {"REL081", "REL083"}
    assert codes(found, Severity.WARNING) == {"REL016"}
    assert not found.findings.failed() and found.findings.failed(strict=True)


def test_a_silent_index_costs_two_seconds_and_is_said(loopback: Server) -> None:
    loopback.faults.append(Fault("page", "hang", seconds=60))
    begin = time.monotonic()
    answer = look_up("demo", place_of(loopback.url))
    assert time.monotonic() - begin < 30, "it did not wait for the server"
    assert "does not answer" in answer.problem
    assert look_up("demo", place_of("http://127.0.0.1:9")).problem
    assert look_up("demo", place_of("none")).problem
    assert look_up("demo", place_of("gopher://x")).problem


def test_names_that_look_alike() -> None:
    assert alike("Demo-Tool", "dem0_too1") and alike("pyvbmc", "PyVBMC") and not alike("gpyreg", "gpyrig")
    assert look_alikes("lab-tool") == ["labtool", "1abt001"]
    assert look_alikes("gpyreg") == []


def test_several_packages_are_checked_together(tmp_path: Path) -> None:
    make(tmp_path / "one",
         changes=pyproject("setuptools", ('name = "demo"', 'name = "one"'), ("click>=8.1", "two>=1")))
    make(tmp_path / "two", changes=pyproject("setuptools", ('name = "demo"', 'name = "two"')))
    found = check([tmp_path], offline=True)
    assert [project.name for project in found.projects] == ["two", "one"]
    assert {Path(finding.file).parts[-2] for finding in found.findings} == {"one", "two"}


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Sdists of the lab's packages, unpacked."""
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    folder = tmp_path_factory.mktemp("published")
    for name, version in PUBLISHED.items():
        page = f"{index('pypi').simple}{name}/"
        try:
            request = Request(page, headers={"Accept": "application/vnd.pypi.simple.v1+json"})
            with urlopen(request, timeout=10) as answer:
                files = json.load(answer)["files"]
            sdist = next(file for file in files if file["filename"] == f"{name}-{version}.tar.gz")
            with urlopen(urljoin(page, sdist["url"]), timeout=60) as answer, \
                    tarfile.open(fileobj=answer, mode="r|gz") as archive:
                archive.extractall(folder / name, filter="data")
        except (URLError, OSError, KeyError, ValueError):
            pytest.skip(LACKS + "network")
    return {name: next((folder / name).iterdir()) for name in PUBLISHED}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_packages_of_the_lab(published: dict[str, Path], name: str) -> None:
    found = check([published[name]])
    said = codes(found)
    # In both: no git, an old licence form, an old floor, a used version.
    assert {"REL010", "REL020", "REL032", "REL083"} <= said
    assert codes(found, Severity.ERROR) == {"REL083"}, "what is published was publishable"
    assert "REL081" not in said, "the project on the index is this one"


def test_this_repository() -> None:
    found = check([ROOT], offline=True)
    assert [project.name for project in found.projects] == ["labhandbook"]
    # Between two releases the commit has no tag, and a working copy may hold changes; nothing else is wrong.
    assert codes(found, Severity.ERROR) <= {"REL005", "REL011"}


def test_the_command_reports_in_every_form(tmp_path: Path) -> None:
    make(tmp_path / "a b", changes={**CHANGELOG, **pyproject("setuptools", ("click>=8.1", "click @ https://example.org/click.whl"))})
    text = run("release", "check", "a b", "--offline", "--verbose", cwd=tmp_path)
    assert text.returncode == 1
    line = next(line for line in text.stdout.splitlines() if line.startswith("✗"))
    assert line.startswith("✗ a b/pyproject.toml:") and "REL043 click is given by its address" in line
    assert ".html#sec-pypi-dependencies" in text.stdout
    assert text.stderr.startswith("✗ demo: ")
    report = json.loads(run("release", "check", "a b", "--offline", "--format", "json", cwd=tmp_path).stdout)
    assert report["counts"]["error"] == 1
    sarif = json.loads(run("release", "check", "a b", "--offline", "--format", "sarif", cwd=tmp_path).stdout)
    places = {result["ruleId"]: result["locations"][0]["physicalLocation"] for result in sarif["runs"][0]["results"]}
    assert places["REL043"]["artifactLocation"]["uri"] == "a%20b/pyproject.toml"
    done = run("release", "check", "a b", "--offline", "--format", "markdown", "--output", "out.md", cwd=tmp_path)
    assert done.stdout == ""
    summary = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert summary.startswith("## Release check: 1 error")
    assert address("sec-pypi-dependencies") in summary


def test_an_ignored_rule_stays_in_sight(tmp_path: Path) -> None:
    setting = '[tool.handbook.release.ignore]\nREL043 = "an index of our own takes it"\n\n[project.scripts]'
    make(tmp_path,
         changes={**CHANGELOG,
                  **pyproject("setuptools", ("click>=8.1", "click @ https://example.org/click.whl"),
                              ("[project.scripts]", setting))})
    done = run("release", "check", "--offline", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "REL043 click is given by its address (ignored: an index of our own takes it)" in done.stdout
    assert "1 ignored" in done.stderr
    sarif = json.loads(run("release", "check", "--offline", "--format", "sarif", cwd=tmp_path).stdout)
    suppressed = [result["ruleId"] for result in sarif["runs"][0]["results"] if "suppressions" in result]
    assert suppressed == ["REL043"]
    assert run("release", "check", "--offline", "--strict", cwd=tmp_path).returncode == 1


@pytest.mark.parametrize("text",
                         [None, "[project\n", "[tool.ruff]\n",
                          '[project]\nname="x"\n[tool.handbook]\nrelease={tags=1}\n'])
def test_what_can_not_be_checked_is_an_error_without_a_traceback(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        write(tmp_path, {"pyproject.toml": text})
    done = run("release", "check", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr and ".html#sec-pypi-metadata" in done.stderr


def test_help_does_not_import_the_release_kit() -> None:
    import subprocess
    import sys

    code = ("import sys; from labhandbook.cli.main import handbook; "
            "handbook.main(['--help'], standalone_mode=False); "
            "print([name for name in sys.modules if 'labhandbook.release' in name])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "release" in done.stdout


def test_an_unknown_index_is_no_crash() -> None:
    with pytest.raises(HandbookError):
        index("nowhere")
    assert place_of("nowhere") == Answer("nowhere", "nowhere is no index")
