"""The release on GitHub is drafted, filled and published; whatever is there already stays, and nothing is doubled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.core.github_api import GitHub
from labhandbook.github.announce import Announced, Announcement, announce, citation
from labhandbook.package.changelog import notes_of, section
from labhandbook.package.project import load_project
from tooling.tests.conftest import run
from tooling.tests.github import fake_github
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_packages import git, make
from tooling.tests.release.packaging_chapter import FROM_ACTIONS, printed_words

TOKEN = "ghs_" + "t" * 20
CHANGELOG = "# Changes\n\n## 1.2.0 - 2026-01-02\n\n- Better, see [#7].\n\n## 1.1.0\n\n- Older.\n\n[#7]: https://x/7\n"


@pytest.fixture
def wanted(tmp_path: Path) -> Announcement:
    """Version 1.2.0 with two files and its change log, tagged on GitHub."""
    folder = make(tmp_path / "work", changes={"CHANGELOG.md": CHANGELOG})
    git(tmp_path, "clone", "--quiet", "--bare", str(folder), "remote.git")
    (tmp_path / "dist").mkdir()
    paths = [sample_dists.sdist(tmp_path / "dist"), sample_dists.wheel(tmp_path / "dist")]
    return Announcement(load_project(folder, ask_remote=False), "1.2.0", git(folder, "rev-parse", "HEAD").strip(),
                        paths, {path.name: sample_dists.sha256(path) for path in paths})


@pytest.fixture
def server(wanted: Announcement, tmp_path: Path) -> Iterator[fake_github.Server]:
    """GitHub, which also has other releases."""
    state = fake_github.State("lab/demo", tmp_path / "remote.git", TOKEN)
    with fake_github.serving(state, page=2) as running:
        for number in range(3):
            state.releases.append({"id": number + 90, "tag_name": f"v0.{number}", "draft": number == 2, "assets": []})
        yield running


def bring(wanted: Announcement, server: fake_github.Server) -> Announced:
    """Announce it."""
    return announce(wanted, GitHub("lab/demo", server.url, TOKEN, pause=0.02))


def ours(server: fake_github.Server) -> list[fake_github.Json]:
    """The releases of the tag."""
    return [each for each in server.state.releases if each["tag_name"] == "v1.2.0"]


def contents(wanted: Announcement) -> dict[str, bytes]:
    """The files as they were built."""
    return {path.name: path.read_bytes() for path in wanted.files}


def test_a_release_is_published_with_notes_and_files(wanted: Announcement, server: fake_github.Server) -> None:
    done = bring(wanted, server)
    (release,) = ours(server)
    assert (release["draft"], release["prerelease"], release["make_latest"]) == (False, False, "legacy")
    assert release["name"] == "demo 1.2.0" and release["body"] == "- Better, see [#7].\n\n[#7]: https://x/7"
    assert server.state.assets("v1.2.0") == contents(wanted)
    assert done.published == "published" and done.notes == "CHANGELOG.md" and set(done.files.values()) == {"uploaded"}
    order = [line.split()[0] for line in server.state.asked if not line.startswith("GET")]
    assert order == ["POST", "POST", "POST", "PATCH"], "files come before it is published"


@pytest.mark.walk
def test_the_command_publishes_what_was_built(wanted: Announcement, server: fake_github.Server) -> None:
    root = wanted.project.root
    built = run("release", "build", cwd=root)
    assert built.returncode == 0, built.stderr
    done = run(*printed_words(FROM_ACTIONS, "handbook release announce"), cwd=root, GITHUB_API_URL=server.url,
               GITHUB_REPOSITORY="lab/demo", GITHUB_TOKEN=TOKEN, NO_PROXY="127.0.0.1")
    assert done.returncode == 0 and "v1.2.0 is published on GitHub" in done.stderr, done.stderr
    assert sorted(server.state.assets("v1.2.0")) == ["demo-1.2.0-py3-none-any.whl", "demo-1.2.0.tar.gz"]


@pytest.mark.parametrize(("files", "said"), [
    ({}, ["no Zenodo DOI is named"]),
    ({".zenodo.json": "{}"}, []),
    ({"CITATION.cff": "version: 1.2.0\ndate-released: 2026-01-02\ndoi: 10.5281/zenodo.77\n"},
     ["listed at https://doi.org/10.5281/zenodo.77"]),
    ({"CITATION.cff": "version: v1.1.0\ndate-released: 2025-12-24\n",
      "README.md": "[![DOI](https://zenodo.org/badge/DOI/10.5281/zenodo.88.svg)](https://x)\n"},
     ["CITATION.cff says version v1.1.0, and this is 1.2.0", "date-released 2025-12-24, and today is 2026-01-02",
      "zenodo.88"]),
    ({"CITATION.cff": "version: [\n", ".zenodo.json": ""}, [])], ids=str)
def test_what_people_cite_is_checked(files: dict[str, str], said: list[str], tmp_path: Path) -> None:
    project = load_project(make(tmp_path / "work", changes={"README.md": "# demo\n", **files}), ask_remote=False)
    found = citation(project, "1.2.0", date(2026, 1, 2))
    assert len(found) == len(said) and all(part in line for part, line in zip(said, found, strict=True)), found


def test_a_second_run_changes_nothing(wanted: Announcement, server: fake_github.Server) -> None:
    bring(wanted, server)
    server.state.asked.clear()
    done = bring(wanted, server)
    assert done.published == "published already" and set(done.files.values()) == {"there already"}
    assert all(line.startswith("GET") for line in server.state.asked)


@pytest.mark.parametrize("fault", [
    fake_github.Fault("POST", "/uploads/", status=502, half=True), fake_github.Fault("POST", "/uploads/", status=502),
    fake_github.Fault("PATCH", "/releases/", status=502), fake_github.Fault("GET", "/assets", status=503, times=2)],
                         ids=str)
def test_an_error_that_passes_is_waited_out(fault: fake_github.Fault, wanted: Announcement,
                                            server: fake_github.Server) -> None:
    server.state.faults.append(fault)
    bring(wanted, server)
    assert server.state.assets("v1.2.0") == contents(wanted) and not ours(server)[0]["draft"]


@pytest.mark.parametrize("fault", [
    fake_github.Fault("POST", "/releases$", status=500),
    fake_github.Fault("POST", "/uploads/", status=500, times=9, half=True),
    fake_github.Fault("PATCH", "/releases/", status=500, times=9)], ids=str)
def test_an_error_that_stays_is_reported_and_a_second_run_finishes(fault: fake_github.Fault, wanted: Announcement,
                                                      server: fake_github.Server) -> None:
    server.state.faults.append(fault)
    with pytest.raises(HandbookError, match="GitHub did not answer as expected") as caught:
        bring(wanted, server)
    assert "run the job again" in caught.value.todo
    assert not any(not each["draft"] for each in ours(server)), "nobody sees half a release"
    server.state.faults.clear()
    bring(wanted, server)
    assert len(ours(server)) == 1 and server.state.assets("v1.2.0") == contents(wanted)
    assert len(ours(server)[0]["assets"]) == 2, "no half file is left"


def test_a_token_that_may_not_write_is_reported(wanted: Announcement, server: fake_github.Server) -> None:
    server.state.faults.append(fake_github.Fault("POST", "/releases$", status=403))
    with pytest.raises(HandbookError) as caught:
        bring(wanted, server)
    assert "contents: write" in caught.value.todo and TOKEN not in str(vars(caught.value))


def test_notes_that_a_person_wrote_stay(wanted: Announcement, server: fake_github.Server) -> None:
    client = GitHub("lab/demo", server.url, TOKEN)
    client.send("POST", "releases", tag_name="v1.2.0", name="Mine", body="By hand.", draft=True, prerelease=False)
    bring(wanted, server)
    (release,) = ours(server)
    assert (release["name"], release["body"], release["draft"]) == ("Mine", "By hand.", False)


def test_without_a_change_log_the_notes_are_those_of_github(wanted: Announcement, server: fake_github.Server) -> None:
    (wanted.project.root / "CHANGELOG.md").unlink()
    assert bring(wanted, server).notes == "" and ours(server)[0]["body"] == "What's changed, by GitHub"


def test_a_published_release_with_other_bytes_is_left_alone(wanted: Announcement, server: fake_github.Server) -> None:
    bring(wanted, server)
    wanted.files[0].write_bytes(b"another")
    other = replace(wanted, hashes={path.name: sample_dists.sha256(path) for path in wanted.files})
    with pytest.raises(HandbookError, match="the release has another"):
        bring(other, server)
    ours(server)[0]["draft"] = True
    bring(other, server)
    assert server.state.assets("v1.2.0") == contents(other), "in a draft it is replaced"


def test_a_recipe_goes_along_while_the_release_takes_files(wanted: Announcement, server: fake_github.Server,
                                                           tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("package: demo\n")
    server.state.immutable = True
    done = bring(replace(wanted, extra=[recipe]), server)
    assert done.files["recipe.yaml"] == "uploaded"
    recipe.write_text("package: demo2\n")
    later = bring(replace(wanted, extra=[recipe]), server)
    assert later.files["recipe.yaml"] == "not there: the release is immutable"


def test_a_tag_that_github_lacks_or_has_elsewhere_is_refused(wanted: Announcement,
                                                             server: fake_github.Server) -> None:
    with pytest.raises(HandbookError, match=r"the tag is \w+ there"):
        bring(replace(wanted, commit="0" * 40), server)
    with pytest.raises(HandbookError, match="the tag is not there"):
        bring(replace(wanted, version="1.3.0"), server)
    assert not ours(server)


@pytest.mark.parametrize(("text", "said"), [
    ("# Changes\n\n## [v1.2.0] (2026)\n\nNew.\n\n### Fixed\n\nOld.\n\n## 1.1.0\n\nNo.\n",
     "New.\n\n### Fixed\n\nOld."),
    ("1.2.0 (2026)\n------------\n\n* New.\n\n1.1.0\n-----\n\n* No.\n", "* New."),
    ("Version 1.2.0\n\n- New.\n\nVersion 1.1.0\n\n- No.\n", "- New."),
    ("## 1.2.0\n\nNew.\n", "New."), ("## 1.20.0\n\nNo.\n", ""), ("## 1.2.0rc1\n\nNo.\n", ""), ("", "")])
def test_the_notes_are_the_section_of_the_version(text: str, said: str) -> None:
    assert section(text, "1.2.0") == said


def test_a_change_log_may_have_another_name(tmp_path: Path) -> None:
    project = load_project(make(tmp_path / "demo", changes={"HISTORY.rst": "1.2.0\n=====\n\nNew.\n"}))
    assert notes_of(project, "1.2.0").source == "HISTORY.rst"
