"""Code of a package sees no secret of this process: in its build, in its tests, and when an sdist is installed."""

from __future__ import annotations

import re
import sys
import tarfile
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.core.process import SECRET
from labhandbook.package import machine
from labhandbook.package.distribution import read
from labhandbook.package.environments import Own, create
from labhandbook.package.machine import interpreters, uv_program
from labhandbook.package.project import load_project
from labhandbook.package.version import find_version, version_of
from labhandbook.recipe import released_sdist
from labhandbook.release import install_tests, package_build
from labhandbook.release.install_tests import Trial
from tooling.tests.conftest import run
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_packages import git, write
from tooling.tests.release.faulty_index import serving

pytestmark = pytest.mark.long

CANARY = "canary-0123456789"
HERE = next(each for each in interpreters() if each.minor == sys.version_info[:2])
ADDRESS = f"://me:{CANARY}@host.example/path"
# What a maintainer's shell or a job can hold, and no package has to see.
NAMES = (
    "WANDB_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "SSH_AUTH_SOCK",
    "GITHUB_TOKEN", "GH_TOKEN", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "TWINE_USERNAME", "TWINE_PASSWORD",
    "UV_PUBLISH_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_CACHE_URL",
    "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_CLIENT_SECRET", "GOOGLE_APPLICATION_CREDENTIALS", "NPM_TOKEN",
    "SENTRY_DSN", "SLACK_WEBHOOK_URL", "KAGGLE_KEY", "ZENODO_ACCESS_TOKEN", "CODECOV_TOKEN", "DOCKER_AUTH_CONFIG",
    "KRB5CCNAME", "GPG_AGENT_INFO", "VAULT_ADDR", "NETRC", "MY_OWN_THING", "PGPASSWORD", "GIT_ASKPASS")
ADDRESSES = {"DATABASE_URL": f"postgresql{ADDRESS}", "REDIS_URL": f"redis{ADDRESS}", "HTTPS_PROXY": f"http{ADDRESS}",
             "http_proxy": f"http{ADDRESS}", "ALL_PROXY": f"socks5{ADDRESS}"}
INDEX = dict.fromkeys(("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX"),
                      f"https{ADDRESS}")
INDEX |= {"UV_INDEX_PRIVATE_PASSWORD": CANARY, "PIP_PROXY": f"http{ADDRESS}"}
REPORT = "import os, pathlib\npathlib.Path({file!r}).open('a').write(repr(dict(os.environ)) + '\\n')\n"
SETUP = "from setuptools import setup\nsetup(name='canary', version='1.0', py_modules=['canary'])\n"
PYPROJECT = ('[build-system]\nrequires = ["setuptools>=80"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
             '[project]\nname = "canary"\nversion = "1.0"\ndynamic = []\n'
             '[tool.setuptools]\npy-modules = ["canary"]\n')


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every canary in the environment of this process but those of the index and the network."""
    for name in NAMES:
        monkeypatch.setenv(name, CANARY)
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(name, ADDRESSES[name])


def package(folder: Path, report: Path, **extra: str) -> Path:
    """A package whose backend, setup.py and tests write down what they see."""
    tell = REPORT.format(file=str(report))
    return write(folder, {
        "pyproject.toml": PYPROJECT + extra.get("settings", ""), "setup.py": tell + SETUP,
        "canary.py": "ANSWER = 42\n", "backend.py": tell + "from setuptools.build_meta import *\n",
        "MANIFEST.in": "include backend.py\n",
        "tests/test_it.py": tell + "\n\ndef test_it():\n    assert True\n", "README.md": "# Canary\n"})


def seen(report: Path) -> str:
    """What was written down; at least once."""
    text = report.read_text()
    assert "PATH" in text
    return text


def leaks(report: Path) -> set[str]:
    """The names of the variables that held a canary."""
    return set(re.findall(rf"'(\w+)': '[^']*{CANARY}", seen(report)))


def sdist(root: Path, folder: Path) -> Path:
    """An sdist of the package, made without running it."""
    path = folder / "canary-1.0.tar.gz"
    (root / "PKG-INFO").write_text("Metadata-Version: 2.4\nName: canary\nVersion: 1.0\n")
    with tarfile.open(path, "w:gz") as archive:
        for name in ("PKG-INFO", "pyproject.toml", "setup.py", "canary.py", "backend.py", "README.md"):
            archive.add(root / name, f"canary-1.0/{name}")
    return path


@pytest.mark.usefixtures("secrets")
def test_the_backend_sees_none(tmp_path: Path) -> None:
    root = package(tmp_path / "canary", report := tmp_path / "report")
    made = package_build.build(load_project(root, ask_remote=False), tmp_path / "out")
    assert len(made.files) == 2 and leaks(report) == set()


@pytest.mark.usefixtures("secrets")
def test_the_suite_sees_none(tmp_path: Path) -> None:
    test = REPORT.format(file=str(report := tmp_path / "report")) + "\n\ndef test_it():\n    assert True\n"
    wheel = sample_dists.wheel(tmp_path, test=test)
    root = write(tmp_path / "demo", {"pyproject.toml": '[project]\nname = "demo"\n'})
    project = load_project(root, ask_remote=False)
    own = Own("demo", "1.0", sample_dists.sha256(wheel), wheel)
    (tried,) = install_tests.carry_out([Trial("wheel", (own,), HERE)], project)
    assert tried.suite and tried.suite.fine, tried
    assert leaks(report) == set()


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("kind", ["uv", "pip"])
def test_the_setup_of_an_sdist_sees_none_when_it_is_installed(kind: str, tmp_path: Path) -> None:
    root = package(tmp_path / "canary", report := tmp_path / "report")
    path = sdist(root, tmp_path)
    made = create(tmp_path / "env", HERE, uv_program() if kind == "uv" else None)
    made.install_own([Own("canary", "1.0", sample_dists.sha256(path), path)])
    assert made.pins()["canary"] == "1.0" and leaks(report) == set()


@pytest.mark.usefixtures("secrets")
def test_the_setup_of_an_sdist_sees_none_when_a_recipe_is_made(tmp_path: Path) -> None:
    root = package(tmp_path / "canary", report := tmp_path / "report")
    path = sdist(root, tmp_path)
    wheel, _ = released_sdist.build_wheel(read(path), tmp_path)
    assert wheel.version == "1.0" and leaks(report) == set()
    report.unlink()
    done = run("recipe", "new", path, "--output", tmp_path / "recipe", cwd=tmp_path)
    assert "Traceback" not in done.stderr, done.stderr
    assert not report.exists() or leaks(report) == set()


def test_an_index_with_a_password_is_reached_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address is in a settings file of this user's alone, not in a variable that a setup.py gets."""
    for name, value in {**INDEX, **ADDRESSES}.items():
        monkeypatch.setenv(name, value)
    env = machine.installer_env()
    assert not [name for name, value in env.items() if CANARY in value]
    for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE"):
        path = Path(env[name])
        assert f"https{ADDRESS}" in path.read_text() and path.parent.stat().st_mode & 0o077 == 0
    assert not [name for name, value in machine.suite_env(["MY_VAR"]).items() if CANARY in value]


@pytest.mark.parametrize("kind", ["uv", "pip"])
def test_installers_use_that_file_and_no_other(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    write(home / ".config", {"pip/pip.conf": "[global]\nextra-index-url = http://127.0.0.1:9/evil\n"
                                             "[install]\nfind-links = /nowhere\n",
                             "uv/uv.toml": 'extra-index-url = ["http://127.0.0.1:9/evil"]\n'})
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    with serving(tmp_path / "index") as server:
        sample_dists.put(server, sample_dists.wheel(tmp_path, "labcanary"))
        address = server.url.replace("://", f"://me:{CANARY}@")
        for name in INDEX:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple/")
        machine.pip_settings.cache_clear()
        try:
            made = create(tmp_path / "env", HERE, uv_program() if kind == "uv" else None)
            made.install(["labcanary"])
        finally:
            monkeypatch.undo()
            machine.pip_settings.cache_clear()
        assert made.pins()["labcanary"] == "1.0"


def test_the_metadata_hook_sees_no_secret_and_is_asked_once(tmp_path: Path, secrets: None) -> None:
    """A version that only the backend knows: the hook runs as closed as a build, and looking does not run it."""
    root = package(tmp_path / "canary", report := tmp_path / "report")
    text = (root / "pyproject.toml").read_text().replace('version = "1.0"\ndynamic = []', 'dynamic = ["version"]')
    (root / "pyproject.toml").write_text(text)
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Start")
    for command in ("check", "status"):
        run("release", command, *(["--offline"] if command == "check" else []), cwd=root)
    assert not report.exists()
    found = package_build.asked(load_project(root, ask_remote=False))
    assert find_version(found).version == "1.0" and CANARY not in seen(report)
    report.unlink()
    again = package_build.asked(load_project(root, ask_remote=False))
    assert version_of(again) == "1.0" and not report.exists()
    assert git(root, "status", "--porcelain") == ""
    git(root, "commit", "--quiet", "--allow-empty", "--message", "More")
    assert find_version(load_project(root, ask_remote=False)).version is None, "another commit, another version"


def test_the_project_names_further_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = package(tmp_path / "canary", report := tmp_path / "report",
                   settings='[tool.handbook.release]\npass-env = ["DATA_DIR"]\n')
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Start")
    monkeypatch.setenv("DATA_DIR", "/some/where")
    package_build.build(load_project(root, ask_remote=False), tmp_path / "out")
    assert "'DATA_DIR': '/some/where'" in seen(report)
    monkeypatch.setenv("DATA_DIR", f"https{ADDRESS}")
    with pytest.raises(HandbookError, match="holds an address with a password"):
        machine.suite_env(["DATA_DIR"])


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "WANDB_API_KEY", "TWINE_PASSWORD", "SSH_AUTH_SOCK", "PYTHONPATH",
                                  "UV_DEFAULT_INDEX", "PIP_INDEX_URL", "LD_PRELOAD", "a b", ""])
def test_a_project_can_not_name_a_secret(name: str, tmp_path: Path) -> None:
    root = package(tmp_path / "canary", tmp_path / "report",
                   settings=f'[tool.handbook.release]\npass-env = ["{name}"]\n')
    done = run("release", "check", "--offline", root, **{"GITHUB_TOKEN": CANARY})  # type: ignore[arg-type]
    assert done.returncode == 2 and "pass-env names" in done.stderr, done.stderr
    assert "correct it in [tool.handbook.release]" in done.stderr and CANARY not in done.stderr


def test_most_canaries_are_not_secrets_by_their_names() -> None:
    """The list of what is allowed keeps them out; a pattern of names would not."""
    assert len(NAMES) + len(ADDRESSES) + len(INDEX) >= 26
    assert [name for name in NAMES if not SECRET.search(name)]
