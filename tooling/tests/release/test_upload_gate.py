"""The gate refuses what PyPI refuses, and nothing else; every rule with a seeded defect and a near miss."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from labhandbook.core.rules import REGISTRY, Finding, Severity
from labhandbook.package.project import Project
from labhandbook.package.wheel_tags import allowed
from labhandbook.package.zip_records import problem
from labhandbook.release.release_rules import upload_metadata as rules
from labhandbook.release.upload_gate import gate
from tooling.tests.conftest import ROOT
from tooling.tests.package import sample_packages
from tooling.tests.package.sample_packages import METADATA, MODULES
from tooling.tests.release.gate_cases import CASES, LONG, Make, says

EVERY = [pytest.param(code, *case, id=f"{code}-{number}") for code, cases in CASES.items()
         for number, case in enumerate(cases)]


def of(code: str, path: Path) -> list[Finding]:
    return [finding for finding in gate([path]) if finding.rule.code == code]


@pytest.mark.parametrize(("code", "words", "defect", "miss"), EVERY)
def test_the_defect_is_refused_and_the_near_miss_is_not(tmp_path: Path, code: str, words: str, defect: Make,
                                                        miss: Make) -> None:
    found = of(code, defect(tmp_path))
    assert [finding for finding in found if words in finding.message and finding.weight is Severity.ERROR], found
    (tmp_path / "miss").mkdir()
    assert of(code, miss(tmp_path / "miss")) == []


def test_ordinary_files_are_not_refused(tmp_path: Path) -> None:
    assert list(gate([sample_packages.sdist(tmp_path), sample_packages.wheel(tmp_path)])) == []


def test_a_file_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sample_packages.wheel(tmp_path)
    monkeypatch.setattr(rules, "FILE_LIMIT", path.stat().st_size)
    assert not of("REL309", path)
    monkeypatch.setattr(rules, "FILE_LIMIT", path.stat().st_size - 1)
    assert of("REL309", path)


def test_each_rule_has_a_seeded_defect_and_a_near_miss() -> None:
    assert {code for code in REGISTRY if re.fullmatch(r"REL3\d\d", code)} == {*CASES, "REL309"}


@pytest.mark.parametrize("code", sorted([*CASES, "REL309"]))
def test_a_rule_says_why_how_and_where(code: str) -> None:
    rule = REGISTRY[code]
    chapters = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "chapters/packaging").glob("*.qmd"))
    assert f"{{#{rule.section} " in chapters or f"{{#{rule.section}}}" in chapters
    assert rule.why.endswith(".") and rule.fix.endswith(".") and not rule.title.endswith(".")


def test_a_finding_names_the_line_to_correct(tmp_path: Path) -> None:
    text = ('[project]\nname = "demo"\nclassifiers = [\n    "Framework :: Homemade",\n]\n'
            f'description = "{LONG}"\n[project.urls]\nHome = "example.org"\n')
    path = says(("Summary: A package", f"Summary: {LONG} A package"),
                ("Requires-Python",
                 "Classifier: Framework :: Homemade\nProject-URL: Home, example.org\nRequires-Python"))(tmp_path)
    places = {finding.rule.code: finding.place for finding in gate([path], Project(tmp_path, {}, text, None))}
    assert places == {"REL305": "pyproject.toml:4", "REL314": "pyproject.toml:6", "REL313": "pyproject.toml:8"}


def test_what_both_files_have_is_found_once(tmp_path: Path) -> None:
    text = METADATA.replace("Requires-Python", "Classifier: Framework :: Homemade\nRequires-Python")
    paths = [sample_packages.sdist(tmp_path, metadata=text), sample_packages.wheel(tmp_path, metadata=text)]
    here = Project(tmp_path, {}, '[project]\nclassifiers = ["Framework :: Homemade"]\n', None)
    assert len(gate(paths, here)) == 1 and len(gate(paths)) == 2


def test_a_file_of_the_wrong_form_is_one_finding(tmp_path: Path) -> None:
    """Without the folder that the wheel's name says, its list of files can't be judged."""
    lacking = sample_packages.wheel(tmp_path, info={"WHEEL": None}, record="")
    assert [finding.rule.code for finding in gate([lacking])] == ["REL320"]


# What `twine check --strict` passes of the above, and PyPI refuses.
PASSED = [("REL303", 0), ("REL304", 0), ("REL305", 0), ("REL306", 0), ("REL307", 2), ("REL308", 0), ("REL312", 0),
          ("REL313", 0), ("REL314", 0), ("REL315", 0), ("REL320", 2), ("REL321", 0), ("REL322", 1), ("REL323", 1)]


def test_twine_passes_what_the_gate_refuses(tmp_path: Path) -> None:
    paths = {}
    for code, number in PASSED:
        (tmp_path / code).mkdir()
        paths[code] = CASES[code][number][1](tmp_path / code)
    done = subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *map(str, paths.values())],
                          capture_output=True, text=True, check=False)
    passed = {code for code, path in paths.items()
              if re.search(rf"Checking {re.escape(str(path))}: .*PASSED", re.sub(r"\x1b\[[\d;]*m", "", done.stdout)
                           .replace("\n", "").replace("Checking", "\nChecking"))}
    assert passed == set(paths), done.stdout + done.stderr
    assert all(of(code, path) for code, path in paths.items())


@pytest.mark.parametrize(("platform", "taken"), [
    ("any", True), ("win_amd64", True), ("linux_x86_64", False), ("linux_armv7l", True),
    ("manylinux2014_s390x", True),
    ("manylinux_2_28_riscv64", True), ("manylinux_2_28_ppc64", True), ("musllinux_1_2_ppc64", False),
    ("macosx_10_9_universal2", True), ("macosx_14_0_arm64", True), ("macosx_14_2_arm64", False),
    ("macosx_99_0_arm64", False), ("ios_13_0_arm64_iphoneos", True), ("android_21_x86_64", True),
    ("pyemscripten_2025_0_wasm32", True), ("freebsd_14_amd64", False),
])
def test_the_platforms_that_pypi_takes(platform: str, taken: bool) -> None:
    assert allowed(platform) is taken


def test_large_zip_archives_are_read_with_their_long_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    path = sample_packages.wheel(tmp_path, {**MODULES, "demo/data.bin": bytes(range(256)) * 4})
    assert b"PK\x06\x06" in path.read_bytes() and problem(path) == ""
    data = path.read_bytes()
    at = data.index(b"PK\x06\x07") + 8
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
    assert problem(path)


@pytest.mark.parametrize("at", [0, 3, 18, 21, 22, 25, 26, 27, 28, 30])
def test_a_record_that_disagrees_with_the_directory_is_refused(tmp_path: Path, at: int) -> None:
    """The first file's signature, its two sizes, the lengths of its name and extra field, and its name."""
    path = sample_packages.wheel(tmp_path)
    data = bytearray(path.read_bytes())
    data[at] ^= 0x55
    path.write_bytes(data)
    assert problem(path)


def test_without_its_libraries_the_gate_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "trove_classifiers", None)
    from labhandbook.core.errors import HandbookError

    with pytest.raises(HandbookError, match="trove_classifiers isn't installed"):
        gate([sample_packages.wheel(tmp_path)])
