"""Commands that only look at a repository run nothing that it names: no program, no function, no hook, no module."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labhandbook.package import environments, index_addresses
from labhandbook.package.build_tools import Tools
from labhandbook.package.machine import Interpreter, uv_program
from labhandbook.package.project import load_project
from labhandbook.package.version import find_version
from labhandbook.recipe.checkout import checkout
from labhandbook.release.publish import Upload, attested
from tooling.tests.conftest import ROOT, run
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_dists import CANARY
from tooling.tests.package.sample_packages import KINDS, git, make
from tooling.tests.release.faulty_index import serving
from tooling.tests.release.signer import stand_in

pytestmark = pytest.mark.long

SECRETS = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": CANARY, "GITHUB_TOKEN": CANARY,
           "ACTIONS_ID_TOKEN_REQUEST_TOKEN": CANARY, "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:9/{CANARY}"}
NOWHERE = "http://127.0.0.1:9/"
LOOKING = (["check", "--offline"], ["plan"], ["status"], ["doctor", "--offline"], ["undo"],
           ["publish", "--to", NOWHERE, "--yes"], ["verify", "--from", NOWHERE], ["announce"], ["admit"])
# With modules alone that every Python has loaded already, because a trap can replace any other.
SPRING = 'import os; open("{mark}", "w").write(str(dict(os.environ)))\n'
# Files that tools read, or that Python imports, from the folder that a person happens to be in.
MODULES = ("sitecustomize", "usercustomize", "setuptools_scm", "vcs_versioning", "pypi_attestations", "sigstore",
           "id", "types", "json", "pip", "venv", "build", "twine", "requests", "keyring", "readme_renderer")
HEAD = ('[build-system]\nrequires = ["setuptools>=80", "setuptools-scm>=8"]\n'
        'build-backend = "setuptools.build_meta"\n[project]\nname = "demo"\ndynamic = ["version"]\n')
HATCH = ('[build-system]\nrequires = ["hatchling", "hatch-vcs"]\nbuild-backend = "hatchling.build"\n'
         '[project]\nname = "demo"\ndynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"\n')
# What a repository may say; SCRIPT is a program of it that leaves a mark.
SETTINGS = {
    "list": HEAD + '[tool.setuptools_scm]\ngit_describe_command = ["SCRIPT"]\n',
    "text": HEAD + '[tool.setuptools_scm]\ngit_describe_command = "SCRIPT --long"\n',
    "shell": HEAD + '[tool.setuptools_scm.scm.git]\ndescribe_command = "sh SCRIPT"\n',
    "git -c": HEAD + ('[tool.setuptools_scm.scm.git]\n'
                      'describe_command = "git -c core.fsmonitor=SCRIPT describe --dirty"\n'),
    "alias": HEAD + '[tool.setuptools_scm.scm.git]\ndescribe_command = ["git", "-c", "alias.x=!SCRIPT", "x"]\n',
    "hatch": HATCH + '[tool.hatch.version.raw-options]\ngit_describe_command = ["SCRIPT"]\n',
    "hatch scm": HATCH + '[tool.hatch.version.raw-options.scm.git]\ndescribe_command = ["SCRIPT"]\n',
    "scheme": HEAD + '[tool.setuptools_scm]\nversion_scheme = "trap:scheme"\nlocal_scheme = "trap:scheme"\n',
    "module": HEAD + '[tool.setuptools_scm]\nversion_scheme = "trap"\n',
    "os": HEAD + '[tool.setuptools_scm]\nversion_scheme = "os:system"\n',
    "root": HEAD + '[tool.setuptools_scm]\nroot = "other"\n',
    "outside": HEAD + '[tool.setuptools_scm]\nroot = "../outside"\nfallback_root = "../outside"\n',
    "poetry": HEAD.replace("setuptools-scm>=8", "versioningit") + '[tool.versioningit.vcs]\nmethod = "trap:scheme"\n',
}


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The file that any trap leaves, with the environment that it saw."""
    return tmp_path / "sprung"


def trapped(folder: Path, mark: Path, settings: str = "") -> Path:
    """A tagged package that is full of traps: settings, modules, tools' files, hooks and git's own configuration."""
    script = folder / "script.sh"
    text = (settings or KINDS["setuptools"]["pyproject.toml"]).replace("SCRIPT", str(script))
    trap = SPRING.format(mark=mark) + "def scheme(*args, **options): return '6.6.6'\n"
    make(folder, "setuptools", {
        "pyproject.toml": text, "script.sh": f"#!/bin/sh\nenv > {mark}\necho v1.2.0-0-gabcdef1\n", "trap.py": trap,
        **{f"{name}.py": trap for name in MODULES}, "keyringrc.cfg": f"[backend]\nkeyring-path={folder}\n",
        "setup.cfg": "[metadata]\nname = demo\n[easy_install]\nindex-url = http://127.0.0.1:9/\n",
        ".pypirc": "[distutils]\nindex-servers = pypi\n[pypi]\nusername = evil\npassword = evil\n",
        "pip.conf": "[global]\nindex-url = http://127.0.0.1:9/\n", "uv.toml": 'index-url = "http://127.0.0.1:9/"\n',
        "pytest.ini": "[pytest]\naddopts = -p trap\n", ".python-version": "2.7\n"})
    script.chmod(0o755)
    for other in (folder / "other", folder.parent / "outside"):
        git(folder.parent, "init", "--quiet", str(other))
        git(other, "config", "core.fsmonitor", str(script))
    # Not what a clone brings, but what an unpacked archive can.
    for key in ("core.fsmonitor", "core.pager", "diff.external", "core.sshCommand", "credential.helper",
                "core.askPass", "filter.trap.clean", "gpg.program", "core.editor"):
        git(folder, "config", key, str(script))
    (folder / ".git" / "info" / "attributes").write_text("* filter=trap diff=trap\n")
    git(folder, "config", "core.fileMode", "false")
    git(folder, "config", "core.hooksPath", str(folder / "hooks"))
    (folder / "hooks").mkdir()
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "pre-commit", "commit-msg"):
        (folder / "hooks" / hook).write_text(script.read_text())
        (folder / "hooks" / hook).chmod(0o755)
    mark.unlink(missing_ok=True)
    return folder


def looked(root: Path, mark: Path, *command: str, **env: str) -> None:
    """Run a command in the repository beside secrets: no trap springs, and none of the secrets is shown."""
    done = run("release", *command, cwd=root, **{**SECRETS, **env})  # type: ignore[arg-type]
    said = done.stdout + done.stderr
    assert not mark.exists(), (command, mark.read_text())
    assert done.returncode in (0, 1, 2) and "Traceback" not in said and CANARY not in said, (command, said)


@pytest.mark.parametrize("name", SETTINGS)
def test_no_setting_runs_a_program(name: str, tmp_path: Path, mark: Path) -> None:
    looked(trapped(tmp_path / "demo", mark, SETTINGS[name]), mark, "check", "--offline")


def test_no_command_that_looks_runs_a_program(tmp_path: Path, mark: Path) -> None:
    root = trapped(tmp_path / "demo", mark, SETTINGS["list"])
    for settings in (SETTINGS["list"], KINDS["setuptools"]["pyproject.toml"]):
        (root / "pyproject.toml").write_text(settings.replace("SCRIPT", str(root / "script.sh")))
        for command in LOOKING:
            looked(root, mark, *command)


@pytest.mark.parametrize("kind", ["hg", "jj"])
def test_no_other_version_control_is_asked(kind: str, tmp_path: Path, mark: Path) -> None:
    """Mercurial's settings in a repository can name programs, and a git repository can hold them."""
    root = trapped(tmp_path / "demo", mark, SETTINGS["root"].replace("other", "."))
    (root / f".{kind}").mkdir()
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / kind).write_text((root / "script.sh").read_text())
    (programs / kind).chmod(0o755)
    looked(root, mark, "plan", PATH=f"{programs}{os.pathsep}{os.environ['PATH']}")


def test_the_traps_do_spring_in_the_library_itself(tmp_path: Path, mark: Path) -> None:
    root = trapped(tmp_path / "demo", mark, SETTINGS["list"])
    code = f"import setuptools_scm; setuptools_scm.get_version(git_describe_command=[{str(root / 'script.sh')!r}])"
    subprocess.run([sys.executable, "-P", "-c", code], cwd=root, check=False, capture_output=True)
    assert mark.exists()
    mark.unlink()
    subprocess.run([sys.executable, "-c", "import twine"], cwd=root, check=False, capture_output=True)
    assert mark.exists()


@pytest.mark.parametrize("name", SETTINGS)
def test_the_version_is_the_tag_whatever_the_settings_name(name: str, tmp_path: Path, mark: Path) -> None:
    root = trapped(tmp_path / "demo", mark, SETTINGS[name])
    found = find_version(load_project(root, ask_remote=False))
    assert (found.version, found.problem) == ("1.2.0", ""), found
    assert not mark.exists(), mark.read_text()


def test_a_kept_answer_of_the_backend_is_plain_text(tmp_path: Path) -> None:
    """Anyone can write .handbook/release/metadata.json: what is no answer for this commit is not used."""
    computed = HEAD.replace(', "setuptools-scm>=8"', "")
    root = make(tmp_path / "demo", "setuptools", {"pyproject.toml": computed}, tag="")
    project = load_project(root, ask_remote=False)
    project.state.mkdir(parents=True)
    for text in ("[", "[]", '{"commit": 1}', json.dumps({"commit": project.commit, "name": 1, "version": ["1"]}),
                 json.dumps({"commit": "other", "name": "demo", "version": "6.6.6"})):
        project.metadata_file.write_text(text)
        assert find_version(load_project(root, ask_remote=False)).version is None, text


@pytest.mark.parametrize("kind", ["uv", "pip"])
def test_installers_read_nothing_of_the_current_folder(kind: str, tmp_path: Path, mark: Path,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    uv = uv_program() if kind == "uv" else None
    root = trapped(tmp_path / "demo", mark)
    monkeypatch.chdir(root)
    here = Interpreter("{}.{}.{}".format(*sys.version_info[:3]), Path(sys.executable))
    made = environments.create(tmp_path / "env", here, uv)
    made.install(["iniconfig"])
    assert "iniconfig" in made.pins()
    monkeypatch.setattr("labhandbook.package.build_tools.uv_program", lambda: uv)
    tools = Tools.create(tmp_path / "tools", ["flit-core"])
    assert "flit_core" in {name.replace("-", "_") for name in tools.versions()}
    assert not mark.exists(), mark.read_text()


def test_signing_sees_its_identity_and_nothing_of_the_checkout(tmp_path: Path, mark: Path,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    root = trapped(tmp_path / "demo", mark)
    seen = stand_in(tmp_path, monkeypatch)
    monkeypatch.chdir(root)
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "GITHUB_TOKEN", "WANDB_API_KEY",
                 "ACTIONS_RUNTIME_TOKEN"):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.delenv("TWINE_PASSWORD", raising=False)
    wheel = sample_dists.wheel(tmp_path)
    upload = Upload("demo", "1.0", [wheel], {wheel.name: sample_dists.sha256(wheel)}, index_addresses.index("pypi"))
    with attested(upload, [wheel]) as found:
        assert json.loads(found[wheel.name].read_text()) == {"signed": 1}
    child = json.loads(seen.read_text())
    assert {name for name, value in child["env"].items() if value == CANARY} == {
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL"}
    assert child["cwd"] != str(root) and not {"", ".", str(root), child["cwd"]} & set(child["path"])
    assert not mark.exists(), mark.read_text()


def test_a_proposal_runs_no_hook_of_its_clone(tmp_path: Path, mark: Path) -> None:
    root = trapped(tmp_path / "demo", mark)
    clone = checkout(root, "README.md", "a package")
    clone.branch("new")
    (root / "more.txt").write_text("more\n")
    assert clone.commit([root / "more.txt"], "More")
    assert not mark.exists(), mark.read_text()


def test_publishing_uses_no_file_of_the_checkout(tmp_path: Path, mark: Path) -> None:
    """A rehearsed release goes up with the user's password, although the folder has a .pypirc of its own."""
    root = trapped(tmp_path / "demo", mark)
    for name in MODULES:
        (root / f"{name}.py").unlink()  # Those would end up in the package's own build.
    (root / "setup.cfg").unlink()
    git(root, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "filter.trap.clean=", "commit",
        "--quiet", "--all", "--message", "Less")
    git(root, "-c", "core.hooksPath=/dev/null", "tag", "--force", "v1.2.0")
    mark.unlink(missing_ok=True)
    done = run("release", "build", cwd=root)
    assert done.returncode == 0, done.stderr
    for name in MODULES:
        (root / f"{name}.py").write_text(SPRING.format(mark=mark))
    with serving(tmp_path / "index", token=CANARY) as server:
        done = run("release", "publish", "--to", server.url, "--upload-only", cwd=root, NO_PROXY="127.0.0.1",
                   TWINE_USERNAME="__token__", TWINE_PASSWORD=CANARY)
        assert done.returncode == 0, done.stderr
        assert len(server.uploads()) == 2
    assert not mark.exists(), mark.read_text()


def test_programs_are_started_in_one_place() -> None:
    """Other modules start programs through core.process, which decides what they see and that they end."""
    exempt = {"core/process.py", "book/engine/pandoc_worker.py", "book/preview/serve.py", "book/checks/programs.py",
              "book/engine/render.py", "book/engine/quarto.py"}
    source, found = ROOT / "tooling" / "src" / "labhandbook", set()
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else (
                [node.module] if isinstance(node, ast.ImportFrom) else [])
            if "subprocess" in names:
                found.add(path.relative_to(source).as_posix())
    assert found <= exempt, found - exempt
