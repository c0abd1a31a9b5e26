"""The packaging chapter does what it says: its shell blocks, run as printed, end as the text below them promises."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping

import pytest

from labhandbook.release.local_index_files import Stored
from tooling.tests.package.sample_dists import CANARY
from tooling.tests.package.sample_packages import git
from tooling.tests.release.chapter_readers import MODULE, NAME, Way, way
from tooling.tests.release.packaging_chapter import BESIDE, BY_COMMAND, FIRST, HAND, INSIDE, NEXT

pytestmark = pytest.mark.long


@pytest.fixture(scope="module", params=[INSIDE, BESIDE])
def by_hand(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    yield from way(HAND, request.param, tmp_path_factory.mktemp("hand"), *FIRST)


@pytest.fixture(scope="module")
def by_command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    yield from way(BY_COMMAND, INSIDE, tmp_path_factory.mktemp("command"), *FIRST)


def names(version: str) -> list[str]:
    return [f"{MODULE}-{version}-py3-none-any.whl", f"{MODULE}-{version}.tar.gz"]


def hashes(files: list[Stored]) -> Mapping[str, str]:
    return {file.filename: file.sha256 for file in files}


def check_indexes(here: Way, *versions: str) -> None:
    """Both indexes got the same files, each once, and the remote the tags and nothing more."""
    stored = [server.store.files(NAME) for server in (here.testpypi, here.pypi)]
    assert hashes(stored[0]) == hashes(stored[1])
    assert sorted(hashes(stored[0])) == sorted(name for version in versions for name in names(version))
    assert sorted(here.pypi.uploads()) == sorted(hashes(stored[1])), "nothing went up twice"
    assert git(here.origin, "tag").split() == [f"v{version}" for version in versions]
    assert not git(here.root, "status", "--short")
    assert CANARY not in "".join(here.said.values())


def test_a_first_release_by_hand(by_hand: Way) -> None:
    """The blocks say what the text below them promises."""
    check_indexes(by_hand, "1.1.0")
    scratch = by_hand.folder / "home" / f"release-{NAME}-1.1.0"
    output = functools.partial(by_hand.output, "1.1.0")
    assert output("git status --short") == "false\n"
    assert output("git tag --annotate") == "v1.1.0\n"
    assert output("ls dist", "sec-pypi-build").splitlines()[-2:] == names("1.1.0")
    assert output("diff ") == "", "tree and wheel hold the same"
    assert output("twine check").count("PASSED") == 2
    assert str(scratch / "test") in output("__file__").splitlines()[-1]
    own, _, rest = output("pip hash").partition(f"Successfully installed {NAME}-1.1.0\n")
    assert rest and "click" not in own, "the version alone; its dependencies come later"
    assert output("importlib.metadata", "sec-pypi-install").splitlines()[-1] == "1.1.0"
    assert output("pytest", "sec-pypi-dependencies").count("1 passed") == 2
    assert output("pytest", "sec-pypi-test").count("1 passed") == 2, "in the wheel's environment and the rehearsal's"
    assert re.search(r"\+ click==8\.1\.0$", output("lowest-direct"), re.MULTILINE), "the oldest that is allowed"


def test_the_next_release_by_hand(by_hand: Way) -> None:
    by_hand.update(NEXT)
    check_indexes(by_hand, "1.1.0", "1.2.0")
    output = functools.partial(by_hand.output, "1.2.0")
    assert output("git tag --annotate") == "v1.2.0\n"
    assert output("rm -rf dist").splitlines()[-2:] == names("1.2.0"), "the old files are gone"
    assert output("twine check").count("PASSED") == 2
    assert "1 passed" in output("pytest")
    assert output("m.requires").splitlines()[-2:] == ["click>=8.1", 'pytest>=8; extra == "test"']


def test_a_first_release_by_command(by_command: Way) -> None:
    check_indexes(by_command, "1.1.0")
    output = functools.partial(by_command.output, "1.1.0")
    early = output("handbook release status")
    assert "1. check" in early and "7. verify" in early, "the steps are listed"
    assert "all steps passed" in early and "next: tag the commit" in early, "an untagged commit is rehearsed"
    assert (by_command.folder / "started" / "pyproject.toml").exists()
    assert f"{MODULE}-1.1.0.tar.gz" in output("handbook release build")
    for needle in ("publish --to testpypi", "publish --to pypi", "verify --from pypi"):
        assert "1 test passed" in output(needle), needle


def test_the_next_release_by_command(by_command: Way) -> None:
    by_command.update(NEXT)
    check_indexes(by_command, "1.1.0", "1.2.0")
    output = functools.partial(by_command.output, "1.2.0")
    assert f"{MODULE}/more/__init__.py" in output("handbook release inspect"), "what is new since the last release"
    assert output("handbook release publish").count("all steps passed") == 2
