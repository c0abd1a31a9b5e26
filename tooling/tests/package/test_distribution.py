"""Reading sdists and wheels: what is in them, and refusing damaged files and bombs without a traceback."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.package import archive, zip_records
from labhandbook.package.distribution import module_name, read
from labhandbook.release.reproducible_sdist import normalise_sdist, unpack
from tooling.tests.package import sample_packages


def test_a_wheel_lists_files_metadata_entry_points_and_modules(tmp_path: Path) -> None:
    path = sample_packages.wheel(tmp_path, info={"entry_points.txt": "[console_scripts]\ndemo = demo.cli:main\n"})
    wheel = read(path)
    assert (wheel.kind, wheel.name, wheel.version, wheel.pure) == ("wheel", "demo", "1.2.0", True)
    assert wheel.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() and wheel.size == path.stat().st_size
    assert wheel.modules == {"demo": "demo/__init__.py", "demo.cli": "demo/cli.py"}
    assert wheel.entry_points == {"console_scripts": {"demo": "demo.cli:main"}}
    assert wheel.requires == ["click>=8.1"] and wheel.tags == ["py3-none-any"]
    assert wheel.licences == ["demo-1.2.0.dist-info/licenses/LICENSE"]
    assert wheel.files["demo/cli.py"].sha256 == hashlib.sha256(wheel.held["demo/cli.py"]).hexdigest()


def test_an_sdist_lists_its_files_without_their_folder(tmp_path: Path) -> None:
    sdist = read(sample_packages.sdist(tmp_path))
    assert (sdist.kind, sdist.name, sdist.version, sdist.root) == ("sdist", "demo", "1.2.0", "demo-1.2.0")
    assert {"PKG-INFO", "README.md", "LICENSE", "demo/cli.py"} <= sdist.files.keys()
    assert sdist.licences == ["LICENSE"] and sdist.metadata["summary"].startswith("A package")


@pytest.mark.parametrize(("path", "name"), [
    ("demo/__init__.py", "demo"), ("demo/cli.py", "demo.cli"), ("one.py", "one"),
    ("demo/_fast.cpython-311-x86_64-linux-gnu.so", "demo._fast"), ("lab/demo/__init__.py", "lab.demo"),
    ("demo/data.csv", ""), ("demo-1.0.pth", ""), ("my-scripts/run.py", ""), ("demo/odd.name.py", ""),
])
def test_the_name_to_import_a_file_by(path: str, name: str) -> None:
    assert module_name(path) == name


def damaged(folder: Path, kind: str) -> Path:
    """A file that no reader can make sense of."""
    whole = sample_packages.sdist(folder) if kind.endswith("gz") else sample_packages.wheel(folder)
    data = whole.read_bytes()
    if kind.startswith("cut"):
        whole.write_bytes(data[:len(data) // 2])
    elif kind.startswith("flipped"):
        middle = len(data) // 3
        whole.write_bytes(data[:middle] + bytes(255 - byte for byte in data[middle:middle + 40]) + data[middle + 40:])
    else:
        whole.write_bytes(b"" if kind.startswith("empty") else b"not an archive\n" * 100)
    return whole


@pytest.mark.parametrize("kind", [f"{how} {end}" for how in ("cut", "flipped", "empty", "other")
                                  for end in ("gz", "whl")])
def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path: Path, kind: str) -> None:
    with pytest.raises(HandbookError) as caught:
        read(damaged(tmp_path, kind))
    assert "can't be read" in caught.value.what and caught.value.todo and caught.value.section == "sec-pypi-build"


def test_a_missing_file_and_another_kind_of_file_are_errors(tmp_path: Path) -> None:
    for name in ("nowhere-1.0.tar.gz", "nowhere-1.0-py3-none-any.whl", "notes.txt"):
        with pytest.raises(HandbookError):
            read(tmp_path / name)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "UNPACKED", 8 << 20)
    path = sample_packages.wheel(tmp_path, {"demo/__init__.py": b"\0" * (9 << 20)})
    assert path.stat().st_size < 100_000
    with pytest.raises(HandbookError, match="unpacks to more"):
        read(path)
    monkeypatch.setattr(archive, "ENTRIES", 5)
    with pytest.raises(HandbookError, match="more than 5 entries"):
        read(sample_packages.sdist(tmp_path))


def test_an_encrypted_member_is_an_error(tmp_path: Path) -> None:
    path = sample_packages.wheel(tmp_path)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    data[6] |= 1
    path.write_bytes(data)
    with pytest.raises(HandbookError, match="can't be read"):
        read(path)


def made(path: Path, order: list[str], mode: int, mtime: int, uid: int) -> Path:
    """An sdist that some machine made."""
    with gzip.GzipFile(path, "wb", mtime=mtime) as packed, tarfile.open(fileobj=packed, mode="w") as written:
        for name in order:
            entry = tarfile.TarInfo(f"demo-1.0/{name}")
            entry.mode, entry.mtime, entry.uid, entry.uname, entry.size = mode, mtime, uid, f"user{uid}", len(name)
            written.addfile(entry, io.BytesIO(name.encode()))
    return path


def test_sdists_of_two_machines_become_equal(tmp_path: Path) -> None:
    first = made(tmp_path / "a.tar.gz", ["PKG-INFO", "run.sh", "x.py"], 0o664, 1_700_000_000, 1000)
    second = made(tmp_path / "b.tar.gz", ["x.py", "run.sh", "PKG-INFO"], 0o600, 1_800_000_000, 0)
    assert first.read_bytes() != second.read_bytes()
    for path in (first, second):
        normalise_sdist(path, path.with_suffix(".normal"), 1_600_000_000)
    assert (tmp_path / "a.tar.normal").read_bytes() == (tmp_path / "b.tar.normal").read_bytes()
    with tarfile.open(tmp_path / "a.tar.normal") as archive:
        entries = archive.getmembers()
    assert [entry.name for entry in entries] == ["demo-1.0/PKG-INFO", "demo-1.0/run.sh", "demo-1.0/x.py"]
    assert {(entry.mode, entry.mtime, entry.uid, entry.gid, entry.uname) for entry in entries} == {
        (0o644, 1_600_000_000, 0, 0, "")}


def test_programs_stay_executable_and_links_stay_links(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as written:
        for name, mode, kind, to in [("demo-1.0", 0o700, tarfile.DIRTYPE, ""),
                                     ("demo-1.0/x", 0o700, tarfile.REGTYPE, ""),
                                     ("demo-1.0/y", 0o777, tarfile.SYMTYPE, "x"),
                                     ("demo-1.0/z", 0o600, tarfile.LNKTYPE, "demo-1.0/x")]:
            entry = tarfile.TarInfo(name)
            entry.mode, entry.type, entry.linkname = mode, kind, to
            written.addfile(entry)
    normalise_sdist(tmp_path / "a.tar.gz", tmp_path / "b.tar.gz", 1_600_000_000)
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        found = {entry.name: (entry.mode, entry.type) for entry in archive}
    assert found == {"demo-1.0": (0o755, tarfile.DIRTYPE), "demo-1.0/x": (0o755, tarfile.REGTYPE),
                     "demo-1.0/y": (0o777, tarfile.SYMTYPE), "demo-1.0/z": (0o644, tarfile.REGTYPE)}


@pytest.mark.parametrize("name", ["../outside", "/outside", "demo-1.0/../../outside"])
def test_what_leads_out_of_an_sdist_is_not_unpacked(tmp_path: Path, name: str) -> None:
    path = sample_packages.sdist(tmp_path, {name: "x"}, top="")
    with pytest.raises(HandbookError):
        unpack(path, tmp_path / "deep" / "in")
    assert not Path("/outside").exists()
    assert all(path.is_relative_to(tmp_path / "deep" / "in") for path in tmp_path.rglob("outside"))


def test_a_device_in_an_sdist_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as written:
        entry = tarfile.TarInfo("demo-1.0/null")
        entry.type = tarfile.CHRTYPE
        written.addfile(entry)
    with pytest.raises(HandbookError, match="no file, folder or link"):
        normalise_sdist(tmp_path / "a.tar.gz", tmp_path / "b.tar.gz", 0)


def test_a_zip_that_is_an_sdist_can_be_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "demo-1.2.0.zip", "w") as archive:
        archive.writestr("demo-1.2.0/PKG-INFO", sample_packages.METADATA)
    assert read(tmp_path / "demo-1.2.0.zip").version == "1.2.0"


def test_a_file_is_opened_once_to_be_read_and_once_for_each_form(tmp_path: Path,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = archive.regular

    def counted(path: Path) -> AbstractContextManager[IO[bytes]]:
        opened.append(path.suffix)
        return real(path)

    for module in (archive, zip_records):
        monkeypatch.setattr(module, "regular", counted)
    wheel, sdist = read(sample_packages.wheel(tmp_path)), read(sample_packages.sdist(tmp_path))
    assert opened == [".whl", ".gz"]
    assert zip_records.problem(wheel.path) == "" and not archive.is_tar(wheel.path) and archive.is_tar(sdist.path)
    assert opened == [".whl", ".gz", ".whl", ".whl", ".gz"]
