"""`handbook recipe diff`: a recipe against its release, each difference at its line, and what is written."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from labhandbook.recipe.recipe_diff import diff
from tooling.tests.conftest import run
from tooling.tests.recipe.samples import Release, line_of, serving, stale, v1, write

OLD = Release(version="1.2.0", requires=("click>=8.1",))
NEW = Release(version="1.3.0", requires=("click>=8.2", "rich>=13"), python=">=3.12")


@pytest.mark.parametrize("form", ["v1", "v0"])
def test_added_removed_and_changed(form: str, tmp_path: Path) -> None:
    text = stale(form)
    path = write(tmp_path, text, "recipe.yaml" if form == "v1" else "meta.yaml")
    with serving(dict([NEW.sdist(), NEW.wheel()])) as address:
        done = run("recipe", "diff", path, "--index", address)
        for code, at, words in (
            ("RCP050", "  run:", "run lacks rich >=13"), ("RCP051", "- attrs", "the release doesn't require attrs"),
            ("RCP052", "- click", "click >=8.1 is click >=8.2 in the release"),
            ("RCP057", "1.2.0", "the version is 1.2.0, the release is 1.3.0"),
            ("RCP057", "number: 2", "a new version starts at 0"), ("RCP057", "sha256", "the sha256 begins with abab"),
            ("RCP053", "1.2.0", "the release needs 3.12"),
        ):
            assert f":{line_of(text, at)}: {code} " in done.stderr and words in done.stderr, words
        assert done.returncode == 1 and path.read_text(encoding="utf-8") == text
        assert "by hand" not in done.stderr and "with --write" in done.stderr
        written = run("recipe", "diff", path, "--index", address, "--write")
        assert written.returncode == 1 and "4 to correct by hand" in written.stderr, written.stderr
        again = run("recipe", "diff", path, "--index", address)
    assert again.stdout == "" and "RCP057" not in again.stderr and again.stderr.count("RCP05") == 4, again.stderr
    digest = hashlib.sha256(NEW.sdist()[1]).hexdigest()
    assert path.read_text(encoding="utf-8") == text.replace("1.2.0", "1.3.0").replace("ab" * 32, digest).replace(
        "number: 2", "number: 0"), "nothing else changes"


@pytest.mark.parametrize(("old", "new"), [
    ("  number: 2", "  number:   2   # ours"), ('version: "1.2.0"', "version: '1.2.0'  # 1.2.0 is old"),
    ("\n", "\r\n"), ("  summary: A", "  summary: Ü \U0001f40d A"), ("    - someone\n", "    - someone"),
    ("build:\n  number: 2", "build:\n\n\n  # the number\n  number: 2"),
])
def test_every_other_byte_stays(old: str, new: str, tmp_path: Path) -> None:
    text = stale("v1").replace(old, new)
    assert text != stale("v1")
    path = write(tmp_path, "")
    path.write_bytes(text.encode())
    with serving(dict([NEW.sdist(), NEW.wheel()])) as address:
        edits = diff(path, target=address).edits
    digest = hashlib.sha256(NEW.sdist()[1]).hexdigest()
    expected = text.replace("1.2.0", "1.3.0", 1).replace("ab" * 32, digest)
    assert edits.data.decode() == re.sub(r"(number: +)2", r"\g<1>0", expected)


def test_a_computed_build_number_is_left_to_a_person(tmp_path: Path) -> None:
    text = stale("v1").replace('"1.2.0"\n', '"1.2.0"\n  build: 2\n').replace("number: 2", "number: ${{ build }}")
    with serving(dict([NEW.sdist(), NEW.wheel()])) as address:
        drift = diff(write(tmp_path, text), target=address)
    assert "number: ${{ build }}" in drift.edits.text
    assert "the build number is 2; a new version starts at 0" in [one.message for one in drift.left]


@pytest.mark.parametrize(("old", "new"), [
    ("/packages/source/d/demo/demo-", "/demo/releases/download/demo-"), ("/d/demo/demo-", "/D/Demo/Demo-")])
def test_nothing_changes_where_the_source_is_another_file(old: str, new: str, tmp_path: Path) -> None:
    path = write(tmp_path, stale("v1").replace(old, new))
    with serving(dict([NEW.sdist(), NEW.wheel()])) as address:
        drift = diff(path, target=address)
    assert drift.edits.text == drift.reading.text and not drift.edits.changes, "a new version needs its hash"
    assert any("the sha256 begins with abab" in one.message for one in drift.left)


NOTICE = Release(version="1.2.0", requires=("click>=8.1",), files={"NOTICE": "Thanks.\n"})
LICENCES = "  license_file:\n    - {}\n    - {}\n"
ENTRY = "  python:\n    entry_points:\n      - demo = demo.cli:main\n"


@pytest.mark.parametrize(("release", "old", "new", "code", "at"), [
    (OLD, "license: MIT", "license: BSD-3-Clause", "RCP055", "license: BSD"),
    (OLD, "license_file: LICENSE", "license_file: COPYING  # our own", "RCP055", "license_file"),
    (OLD, "  license_file: LICENSE\n", "", "RCP055", "about:"),
    (OLD, "  license_file: LICENSE\n", LICENCES.format("LICENSE", "COPYING"), "RCP055", "license_file"),
    (NOTICE, "  license_file: LICENSE\n", "  license_file: LICENSE\n", "RCP055", "license_file"),
    (NOTICE, "  license_file: LICENSE\n", "  license_file: [COPYING, LICENSE]\n", "RCP055", "license_file"),
    (OLD, "demo = demo.cli:main", "demo = demo.old:main", "RCP054", "entry_points"),
    (OLD, ENTRY, "", "RCP054", "build:"),
    (Release(version="1.2.0", requires=("click>=8.1",), commands=""), "demo", "demo", "RCP054", "entry_points"),
    (OLD, "org/demo\n", "org/old\n", "RCP056", "homepage"),
    (OLD, "/d/demo/demo-", "/D/Demo/Demo-", "RCP057", "url:"),
    (OLD, "setuptools >=80", "hatchling", "RCP050", "host:"),
    (OLD, "setuptools >=80", "hatchling", "RCP051", "- hatchling"),
])
def test_each_other_difference_is_reported_and_left(release: Release, old: str, new: str, code: str, at: str,
                                                    tmp_path: Path) -> None:
    assert old in v1()
    text = v1().replace(old, new, 1)
    with serving(dict([release.sdist(), release.wheel()])) as address:
        drift = diff(write(tmp_path, text), target=address)
    assert (code, line_of(text, at)) in [(one.rule.code, one.line) for one in drift.left]
    digest = hashlib.sha256(release.sdist()[1]).hexdigest() if "Demo" not in new else "ab" * 32
    assert drift.edits.text == text.replace("ab" * 32, digest)


def test_machines_get_the_same_facts(tmp_path: Path) -> None:
    path = write(tmp_path, stale("v1"))
    with serving(dict([NEW.sdist(), NEW.wheel()])) as address:
        done = run("recipe", "diff", path, "--index", address, "--format", "json")
    found = json.loads(done.stdout)
    assert done.returncode == 1 and {one["code"] for one in found["findings"]} >= {"RCP050", "RCP051", "RCP057"}


def test_a_licence_beside_the_recipe_stays(tmp_path: Path) -> None:
    path = write(tmp_path, v1().replace("license_file: LICENSE", "license_file:\n    - LICENSE\n    - OURS"))
    path.with_name("OURS").write_text("Terms.\n", encoding="utf-8")
    with serving(dict([OLD.sdist(), OLD.wheel()])) as address:
        assert "RCP055" not in run("recipe", "diff", path, "--index", address).stderr


def test_a_folder_of_dists(tmp_path: Path) -> None:
    for release in (NEW, Release(name="Other")):
        for name, data in (release.sdist(), release.wheel()):
            (tmp_path / name).write_bytes(data)
    path = write(tmp_path, stale("v1"))
    done = run("recipe", "diff", path, tmp_path, "--index", "http://127.0.0.1:9")
    assert done.returncode == 1 and "the version is 1.2.0, the release is 1.3.0" in done.stderr
    wheel = run("recipe", "diff", path, tmp_path / NEW.wheel()[0], "--index", "http://127.0.0.1:9")
    assert wheel.stderr.partition(" in ")[0] == done.stderr.partition(" in ")[0]
    (tmp_path / NEW.sdist()[0]).unlink()
    none = run("recipe", "diff", path, tmp_path)
    assert none.returncode == 2 and "holds no sdists of demo" in none.stderr
