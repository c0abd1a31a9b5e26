"""On a runner of GitHub, findings and errors are in the job's summary and as annotations; elsewhere nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from labhandbook.core import job_summary
from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding, Rule, Severity
from tooling.tests.conftest import run

RULE = Rule("TST001", "A thing holds", "It breaks.", "Fix it.", "sec-pypi-tag")
FINDINGS = [Finding("a,b.toml", 3, RULE, "50% is\nwrong"), Finding("c.toml", 0, RULE, "odd", Severity.UNVERIFIED)]


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job's summary."""
    path = tmp_path / "summary.md"
    monkeypatch.setenv(job_summary.SUMMARY, str(path))
    return path


def test_findings_are_in_the_summary_and_at_their_lines(summary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job_summary.tell_findings(FINDINGS, "Release check")
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("## Release check: 1 error, 1 could not be verified\n") and "#sec-pypi-tag)" in text
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == ["::error file=a%2Cb.toml,line=3,title=TST001::50%25 is%0Awrong. Fix it.",
                                      "::notice file=c.toml,title=TST001::odd. Fix it."]


def test_an_error_says_all_that_it_says_on_a_terminal(summary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job_summary.tell_error(HandbookError("it is <gone>", where="pyproject.toml:7",
                                         why="this is so:\n  owner lab\n  repo *x*",
                                         todo="look there", section="sec-pypi-upload"))
    text = summary.read_text(encoding="utf-8")
    assert "**`pyproject.toml:7`: it is \\<gone\\>**" in text and "To do: look there" in text
    assert "```text\n  owner lab\n  repo *x*\n```" in text and "#sec-pypi-upload)" in text
    assert capsys.readouterr().err == "::error file=pyproject.toml,line=7,title=handbook::it is <gone>. look there\n"


def test_nothing_is_written_elsewhere(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv(job_summary.SUMMARY, raising=False)
    job_summary.tell_findings(FINDINGS, "Release check")
    job_summary.tell_error(HandbookError("it is gone"))
    job_summary.summarise("## No")
    assert capsys.readouterr() == ("", "")


def test_a_summary_that_github_would_drop_is_cut(summary: Path) -> None:
    job_summary.summarise("## One")
    job_summary.summarise("line\n" * 300_000)
    text = summary.read_bytes()
    assert len(text) <= job_summary.LARGEST and text.startswith(b"## One\n\nline\n")
    assert text.endswith(b"line\n\nThe rest is in the log.\n")


def test_no_more_annotations_than_github_shows(summary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job_summary.annotate([Finding("a", number, RULE, "odd") for number in range(1, 30)])
    assert len(capsys.readouterr().err.splitlines()) == job_summary.MOST


def test_a_command_that_could_not_run_says_so_in_the_summary(summary: Path, tmp_path: Path) -> None:
    done = run("release", "check", tmp_path)
    text = summary.read_text(encoding="utf-8")
    assert done.returncode == 2 and "::error " in done.stderr
    assert text.startswith("## Stopped\n") and "no pyproject.toml" in text and "handbook release new" in text
