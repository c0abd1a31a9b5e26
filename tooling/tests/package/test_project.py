"""Projects as their sources describe them, and versions found without a build."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.package.project import Project, Settings, load_project, load_projects, read_settings
from labhandbook.package.version import find_version, version_of
from tooling.tests.package.sample_packages import git, make, pyproject, write
from tooling.tests.release.rule_cases import GOOD, SCM, change

DYNAMIC = ('version = "1.2.0"', 'dynamic = ["version"]')


def project(text: str, root: Path = Path("demo")) -> Project:
    return Project(root, tomllib.loads(text), text, None)


def test_names_and_backends() -> None:
    seen = project(GOOD.replace("demo-tool", "Demo.Tool_X"))
    assert (seen.name, seen.normalised, seen.module, seen.tool) == ("Demo.Tool_X", "demo-tool-x", "demo_tool_x",
                                                                    "setuptools")
    assert project("").tool == "setuptools"
    assert project('[build-system]\nbuild-backend = "poetry.core.masonry.api"\n').tool == "poetry"
    assert project('[tool.poetry]\nname = "old"\n').name == "old"


@pytest.mark.parametrize(("needle", "table", "expected"), [
    ("name", "project", 'name = "demo-tool"'), ("requires", "build-system", 'requires = ["setuptools>=77.0.3"]'),
    ("Source", "project.urls", "Source = "), ("include", "tool.setuptools.packages.find", "include = "),
    ("numpy>=1.26", "project", '"numpy>=1.26"'), ("[project]", "", "[project]"),
    ("license", "project", 'license = "MIT"'),
    ("nowhere", "project.urls", "[project.urls]"), ("nowhere", "", "[build-system]")])
def test_lines(needle: str, table: str, expected: str) -> None:
    assert expected in GOOD.splitlines()[project(GOOD).line(needle, table) - 1]


def test_a_comment_is_not_the_line() -> None:
    assert project("# name = 1\n[project]\nversion = '1' # name\nname = 'x'\n").line("name", "project") == 4


def test_settings() -> None:
    text = ('[tool.handbook.release]\ntag = "demo-{version}"\ntest-command = ["pytest", "tests"]\nreruns = 2\n'
            'compare-with = "none"\n[tool.handbook.release.ignore]\nREL042 = "why not"\n')
    assert read_settings(project(text)) == Settings("demo-{version}", ("pytest", "tests"), 2, {"REL042": "why not"},
                                                    "none")
    assert read_settings(project("")) == Settings()


@pytest.mark.parametrize(("line", "says"), [
    ("tags = 1", "no setting tags; did you mean tag?"), ("reruns = '2'", "reruns must be a int"),
    ("reruns = true", "must be"), ("reruns = -1", "negative"), ("tag = 'v'", "lacks {version}"),
    ("ignore = []", "ignore")])
def test_settings_that_can_not_be_used(tmp_path: Path, line: str, says: str) -> None:
    write(tmp_path, {"pyproject.toml": f"[project]\nname = 'x'\n[tool.handbook.release]\n{line}\n"})
    with pytest.raises(HandbookError, match=r"setting|must|lacks|negative") as caught:
        load_project(tmp_path)
    assert says in caught.value.what
    assert caught.value.where == "pyproject.toml:4"


@pytest.mark.parametrize("text", ["[project\n", "\udcff", None])
def test_a_file_that_can_not_be_read(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(HandbookError) as caught:
        load_projects([tmp_path])
    assert caught.value.todo and caught.value.section == "sec-pypi-metadata"


def test_several_projects_come_after_what_they_need(tmp_path: Path) -> None:
    for name, needs in {"top": "middle>=1", "middle": "Bot_Tom>=1", "bot-tom": "numpy"}.items():
        write(tmp_path / name, {"pyproject.toml": f"[project]\nname = '{name}'\ndependencies = ['{needs}']\n"})
    write(tmp_path / "tests/other", {"pyproject.toml": "[project]\nname = 'other'\n"})
    names = [seen.name for seen in load_projects([tmp_path])]
    assert names == ["bot-tom", "middle", "top"]
    assert [seen.name for seen in load_projects([tmp_path / "top", tmp_path / "middle",
                                                 tmp_path / "top"])] == ["middle", "top"]


def test_a_circle_is_an_error(tmp_path: Path) -> None:
    for name, needs in {"one": "two", "two": "one"}.items():
        write(tmp_path / name, {"pyproject.toml": f"[project]\nname = '{name}'\ndependencies = ['{needs}']\n"})
    with pytest.raises(HandbookError, match="circle: one, two"):
        load_projects([tmp_path])


def test_a_workspace_means_its_members(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": "[tool.ruff]\n"})
    with pytest.raises(HandbookError, match="describes no package"):
        load_projects([tmp_path])
    write(tmp_path / "packages/one", {"pyproject.toml": "[project]\nname = 'one'\n"})
    assert [seen.name for seen in load_projects([tmp_path])] == ["one"]


COMPUTED = change(DYNAMIC) + '[tool.setuptools.dynamic]\nversion = { attr = "demo_tool.__version__" }\n'


@pytest.mark.parametrize(("text", "files", "version"), [
    (GOOD, {}, "1.2.0"),
    ('[build-system]\nbuild-backend = "poetry.core.masonry.api"\n[tool.poetry]\nname = "x"\nversion = "2.1"\n', {},
     "2.1"),
    (change(DYNAMIC, ("setuptools.build_meta", "mesonpy")), {"PKG-INFO": "Name: x\nVersion: 2.3\n"}, "2.3"),
    (SCM, {"PKG-INFO": "Metadata-Version: 2.4\nName: demo-tool\nVersion: 2.2\n"}, "2.2"),
])
def test_versions_are_found_in_files(tmp_path: Path, text: str, files: dict[str, str | bytes], version: str) -> None:
    write(tmp_path, {"pyproject.toml": text, **files})
    assert find_version(project(text, tmp_path)).version == version


@pytest.mark.parametrize("text", [COMPUTED, SCM, SCM + 'tag_regex = "("\n', change(DYNAMIC)])
def test_a_computed_version_is_unknown_without_git(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"pyproject.toml": text, "demo_tool/__init__.py": '__version__ = "1.3"\n'})
    found = find_version(project(text, tmp_path))
    assert found.version is None and "no git repository" in found.problem


def test_a_computed_version_is_the_tag_or_what_the_backend_says(tmp_path: Path) -> None:
    root = make(tmp_path / "demo", "setuptools", {"pyproject.toml": COMPUTED.replace("demo_tool", "demo")})
    assert find_version(load_project(root, ask_remote=False)).source == "the tag"
    git(root, "tag", "--delete", "v1.2.0")
    seen = load_project(root, ask_remote=False)
    assert find_version(seen).version is None and "while it builds" in find_version(seen).problem
    with pytest.raises(HandbookError, match="version of demo-tool is not known"):
        version_of(seen)


SCM_TABLES = {
    "setuptools-scm": pyproject("setuptools-scm"),
    "hatch-vcs": pyproject("hatchling", ('version = "1.2.0"', 'dynamic = ["version"]'),
                           ('"hatchling>=1.27"', '"hatchling>=1.27", '
                           '"hatch-vcs"'),
                           ("[project.scripts]", '[tool.hatch.version]\nsource = "vcs"\n\n[project.scripts]')),
    "pdm-backend": pyproject("pdm", ('version = "1.2.0"', 'dynamic = ["version"]'),
                         ("[project.scripts]", '[tool.pdm.version]\nsource = "scm"\n\n[project.scripts]')),
    "versioningit": pyproject("setuptools", ('version = "1.2.0"', 'dynamic = ["version"]'), ('"setuptools>=80"',
                              '"setuptools>=80", "versioningit"')),
}


@pytest.mark.parametrize("source", SCM_TABLES)
def test_versions_are_read_off_the_tag(tmp_path: Path, source: str) -> None:
    make(tmp_path, changes=SCM_TABLES[source])
    found = find_version(load_project(tmp_path))
    assert (found.version, found.source, found.from_git) == ("1.2.0", source, True)
    (tmp_path / "README.md").write_text("Other.\n")
    assert git(tmp_path, "status", "--porcelain") == " M README.md\n", "finding a version writes nothing"
    git(tmp_path, "commit", "--quiet", "--all", "--message", "Other")
    assert str(find_version(load_project(tmp_path)).version).startswith("1.2.1.dev1+g")
    git(tmp_path, "tag", "v1.3.0rc1")
    assert find_version(load_project(tmp_path)).version == "1.3.0rc1"


def test_a_version_file_is_not_written(tmp_path: Path) -> None:
    text = pyproject("setuptools-scm",
                     ("[tool.setuptools_scm]", '[tool.setuptools_scm]\nversion_file = "src/demo/_version.py"'))
    make(tmp_path, "setuptools-scm", text)
    assert find_version(load_project(tmp_path)).version == "1.2.0"
    assert not (tmp_path / "src/demo/_version.py").exists()


def test_a_variable_overrules_the_tag_as_in_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "one", "setuptools-scm")
    make(tmp_path / "two", "setuptools")
    monkeypatch.setenv("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_OTHER", "8.0")
    assert find_version(load_project(tmp_path / "one")).version == "1.2.0"
    monkeypatch.setenv("SETUPTOOLS_SCM_PRETEND_VERSION", "9.0")
    assert find_version(load_project(tmp_path / "one")).version == "9.0"
    assert find_version(load_project(tmp_path / "two")).version == "1.2.0", "no tool reads the variable"


def test_a_tag_without_v_and_a_pattern_of_its_own(tmp_path: Path) -> None:
    make(tmp_path, "setuptools-scm", tag="1.2.0")
    git(tmp_path, "tag", "other-9.9")
    assert find_version(load_project(tmp_path)).version == "1.2.0"
    with (tmp_path / "pyproject.toml").open("a") as stream:
        stream.write('\n[tool.handbook.release]\ntag = "other-{version}"\n')
    assert find_version(load_project(tmp_path)).version == "9.9"


def test_a_package_below_the_repository_reads_its_tag(tmp_path: Path) -> None:
    text = pyproject("setuptools-scm",
                     ("[tool.setuptools_scm]", '[tool.setuptools_scm]\nroot = ".."'))["pyproject.toml"]
    assert isinstance(text, str)
    make(tmp_path, changes={"inside/pyproject.toml": text})
    assert find_version(load_project(tmp_path / "inside")).version == "1.2.0"


def test_state_is_where_no_backend_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the user's folder without git, of each project its own; in `.handbook` where it is, or nobody has a home."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    places = []
    for name in ("one", "two"):
        write(tmp_path / name, {"pyproject.toml": "[project]\nname = 'x'\n"})
        places.append(load_project(tmp_path / name, ask_remote=False).state)
    assert len(set(places)) == 2 and all(place.is_relative_to(tmp_path / "state") for place in places)
    (tmp_path / "two" / ".handbook").mkdir()
    assert load_project(tmp_path / "two", ask_remote=False).state == tmp_path / "two/.handbook/release"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert load_project(tmp_path / "one", ask_remote=False).state == tmp_path / "one/.handbook/release"
