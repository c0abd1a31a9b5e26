"""Whether the address of a source serves the released file, asked of a small index that is right or wrong."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from labhandbook.package.index_addresses import index
from labhandbook.recipe.recipe_reader import read
from labhandbook.recipe.source_address import check_address
from tooling.tests.conftest import run
from tooling.tests.recipe.samples import V0, Release, line_of, serving, v1, write

FILES = dict([Release().sdist(), Release().wheel()])
NAME, DATA = Release().sdist()
DIGEST = hashlib.sha256(DATA).hexdigest()
PLACE = "/packages/source/d/demo/demo-${{ version }}.tar.gz"


def recipe(folder: Path, address: str, *changes: tuple[str, str]) -> Path:
    """A recipe whose source is at an index, with some changes."""
    text = v1().replace(index("pypi").web, address).replace("ab" * 32, DIGEST)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return write(folder, text)


def asked(path: Path, address: str) -> list[tuple[str, str, int, str]]:
    """Code, weight, line and message of what is found at an index."""
    return [(one.rule.code, str(one.weight), one.line, one.message)
            for one in check_address(read(path, "recipe.yaml"), index(address)).findings]


def test_the_very_file_is_fetched(tmp_path: Path) -> None:
    with serving(FILES) as address:
        answer = check_address(read(recipe(tmp_path, address)), index(address))
    assert answer.findings == [] and answer.data == DATA


def test_v0_with_its_usual_variables(tmp_path: Path) -> None:
    url = "/packages/source/{{ name[0] }}/{{ name|lower }}/{{ name | replace('_', '-') }}-{{ version }}.tar.gz"
    with serving(FILES) as address:
        usual = "https://example.org/packages/source/d/demo/demo-{{ version }}.tar.gz"
        text = V0.replace(usual, address + url).replace("ab" * 32, DIGEST)
        answer = check_address(read(write(tmp_path, text, "meta.yaml")), index(address))
    assert answer.findings == [] and answer.data == DATA


@pytest.mark.parametrize(("old", "new", "code", "weight", "at", "words"), [
    (DIGEST, "cd" * 32, "RCP060", "error", "sha256:", "the recipe names cdcdcdcdcdcdcdcd"),
    ("/d/demo/demo-", "/e/demo/demo-", "RCP068", "error", "url:", "the file is at /packages/source/d/demo/demo-"),
    ("/d/demo/demo-", "/d/demo-x/demo-", "RCP068", "error", "url:", "the file is at"),
    (PLACE, "/files/old/${{ version }}/demo-${{ version }}.tar.gz", "", "", "", ""),
    (PLACE, "/gone/demo-${{ version }}.tar.gz.sig", "RCP068", "unverified", "url:", "has no demo-1.2.0.tar.gz.sig"),
    (".tar.gz", ".zip", "RCP068", "error", "url:", "the sdist of that version is demo-1.2.0.tar.gz"),
    ('"1.2.0"', '"1.3.0"', "RCP068", "unverified", "url:", "demo-1.3.0.tar.gz yet (the newest sdist is demo-1.2.0"),
])
def test_what_is_wrong_is_named(old: str, new: str, code: str, weight: str, at: str, words: str,
                                tmp_path: Path) -> None:
    with serving(FILES) as address:
        path = recipe(tmp_path, address, (old, new))
        found = asked(path, address)
    if not code:
        assert found == []
        return
    assert [one[:3] for one in found] == [(code, weight, line_of(path.read_text(encoding="utf-8"), at))]
    assert words in found[0][3]


def test_another_file_at_the_address(tmp_path: Path) -> None:
    with serving(FILES, lasting={NAME: b"another"}) as address:
        found = asked(recipe(tmp_path, address), address)
    assert [one[:2] for one in found] == [("RCP068", "error")] and "leads to a file with sha256" in found[0][3]


def test_what_cannot_be_checked_is_unverified(tmp_path: Path) -> None:
    with serving(FILES, mirror=True) as address:
        found = asked(recipe(tmp_path, address), address)
        assert [one[:2] for one in found] == [("RCP068", "unverified")] and "answers 404 here" in found[0][3]
        other = "https://example.org/demo-${{ version }}.tar.gz"
        elsewhere = recipe(tmp_path / "b", address, (address + PLACE, other))
        archive = "https://github.com/example/demo/archive/refs/tags/v${{ version }}.tar.gz"
        on_github = recipe(tmp_path / "d", address, (address + PLACE, archive))
        assert "github.com is not" in asked(on_github, address)[0][3]
        assert asked(elsewhere, address)[0][1:] == ("unverified", 11, f"example.org is not {index(address).name}, "
                                                    "so its files were not checked")
    assert asked(recipe(tmp_path / "c", address), address)[0][1] == "unverified"


def test_lint_checks_the_address_or_says_that_it_did_not(tmp_path: Path) -> None:
    with serving(FILES) as address:
        done = run("recipe", "lint", recipe(tmp_path, address), "--advice", "--index", address)
        assert "RCP068" not in done.stdout and "RCP070" in done.stdout, "the index here is not https"
        wrong = run("recipe", "lint", recipe(tmp_path / "b", address, (DIGEST, "cd" * 32)), "--index", address)
    assert wrong.returncode == 1 and ": RCP060 " in wrong.stdout
    offline = run("recipe", "lint", write(tmp_path / "c", v1()), "--offline")
    assert offline.returncode == 0 and "RCP068 the source's address was not checked" in offline.stdout
    assert "maintainer someone: because of --offline" in offline.stdout
    assert "2 could not be verified" in offline.stderr
