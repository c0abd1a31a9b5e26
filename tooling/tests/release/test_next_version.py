"""The version that `status` proposes, from the last tag, the public names and the change log."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from packaging.version import Version

from labhandbook.package.pending_changes import by_kind, newer, pending
from labhandbook.package.project import load_project
from labhandbook.release.next_version import propose, raised
from tooling.tests.conftest import run
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_packages import git, write

pytestmark = pytest.mark.walk

TODAY = date(2026, 11, 28)
CODE = '"""A demo."""\n\n\ndef one(a):\n    """One."""\n    return a\n\n\ndef two():\n    """Two."""\n'
LOG = "# Changes\n\n## Unreleased\n\n{}\n\n## 1.2.0\n\n### Added\n\n- First.\n"


def changed(folder: Path, files: dict[str, str], version: str = "1.2.0") -> Path:
    """A tagged package with two functions, and a commit after the tag."""
    root = sample_dists.project(folder / "labdemo", version=version)
    write(root, {"labdemo/core.py": CODE})
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Code")
    git(root, "tag", "--force", f"v{version}", "HEAD")
    write(root, files)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "More")
    return root


@pytest.mark.parametrize(("files", "version", "why"), [
    ({"README.md": "Other.\n"}, "1.2.1", "no public name"),
    ({"labdemo/core.py": CODE.replace("return a", "return a + 1")}, "1.2.1", "no public name"),
    ({"labdemo/core.py": CODE + "\n\ndef three():\n    pass\n"}, "1.3.0", "labdemo.core.three) is new"),
    ({"labdemo/core.py": CODE.replace("two", "_two")}, "2.0.0", "labdemo.core.two) is gone"),
    ({"labdemo/core.py": CODE.replace("one(a)", "one(a, b)")}, "2.0.0", "labdemo.core.one(b)"),
    ({"labdemo/tests/test_more.py": "def test_new():\n    pass\n"}, "1.2.1", "no public name"),
    ({"CHANGELOG.md": LOG.format("### Fixed\n\n- A fault.")}, "1.2.1", "no public name"),
    ({"CHANGELOG.md": LOG.format("### Added\n\n- An option.")}, "1.3.0", "CHANGELOG.md lists Added"),
    ({"CHANGELOG.md": LOG.format("### Removed\n\n- The option.")}, "2.0.0", "CHANGELOG.md lists Removed"),
    ({"newsfragments/12.feature.rst": "An option."}, "1.3.0", "newsfragments lists feature"),
    ({"newsfragments/12.bugfix.rst": "A fault."}, "1.2.1", "no public name"),
    ({"changelog.d/20261128_me.md": "### Added\n\n- An option.\n"}, "1.3.0", "changelog.d lists Added"),
    ({"releasenotes/notes/a-1.yaml": "features:\n  - An option.\n"}, "1.3.0", "lists features"),
])
def test_what_changed_gives_the_next_version(tmp_path: Path, files: dict[str, str], version: str, why: str) -> None:
    found = propose(load_project(changed(tmp_path, files), ask_remote=False), TODAY)
    assert found is not None and found.version == version and why in str(found), found


def test_notes_of_earlier_versions_do_not_count(tmp_path: Path) -> None:
    root = changed(tmp_path, {"releasenotes/notes/a-1.yaml": "features:\n  - An option.\n"})
    git(root, "tag", "v1.3.0")
    write(root, {"README.md": "Other.\n"})
    git(root, "commit", "--quiet", "--all", "--message", "Words")
    found = propose(load_project(root, ask_remote=False), TODAY)
    assert found is not None and (found.before, found.version) == ("v1.3.0", "1.3.1")


def test_a_tagged_commit_and_one_without_an_earlier_tag_get_no_proposal(tmp_path: Path) -> None:
    root = sample_dists.project(tmp_path / "labdemo")
    assert propose(load_project(root, ask_remote=False)) is None
    git(root, "tag", "--delete", "v1.2.0")
    assert propose(load_project(root, ask_remote=False)) is None


@pytest.mark.parametrize(("before", "level", "after"), [
    ("1.2.3", "major", "2.0.0"), ("1.2.3", "minor", "1.3.0"), ("1.2.3", "patch", "1.2.4"), ("1.2", "patch", "1.2.1"),
    ("1.2", "minor", "1.3"), ("0.4.1", "major", "0.5.0"), ("0.4.1", "minor", "0.5.0"), ("0.4.1", "patch", "0.4.2"),
    ("2.0.1.6", "patch", "2.0.1.7"), ("2.0.1.6", "minor", "2.1.0.0"), ("2.0rc1", "patch", "2.0"),
    ("1.2.0.post1", "patch", "1.2.1"),
])
def test_which_number_is_raised(before: str, level: str, after: str) -> None:
    assert raised(Version(before), level) == after


@pytest.mark.parametrize(("last", "expected"), [
    ("26.1.0", "26.2.0"), ("2026.3", "2026.4"), ("25.4.0", "25.4.1"),
])
def test_versions_that_begin_with_the_year_go_on_so(tmp_path: Path, last: str, expected: str) -> None:
    root = changed(tmp_path, {"README.md": "Other.\n"}, last)
    found = propose(load_project(root, ask_remote=False), TODAY)
    assert found is not None and found.version == expected


@pytest.mark.parametrize(("today", "expected"), [(TODAY, "2026.11.0"), (date(2026, 1, 9), "2026.1.2")])
def test_versions_of_a_year_and_a_month_go_on_so(tmp_path: Path, today: date, expected: str) -> None:
    root = changed(tmp_path, {"README.md": "Other.\n"}, "2026.1.0")
    git(root, "tag", "v2026.1.1", "HEAD")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "More")
    found = propose(load_project(root, ask_remote=False), today)
    assert found is not None and found.version == expected


def test_the_log_of_a_newer_version_counts(tmp_path: Path) -> None:
    text = "# Changes\n\n## [2.0.0] - 2026-11-28\n\n### Breaking changes\n\n- All.\n\n## 1.2.0\n\n- First.\n"
    project = load_project(changed(tmp_path, {"CHANGELOG.md": text}), ask_remote=False)
    assert pending(project, "1.2.0").breaking == {"Breaking changes"}
    assert pending(project, "2.0.0").entries == ()
    old = "\n## 0.7.0 (unreleased)\n\n### Added\n\n- A\n"
    (project.root / "CHANGELOG.md").write_text(LOG.format("- First.").replace("## Unreleased", "## 1.2.0") + old)
    assert pending(project, "1.2.0").entries == (), "an old version that never appeared"


@pytest.mark.parametrize("head", ["labdemo 2.0.0 (2026-11-28)\n==========================", "2.0.0\n-----",
                                  "## v2.0.0 - 2026", "Version 2.0.0"])
def test_which_version_heads_a_log(head: str) -> None:
    assert list(newer(f"Changes\n=======\n\n{head}\n\n- New.\n\n1.2.0\n-----\n\n- Old.\n", "1.2.0")) == ["2.0.0"]


def test_kinds_of_entries() -> None:
    text = "### Added\n\n- A\n  longer.\n- B\n\n### Fixed\n\n* C\n"
    found = [(each.kind, each.text) for each in by_kind(text)]
    assert found == [("Added", "A longer."), ("Added", "B"), ("Fixed", "C")]
    underlined = "Features\n~~~~~~~~\n\n- A\n\nBugfixes\n~~~~~~~~\n\n- B\n"
    assert [each.kind for each in by_kind(underlined)] == ["Features", "Bugfixes"]


def test_status_says_it(tmp_path: Path) -> None:
    root = changed(tmp_path, {"labdemo/core.py": CODE + "\n\ndef three():\n    pass\n"})
    done = run("release", "status", cwd=root)
    assert "1.2.0 is written down; what changed asks for 1.3.0, after v1.2.0: 1 public name" in done.stdout
    found = json.loads(run("release", "status", "--format", "json", cwd=root).stdout)[0]["next-version"]
    assert found["version"] == "1.3.0" and found["before"] == "v1.2.0"
