"""Whether `handbook recipe lint` says which maintainers GitHub does not have, asked of a small GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from labhandbook.recipe.maintainer_names import GitHubNames
from labhandbook.recipe.recipe_reader import read
from labhandbook.release.local_index import running
from tooling.tests.conftest import run
from tooling.tests.recipe.samples import line_of, v1, write

PAGES = {"/jane": 200, "/acme": 200, "/orgs/acme/teams": 302, "/renamed": 301, "/busy": 429}


@contextmanager
def github() -> Iterator[tuple[str, list[str]]]:
    """A GitHub with the user jane and the organisation acme, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(self.path)
            self.send_response(PAGES.get(self.path, 404))
            self.send_header("Location", "/jane")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}", asked


def recipe(folder: Path, *names: str) -> Path:
    return write(folder, v1().replace("    - someone\n", "".join(f"    - {name}\n" for name in names)))


def found(path: Path, names: GitHubNames) -> list[tuple[str, int, str, str]]:
    return [(one.rule.code, one.line, str(one.weight), one.message) for one in names.check(read(path))]


def test_users_teams_and_names_that_github_does_not_have(tmp_path: Path) -> None:
    path = recipe(tmp_path, "jane", "nobody", "acme", "renamed", "conda-forge/team")
    first = line_of(path.read_text(encoding="utf-8"), "- jane")
    with github() as (server, asked):
        names = GitHubNames(server=server)
        wrong = [("RCP043", first + at, "error", f"{name} is no user of GitHub")
                 for at, name in enumerate(["nobody", "acme", "renamed"], 1)]
        assert found(path, names) == wrong
        assert sorted(asked) == ["/acme", "/jane", "/nobody", "/orgs/acme/teams", "/orgs/jane/teams", "/renamed"]
        assert found(path, names) == wrong and len(asked) == 6, "each name is asked for once"


def test_one_line_says_whom_nobody_asked_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = recipe(tmp_path, "jane", "busy")
    monkeypatch.setattr("labhandbook.core.http_client.time.sleep", lambda seconds: None)
    with github() as (server, _):
        (line,) = found(path, names := GitHubNames(server=server))
    assert line[2:] == ("unverified",
                        "nobody checked that GitHub has the maintainer busy: it answers 429 Too Many Requests")
    other = recipe(tmp_path / "other", "joe", "jim")
    assert "the maintainers joe, jim: it answers 429" in found(other, names)[0][3], "it is not asked again"


def test_the_command_asks_github(tmp_path: Path) -> None:
    with github() as (server, _):
        done = run("recipe", "lint", recipe(tmp_path, "nobody"), "--index", server, GITHUB_SERVER_URL=server)
    assert done.returncode == 1 and "RCP043 nobody is no user of GitHub" in done.stdout
