"""The index on loopback keeps PyPI's rules, and the usual clients work with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from labhandbook.release.local_index import parse_form
from labhandbook.release.local_index_files import Refused, Store
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_dists import CANARY
from tooling.tests.release.faulty_index import Fault, Server, serving

FIELDS = {":action": ["file_upload"], "protocol_version": ["1"], "name": ["demo"], "version": ["1.0"],
          "filetype": ["bdist_wheel"], "metadata_version": ["2.4"]}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """An index that knows the canary as its token."""
    with serving(tmp_path / "index", token=CANARY) as running:
        yield running


def twine(server: Server, *paths: Path, password: str = CANARY, **env: str) -> subprocess.CompletedProcess[str]:
    """Upload as people do."""
    return subprocess.run(
        [sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar", "--verbose",
         "--repository-url", f"{server.url}/legacy/", *map(str, paths)], capture_output=True, text=True, check=False,
        env={**os.environ, "TWINE_USERNAME": "__token__", "TWINE_PASSWORD": password, "NO_PROXY": "127.0.0.1", **env})


def page(address: str, accept: str = "*/*") -> str:
    with urllib.request.urlopen(urllib.request.Request(address, headers={"Accept": accept})) as answer:
        text: str = answer.read().decode()
        return text


def test_twine_uploads_and_pip_installs(server: Server, tmp_path: Path) -> None:
    paths = [sample_dists.wheel(tmp_path), sample_dists.sdist(tmp_path)]
    done = twine(server, *paths)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(server.uploads()) == sorted(path.name for path in paths)
    for path in paths:
        assert server.store.path(path.name).read_bytes() == path.read_bytes()
    installed = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-cache-dir", "--index-url",
         f"{server.url}/simple/", "--target", tmp_path / "here", "demo==1.0"], capture_output=True, text=True,
        check=False, env={**os.environ, "PIP_CONFIG_FILE": os.devnull, "NO_PROXY": "127.0.0.1"})
    assert installed.returncode == 0, installed.stderr
    assert (tmp_path / "here" / "demo" / "__init__.py").exists()


def test_pages_name_hash_python_and_metadata(server: Server, tmp_path: Path) -> None:
    wheel = sample_dists.wheel(tmp_path)
    server.store.add({**FIELDS, "requires_python": [">=3.11"]}, wheel.name, wheel.read_bytes())
    html = page(f"{server.url}/simple/demo/")
    assert f"#sha256={sample_dists.sha256(wheel)}" in html
    assert 'data-requires-python="&gt;=3.11"' in html
    entry = json.loads(page(f"{server.url}/simple/demo/", "application/vnd.pypi.simple.v1+json"))["files"][0]
    assert entry["hashes"] == {"sha256": sample_dists.sha256(wheel)}
    assert entry["requires-python"] == ">=3.11"
    assert page(f"{server.url}{entry['url']}.metadata") == sample_dists.metadata()
    described = json.loads(page(f"{server.url}/pypi/demo/json"))
    assert described["urls"][0]["digests"]["sha256"] == sample_dists.sha256(wheel)


def test_a_wrong_password_is_refused(server: Server, tmp_path: Path) -> None:
    done = twine(server, sample_dists.wheel(tmp_path), password="pypi-wrong")
    assert done.returncode and "403" in done.stdout + done.stderr
    assert not server.store.entries


def test_the_same_file_again_is_accepted_and_another_is_refused(server: Server, tmp_path: Path) -> None:
    wheel = sample_dists.wheel(tmp_path)
    assert twine(server, wheel).returncode == 0
    assert twine(server, wheel).returncode == 0
    done = twine(server, sample_dists.wheel(tmp_path, more={"demo/more.py": ""}))
    assert done.returncode and "File already exists" in done.stdout


def test_a_restart_loses_nothing_and_changed_files_can_be_forgotten(tmp_path: Path) -> None:
    wheel = sample_dists.wheel(tmp_path)
    Store(tmp_path / "index").add(FIELDS, wheel.name, wheel.read_bytes())
    store = Store(tmp_path / "index")
    assert [file.filename for file in store.files("Demo")] == [wheel.name]
    store.forget({wheel.name: sample_dists.sha256(wheel)})
    assert store.entries
    store.forget({wheel.name: "another hash"})
    assert not store.entries and not Store(tmp_path / "index").entries


@pytest.mark.parametrize(("change", "filename", "answer"), [
    ({"version": ["1.0+local"]}, "demo-1.0+local-py3-none-any.whl", "local versions"),
    ({"requires_dist": ["other @ https://example.org/other.whl"]}, "", "direct dependency"),
    ({"sha256_digest": ["0" * 64]}, "", "digest"),
    ({"version": ["2.0"]}, "", "does not match"),
    ({"name": ["other"]}, "", "does not match"),
    ({}, "demo.zip", "Invalid filename"),
    ({":action": ["submit"]}, "", ":action"),
    ({"protocol_version": ["2"]}, "", "protocol"),
    ({"metadata_version": []}, "", "metadata_version"),
])
def test_what_pypi_refuses_is_refused(change: dict[str, list[str]], filename: str, answer: str,
                                      tmp_path: Path) -> None:
    wheel = sample_dists.wheel(tmp_path)
    with pytest.raises(Refused, match=answer):
        Store(tmp_path / "index").add({**FIELDS, **change}, filename or wheel.name, wheel.read_bytes())


def test_half_an_upload_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.faults.append(Fault("upload", "cut", times=10))
    assert twine(server, sample_dists.wheel(tmp_path)).returncode
    assert not server.store.entries


def test_a_form_keeps_every_byte() -> None:
    content = bytes(range(256)) + b"\r\n--x\r\n\n\r"
    body = (b'--bound\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n'
            b'--bound\r\nContent-Disposition: form-data; name="content"; filename="f.whl"\r\n\r\n' + content
            + b"\r\n--bound--\r\n")
    assert parse_form("multipart/form-data; boundary=bound", body) == ({"a": ["one"]}, "f.whl", content)


@pytest.mark.parametrize("name", ["../f.whl", "", "/etc/f.whl"])
def test_a_form_with_an_evil_name_is_refused(name: str) -> None:
    body = f'--b\r\nContent-Disposition: form-data; name="content"; filename="{name}"\r\n\r\nx\r\n--b--\r\n'.encode()
    with pytest.raises(Refused):
        parse_form("multipart/form-data; boundary=b", body)
