"""The file of watches: each mistake is an error with its line, and no value of a login is ever repeated."""

from __future__ import annotations

import pytest

from labhandbook.watch.watch_file import read_watches
from tooling.tests.conftest import run
from tooling.tests.watch.conftest import Desk

PAGE = "- name: News\n  page: https://example.org/\n  items: li\n"
LOGIN = PAGE + "  login:\n    page: {}\n    fields:\n      user: env:PORTAL_USER\n      pw: {}\n"
FORM = "https://example.org/login"
# What is wrong, the lines of the list, the line of the file that the error names, and words of the error.
WRONG = {
    "empty": ("", 2, "lists nothing"),
    "no source": ("- name: News\n", 3, "without one source"),
    "two sources": (PAGE + "  feed: https://example.org/f\n", 3, "without one source"),
    "no name": ("- page: https://example.org/\n  items: li\n", 3, "without a name"),
    "one name twice": (PAGE + PAGE.replace("News", "NEWS"), 6, "two watches named NEWS"),
    "no selector": ("- name: News\n  page: https://example.org/\n", 3, "without `items`"),
    "bad selector": (PAGE.replace("li", "'li['"), 5, "no CSS selector in `items`"),
    "deep selector": (PAGE.replace("li", f"'{':not(' * 90}'"), 5, "no CSS selector"),
    "long selector": (PAGE.replace("items: li", f"items: {'a,' * 300}a"), 5, "601 characters"),
    "selector for a feed": ("- name: F\n  feed: https://example.org/\n  items: li\n", 5, "a selector for a feed"),
    "unknown field": (PAGE + "  evry: 1h\n", 6, "no field called evry; did you mean every?"),
    "a field twice": (PAGE + "  items: a\n", 6, "items twice"),
    "a list for a mapping": ("- - name\n", 3, "no fields here"),
    "no address": (PAGE.replace("https://example.org/", "example.org"), 4, "no whole address"),
    "another scheme": (PAGE.replace("https", "file"), 4, "no whole address"),
    "bad port": (PAGE.replace("example.org/", "example.org:0x/"), 4, "no whole address"),
    "password in an address": (PAGE.replace("example", "me:hunter2@example"), 4, "a password or a token"),
    "token in an address": (PAGE.replace(".org/", ".org/?access_token=hunter2"), 4, "a password or a token"),
    "too often": (PAGE + "  every: 1min\n", 6, "at least 5min"),
    "no time": (PAGE + "  every: often\n", 6, "no time"),
    "no repository": ("- name: P\n  pull: conda-forge\n", 4, "no repository"),
    "a path as a project": ("- name: P\n  release: ../../x\n", 4, "no project"),
    "login for a release": ("- name: P\n  release: x\n  login:\n    page: x\n", 5, "a login for a release"),
    "value in the file": (LOGIN.format(FORM, "hunter2"), 10, "values are never in the file"),
    "no variable": (LOGIN.format(FORM, "env:hunter 2"), 10, "values are never in the file"),
    "no entry": (LOGIN.format(FORM, "keyring:hunter2"), 10, "values are never in the file"),
    "a number as a value": (LOGIN.format(FORM, "1234"), 10, "values are never in the file"),
    "a list as a value": (LOGIN.format(FORM, "[hunter2]"), 10, "values are never in the file"),
    "login in the clear": (LOGIN.format("http://example.org/login", "env:P"), 7, "a login without https"),
    "login without fields": (PAGE + "  login:\n    page: https://example.org/login\n", 7, "without `fields`"),
    "a token": (PAGE + "# ghp_" + "aB3dE5gH7j" * 4 + "\n", 6, "holds a GitHub token"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_an_error_with_its_line(desk: Desk, case: str) -> None:
    lines, line, words = WRONG[case]
    desk.watch(lines)
    report = desk.look()
    assert report.code == 2 and report.error.startswith(f"{desk.file}:{line}:") and words in report.error
    assert "hunter" not in report.error and "aB3d" not in report.error


TOP = {
    "contact": ("contact: nobody\n", 1, "needs `contact`"),
    "line break": ('contact: "a@b.fi\\r\\nX: y"\n', 1, "needs `contact`"),
    "unknown": ("contact: a@b.fi\nnotifications: x\n", 2, "no field called notifications"),
    "mail": ("contact: a@b.fi\nnotify: {mail: lab}\n", 2, "no mail address"),
    "command": ("contact: a@b.fi\nnotify: {command: rm -rf /}\n", 2, "no list of words in `command`"),
    "variables": ("contact: a@b.fi\nnotify:\n  variables: [A=hunter2]\n", 3, "no name of a variable"),
    "ways": ("contact: a@b.fi\nnotify: yes\n", 2, "no fields here"),
}


@pytest.mark.parametrize("case", TOP)
def test_a_mistake_above_the_list_is_an_error_with_its_line(desk: Desk, case: str) -> None:
    head, line, words = TOP[case]
    desk.file.write_text(f"{head}watches:\n- name: N\n  release: x\n", encoding="utf-8")
    report = desk.look()
    assert report.code == 2 and report.error.startswith(f"{desk.file}:{line}:") and words in report.error
    assert "hunter" not in report.error


def test_a_file_that_is_missing_or_no_yaml_is_named(desk: Desk) -> None:
    done = run("watch", desk.file, "--once", "--state", desk.state)
    assert done.returncode == 2 and "watch.yml can't be read" in done.stderr and "Traceback" not in done.stderr
    desk.file.write_text("watches: [\n")
    assert f"{desk.file}:1" in run("watch", desk.file, "--once", "--state", desk.state).stderr


def test_everything_that_a_file_can_say_is_read(desk: Desk) -> None:
    desk.watch(LOGIN.format(FORM, "keyring:portal:maija") + "  list: ul\n  every: 2d\n- name: B\n  pull: a/b#7\n",
               "every: 30min\nnotify:\n  mail: a@b.fi\n  desktop: true\n  command: [tell, it]\n  variables: [A, B]\n")
    found = read_watches(desk.file)
    first, second = found.watches
    assert (first.every, second.every, first.within, second.source) == (2 * 86400, 1800, "ul", "a/b#7")
    assert first.login and [secret.reference for _, secret in first.login.fields] == [
        "env:PORTAL_USER", "keyring:portal:maija"]
    assert (found.mail, found.desktop, found.command, found.variables) == ("a@b.fi", True, ("tell", "it"), ("A", "B"))
