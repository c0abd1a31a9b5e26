"""Builds of every backend: once, isolated, reproducible, and the same from the sdist as from the tree."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Severity
from labhandbook.package.distribution import read
from labhandbook.package.project import Project, load_project
from labhandbook.release import package_build as module
from labhandbook.release.clean_sources import export
from labhandbook.release.inspection import inspect
from labhandbook.release.package_build import Built, build
from labhandbook.release.release_folder import hide
from labhandbook.release.release_rules import build_agreement as rules
from labhandbook.release.upload_gate import gate
from tooling.tests.conftest import LACKS
from tooling.tests.package import sample_packages

pytestmark = pytest.mark.walk

Build = Callable[..., Built]
SETUPTOOLS = Project(Path("demo"), {}, "", None)


@pytest.fixture(scope="session")
def network() -> None:
    """Build tools have to come from somewhere."""
    if sample_packages.download("flit-core") is None:
        pytest.skip(LACKS + "network")


@pytest.fixture
def built(network: None, tmp_path: Path) -> Build:
    """Write a package of some kind and build it."""

    def run(kind: str = "setuptools", changes: sample_packages.Files | None = None, tag: str = "v1.2.0") -> Built:
        sample_packages.make(tmp_path / "project", kind, changes, tag)
        return build(load_project(tmp_path / "project", ask_remote=False), tmp_path / "out")

    return run


def codes(result: Built) -> dict[str, str]:
    return {finding.rule.code: finding.message for finding in result.findings}


@pytest.mark.parametrize("kind", sample_packages.KINDS)
def test_every_backend_builds_reproducibly(built: Build, tmp_path: Path, kind: str) -> None:
    if kind == "maturin" and not shutil.which("cargo"):
        pytest.skip(LACKS + "cargo")
    result = built(kind)
    assert result.findings == []
    assert result.sdist.version == result.wheel.version == "1.2.0"
    assert sorted(path.name for path in (tmp_path / "out" / "dist").iterdir()) == sorted(
        file.file for file in result.files)
    top = "lab/demo" if kind == "namespace" else "demo"
    assert {f"{top}/py.typed", f"{top}/data/table.csv", f"{top}/cli.py"} <= result.wheel.installed.keys()
    assert sample_packages.git(tmp_path / "project", "status", "--short",
                               "--ignored") == "", "a build leaves nothing behind"
    project = load_project(tmp_path / "project", ask_remote=False)
    inspection = inspect(result, project)
    refused = {finding.rule.code for finding in gate(list(result.files), project)}
    assert list(inspection.findings) == []
    # What a compiler on Linux makes fits this machine alone.
    assert refused == ({"REL308"} if kind in ("extension", "maturin") else set())
    facts = result.facts(project)
    assert facts["files"][result.wheel.file]["sha256"] == result.wheel.sha256
    assert facts["commit"] == project.git.commit if project.git else False
    assert facts["epoch"] == 1767323045 and facts["tools"]


def test_a_later_build_gives_the_same_bytes(built: Build, tmp_path: Path) -> None:
    first = built("setuptools-scm")
    shutil.copytree(tmp_path / "project", tmp_path / "elsewhere" / "copy")
    old = os.umask(0o077)
    try:
        second = build(load_project(tmp_path / "elsewhere" / "copy", ask_remote=False), tmp_path / "again")
    finally:
        os.umask(old)
    assert [file.sha256 for file in first.files] == [file.sha256 for file in second.files]
    kept = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "again/dist").iterdir()}
    assert kept == {file.file: file.sha256 for file in first.files}


def test_what_is_not_committed_is_not_built(network: None, tmp_path: Path) -> None:
    root = sample_packages.make(tmp_path / "project")
    sample_packages.write(root, {"src/demo/secret.py": "x = 1\n", "src/demo/cli.py": "broken = True\n",
                                 "build/lib/demo/stale.py": "",
                                 "src/demo.egg-info/SOURCES.txt": "src/demo/gone.py\n"})
    result = build(load_project(root, ask_remote=False), tmp_path / "out")
    assert result.findings == [] and "demo.stale" not in result.wheel.modules
    assert "demo.secret" not in result.wheel.modules and "def main" in result.wheel.text("demo/cli.py")


def test_a_copy_has_the_contents_of_large_files_and_no_others(tmp_path: Path) -> None:
    """A clone has git LFS's pointers; the repository's folder has the contents, which no filter has to fetch."""
    large, path = b"weights\n" * 100, "src/demo/data/weights.bin"
    pointer = ("version https://git-lfs.github.com/spec/v1\n"
               f"oid sha256:{hashlib.sha256(large).hexdigest()}\nsize {len(large)}\n")
    root = sample_packages.make(tmp_path / "project", changes={".gitattributes": "*.bin filter=lfs\n", path: pointer})
    (root / path).write_bytes(large)
    copy = export(load_project(root, ask_remote=False), tmp_path / "one")
    assert (copy / path).read_bytes() == large
    (root / path).write_bytes(large + b"changed since the commit\n")
    copy = export(load_project(root, ask_remote=False), tmp_path / "two")
    assert (copy / path).read_text() == pointer


def before_build(*command: str) -> sample_packages.Files:
    """Changes that declare a step before the build."""
    table = f"[tool.handbook.release]\nbefore-build = {json.dumps(command)}\n\n[project.scripts]"
    script = "import pathlib, setuptools\npathlib.Path('src/demo/made.py').write_text('MADE = 1\\n')\n"
    return {"tools/make.py": script, ".gitignore": "made.py\n",
            **sample_packages.pyproject("setuptools", ("[project.scripts]", table))}


def test_the_files_of_a_step_before_the_build_are_in_both(built: Build, tmp_path: Path) -> None:
    result = built("setuptools", before_build("python", "tools/make.py"))
    assert result.findings == [] and "demo.made" in result.wheel.modules
    assert any(path.endswith("src/demo/made.py") for path in result.sdist.files)
    assert not (tmp_path / "project/src/demo/made.py").exists(), "it runs in copies"


@pytest.mark.parametrize(("command", "why"), [(("python", "-c", "raise SystemExit('no parser')"), "no parser"),
                                              (("demo-no-such-program",), "No such file")])
def test_a_step_before_the_build_that_fails(built: Build, command: tuple[str, ...], why: str) -> None:
    with pytest.raises(HandbookError, match="before-build failed") as caught:
        built("setuptools", before_build(*command))
    assert why in caught.value.why and "pyproject.toml:" in caught.value.where


def test_data_that_the_sdist_lacks_are_named(built: Build, tmp_path: Path) -> None:
    """The classic: the file is in the wheel from the tree, and MANIFEST.in keeps it out of the sdist."""
    ignore = '[tool.handbook.release.ignore]\nREL201 = "the table is for the tests"\n\n[project.scripts]'
    result = built("setuptools", {"MANIFEST.in": "exclude src/demo/data/table.csv\n",
                                  **sample_packages.pyproject("setuptools", ("[project.scripts]", ignore))})
    assert codes(result) == {"REL201": "made from the sdist it lacks demo/data/table.csv"}
    seen = inspect(result, load_project(tmp_path / "project", ask_remote=False))
    assert {(finding.rule.code, finding.weight) for finding in seen.findings} == {
        ("REL201", Severity.IGNORED), ("REL225", Severity.WARNING)}


def test_what_changes_with_every_build_is_named(built: Build) -> None:
    setup = ("import pathlib, uuid\nfrom setuptools import setup\n"
             "pathlib.Path('src/demo/stamp.py').write_text(f'STAMP = {uuid.uuid4().hex!r}\\n')\nsetup()\n")
    result = built("setuptools", {"setup.py": setup})
    messages = [finding.message for finding in result.findings if finding.rule is rules.UNSTABLE]
    assert len(messages) == 2 and all("stamp.py" in message for message in messages)
    assert "REL201" not in codes(result), "what differs by itself says nothing about the sdist"
    assert all(finding.weight is Severity.WARNING for finding in result.findings)


def test_what_is_harmless_is_not_reported(built: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """The near misses: documents pruned from the sdist, a file made alike in every build. No secret gets in."""
    monkeypatch.setenv("TWINE_PASSWORD", "not-for-the-backend")
    setup = ("import os, pathlib, sys\nfrom setuptools import setup\n"
             "pathlib.Path('src/demo/stamp.py').write_text('STAMP = 1\\n')\n"
             "sys.exit(3) if 'TWINE_PASSWORD' in os.environ else setup()\n")
    result = built("setuptools", {"setup.py": setup, "MANIFEST.in": "prune docs\n", "docs/index.md": "# Docs\n"})
    assert result.findings == [] and "demo.stamp" in result.wheel.modules


def test_a_version_file_of_setuptools_scm_is_no_difference(built: Build) -> None:
    changes = sample_packages.pyproject(
        "setuptools-scm", ("[tool.setuptools_scm]", '[tool.setuptools_scm]\nversion_file = "src/demo/_version.py"'))
    result = built("setuptools-scm", changes)
    assert "1.2.0" in result.wheel.text("demo/_version.py")
    assert result.findings == []


@pytest.mark.parametrize(("replacement", "says"), [
    (('"setuptools>=80"', '"setuptools>=80", "no-such-package-of-the-lab"'), "can't be installed"),
    (('build-backend = "setuptools.build_meta"', 'build-backend = "setuptools.nowhere"'), "can't build demo"),
    (('requires = ["setuptools>=80"]', "requires = 3"), "build-system"),
    (('version = "1.2.0"', 'version = "one"'), "can't build demo"),
])
def test_a_build_that_fails_says_why_and_keeps_what_was_there(network: None, tmp_path: Path,
                                                              replacement: tuple[str, str], says: str) -> None:
    root = sample_packages.make(tmp_path / "project", changes=sample_packages.pyproject("setuptools", replacement))
    sample_packages.write(tmp_path, {"out/dist/old.whl": "kept"})
    with pytest.raises(HandbookError) as caught:
        build(load_project(root, ask_remote=False), tmp_path / "out")
    assert says in caught.value.what and caught.value.todo and "pyproject.toml" in caught.value.where
    assert [path.name for path in (tmp_path / "out" / "dist").iterdir()] == ["old.whl"]


def test_a_project_without_git_is_built_from_its_folder(network: None, tmp_path: Path) -> None:
    root = sample_packages.write(tmp_path / "project", {**sample_packages.COMMON, **sample_packages.KINDS["flat"]})
    sample_packages.write(root, {"dist/demo-0.9.tar.gz": "old", "demo/__pycache__/cli.pyc": "old"})
    result = build(load_project(root, ask_remote=False), tmp_path / "out")
    assert result.findings == [] and not [path for path in result.sdist.files if "pycache" in path or "0.9" in path]
    assert (root / "dist" / "demo-0.9.tar.gz").exists() and not list(root.glob("*.egg-info"))


def test_a_package_in_a_folder_of_a_repository(network: None, tmp_path: Path) -> None:
    repository = sample_packages.make(tmp_path / "repository", "setuptools", {"pyproject.toml": None})
    sample_packages.write(repository, {f"packages/demo/{name}": text for name, text in
                                       {**sample_packages.COMMON, **sample_packages.KINDS["hatchling"]}.items()})
    sample_packages.git(repository, "add", "--all", "--force")
    sample_packages.git(repository, "commit", "--quiet", "--message", "More")
    result = build(load_project(repository / "packages" / "demo", ask_remote=False), tmp_path / "out")
    assert result.findings == [] and result.wheel.version == "1.2.0"


LEAKS = {"hatchling"}  # REL092 says so, and what to write into .gitignore.
ALL = ["setuptools", "setuptools-scm", "hatchling", "flit", "pdm", "poetry", "uv", "meson", "maturin"]


@pytest.mark.long
@pytest.mark.parametrize(("kind", "place"), [
    ("hatchling", "hidden"), *itertools.product(ALL, ("git", "handbook")),
    *((kind, "no git") for kind in ALL if kind != "meson")])  # meson-python makes an sdist of a repository only.
def test_files_of_a_release_stay_out_of_an_sdist_built_by_hand(network: None, tmp_path: Path, kind: str,
                                                               place: str) -> None:
    """They are in git's own folder or the user's; in `.handbook`, as in a job, only hatchling would ship them."""
    if kind == "maturin" and not shutil.which("cargo"):
        pytest.skip(LACKS + "cargo")
    hidden = {".gitignore": "/.handbook/\n"} if place == "hidden" else None
    root = sample_packages.make(tmp_path / "project", kind, hidden)
    if place in ("handbook", "hidden"):
        (root / ".handbook").mkdir()
    if place == "no git":
        shutil.rmtree(root / ".git")
    before = {path for path in root.rglob("*") if ".git" not in path.parts}
    project = load_project(root, ask_remote=False)
    hide(project)
    (project.state / "ledger.json").write_text("{}")
    assert place in ("handbook", "hidden") or before == {path for path in root.rglob("*") if ".git" not in path.parts}
    done = subprocess.run([sys.executable, "-m", "build", "--sdist", "--outdir", str(tmp_path), str(root)],
                          capture_output=True, text=True, check=False,
                          env={**os.environ, "SETUPTOOLS_SCM_PRETEND_VERSION": "1.2.0"})
    assert done.returncode == 0, done.stdout + done.stderr
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        leaked = [name for name in archive.getnames() if "handbook" in name or "ledger" in name]
    assert bool(leaked) is (kind in LEAKS and place == "handbook"), leaked


def test_wheels_that_differ_are_found(tmp_path: Path) -> None:
    """The comparison itself, without a build: missing, added, changed, and what is unstable anyway."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    ours = read(sample_packages.wheel(tmp_path / "a", {"demo/__init__.py": "a = 1\n", "demo/only.py": ""}))
    tree = read(sample_packages.wheel(tmp_path / "b", {"demo/__init__.py": "a = 2\n", "demo/more.csv": ""}))
    messages = [(finding.message, finding.weight) for finding in rules.complete(ours, tree, ours, SETUPTOOLS, ())]
    assert ("made from the sdist it lacks demo/more.csv", Severity.ERROR) in messages
    assert ("made from the sources it would lack demo/only.py", Severity.WARNING) in messages
    assert any("other contents of demo/__init__.py" in message for message, _ in messages)
    meta = "Metadata-Version: 2.4\nName: demo\nVersion: 1.2.0\n"
    authors: sample_packages.Files = {"licenses/AUTHORS": "A Person\n", "top_level.txt": "demo\n"}
    for folder, text, more in (("c", f"{meta}License-File: AUTHORS\n", authors),
                               ("d", meta, {"top_level.txt": "x\n"})):
        (tmp_path / folder).mkdir()
        sample_packages.wheel(tmp_path / folder, {"demo/__init__.py": ""}, text, info=more)
    of_git = [read(next((tmp_path / folder).glob("*.whl"))) for folder in "cd"]
    assert not list(rules.complete(of_git[0], of_git[1], of_git[0], SETUPTOOLS, ())), "pbr writes AUTHORS from git"
    assert not list(rules.complete(ours, ours, ours, SETUPTOOLS, ())) and not list(rules.reproducible(ours, ours))
    renamed = replace(ours, path=Path("demo-1.3.0-py3-none-any.whl"))
    assert "a second build made demo-1.3.0" in next(rules.reproducible(ours, renamed)).message


def test_the_time_of_a_release_is_never_before_what_a_zip_can_say(tmp_path: Path) -> None:
    root = sample_packages.write(tmp_path, {**sample_packages.COMMON, **sample_packages.KINDS["flat"]})
    os.utime(root / "pyproject.toml", (0, 0))
    assert module.epoch(load_project(root, ask_remote=False)) == module.ZIP_BEGINS
