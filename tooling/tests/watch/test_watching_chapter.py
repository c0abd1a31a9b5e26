"""The page's files are read, its commands run, and its workflow is one that linters find nothing in."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from labhandbook.github.release_workflow import actions
from labhandbook.watch.watch_file import KINDS, read_watches
from tooling.tests.conftest import ROOT, run
from tooling.tests.github.act_runner import PROGRAMS
from tooling.tests.watch.conftest import Desk
from tooling.tests.watch.test_watch_lists import releases
from tooling.tests.watch.watched_site import PASSWORD, USER, Site

PAGE = "chapters/watching.qmd"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")


def blocks(language: str, name: str = "") -> list[str]:
    """The blocks of the page in a language, or those that are a file of this name."""
    opening = rf"^```\{{\.{language} filename=\"{re.escape(name)}\"\}}\n" if name else rf"^```\{{\.{language}[^\n]*\n"
    return re.findall(rf"{opening}(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_the_files_of_the_page_are_watched(site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDBOOK_PYPI", site.address)
    monkeypatch.setenv("GITHUB_API_URL", site.address)
    monkeypatch.setenv("PORTAL_USER", USER)
    monkeypatch.setenv("PORTAL_PASSWORD", PASSWORD)
    site.form = '<ul class="jobs news"><li><a href="{}">{}</a></li></ul>'
    site.replies["/jobs"] = lambda handler: handler.send(200, site.list())
    site.replies["/news.xml"] = lambda handler: handler.send(200, site.feed())
    site.replies["/simple/numpy/"] = lambda handler: handler.send(
        200, releases("numpy-2.0.tar.gz"), "application/vnd.pypi.simple.v1+json")
    site.replies["/repos/conda-forge/gpyreg-feedstock/pulls"] = lambda handler: handler.send(200, "[]")
    files = blocks("yaml", "watch.yml")
    kinds = set()
    for number, file in enumerate(files):
        desk.file.write_text(re.sub(r"https://\w+\.example\.org", site.address, file))
        found = read_watches(desk.file)
        kinds |= {watch.kind for watch in found.watches}
        if not found.command:
            report = desk.look("--state", str(desk.folder / f"{number}.json"))
            assert report.code == 0 and report.findings == [], file
    assert kinds == set(KINDS) == set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) and len(files) == 4


def test_the_commands_of_the_page_run_as_printed(site: Site, desk: Desk) -> None:
    desk.watch(f"- name: News\n  page: {site.address}/list\n  items: ul.news > li\n")
    ran = 0
    for words in (shlex.split(block) for block in blocks("bash")):
        if words[0] == "handbook":
            done = run(*words[1:], cwd=desk.folder, XDG_STATE_HOME=str(desk.folder / "home"))
            assert done.returncode == 0, done.stderr
            ran += 1
    (cron,) = (block for block in blocks("text") if "handbook watch" in block)
    words = shlex.split(cron)[6:]
    assert ran == 2 and words[0] == "watch"
    done = run(*(word.replace("$HOME", str(desk.folder)) for word in words), XDG_STATE_HOME=str(desk.folder / "home"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list((desk.folder / "home/labhandbook/watch").glob("watch-*.json"))


def test_the_workflow_is_clean_and_pinned(tmp_path: Path) -> None:
    (text,) = blocks("yaml", ".github/workflows/watch.yml")
    path = tmp_path / ".github/workflows/watch.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    for command in (["zizmor", "--offline", "--persona", "auditor", "--quiet", "--no-progress", str(path)],
                    ["jactionlint", "--no-color", "--strict-exit", str(path)]):
        done = subprocess.run([PROGRAMS / command[0], *command[1:]], cwd=tmp_path, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    for used in re.findall(r"uses: (.+)$", text, re.MULTILINE):
        assert re.sub(r"^([\w.-]+/[\w.-]+)/[^@]+@", r"\1@", used) in actions().values(), used


def test_the_job_of_the_workflow_opens_an_issue(site: Site, desk: Desk) -> None:
    (text,) = blocks("yaml", ".github/workflows/watch.yml")
    (step,) = [step for step in yaml.safe_load(text)["jobs"]["watch"]["steps"] if step["name"] == "Look"]
    command = step["run"].splitlines()[-1]
    file = next(each for each in blocks("yaml", "watch.yml") if "gh, issue" in each)
    head = file.partition("watches:")[0].replace("contact: you@example.org\n", "")
    desk.watch(f"- name: News\n  page: {site.address}/list\n  items: ul.news > li\n", head)
    (desk.folder / "bin").mkdir()
    gh = desk.folder / "bin/gh"
    gh.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\" \"$GH_REPO $GH_TOKEN\" > said\ncat > body\n")
    gh.chmod(0o755)
    env = {**os.environ, "PATH": f"{gh.parent}:{PROGRAMS}:{os.environ['PATH']}", "GH_REPO": "a/b", "GH_TOKEN": "t",
           "HOME": str(desk.folder)}
    for _ in range(2):
        subprocess.run(["bash", "-ec", f"{command} --now"], cwd=desk.folder, env=env, check=True)
        site.items.append(("/c", "Third"))
    assert (desk.folder / "said").read_text().splitlines() == [
        "issue", "create", "--title", "Something new", "--body-file", "-", "a/b t"]
    (item,) = json.loads((desk.folder / "body").read_text())["items"]
    assert item == {"title": "Third", "link": f"{site.address}/c"}
    assert (desk.folder / "state/watch.json").exists()
