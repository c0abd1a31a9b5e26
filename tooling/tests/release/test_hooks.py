"""The hooks for pre-commit and the checks for repo-review, with the real programs."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from labhandbook.cli.main import handbook
from labhandbook.core import untrusted_data
from labhandbook.core.yaml_reader import read_yaml
from labhandbook.release.check_project import BEFORE_THE_COMMIT
from labhandbook.release.repo_review import checks
from tooling.tests.conftest import LACKS, ROOT, run
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_packages import git
from tooling.tests.release.packaging_chapter import printed_words

PAGE = "chapters/packaging/metadata.qmd"
HOOKS = ROOT / ".pre-commit-hooks.yaml"


def program(name: str) -> str:
    """A program of this environment."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        pytest.skip(LACKS + name)
    return str(path)


def hooks() -> dict[str, dict[str, str]]:
    return {each["id"]: each for each in read_yaml(untrusted_data.text(HOOKS), HOOKS.name).data}


@pytest.mark.parametrize(("hook", "path", "taken"), [
    ("release-check", "pyproject.toml", True), ("release-check", "lib/pyproject.toml", True),
    ("release-check", "LICENSE.txt", True), ("release-check", "docs/readme.md", True),
    ("release-check", "src/demo/__init__.py", True), ("release-check", "src/demo/cli.py", False),
    ("recipe-lint", "recipe/recipe.yaml", True), ("recipe-lint", "recipe/meta.yaml", True),
    ("recipe-lint", "recipe/conda_build_config.yaml", False), ("job-check", "jobs/train.sh", True),
    ("job-check", "train.sbatch", True), ("job-check", "run.sh", False),
])
def test_which_files_start_a_hook(hook: str, path: str, taken: bool) -> None:
    assert bool(re.search(hooks()[hook]["files"], path)) is taken


@pytest.mark.parametrize("hook", ["release-check", "recipe-lint", "job-check"])
def test_a_hook_calls_a_command_with_options_that_it_has(hook: str) -> None:
    command: click.Command = handbook
    words = shlex.split(hooks()[hook]["entry"])[1:]
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None
        command = found
    command.make_parser(click.Context(command)).parse_args(words)


def test_a_check_before_the_commit_leaves_out_what_only_a_tag_can_give(tmp_path: Path) -> None:
    root = sample_dists.project(tmp_path / "labdemo")
    git(root, "tag", "--delete", "v1.2.0")
    (root / "labdemo/new.py").touch()
    words = printed_words(PAGE, "handbook release check")
    whole, before = (json.loads(run(*asked, "--offline", "--format", "json", cwd=root).stdout)["findings"]
                     for asked in (("release", "check"), words))
    assert {"REL011", "REL013"} <= {each["code"] for each in whole}
    assert not {each["code"] for each in before} & set(BEFORE_THE_COMMIT)


def test_repo_review_shows_the_rules(tmp_path: Path) -> None:
    root = sample_dists.project(tmp_path / "labdemo", requires='"click"')
    done = subprocess.run([program("repo-review"), str(root), "--format", "json"], capture_output=True, text=True,
                          check=False)
    results = json.loads(done.stdout)["checks"]
    ours = {code: each for code, each in results.items() if each["family"] == "labhandbook"}
    assert ours.keys() == checks().keys()
    assert [code for code, each in ours.items() if each["result"] is False] == ["REL042"], done.stdout
    assert "click has no lower bound" in ours["REL042"]["err_msg"]
    assert ours["REL042"]["url"].endswith("#sec-rule-rel042") and ours["REL020"]["result"] is True
    assert ours["REL081"]["result"] is None, "the name was looked up without a network"


@pytest.mark.long
@pytest.mark.parametrize(("hook", "file", "text", "says"), [
    ("release-check", "pyproject.toml", "", "REL043"),
    ("recipe-lint", "recipe/recipe.yaml", "package:\n  name: Demo\n  version: 1.0\n", "RCP"),
    ("job-check", "jobs/train.sh", "#!/bin/bash\n#SBATCH --time=1:00:00\necho a\n", "HPC"),
])
def test_pre_commit_runs_a_hook(tmp_path: Path, hook: str, file: str, text: str, says: str) -> None:
    root = sample_dists.project(tmp_path / "labdemo", requires='"click @ https://example.org/click.whl"')
    if text:
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_text(text)
    git(root, "add", "--all")
    config = tmp_path / "config.yaml"
    args = ", args: [--cluster, lumi]" if hook == "job-check" else ""
    head = git(ROOT, "rev-parse", "HEAD")
    config.write_text(f"repos:\n- repo: {ROOT}\n  rev: {head}\n  hooks:\n  - {{id: {hook}{args}}}\n")
    env = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")}
    done = subprocess.run([program("pre-commit"), "run", "--config", str(config), "--files", file], cwd=root, env=env,
                          capture_output=True, text=True, check=False)
    if "No matching distribution" in done.stdout or "Connection" in done.stdout:
        pytest.skip(LACKS + "network")
    assert done.returncode == 1 and says in done.stdout, done.stdout + done.stderr
