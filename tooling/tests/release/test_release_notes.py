"""The notes of a version: from the change log, from fragments, or from the titles of pull requests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from labhandbook.package.project import load_project
from labhandbook.package.release_notes import notes
from labhandbook.release.next_version import propose
from tooling.tests.conftest import run
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_packages import git, write


def project(folder: Path, files: dict[str, str], *messages: str) -> Path:
    """A package whose change log does not have the version 1.3.0, with commits after the tag of 1.2.0."""
    root = sample_dists.project(folder / "labdemo")
    write(root, files)
    git(root, "add", "--all")
    for message in messages or ("More",):
        git(root, "commit", "--quiet", "--allow-empty", "--message", message)
    return root


def test_the_change_log_comes_first(tmp_path: Path) -> None:
    root = project(tmp_path, {"newsfragments/1.feature.md": "An option."})
    assert notes(load_project(root, ask_remote=False), "1.2.0").text == "- First."


def test_fragments_are_grouped_by_kind(tmp_path: Path) -> None:
    root = project(tmp_path, {"newsfragments/1.bugfix.md": "A fault.",
                              "newsfragments/2.feature.md": "An option,\nlong.",
                              "newsfragments/3.misc.md": "Tools.", "newsfragments/README.md": "How to write them.\n"})
    found = notes(load_project(root, ask_remote=False), "1.3.0")
    assert found.source == "newsfragments"
    assert found.text == ("### Added\n\n- An option,\n  long.\n\n### Fixed\n\n- A fault.\n\n### Misc\n\n- Tools.")


def test_fragments_of_scriv_and_reno(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    scriv = project(tmp_path / "one", {"changelog.d/20261128_a.md": "### Fixed\n\n- A fault.\n"})
    assert notes(load_project(scriv, ask_remote=False), "1.3.0").text == "### Fixed\n\n- A fault."
    (tmp_path / "two").mkdir()
    reno = project(tmp_path / "two", {"releasenotes/notes/a-1.yaml": "fixes:\n  - |\n    A fault.\n"})
    assert notes(load_project(reno, ask_remote=False), "1.3.0").text == "### Fixed\n\n- A fault."


def test_titles_of_pull_requests_are_the_last_resort(tmp_path: Path) -> None:
    merge = "Merge pull request #13 from me/it\n\nA fault\n\nLong."
    root = project(tmp_path, {}, "An option (#12)", "A commit", merge)
    found = notes(load_project(root, ask_remote=False), "1.3.0")
    assert found.text == "- A fault (#13)\n- An option (#12)" and found.source == "pull requests"


def test_a_package_of_several_has_its_own_tags_and_changes(tmp_path: Path) -> None:
    root = sample_dists.project(tmp_path / "labs")
    sample_dists.project(root / "more/labmore", "labmore")
    (root / "more/labmore/.git").rename(tmp_path / "its-own-history")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "More")
    git(root, "tag", "labmore-v1.2.0")
    write(root, {"more/labmore/labmore/new.py": "def new():\n    pass\n"})
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "A name (#3)")
    write(root, {"labdemo/new.py": "def other():\n    pass\n"})
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Another (#4)")
    git(root, "tag", "v1.3.0")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "Last")
    project = load_project(root / "more/labmore", ask_remote=False)
    project = replace(project, settings=replace(project.settings, tag="labmore-v{version}"))
    assert notes(project, "1.3.0").text == "- A name (#3)"
    found = propose(project)
    assert found is not None and (found.before, found.version) == ("labmore-v1.2.0", "1.3.0")
    assert "labmore.new" in str(found) and "labdemo" not in str(found)


def test_the_command(tmp_path: Path) -> None:
    root = project(tmp_path, {})
    done = run("release", "notes", cwd=root)
    assert done.returncode == 0 and done.stdout == "- First.\n" and "from CHANGELOG.md" in done.stderr
    (root / "CHANGELOG.md").write_text("# Changes\n")
    none = run("release", "notes", root)
    assert none.returncode == 2 and "nothing says what is new in labdemo 1.2.0" in none.stderr
