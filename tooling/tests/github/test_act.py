"""The harness: act runs jobs in their order, and the stand-ins do what the real actions do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tooling.tests.github.act_runner import Event, Runner
from tooling.tests.package.sample_packages import git

WORKFLOW = """
name: trial
on:
  push:
    tags: ["v*"]
permissions: {}
env:
  WORD: ${{ vars.WORD }}
jobs:
  first:
    runs-on: ubuntu-latest
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          fetch-depth: 0
          persist-credentials: false
      - run: |
          git describe --tags
          mkdir -p .hidden/kept/.cache && echo "$WORD" > .hidden/kept/word.txt && echo no > .hidden/kept/.cache/no.txt
          echo "token ${ACTIONS_ID_TOKEN_REQUEST_TOKEN:-none}"
      - uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0
        with:
          name: words
          path: .hidden/kept/
  second:
    needs: first
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
        with:
          python-version: "3.13"
      - uses: actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1
        with:
          name: words
          path: got
      - run: |
          echo "::error file=a.py,line=3::wrong" >&2
          git rev-parse --is-shallow-repository
          find got -type f
          echo "## $(cat got/word.txt)" >> "$GITHUB_STEP_SUMMARY"
          echo "token $ACTIONS_ID_TOKEN_REQUEST_TOKEN"
          test "$WORD" = fine
  third:
    needs: [first, second]
    if: ${{ !cancelled() && needs.first.result == 'success' }}
    runs-on: ubuntu-latest
    steps:
      - run: echo third
"""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A machine whose repository has one tagged commit and another after it."""
    work = tmp_path / "work"
    (work / ".github" / "workflows").mkdir(parents=True)
    (work / ".github" / "workflows" / "trial.yml").write_text(WORKFLOW)
    git(work, "init", "--quiet")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message", "Start")
    git(work, "tag", "--annotate", "v1.0", "--message", "v1.0")
    git(tmp_path, "clone", "--quiet", "--bare", str(work), "remote.git")
    return Runner(tmp_path / "remote.git", tmp_path / "runner", {"WORD": "odd"},
                  environ={"STAND_IN_IDENTITIES": "second", "STAND_IN_IDENTITY": "http://127.0.0.1:9/identity"})


def event(runner: Runner) -> Event:
    """The push of the tag."""
    sha = git(runner.remote, "rev-parse", "v1.0^{commit}").strip()
    return Event("push", {"ref": "refs/tags/v1.0"}, {"GITHUB_REF": "refs/tags/v1.0", "GITHUB_SHA": sha,
                                                     "GITHUB_REPOSITORY": "lab/trial"})


def test_jobs_run_in_their_order_and_pass_on_what_they_made(runner: Runner, tmp_path: Path) -> None:
    workflow = tmp_path / "work" / ".github" / "workflows" / "trial.yml"
    done = runner.run(workflow, event(runner))
    assert (done.ended("success"), done.ended("failure")) == (["first", "third"], ["second"]), done.why()
    first, second = done.jobs["first"], done.jobs["second"]
    assert "v1.0\n" in first.log and "token none" in first.log, "only the jobs named have an identity"
    assert "true\n" in second.log and "token second" in second.log, "without fetch-depth the clone is shallow"
    assert "got/word.txt" in second.log and ".cache" not in second.log, "hidden files stay behind"
    assert second.summary == "## odd\n" and second.errors == ["wrong"]

    runner.variables = {"WORD": "fine"}
    again = runner.run(workflow, event(runner))
    assert "an artifact with this name already exists" in again.jobs["first"].log

    rest = runner.run(workflow, event(runner), done=["first"])
    assert rest.ended("success") == ["second", "third"], rest.why()
    assert rest.jobs["second"].summary == "## odd\n", "the artifact is that of the first attempt"
