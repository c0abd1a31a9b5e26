"""`handbook upkeep` against a web server, an index and a GitHub on loopback: what has aged, and the one issue."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from labhandbook.book.book_rules import ADDRESS
from labhandbook.book.load import load_book
from labhandbook.book.upkeep import external_links, pinned_versions, upkeep_issue
from labhandbook.book.upkeep.survey import Survey, survey
from labhandbook.core import process
from labhandbook.core.errors import HandbookError
from labhandbook.core.github_api import GitHub
from labhandbook.core.rules import Finding, Severity
from labhandbook.core.section_addresses import address
from labhandbook.package.name_lookup import Answer
from labhandbook.release.local_index import running
from tooling.tests.conftest import LACKS, ROOT, make_book, run
from tooling.tests.github.fake_github import Fault, State, serving
from tooling.tests.package.sample_packages import git
from tooling.tests.release.packaging_chapter import printed_words

PAGE = "chapters/together/index.qmd"
TODAY = date(2026, 11, 22)
TOKEN = "a-token-that-no-issue-shows"
PIN, OTHER = "1" * 40, "2" * 40
NEW = "7" * 40
STATUS = {"/gone": 404, "/away": 403, "/ill": 503, "/moved": 301, "/buried": 410}
FACTS = """\
source: "tried with the version seen"
checked: 2026-11-01
review-by: 2027-11-01

twine:
  seen: "7.0"
quarto:
  seen: "1.10.18"
conda-smithy:
  seen: "2026.8.5"
conda-forge:
  python-min: "3.11"
"""
ACTIONS = f"""\
source = "release tags"
checked = 2026-11-01
review-by = 2027-11-01

["actions/checkout"]
tag = "v7.0.1"
commit = "{PIN}"
"""


class Web(BaseHTTPRequestHandler):
    """Pages that are there, gone, moved, ill or closed to programs."""

    def do_GET(self) -> None:
        self.send_response(STATUS.get(self.path, 200))
        if self.path == "/moved":
            self.send_header("Location", "/there")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[str]:
    with running(ThreadingHTTPServer(("127.0.0.1", 0), Web)) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}"


def book(folder: Path, web: str, page: str = "/there", facts: str = FACTS, actions: str = ACTIONS) -> Path:
    """A book with a link, a work, facts and pinned actions."""
    text = f"# A {{#sec-a}}\n\nSee [it]({web}{page}),\n[it again]({web}/moved) and @adams2020.\n"
    make_book(folder, {
        "index.qmd": "# Home {.unnumbered}\n\n[Ours](https://example.org/book/a.html)\n", "chapters/a.qmd": text,
        "references.qmd": "# References {.unnumbered}\n\n::: {#refs}\n:::\n", "chapters/tools.yml": facts,
        "references.bib": f"@book{{adams2020,\n  title = {{A}},\n  year = {{2020}},\n  url = {{{web}/there}}\n}}\n"})
    path = folder / pinned_versions.PINS
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(actions, encoding="utf-8")
    return folder


def hubs(folder: Path, **changes: str) -> State:
    """GitHub with the two repositories that are asked for, as one state; `changes` are what they answer."""
    result = {"newest": "v7.0.1", "commit": PIN, "quarto": "v1.10.21", "conda-smithy": "v2026.8.5",
              "oldest": "3.11"} | changes
    pins = f"pytorch:\n  - '2.9'\npython_min:\n  # bump it\n  - '{result['oldest']}'   # [not win]\n  - '3.12'\n"
    state = State("acerbilab/handbook", folder, TOKEN)
    state.others = {
        "actions/checkout/releases/latest": {"tag_name": result["newest"]},
        "actions/checkout/commits/v7.0.1": {"sha": result["commit"]},
        "actions/checkout/commits/v7.1.0": {"sha": NEW},
        "quarto-dev/quarto-cli/releases/latest": {"tag_name": result["quarto"]},
        "conda-forge/conda-smithy/releases/latest": {"tag_name": result["conda-smithy"]},
        "conda-forge/conda-forge-pinning-feedstock/contents/recipe/conda_build_config.yaml": {
            "content": base64.b64encode(pins.encode()).decode()}}
    return state


def result(folder: Path, state: State, monkeypatch: pytest.MonkeyPatch, versions: str = "7.0.3 8.0rc1",
         today: date = TODAY) -> Survey:
    with serving(state) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        answer = Answer("pypi", versions=frozenset(versions.split()))
        return survey(load_book(folder), today, index=lambda name: answer)


def shown(looked: Survey) -> list[str]:
    return [f"{finding.weight} {finding.place} {finding.rule.code} {finding.message}" for finding in looked.findings]


def test_a_book_that_is_up_to_date_has_no_findings(tmp_path: Path, web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = result(book(tmp_path, web), hubs(tmp_path), monkeypatch)
    assert (shown(looked), looked.asked, looked.blind, looked.failed) == ([], 3, False, False)


@pytest.mark.parametrize(("page", "weight", "words"), [
    ("/gone", "error", "answers 404 Not Found"), ("/buried", "error", "answers 410 Gone"),
    ("/ill", "warning", "answers 503 Service Unavailable"), ("/away", "unverified", "answers 403 Forbidden")])
def test_addresses_that_fail_are_named_at_their_line(tmp_path: Path, web: str, monkeypatch: pytest.MonkeyPatch,
                                                    page: str, weight: str, words: str) -> None:
    monkeypatch.setattr(external_links.ask, "__defaults__", (5, 0))
    looked = result(book(tmp_path, web, page), hubs(tmp_path), monkeypatch)
    assert shown(looked) == [f"{weight} chapters/a.qmd:3 BOOK101 {web}{page} {words}"]
    assert not looked.blind and looked.failed == (weight != "unverified")


def test_without_a_network_nothing_is_called_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_links.ask, "__defaults__", (1, 0))
    looked = result(book(tmp_path, "http://127.0.0.1:9"), hubs(tmp_path), monkeypatch)
    assert shown(looked) == ["unverified _quarto.yml BOOK101 no address was asked: the network can't be reached"]
    assert looked.blind and not looked.failed and looked.asked == 0


def test_the_command_without_a_network_calls_nothing_an_error(tmp_path: Path) -> None:
    """In a network namespace of its own it reaches no name server, no index, no GitHub and no loopback."""
    alone = ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip(LACKS + "a network namespace for this user")
    folder = book(tmp_path, "https://example.org")
    done = subprocess.run([*alone, Path(sys.executable).with_name("handbook"), "upkeep", "--book", folder, "--today",
                           str(TODAY)], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    marks = [line[0] for line in done.stdout.splitlines() if ": BOOK" in line]
    assert marks == ["?"] * 6, done.stdout
    assert "0 addresses checked: 6 could not be verified" in done.stderr


def test_a_missing_link_checker_is_said(tmp_path: Path, web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "find_program", lambda name: None)
    (line,) = shown(result(book(tmp_path, web), hubs(tmp_path), monkeypatch))
    assert "no address was asked: lychee is not installed" in line


def test_newer_actions_and_moved_tags_are_reported(tmp_path: Path, web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = result(book(tmp_path, web), hubs(tmp_path, newest="v7.1.0", commit=OTHER), monkeypatch)
    assert shown(looked) == [
        f"warning {pinned_versions.PINS}:5 BOOK102 actions/checkout is pinned at v7.0.1, and v7.1.0 is out",
        f"error {pinned_versions.PINS}:7 BOOK103 actions/checkout v7.0.1 is {OTHER} today, and {PIN} was pinned"]
    assert f'; write tag = "v7.1.0" and commit = "{NEW}" here' in looked.findings[0].fix


def test_a_pin_that_no_workflow_uses_is_reported(tmp_path: Path, web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = book(tmp_path, web)
    workflow = folder / ".github" / "workflows" / "check.yml"
    workflow.parent.mkdir(parents=True)
    for used, expected in ((f"actions/checkout@{PIN}", []), (f"lab/checkout@{PIN}", [
            f"warning {pinned_versions.PINS}:5 BOOK102 no workflow uses actions/checkout"])):
        workflow.write_text(f"jobs:\n  a:\n    steps:\n      - uses: {used}\n", encoding="utf-8")
        assert shown(result(folder, hubs(tmp_path), monkeypatch)) == expected


def test_feature_releases_of_tools_are_reported(tmp_path: Path, web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a tool whose versions are days, each release; of conda-forge the oldest Python that it has today."""
    answers = hubs(tmp_path, quarto="v1.11.0", oldest="3.12", **{"conda-smithy": "v2026.8.19"})
    looked = result(book(tmp_path, web), answers, monkeypatch, "6.9 7.1.0 8.0rc1 odd")
    assert shown(looked) == [
        "warning chapters/tools.yml:6 BOOK104 the text was tried with twine 7.0, and 7.1.0 is out",
        "warning chapters/tools.yml:8 BOOK104 the text was tried with quarto 1.10.18, and v1.11.0 is out",
        "warning chapters/tools.yml:10 BOOK104 the text was tried with conda-smithy 2026.8.5, and v2026.8.19 is out",
        "warning chapters/tools.yml:12 BOOK104 the text was tried with conda-forge.python-min 3.11, and 3.12 is out"]


@pytest.mark.parametrize(("one", "other", "parts", "wanted"), [
    ("v7.0.2", "v7.0.1", 4, True), ("v7.0.1", "v7.0.1", 4, False), ("7.0.9", "7.0.1", 2, False),
    ("84.3", "84", 2, False),
    ("85", "84.2", 2, True), ("1.10.0", "1.9.9", 2, True), ("", "1", 2, False), ("latest", "1", 2, False)])
def test_versions_are_compared_as_numbers(one: str, other: str, parts: int, wanted: bool) -> None:
    assert pinned_versions.newer(one, other, parts) is wanted


def test_facts_and_data_past_their_review_are_reported(
        tmp_path: Path, web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = result(book(tmp_path, web), hubs(tmp_path), monkeypatch, today=date(2027, 11, 2))
    assert [line.partition(" BOOK025")[0] for line in shown(looked)] == [
        "error chapters/tools.yml:3", f"error {pinned_versions.PINS}:3"]


def test_questions_that_the_group_has_not_settled_are_listed(
        tmp_path: Path, web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = book(tmp_path, web)
    (folder / "chapters/agreements.yml").write_text(
        'source: "a meeting"\nchecked: 2026-11-01\nreview-by: 2027-11-01\n'
        'hours:\n  question: "When do we meet?"\n  ask: "the leader"\n  answer: ""\n'
        'lunch:\n  question: "Where is lunch?"\n  ask: "anyone"\n  answer: "In the hall."\n', encoding="utf-8")
    looked = result(folder, hubs(tmp_path), monkeypatch)
    assert shown(looked) == ["warning chapters/agreements.yml:5 BOOK105 not settled: When do we meet?"]
    assert "Ask the leader" in next(iter(looked.findings)).fix


def test_a_github_that_is_down_leaves_it_unverified(tmp_path: Path, web: str,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    state = hubs(tmp_path)
    state.faults.append(Fault("GET", "checkout", 403, 99))
    looked = result(book(tmp_path, web), state, monkeypatch)
    assert [line[:10] for line in shown(looked)] == ["unverified"] and looked.blind and not looked.failed


# The issue.

AGED = [Finding("chapters/a.qmd", 3, ADDRESS, "https://example.org/x answers 404 Not Found")]
DOUBT = [Finding("chapters/a.qmd", 3, ADDRESS, "https://example.org/x answers 403 Forbidden", Severity.UNVERIFIED)]


class Weeks:
    """The workflow's runs, one after another."""

    def __init__(self, folder: Path) -> None:
        self.state = State("acerbilab/handbook", folder, TOKEN)

    def run(self, findings: list[Finding], *, blind: bool = False) -> str:
        with serving(self.state) as server:
            github = GitHub(self.state.repository, server.url, TOKEN, pause=0)
            said = upkeep_issue.deliver(github, findings, blind)
            return said.partition(" http")[0]


def test_one_issue_is_opened_updated_closed_and_opened_again(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path)
    weeks.state.issues += [{"number": number, "state": "open", "labels": [{"name": "upkeep"}], "body": "by a person",
                            "html_url": "", "comments": []} for number in (1, 2)]
    said = [weeks.run([]), weeks.run(DOUBT), weeks.run(AGED), weeks.run(AGED * 2), weeks.run([], blind=True),
            weeks.run(DOUBT), weeks.run([]), weeks.run(AGED)]
    assert said == ["no issue is needed", "no issue is needed", "opened", "updated", "updated", "closed",
                    "no issue is needed", "opened again"]
    (made,) = [each for each in weeks.state.issues if upkeep_issue.MARK in each["body"]]
    assert (made["state"], made["title"], made["comments"]) == ("open", upkeep_issue.TITLE, ["Nothing is left."])
    assert f"[BOOK101]({address(ADDRESS.section)})" in made["body"] and "404 Not Found" in made["body"]
    assert [each["body"] for each in weeks.state.issues[:2]] == ["by a person"] * 2


def test_a_text_that_github_would_refuse_is_cut() -> None:
    text = upkeep_issue.body(AGED * 2000)
    assert len(text) < 65_536 and text.endswith("The rest is in the workflow's log.\n")


def test_a_github_that_refuses_says_what_the_job_lacks(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path)
    weeks.state.faults.append(Fault("POST", "issues", 403))
    with pytest.raises(HandbookError) as raised:
        weeks.run(AGED)
    assert "issues: write" in raised.value.todo


def test_the_command_opens_the_issue(tmp_path: Path, web: str) -> None:
    folder, state = book(tmp_path / "book", web, "/gone"), hubs(tmp_path)
    git(folder, "init", "--quiet")
    with serving(state) as server:
        environ = {"GITHUB_API_URL": server.url, "GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "acerbilab/handbook",
                   "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"), "HANDBOOK_PYPI": web}
        done = run("upkeep", "--book", folder, "--issue", "--today", "2026-11-22", cwd=ROOT, timeout=300, **environ)
        alone = run(*printed_words(PAGE, "handbook upkeep"), "--book", folder, "--format", "json", "--today",
                    "2026-11-22", cwd=ROOT, timeout=300, **environ)
    assert done.returncode == 0, done.stderr
    assert "opened https://example.org/acerbilab/handbook/issues/1" in done.stderr
    assert "chapters/a.qmd:3: BOOK101" in done.stdout and "::error file=chapters/a.qmd,line=3" in done.stderr
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "## Upkeep of the handbook: 1 error" in summary and "issues/1" in summary
    assert alone.returncode == 1 and json.loads(alone.stdout)["counts"]["error"] == 1
    assert len(state.issues) == 1 and TOKEN not in done.stdout + done.stderr + summary + state.issues[0]["body"]


def test_the_handbooks_addresses_are_found_with_file_and_line() -> None:
    found, _ = external_links.addresses(load_book(ROOT), TODAY)
    assert len(found) > 50 and all(each.line for each in found)
    assert {each.file for each in found} >= {"references.bib", "chapters/contributing.qmd"}
