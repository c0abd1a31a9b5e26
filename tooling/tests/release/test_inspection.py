"""What inspection finds in files: every rule with a seeded defect and a near miss, trees, metadata, differences."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from labhandbook.core.rules import REGISTRY, Finding, Severity
from labhandbook.package.distribution import read
from labhandbook.package.project import Project, Settings, load_project
from labhandbook.package.secret_patterns import secret_file, secrets
from labhandbook.release.inspection import Inspection, inspect
from labhandbook.release.package_build import Built, build
from labhandbook.release.previous_release import Previous, fetch_previous
from labhandbook.release.release_difference import difference
from tooling.tests.conftest import LACKS, ROOT, run
from tooling.tests.package import sample_dists, sample_packages
from tooling.tests.package.sample_packages import METADATA, MODULES, Files
from tooling.tests.release.content_cases import CASES, ENTRY, GITHUB, TOKEN, Case, look, project
from tooling.tests.release.faulty_index import Fault, serving
from tooling.tests.release.release_cases import expected

pytestmark = pytest.mark.walk

EVERY = [pytest.param(code, defect, miss, id=f"{code}-{number}") for code, pairs in CASES.items()
         for number, (defect, miss) in enumerate(pairs)]


def of(inspection: Inspection, code: str) -> list[Finding]:
    return [finding for finding in inspection.findings if finding.rule.code == code]


@pytest.mark.parametrize(("code", "defect", "miss"), EVERY)
def test_the_defect_is_found_and_the_near_miss_is_not(tmp_path: Path, code: str, defect: Case, miss: Case) -> None:
    (tmp_path / "miss").mkdir()
    found = of(look(tmp_path, defect), code)
    assert [each for each in found if defect.says in each.message and
            each.weight is (defect.severity or REGISTRY[code].severity)], found
    assert of(look(tmp_path / "miss", miss), code) == []


def test_each_rule_has_a_seeded_defect_and_a_near_miss() -> None:
    codes = {code for code, rule in REGISTRY.items() if re.fullmatch(r"REL2\d\d", code)}
    elsewhere = {"REL201", "REL202", "REL203", "REL230"}  # test_build.py, test_adopted_files.py, below
    assert codes - elsewhere == set(CASES) | expected("broken")
    assert expected("broken") - set(CASES) <= expected("fine"), "and each has a near miss"


@pytest.mark.parametrize("code", sorted([*CASES, "REL201", "REL202", "REL203", "REL230"]))
def test_a_rule_says_why_how_and_where(code: str) -> None:
    rule = REGISTRY[code]
    chapters = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "chapters/packaging").glob("*.qmd"))
    assert f"{{#{rule.section} " in chapters or f"{{#{rule.section}}}" in chapters
    assert rule.why.endswith(".") and rule.fix.endswith(".") and not rule.title.endswith(".")


def test_ordinary_files_have_no_findings(tmp_path: Path) -> None:
    assert list(look(tmp_path, Case()).findings) == []


def test_a_secret_is_placed_and_never_shown(tmp_path: Path) -> None:
    inspection = look(tmp_path, Case(sdist={"notes.txt": f"one\n{TOKEN}\n"},
                                     wheel={"demo/cfg.py": f"T = '{GITHUB}'\n"}))
    places = {finding.place for finding in of(inspection, "REL212")}
    assert places == {"demo-1.2.0.tar.gz/notes.txt:2", "demo-1.2.0-py3-none-any.whl/demo/cfg.py:1"}
    everything = str(inspection.as_json()) + str(inspection.lines()) + str(inspection.findings)
    assert TOKEN not in everything and GITHUB not in everything


def test_no_secret_is_seen_in_pictures() -> None:
    """A notebook is megabytes of base64; a token between quotes is still found."""
    import base64
    import random

    noise = base64.b64encode(random.Random(7).randbytes(3_000_000))
    assert not list(secrets(noise + b"AIza" + noise[:35] + noise[:5]))
    assert [what for _, what in secrets(noise + b'"' + GITHUB.encode() + b'"' + noise)] == ["a GitHub token"]


@pytest.mark.parametrize(("path", "is_one"), [
    (".env", True), ("deploy/.env.production", True), (".env.template", False), ("environment.py", False),
    ("keys/server.p12", True), (".aws/credentials", True), ("credentials", False), ("id_ed25519", True),
])
def test_files_that_hold_secrets_by_their_name(path: str, is_one: bool) -> None:
    assert bool(secret_file(path)) is is_one


def test_a_file_too_large_to_search_is_unverified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labhandbook.package.archive.KEEP", 1000)
    found = of(look(tmp_path, Case(sdist={"data.bin": b"x" * 2000})), "REL212")
    assert [(finding.weight, "data.bin" in finding.message) for finding in found] == [(Severity.UNVERIFIED, True)]


def test_an_ignored_finding_stays_visible_as_ignored(tmp_path: Path) -> None:
    wheel, sdist = sample_packages.wheel(tmp_path,
                                         {**MODULES, "demo.pth": "import demo"}), sample_packages.sdist(tmp_path)
    settings = Settings(ignore={"REL215": "the hook is the point"})
    chosen = Project(tmp_path, {}, "", None, settings)
    assert [finding.weight for finding in inspect(Built(tmp_path, read(sdist), read(wheel)), chosen).findings
            ] == [Severity.IGNORED]


def test_contents_and_metadata_are_shown(tmp_path: Path) -> None:
    many = {f"demo/tables/t{number:02}.csv": "1," * number for number in range(30)}
    inspection = look(tmp_path, Case(wheel=many, info={"entry_points.txt": ENTRY.format("demo.cli:main")}))
    text = "\n".join(inspection.lines())
    for words in ("demo 1.2.0", "python    >=3.11", "licence   MIT", "commands  demo = demo.cli:main",
                  "needs     click>=8.1", "text/markdown", "tables/", "30 files", "(20 smaller files)",
                  "not asked for"):
        assert words in text, words
    assert max(map(len, text.splitlines())) <= 100
    data = inspection.as_json()
    assert data["metadata"]["name"] == "demo" and len(data["files"]) == 2


def release(folder: Path, version: str, files: Files, metadata: str = METADATA) -> Path:
    folder.mkdir(exist_ok=True)
    return sample_packages.wheel(folder, files, metadata.replace("1.2.0", version),
                                 name=f"demo-{version}-py3-none-any.whl")


OLD = {"demo/__init__.py": "from .cli import main, helper\n_hidden = 1\n",
       "demo/cli.py": "def main(): ...\ndef helper(): ...\n", "demo/gone.py": "x = 1\n"}
NEW = {"demo/__init__.py": "from .cli import main\n",
       "demo/cli.py": "def main(): ...\ndef added(): ...\n", "demo/new.py": ""}
CHANGED = (METADATA.replace("click>=8.1", "click>=8.3").replace(">=3.11", ">=3.12")
           .replace("Requires-Dist", "Requires-Dist: numpy>=2\nRequires-Dist"))


def test_a_difference_names_what_changed(tmp_path: Path) -> None:
    found = difference(read(release(tmp_path, "1.1.0", OLD)), read(release(tmp_path, "1.2.0", NEW, CHANGED)))
    shown = {theme: {str(change) for change in changes} for theme, changes in found.themes().items()}
    assert shown["dependencies"] == {"~ click >=8.1 → >=8.3", "+ numpy >=2"}
    assert shown["Python"] == {"~ requires-python >=3.11 → >=3.12"}
    assert {"- demo.helper", "- demo.cli.helper", "- demo.gone", "+ demo.cli.added"} <= shown["public names"]
    assert any(change.startswith("- demo/gone.py") for change in shown["files"])
    assert not any("dist-info/RECORD" in change or "_hidden" in change for part in shown.values() for change in part)
    assert found.as_json()["before"] == "1.1.0" and "public names:" in found.lines()


def test_nothing_changed(tmp_path: Path) -> None:
    found = difference(read(release(tmp_path, "1.1.0", OLD)), read(release(tmp_path, "1.1.0", OLD)))
    assert found.lines() == ["nothing changed"]


@pytest.mark.parametrize(("before", "after", "warns"), [
    ("1.1.0", "1.2.0", True), ("1.1.0", "2.0.0", False), ("0.4.0", "0.5.0", False), ("0.9.0", "1.0.0", False)])
def test_public_names_go_only_with_a_major_version(tmp_path: Path, before: str, after: str, warns: bool) -> None:
    old = read(release(tmp_path / "old", before, OLD))
    built = Built(tmp_path, read(sample_packages.sdist(tmp_path)), read(release(tmp_path / "new", after, NEW)))
    inspection = inspect(built, project(tmp_path, tags=()), Previous(old))
    assert bool(of(inspection, "REL230")) is warns
    kept = Built(tmp_path, built.sdist, read(release(tmp_path / "new", after, {**OLD, **{"demo/more.py": ""}})))
    assert not of(inspect(kept, project(tmp_path, tags=()), Previous(old)), "REL230")


def test_a_module_that_builds_write_promises_nothing(tmp_path: Path) -> None:
    """Each version of setuptools-scm writes version.py in another way."""
    files = {"demo/__init__.py": "def main(): ...\n", "demo/version.py": "TYPE_CHECKING = False\nCOMMIT_ID = 1\n"}
    old = read(release(tmp_path / "old", "1.1.0", files))
    new = release(tmp_path / "new", "1.2.0", {**files, "demo/version.py": "version = '1.2.0'\n"})
    built = Built(tmp_path, read(sample_packages.sdist(tmp_path)), read(new))
    assert not of(inspect(built, project(tmp_path, tags=()), Previous(old)), "REL230")


def test_names_in_branches_and_lists_are_seen(tmp_path: Path) -> None:
    text = ("import os as system\ntry:\n    from fast import go\nexcept ImportError:\n    def go(): ...\n"
            "a, b = 1, 2\nif system:\n    inner: int = 1\n")
    wheel = read(sample_packages.wheel(tmp_path, {"demo/__init__.py": text, "demo/broken.py": "def broken(:\n",
                                                  "demo/listed.py": "__all__ = ['x']\nx = y = 1\n"}))
    assert {"demo.inner", "demo.listed.x"} <= wheel.api.public()
    assert wheel.api.has("demo", "go") and wheel.api.has("demo", "a") is None, "griffe does not read a, b = 1, 2"
    assert not {"demo.system", "demo.listed.y"} & wheel.api.public()
    assert wheel.api.has("demo.broken", "broken") is None and wheel.api.has("demo", "other") is False


def test_a_call_that_can_fail_is_a_breaking_change(tmp_path: Path) -> None:
    before = {"demo/__init__.py": "def fit(data, steps=10, seed=0): ...\nclass Model: ...\ndef same(a): ...\n"}
    after = {"demo/__init__.py": "def fit(data, seed, steps=10): ...\ndef Model(): ...\ndef same(a, b=1): ...\n"}
    found = difference(read(release(tmp_path, "1.1.0", before)), read(release(tmp_path, "1.2.0", after)))
    assert found.breaking == ["demo.Model: Public object points to a different kind of object",
                              "demo.fit(seed): Parameter is now required",
                              "demo.fit(seed): Positional parameter was moved",
                              "demo.fit(steps): Positional parameter was moved"]
    assert found.lines()[0] == "breaking changes:" and found.as_json()["breaking"] == found.breaking
    built = Built(tmp_path, read(sample_packages.sdist(tmp_path)), read(release(tmp_path, "1.2.0", after)))
    seen = inspect(built, project(tmp_path, tags=()), Previous(read(release(tmp_path, "1.1.0", before))))
    assert any("calls that work with 1.1.0 can fail" in finding.message for finding in seen.findings)


def test_the_last_release_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    with serving(tmp_path / "index") as server:
        sample_dists.put(server, *(release(tmp_path / "made", version, OLD)
                                   for version in ("1.0.0", "1.1.0", "1.1.1", "1.2.0rc1", "1.3.0")))
        server.store.yank("demo-1.1.1-py3-none-any.whl", "bad")

        def last(version: str, target: str = server.url) -> Previous:
            return fetch_previous("Demo", version, target, tmp_path / "here")

        got = last("1.2.0")
        assert got.version == "1.1.0" and got.wheel and not got.sdist and not got.problem
        assert last("1.2.0rc2").version == "1.2.0rc1"
        assert last("1.0.0").first
        assert "compare-with" in last("1.2.0", "none").problem
        server.faults.append(Fault("file", "corrupt"))
        assert "arrived damaged" in last("1.2.0").problem


def test_of_several_wheels_the_one_for_this_machine_is_compared(tmp_path: Path) -> None:
    from packaging.tags import sys_tags

    mine, other = next(iter(sys_tags())), "cp39-cp39-win_amd64"
    with serving(tmp_path / "index") as server:
        for tag in ("cp27-cp27m-any", other, str(mine), "py3-none-any"):
            sample_dists.put(server, sample_packages.wheel(tmp_path, name=f"demo-1.2.0-{tag}.whl"))
        got = fetch_previous("demo", "1.3.0", server.url, tmp_path)
        assert got.wheel and got.wheel.file == f"demo-1.2.0-{mine}.whl"


def test_without_an_index_the_inspection_says_so(tmp_path: Path) -> None:
    with serving(tmp_path / "index") as server:
        address = server.url
    got = fetch_previous("demo", "1.2.0", address, tmp_path)
    assert "can't be reached" in got.problem and not got.first
    built = Built(tmp_path, read(sample_packages.sdist(tmp_path)), read(sample_packages.wheel(tmp_path)))
    assert "can't be reached" in "\n".join(inspect(built, project(tmp_path), got).lines())


@pytest.mark.long
@pytest.mark.parametrize(("name", "expected"), [("gpyreg", {"REL227"}), ("pyvbmc", {"REL213", "REL230"})])
def test_the_labs_packages(tmp_path: Path, name: str, expected: set[str]) -> None:
    """Real input: built, inspected and compared to the end, with findings that its maintainers would agree with."""
    folder = sample_packages.download("--no-build-isolation", "--no-binary", name, name) or sample_packages.download(
        "--no-binary", name, name)
    if folder is None:
        pytest.skip(LACKS + "network")
    import tarfile

    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    here = load_project(next(path for path in tmp_path.iterdir() if path.is_dir()), ask_remote=False)
    inspection = inspect(build(here, tmp_path / "out"), here)
    assert {finding.rule.code for finding in inspection.findings} <= expected, inspection.findings
    assert len(inspection.wheel.modules) > 5 and inspection.lines()


def test_this_package_itself(tmp_path: Path) -> None:
    if sample_packages.download("flit-core") is None:
        pytest.skip(LACKS + "network")
    here = load_project(ROOT, ask_remote=False)
    inspection = inspect(build(here, tmp_path / "out"), here)
    assert [finding for finding in inspection.findings if finding.weight is Severity.ERROR] == []


def test_the_commands_build_and_inspect(tmp_path: Path) -> None:
    if sample_packages.download("flit-core") is None:
        pytest.skip(LACKS + "network")
    root = sample_packages.make(tmp_path / "project", "flit", {
        **sample_packages.pyproject("flit", ('"Typing :: Typed"', '"Typing :: Typed", "Framework :: Homemade"')),
        "src/demo/.env": "A=1\n"})
    done = run("release", "build", cwd=root)
    assert done.returncode == 0 and "demo-1.2.0.tar.gz" in done.stderr, done.stderr
    done = run("release", "inspect", "--compare-with", "none", cwd=root)
    assert done.returncode == 1 and "demo 1.2.0" in done.stdout and "src/demo/" in done.stdout, done.stderr
    for words in ("REL211", "demo-1.2.0.tar.gz/src/demo/.env", "pyproject.toml:13: REL305", "Framework :: Homemade"):
        assert words in done.stdout, done.stdout
    done = run("release", "inspect", "--compare-with", "none", "--format", "json", cwd=root)
    data = json.loads(done.stdout)
    assert done.returncode == 1 and data[0]["version"] == "1.2.0"
    assert {finding["code"] for finding in data[0]["findings"]} == {"REL211", "REL305"}
    for form in ("markdown", "sarif"):
        assert "REL305" in run("release", "inspect", "--compare-with", "none", "--format", form, cwd=root).stdout
