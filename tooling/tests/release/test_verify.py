"""Files come back from an index as they were uploaded, or a finding names the difference."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.package.index_addresses import Index
from labhandbook.package.machine import interpreters
from labhandbook.package.project import Project
from labhandbook.release.publish import Upload, publish
from labhandbook.release.verify import Verification, verify
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_dists import CANARY
from tooling.tests.release.faulty_index import Fault, Server, serving

HERE = next(each for each in interpreters() if each.minor == sys.version_info[:2])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "index", token=CANARY) as running:
        yield running


@pytest.fixture
def job(server: Server, tmp_path: Path) -> Verification:
    """Two files on the index, and what to look for."""
    paths = [sample_dists.sdist(tmp_path), sample_dists.wheel(tmp_path)]
    hashes = {path.name: sample_dists.sha256(path) for path in paths}
    index = sample_dists.at(server)
    publish(Upload("demo", "1.0", paths, hashes, index, secret=CANARY))
    project = Project(tmp_path, {"project": {"name": "demo"}}, "", None)
    return Verification(project, "1.0", hashes, index, HERE, patience=5, pause=0.02)


def test_what_went_up_comes_back_and_passes(job: Verification) -> None:
    said: list[str] = []
    findings, facts = verify(job, said.append)
    assert not findings and "1 test passed" in str(facts[0]["result"])
    assert sum("the same bytes" in line for line in said) == 2


def test_a_cooldown_does_not_hide_a_fresh_upload(job: Verification, monkeypatch: pytest.MonkeyPatch) -> None:
    """uv's exclude-newer and pip's uploaded-prior-to are for dependencies, not for the release that was just made."""
    for name in ("UV_EXCLUDE_NEWER", "PIP_UPLOADED_PRIOR_TO"):
        monkeypatch.setenv(name, "2020-01-01T00:00:00Z")
    (job.project.root / "uv.toml").write_text('exclude-newer = "2020-01-01T00:00:00Z"\n')
    findings, facts = verify(job)
    assert not findings and "1 test passed" in str(facts[0]["result"])


def test_the_lag_is_waited_for(job: Verification, server: Server) -> None:
    server.store.lag = time.time() - min(server.store.added.values()) + 0.5
    said: list[str] = []
    findings, _ = verify(job, said.append)
    assert not findings
    assert any("2 of 2 files aren't shown yet" in line for line in said)


def test_patience_ends(job: Verification, server: Server) -> None:
    server.store.lag = 1000
    with pytest.raises(HandbookError, match=r"didn't appear on loopback within 0\.2 s") as caught:
        verify(replace(job, patience=0.2))
    assert "verify again" in caught.value.todo


@pytest.mark.parametrize("kind", ["error", "hang"])
def test_a_passing_fault_is_waited_out(kind: str, job: Verification, server: Server) -> None:
    server.faults.append(Fault("page", kind, times=2, seconds=0.1))
    findings, _ = verify(job)
    assert not findings


def test_an_index_out_of_reach_is_named(job: Verification) -> None:
    gone = Index("gone", "http://127.0.0.1:9/legacy/", "http://127.0.0.1:9/simple/", "http://127.0.0.1:9")
    with pytest.raises(HandbookError, match="didn't appear on gone") as caught:
        verify(replace(job, index=gone, patience=0.1))
    assert "can't be reached" in caught.value.why


@pytest.mark.parametrize("announce", [True, False])
def test_a_file_swapped_on_the_server_is_found(announce: bool, job: Verification, server: Server,
                                               tmp_path: Path) -> None:
    (tmp_path / "evil").mkdir()
    evil = sample_dists.wheel(tmp_path / "evil", more={"demo/evil.py": "print('evil')\n"})
    server.store.swap(evil.name, evil.read_bytes(), announce=announce)
    findings, facts = verify(job)
    assert [finding.rule.code for finding in findings] == ["REL701"] and findings[0].file == evil.name
    said = findings[0].message
    assert ("serves bytes" in said, "announces sha256" in said) == (not announce, announce)
    assert not facts, "nothing of it is installed"


def test_half_a_file_is_fetched_again(job: Verification, server: Server) -> None:
    server.faults.append(Fault("file", "corrupt"))
    findings, _ = verify(job)
    assert not findings


def test_a_suite_that_fails_on_what_came_back(server: Server, tmp_path: Path, job: Verification) -> None:
    path = sample_dists.wheel(tmp_path, version="2.0", test="def test_it():\n    assert False\n")
    hashes = {path.name: sample_dists.sha256(path)}
    publish(Upload("demo", "2.0", [path], hashes, job.index, secret=CANARY))
    findings, _ = verify(replace(job, version="2.0", hashes=hashes))
    assert [finding.rule.code for finding in findings] == ["REL602"]
