"""Input that no command can use ends each command with one message that says what to do, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from labhandbook.cli.main import handbook
from labhandbook.core.errors import HandbookError
from tooling.tests.package.sample_packages import write

HEAD = '[build-system]\nrequires = ["flit-core"]\nbuild-backend = "flit_core.buildapi"\n'
BUILDS = ("build", "inspect", "test", "rehearse --offline")
READS = ("status", "notes", "publish --to pypi", "verify --from pypi --patience 0")
FILES = ("check", "inspect", "test", "rehearse --offline", "publish --to pypi")
WHEEL, SDIST = "demo-1.2.0-py3-none-any.whl", "demo-1.2.0.tar.gz"
NOT_BUILT = ("publish --to pypi", "verify --from pypi --patience 0")
# What is there, the commands that can't go on with it, a file to name, and what they say.
TABLE: dict[str, tuple[dict[str, str], tuple[str, ...], str, str]] = {
    "no project": ({}, ("check", *BUILDS, *READS), "", "no pyproject.toml"),
    "broken TOML": ({"pyproject.toml": "[project\n"}, ("check", *BUILDS, *READS), "", "is not valid TOML"),
    "a list in place of a table": ({"pyproject.toml": f"{HEAD}[tool.handbook.release]\nignore = []\n"},
                                   ("check", *BUILDS, *READS), "", "ignore must be a dict"),
    "no version": ({"pyproject.toml": f'{HEAD}[project]\nname = "demo"\nversion = "one"\n'}, (*BUILDS, *READS), "",
                   "the version of demo is not known"),
    "no files": ({"pyproject.toml": f'{HEAD}[project]\nname = "demo"\nversion = "1.2.0"\n'}, NOT_BUILT, "",
                 "demo 1.2.0 isn't built"),
    "a wheel that is no archive": ({WHEEL: "nothing"}, FILES[:2], WHEEL, "can't be read"),
    "an sdist that is no archive": ({SDIST: "nothing"}, FILES[:2], SDIST, "can't be read"),
    "a wheel that is not there": ({}, FILES[:2], WHEEL, WHEEL),
    "a wheel of a project, no archive": ({WHEEL: "nothing", "pyproject.toml": f'{HEAD}[project]\nname = "demo"\n'
                                          'version = "1.2.0"\n'}, FILES[2:], WHEEL, "can't be read"),
    "an index that is away": ({}, FILES[:2], f"http://127.0.0.1:9/{WHEEL}", "127.0.0.1"),
}


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder; the kit's own are in .handbook."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()
            and not {".handbook", ".git"} & {*path.relative_to(folder).parts}}


@pytest.mark.parametrize(("name", "command"), [(name, each) for name, row in TABLE.items() for each in row[1]])
def test_a_command_says_what_is_wrong_and_what_to_do(name: str, command: str, tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    files, _, given, says = TABLE[name]
    for variable in ("HANDBOOK_PYPI", "HANDBOOK_TESTPYPI"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.chdir(write(tmp_path, {"a.txt": "A", **files}))
    before = contents(Path())
    with pytest.raises(HandbookError) as caught:  # main turns it into its message and exit code 2
        handbook.main(["release", *command.split(), *filter(None, [given])], standalone_mode=False)
    assert says in f"{caught.value.where} {caught.value.what}" and caught.value.todo, vars(caught.value)
    assert contents(Path()) == before
