"""`handbook recipe diff`: a recipe against its release, each difference at its line, and the recipe mended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labhandbook.recipe.recipe_diff import compare
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
            ("RCP050", "  run:", "run lacks rich >=13"), ("RCP051", "- attrs", "the release doesn't ask for attrs"),
            ("RCP052", "- click", "click >=8.1 is click >=8.2 in the release"),
            ("RCP057", "1.2.0", "the version is 1.2.0, the release is 1.3.0"),
            ("RCP057", "number: 2", "a new version starts at 0"), ("RCP057", "sha256", "the sha256 begins with abab"),
            ("RCP053", "1.2.0", "the release needs 3.12"),
        ):
            assert f":{line_of(text, at)}: {code} " in done.stderr and words in done.stderr, words
        assert done.returncode == 1 and "+    - rich >=13" in done.stdout and path.read_text(encoding="utf-8") == text
        assert run("recipe", "diff", path, "--index", address, "--write").returncode == 0
        again = run("recipe", "diff", path, "--index", address)
    assert (again.returncode, again.stdout) == (0, "") and "no findings" in again.stderr, again.stderr
    mended = path.read_text(encoding="utf-8")
    assert "attrs" not in mended and "number: 0" in mended and "1.3.0" in mended and "- someone" in mended


NOTICE = Release(version="1.2.0", requires=("click>=8.1",), files={"NOTICE": "Thanks.\n"})
LICENCES = "  license_file:\n    - {}\n    - {}\n"
ENTRY = "  python:\n    entry_points:\n      - demo = demo.cli:main\n"


@pytest.mark.parametrize(("release", "old", "new", "code", "at", "mended"), [
    (OLD, "license: MIT", "license: BSD-3-Clause", "RCP055", "license: BSD", "  license: MIT\n"),
    (OLD, "license_file: LICENSE", "license_file: COPYING  # our own", "RCP055", "license_file",
     "  license_file: LICENSE  # our own\n"),
    (OLD, "  license_file: LICENSE\n", "", "RCP055", "about:", "  license: MIT\n  license_file:\n    - LICENSE\n"),
    (OLD, "  license_file: LICENSE\n", LICENCES.format("LICENSE", "COPYING"), "RCP055", "license_file",
     "  license_file:\n    - LICENSE\n\n"),
    (NOTICE, "  license_file: LICENSE\n", "  license_file: LICENSE\n", "RCP055", "license_file",
     LICENCES.format("LICENSE", "NOTICE")),
    (NOTICE, "  license_file: LICENSE\n", "  license_file: [COPYING, LICENSE]\n", "RCP055", "license_file",
     LICENCES.format("LICENSE", "NOTICE")),
    (NOTICE, "  license_file: LICENSE\n", LICENCES.format("LICENSE  # the code", "COPYING"), "RCP055", "license_file",
     LICENCES.format("LICENSE  # the code", "NOTICE")),
    (OLD, "demo = demo.cli:main", "demo = demo.old:main", "RCP054", "entry_points", "- demo = demo.cli:main\n"),
    (OLD, ENTRY, "", "RCP054", "build:", ENTRY),
    (Release(version="1.2.0", requires=("click>=8.1",), commands=""), "demo", "demo", "RCP054", "entry_points",
     "--no-build-isolation\n\nrequirements:"),
    (OLD, "org/demo\n", "org/old\n", "RCP056", "homepage", "homepage: https://example.org/demo\n"),
    (OLD, "/d/demo/demo-", "/D/Demo/Demo-", "RCP057", "url:", "/packages/source/d/demo/demo-${{ version }}.tar.gz\n"),
    (OLD, "setuptools >=80", "hatchling", "RCP050", "host:", "    - setuptools >=80\n"),
    (OLD, "setuptools >=80", "hatchling", "RCP051", "- hatchling", "    - pip\n    - setuptools >=80\n"),
])
def test_each_difference_is_mended(release: Release, old: str, new: str, code: str, at: str, mended: str,
                                   tmp_path: Path) -> None:
    assert old in v1()
    path = write(tmp_path, v1().replace(old, new, 1))
    with serving(dict([release.sdist(), release.wheel()])) as address:
        drift = compare(path, target=address)
        told, text = [(one.rule.code, one.line) for one in drift.findings], drift.edits.text()
        path.write_text(text, encoding="utf-8")
        again = compare(path, target=address)
    assert (code, line_of(v1().replace(old, new, 1), at)) in told
    assert drift.edits.left == [] and mended in text, text
    assert (list(again.findings), again.edits.text()) == ([], text)


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
