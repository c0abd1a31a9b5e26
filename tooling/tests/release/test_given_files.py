"""Sdists and wheels that were built elsewhere, given by path or by their address on an index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.package.index_addresses import index
from labhandbook.package.simple_index import Listed, listing
from labhandbook.package.wheel_tags import preferred
from labhandbook.release.given_files import inspect, read_all
from tooling.tests.conftest import run
from tooling.tests.package import sample_dists, sample_packages
from tooling.tests.package.sample_packages import METADATA, MODULES
from tooling.tests.release.faulty_index import serving

LINUX = "demo-1.2.0-cp311-cp311-manylinux2014_x86_64.whl"
MAC = "demo-1.2.0-cp311-cp311-macosx_11_0_arm64.whl"
WINDOWS = "demo-1.2.0-cp312-cp312-win_amd64.whl"


@pytest.fixture
def wheels(tmp_path: Path) -> list[str]:
    """Three wheels of one release with the same faults: a file for secrets, and a classifier that is not known."""
    text = METADATA.replace("Classifier: ", "Classifier: Framework :: Homemade\nClassifier: ", 1)
    return [str(sample_packages.wheel(tmp_path, {**MODULES, "demo/.env": "A=1\n"}, text, name=name))
            for name in (LINUX, MAC, WINDOWS)]


def codes(given: list[str], folder: Path) -> list[tuple[str, str]]:
    (each,) = read_all(given, folder)
    return [(found.rule.code, found.message) for found in inspect(each).findings]


def test_wheels_of_one_release_are_inspected_together(wheels: list[str], tmp_path: Path) -> None:
    found = dict(codes(wheels, tmp_path))
    assert set(found) == {"REL211", "REL305"}
    assert all("in 2 other files" in message for message in found.values())


def test_a_fault_of_one_wheel_is_named_there(wheels: list[str], tmp_path: Path) -> None:
    sample_packages.wheel(tmp_path, {**MODULES, "demo/id_rsa": "x"}, name=MAC)
    (each,) = read_all(wheels, tmp_path)
    (found,) = [found for found in inspect(each).findings if "SSH" in found.message]
    assert found.file == f"{MAC}/demo/id_rsa" and "other" not in found.message


def test_an_sdist_alone_is_not_said_to_lack_a_wheel(tmp_path: Path) -> None:
    sdist = sample_packages.sdist(tmp_path, {".env": "A=1\n"})
    assert [code for code, _ in codes([str(sdist)], tmp_path)] == ["REL211"]


def test_a_wheel_alone_is_not_said_to_lack_its_sources(tmp_path: Path) -> None:
    assert codes([str(sample_packages.wheel(tmp_path, MODULES))], tmp_path) == []


def test_metadata_2_5_import_names_and_bills_of_materials_are_fine(tmp_path: Path) -> None:
    """PEP 794 and PEP 770: hatchling writes 2.5 since 1.32, and PyPI takes it."""
    text = METADATA.replace("Metadata-Version: 2.4", "Metadata-Version: 2.5").replace(
        "Name: demo\n", "Name: demo\nImport-Name: demo\nImport-Namespace: lab\n", 1)
    wheel = sample_packages.wheel(tmp_path, MODULES, text, info={"sboms/demo.cdx.json": "{}"})
    assert codes([str(wheel)], tmp_path) == []


def test_two_files_of_one_name_are_refused(wheels: list[str], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = sample_packages.wheel(tmp_path / "other", MODULES, name=LINUX)
    with pytest.raises(HandbookError, match="two different files"):
        read_all([*wheels, str(other)], tmp_path)


def test_the_wheel_that_pip_would_choose_comes_first() -> None:
    plain, stable = "demo-1.0-py3-none-any.whl", "demo-1.0-cp38-abi3-linux_x86_64.whl"
    exact = "demo-1.0-cp311-cp311-linux_x86_64.whl"
    assert preferred([plain, stable, exact, "demo-1.0-cp311-cp311-win_amd64.whl"], (3, 11)) == [exact, stable, plain]
    assert preferred([plain, stable, exact], (3, 12)) == [stable, plain]


def test_files_come_from_an_index(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with serving(tmp_path / "index") as server:
        sample_dists.put(server, sample_dists.wheel(tmp_path / "old", "demo", "0.9"),
                         wheel := sample_dists.wheel(tmp_path, "demo", "1.0"),
                         sample_dists.sdist(tmp_path, "demo", "1.0"))
        page, folder = f"{server.url}/project/demo/", tmp_path / "here"
        folder.mkdir()
        (newest,) = read_all([page], folder)
        assert [file.file for file in newest.files] == ["demo-1.0.tar.gz", "demo-1.0-py3-none-any.whl"]
        (older,) = read_all([f"{page}0.9/"], folder)
        assert older.version == "0.9" and len(older.files) == 1
        address = next(file.url for file in _listed(server.url) if file.filename == wheel.name)
        (single,) = read_all([address], folder)
        assert single.files[0].sha256 == sample_dists.sha256(wheel)
        with pytest.raises(HandbookError, match="damaged"):
            read_all([f"{address.partition('#')[0]}#sha256={'0' * 64}"], folder)
        for wrong, words in ((f"{page}7.0/", "no files of demo 7.0"), (f"{server.url}/project/none/", "no files"),
                             (f"{server.url}/other/", "no page of a project")):
            with pytest.raises(HandbookError, match=words):
                read_all([wrong], folder)


def _listed(url: str) -> list[Listed]:
    return list(listing(index(url), "demo").values())


def test_the_commands(wheels: list[str], tmp_path: Path) -> None:
    done = run("release", "inspect", "--compare-with", "none", *wheels, cwd=tmp_path)
    assert done.returncode == 1 and all(name in done.stdout for name in (LINUX, MAC, WINDOWS)), done.stderr
    assert done.stdout.count("REL211") == 1 and "demo/.env" in done.stdout
    checked = run("release", "check", "--format", "json", *wheels, cwd=tmp_path)
    assert checked.returncode == 1 and {each["code"] for each in json.loads(checked.stdout)["findings"]} == {
        "REL211", "REL305"}
    mixed = run("release", "inspect", ".", *wheels, cwd=tmp_path)
    assert mixed.returncode == 2 and "give folders or files" in mixed.stderr
    damaged = tmp_path / "demo-2.0-py3-none-any.whl"
    damaged.write_bytes(b"no zip")
    broken = run("release", "check", str(damaged), cwd=tmp_path)
    assert broken.returncode == 2 and broken.stderr.startswith(f"✗ {damaged} can't be read: File is not a zip file\n")
    assert broken.stderr.count(damaged.name) == 1, "a file is named once"
    assert not (tmp_path / ".handbook").exists()
