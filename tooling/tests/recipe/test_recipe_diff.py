"""`handbook recipe diff`: a recipe against its release, each difference at its line, and what is written."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from labhandbook.recipe.recipe_diff import diff
from tooling.tests.conftest import run
from tooling.tests.recipe.samples import Release, line_of, serving, stale, v1, write

pytestmark = pytest.mark.walk

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


def test_a_source_on_github_stays_there(tmp_path: Path) -> None:
    """The project is found by the recipe's name; its requirements are compared, and the source is a person's."""
    text = re.sub(r"(?m)^  url: .*$", "  url: https://github.com/example/demo/archive/v${{ version }}.tar.gz",
                  stale("v1"))
    path = write(tmp_path, text)
    with serving(dict([NEW.sdist(), NEW.wheel()])) as address:
        done = run("recipe", "diff", path, "--index", address, "--write")
    assert "run lacks rich >=13" in done.stderr and "the version is 1.2.0, the release is 1.3.0" in done.stderr
    assert path.read_text(encoding="utf-8") == text, "no hash of the archive is known, so the version stays too"


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


def bots(folder: Path) -> tuple[Path, str]:
    """A clone of a feedstock, and the recipe in it that conda-forge's bot changed on a branch of its own."""
    text = stale("v1")
    digest = hashlib.sha256(NEW.sdist()[1]).hexdigest()
    changed = text.replace("1.2.0", "1.3.0").replace("ab" * 32, digest).replace("number: 2", "number: 0")
    path = folder / "recipe" / "recipe.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    (path.parent / "notes.txt").write_text("+++ b/none\n", encoding="utf-8")
    (folder / "README.md").write_text("demo\n", encoding="utf-8")
    for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "one"),
                  ("switch", "-q", "-c", "1.3.0_h1")):
        git(folder, *words)
    path.write_text(changed, encoding="utf-8")
    (folder / "README.md").write_text("demo, rendered\n", encoding="utf-8")
    git(folder, "commit", "-q", "-a", "-m", "updated v1.3.0")
    git(folder, "switch", "-q", "main")
    return folder, changed


def git(folder: Path, *words: str) -> str:
    """What git says, as somebody whose settings do not matter."""
    done = subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words], cwd=folder,
                          capture_output=True, text=True, check=True)
    return done.stdout


def test_the_bots_branch_and_its_diff_are_compared_with_their_release(tmp_path: Path) -> None:
    folder, changed = bots(tmp_path / "demo-feedstock")
    patch = tmp_path / "12.diff"
    patch.write_text(git(folder, "diff", "main", "1.3.0_h1"), encoding="utf-8")
    newest = Release(version="1.4.0")
    files = dict([NEW.sdist(), NEW.wheel(), newest.sdist(), newest.wheel()])
    with serving(files) as address:
        for change in ("1.3.0_h1", str(patch)):
            done = run("recipe", "diff", ".", "--change", change, "--index", address, cwd=folder)
            assert done.returncode == 1 and "1.4.0" not in done.stderr, done.stderr
            found = set(re.findall(r":(\d+): (RCP0\d\d) ", done.stderr))
            assert found == {(str(line_of(changed, words)), code) for words, code in (
                ("  run:", "RCP050"), ("- attrs", "RCP051"), ("- click", "RCP052"), ("1.3.0", "RCP053"))}
            assert done.stdout == "" and git(folder, "status", "--short") == ""
        wrong = run("recipe", "diff", ".", "--change", "other", "--index", address, cwd=folder)
        assert wrong.returncode == 2 and "there is no branch and no file other" in wrong.stderr
        (folder / "recipe" / "recipe.yaml").write_text("package: {}\n", encoding="utf-8")
        stays = run("recipe", "diff", ".", "--change", patch, "--index", address, cwd=folder)
        assert stays.returncode == 2 and "12.diff does not apply to this recipe" in stays.stderr
        assert run("recipe", "diff", ".", "--change", patch, "--write", cwd=folder).returncode == 2


def drift(text: str, folder: Path, release: Release, **more: bytes) -> list[tuple[str, int, str]]:
    """What differs: the codes, lines and messages."""
    with serving(dict([release.sdist(), release.wheel()]) | more) as address:
        found = diff(write(folder, text), target=address)
    return [(one.rule.code, one.line, one.message) for one in found.left]


def test_extras_explain_requirements(tmp_path: Path) -> None:
    release = Release(requires=("click>=8.1", "httpx; extra == 'web'", "fastthing[all]>=2",
                                "tomli~=2.0; python_version < '3.12'"), extra="Provides-Extra: web")
    said = json.dumps({"info": {"requires_dist": ["stack_data; extra == 'all'"]}}).encode()
    text = v1().replace("    - click >=8.1\n", "    - click >=8.1\n    - httpx\n    - fastthing >=2\n"
                        "    - stack_data\n")
    found = [one for one in drift(text, tmp_path, release, json=said) if one[0] != "RCP057"]
    assert found == [
        ("RCP050", line_of(text, "  run:"),
         "run lacks tomli >=2.0,<3: the release requires tomli~=2.0; python_version < '3.12'"),
        ("RCP051", line_of(text, "- httpx"), "run: only the extra web of the release requires httpx")]


OUTPUTS = """  - package:
      name: {name}
    requirements:
      host:
        - python
        - {tool}
      run:
        - python
        - {run}
"""


def test_the_output_that_installs_the_project_is_compared(tmp_path: Path) -> None:
    head, _, rest = v1().partition("requirements:\n")
    text = head.replace("package:\n  name: demo\n  version", "recipe:\n  name: demo\n  version") + "outputs:\n"
    text += OUTPUTS.format(name="demo-tools", tool="cmake", run="rich")
    text += OUTPUTS.format(name="demo", tool="pip\n        - setuptools >=80", run="demo-tools\n        - attrs")
    text += "\n" + rest[rest.index("about:"):]
    release = Release(requires=("click>=8.1", "rich"))
    found = [one for one in drift(text, tmp_path, release) if one[0] in ("RCP050", "RCP051")]
    at = text.splitlines().index("      run:", line_of(text, "name: demo-tools") + 8) + 1
    assert found == [("RCP050", at, "run lacks click >=8.1"),
                     ("RCP051", line_of(text, "- attrs"), "run: the release doesn't require attrs")]


@pytest.mark.parametrize(("old", "fits"), [("    return 0\n", True), ("    return 1\n", False), (None, False)])
def test_patches_must_fit_the_release(old: str | None, fits: bool, tmp_path: Path) -> None:
    text = v1().replace("  sha256: ", "  patches:\n    - ours.patch\n  sha256: ")
    path = write(tmp_path, text)
    if old:
        path.with_name("ours.patch").write_text(
            f"--- a/demo/cli.py\n+++ b/demo/cli.py\n@@ -1,2 +1,2 @@\n def main():\n-{old}+    return 2\n",
            encoding="utf-8")
    found = [one for one in drift(text, tmp_path, OLD) if one[0] == "RCP058"]
    assert bool(found) is not fits
    for _, line, message in found:
        assert line == line_of(text, "ours.patch")
        assert "does not apply to demo-1.2.0.tar.gz" in message if old else "there is no file ours.patch" in message
