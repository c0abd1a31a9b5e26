"""Uploads survive an index's faults, name each of them, upload nothing twice and show no secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.package import index_addresses
from labhandbook.package.index_addresses import Index
from labhandbook.package.simple_index import Listed
from labhandbook.release import publish as module
from labhandbook.release.local_index import running
from labhandbook.release.publish import Upload, publish
from labhandbook.release.upload_refusals import closed, next_version
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_dists import CANARY
from tooling.tests.release.faulty_index import Fault, Server, serving
from tooling.tests.release.signer import stand_in


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """An index that knows the canary as its token."""
    with serving(tmp_path / "index", token=CANARY) as running:
        yield running


@pytest.fixture
def upload(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upload:
    """An upload of two files with the canary from the environment, impatient."""
    monkeypatch.setenv("TWINE_USERNAME", "__token__")
    monkeypatch.setenv("TWINE_PASSWORD", CANARY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    paths = [sample_dists.sdist(tmp_path), sample_dists.wheel(tmp_path)]
    hashes = {path.name: sample_dists.sha256(path) for path in paths}
    return Upload("demo", "1.0", paths, hashes, sample_dists.at(server), timeout=0.5, pause=0.02)


def words(error: HandbookError) -> str:
    """All that a person sees of an error."""
    return f"{error.where}\n{error.what}\n{error.why}\n{error.todo}"


def test_both_files_go_up_once(upload: Upload, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    assert set(publish(upload, said.append).values()) == {"uploaded"}
    assert set(publish(upload, said.append).values()) == {"there already"}
    assert sorted(server.uploads()) == sorted(upload.hashes)
    shown = capsys.readouterr()
    assert CANARY not in shown.out + shown.err + "\n".join(said)
    assert shown.out == "", "standard output is for results"


def test_only_the_missing_file_goes_up(upload: Upload, server: Server) -> None:
    publish(replace(upload, files=upload.files[:1]))
    assert list(publish(upload).values()) == ["there already", "uploaded"]
    assert len(server.uploads()) == 2


@pytest.mark.parametrize("kind", ["error", "hang", "cut", "lost"])
def test_an_upload_survives_a_passing_fault(kind: str, upload: Upload, server: Server) -> None:
    server.faults.append(Fault("upload", kind, times=2, seconds=1.0))
    said: list[str] = []
    done = publish(upload, said.append)
    assert set(done) == set(upload.hashes)
    assert any("again in" in line for line in said)
    assert len(set(server.uploads())) == 2 and len(server.uploads()) == 2, "nothing is uploaded twice"
    for path in upload.files:
        assert server.store.path(path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(("kind", "message"), [
    ("error", "503"), ("hang", "no answer in time"), ("cut", "connection broke")])
def test_a_lasting_fault_is_named_and_resumed(kind: str, message: str, upload: Upload, server: Server) -> None:
    server.faults.append(Fault("upload", kind, times=99, seconds=0.6))
    with pytest.raises(HandbookError) as caught:
        publish(replace(upload, timeout=0.3))
    assert message in words(caught.value) and "run the same command again" in caught.value.todo
    server.faults.clear()
    publish(upload)
    assert sorted(server.uploads()) == sorted(upload.hashes)


def test_a_lag_after_a_lost_answer_uploads_nothing_twice(tmp_path: Path, upload: Upload) -> None:
    with serving(tmp_path / "slow", token=CANARY, lag=60) as slow:
        slow.faults.append(Fault("upload", "lost"))
        publish(replace(upload, index=sample_dists.at(slow)))
        assert [file.filename for file in slow.store.files("demo")] == sorted(upload.hashes)


def test_an_index_out_of_reach_is_named(upload: Upload) -> None:
    gone = Index("gone", "http://127.0.0.1:9/legacy/", "http://127.0.0.1:9/simple/", "http://127.0.0.1:9")
    with pytest.raises(HandbookError, match=r"gone gave no usable answer: .*can't be reached"):
        publish(replace(upload, index=gone))


def test_a_wrong_password_is_named_and_not_shown(upload: Upload, server: Server, monkeypatch: pytest.MonkeyPatch,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TWINE_PASSWORD", CANARY + "-wrong")
    with pytest.raises(HandbookError, match="doesn't accept the password") as caught:
        publish(upload)
    assert "__token__" in caught.value.todo
    assert CANARY not in words(caught.value) + capsys.readouterr().err
    assert server.requests[-1][2] == 403 and len(server.requests) == 1, "a wrong password isn't tried again"


def test_a_missing_password_is_an_error(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINE_USERNAME")
    monkeypatch.delenv("TWINE_PASSWORD")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with pytest.raises(HandbookError, match="no credentials") as caught:
        publish(upload)
    assert "keyring set" in caught.value.todo


def test_another_file_under_the_name_is_an_error(upload: Upload, server: Server, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = sample_dists.wheel(tmp_path / "other", more={"demo/more.py": ""})
    publish(replace(upload, files=[other], hashes={other.name: sample_dists.sha256(other)}))
    with pytest.raises(HandbookError, match="has had another") as caught:
        publish(upload)
    assert "only once" in caught.value.why and "1.0.1" in caught.value.todo
    assert server.uploads() == [other.name], "nothing goes up beside a file that isn't ours"


def test_the_name_of_a_deleted_file_stays_used(upload: Upload, server: Server) -> None:
    publish(upload)
    for name in upload.hashes:
        server.store.delete(name)
    with pytest.raises(HandbookError, match="has had another"):
        publish(upload)

@pytest.mark.parametrize("page", ["<title>400 {0}</title><h1>400 {0}</h1>The server could not comply. {0}", "{0}"])
def test_the_answer_of_the_index_is_printed_once(upload: Upload, page: str) -> None:
    """PyPI gives its reason in the status line and in the page."""
    import requests

    why = "'Framework :: Nothing' is not a valid classifier."
    answer = requests.Response()
    answer.status_code, answer.reason, answer._content = 400, why, page.format(why).encode()
    with pytest.raises(HandbookError, match="refuses") as caught:
        module.settle(upload, upload.files[0], answer)
    assert words(caught.value).count("Framework :: Nothing") == 1



def test_a_refusal_gives_the_index_words(upload: Upload, tmp_path: Path) -> None:
    local = sample_dists.wheel(tmp_path, version="1.0+local")
    with pytest.raises(HandbookError, match="refuses") as caught:
        publish(replace(upload, files=[local], hashes={local.name: sample_dists.sha256(local)}))
    assert "local versions" in caught.value.why


def test_files_that_the_ledger_does_not_know_stay_here(upload: Upload, server: Server, tmp_path: Path) -> None:
    stray = sample_dists.wheel(tmp_path, name="stray")
    with pytest.raises(HandbookError, match="isn't in the ledger"):
        publish(replace(upload, files=[*upload.files, stray]))
    upload.files[1].write_bytes(b"tampered")
    with pytest.raises(HandbookError, match="isn't the file that was built"):
        publish(upload)
    assert not server.requests


def test_a_release_is_closed_after_fourteen_days(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(index: Index, day: int) -> HandbookError | None:
        found = [Listed("demo-1.0.tar.gz", "", "", None, "2026-11-02T10:00:00Z"),
                 Listed("demo-1.0-py3-none-any.whl", "", "", None, "2026-11-09T10:00:00.123456Z"),
                 Listed("demo-0.9.tar.gz", "", "", None, "2020-01-01T10:00:00Z"), Listed("demo-1.0.zip", "", "")]
        return closed(index, "Demo", "1.0", found, datetime(2026, 11, day, tzinfo=UTC))

    monkeypatch.delenv("HANDBOOK_PYPI", raising=False)
    place = index_addresses.index("pypi")
    assert late(place, 15) is None
    error = late(place, 17)
    assert error is not None and "first file is of 2026-11-02" in error.why and "release 1.0.1" in error.todo
    assert late(index_addresses.index("https://packages.example.org"), 17) is None, "another index has no such limit"


@pytest.mark.parametrize(("version", "following"), [
    ("1.1.0", "1.1.1"), ("1.0", "1.0.1"), ("2.0rc1", "2.0rc2"), ("1.0.post1", "1.0.1"), ("0.1.0a3", "0.1.0a4")])
def test_the_next_version(version: str, following: str) -> None:
    assert next_version(version) == following


class GitHub(BaseHTTPRequestHandler):
    """Says who is publishing, as GitHub does for a job with id-token: write."""

    claims: ClassVar = {"repository": "lab/demo", "repository_owner": "lab", "environment": "pypi",
              "workflow_ref": "lab/demo/.github/workflows/release.yml@refs/tags/v1.0"}

    def do_GET(self) -> None:
        """An identity."""
        audience = parse_qs(urlsplit(self.path).query)["audience"][0]
        payload = base64.urlsafe_b64encode(json.dumps({**self.claims, "aud": audience}).encode()).decode().rstrip("=")
        body = json.dumps({"value": f"head.{payload}.{CANARY}"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def pypi_takes_uploads_at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What twine has for PyPI is another address: in twine itself, and where the kit has read it."""
    from twine import utils

    known = {**index_addresses.twine_constants(), "DEFAULT_REPOSITORY": address}
    monkeypatch.setattr(utils, "DEFAULT_REPOSITORY", address)
    monkeypatch.setattr(index_addresses, "twine_constants", lambda: known)


@pytest.fixture
def trusted(server: Server, upload: Upload, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upload]:
    """An upload from a job on GitHub to an index that twine takes for PyPI."""
    with running(HTTPServer(("127.0.0.1", 0), GitHub)) as github:
        pypi_takes_uploads_at(upload.index.upload, monkeypatch)
        _http_only(monkeypatch)
        for name in ("TWINE_USERNAME", "TWINE_PASSWORD"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", CANARY + "-request")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"http://127.0.0.1:{github.server_port}/?api-version=2")
        yield replace(upload, index=replace(upload.index, name="pypi"), attest=False)


def _http_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests to https on loopback, where twine exchanges tokens, go to the plain index."""
    import requests

    plain = requests.Session.request

    def request(self: requests.Session, method: str, url: str, *args: Any, **options: Any) -> requests.Response:
        return plain(self, method, url.replace("https://127.0.0.1", "http://127.0.0.1"), *args, **options)

    monkeypatch.setattr(requests.Session, "request", request)


def test_a_trusted_publisher_needs_no_password(trusted: Upload, server: Server) -> None:
    server.publisher = {"repository": "lab/demo", "environment": "pypi"}
    assert set(publish(trusted).values()) == {"uploaded"}


def test_an_invalid_publisher_gets_the_fields_to_compare(trusted: Upload, server: Server) -> None:
    server.publisher = {"repository": "lab/demo", "environment": "release"}
    with pytest.raises(HandbookError, match="invalid-publisher") as caught:
        publish(trusted)
    fields = dict(line.split() for line in caught.value.why.splitlines()[1:])
    assert fields == {"owner": "lab", "repository": "demo", "workflow": "release.yml", "environment": "pypi"}
    assert "/manage/project/demo/settings/publishing/" in caught.value.todo
    assert CANARY not in words(caught.value)


def test_an_index_in_the_place_of_pypi_takes_a_trusted_publisher(trusted: Upload, server: Server,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    pypi_takes_uploads_at("https://example.org/legacy/", monkeypatch)
    monkeypatch.setenv("HANDBOOK_PYPI", f"{server.url}/")
    index = index_addresses.index("pypi")
    assert (index.name, index.final, index.moved) == ("pypi", True, True)
    assert index.simple == f"{server.url}/simple/" and not index_addresses.index("testpypi").moved
    server.publisher = {"repository": "lab/demo", "environment": "pypi"}
    # Signed statements are for PyPI itself: with attest set, nothing is signed here.
    assert set(publish(replace(trusted, index=index, attest=True)).values()) == {"uploaded"}
    monkeypatch.setenv("HANDBOOK_PYPI", "https://me:secret@example.org")
    with pytest.raises(HandbookError, match="holds a user name or a password"):
        index_addresses.index("pypi")


def test_attestations_are_signed_for_this_index_alone(trusted: Upload, server: Server, tmp_path: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch)
    server.publisher = {"repository": "lab/demo"}
    seen: list[Path | None] = []
    post = module.post

    def spy(repository: Any, path: Path, attestation: Path | None) -> Any:
        seen.append(attestation)
        assert attestation and attestation.read_text()
        return post(repository, path, attestation)

    monkeypatch.setattr(module, "post", spy)
    publish(replace(trusted, attest=True))
    assert [path.name for path in seen if path] == [f"{path.name}.publish.attestation" for path in trusted.files]
    assert not any(path.exists() for path in seen if path), "they are gone with the upload"
    assert not list(tmp_path.glob("*.attestation")), "none is beside the files for the next index"
