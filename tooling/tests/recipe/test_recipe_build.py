"""`handbook recipe build`: what is built, tested and installed here, and what is to blame when it isn't."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from labhandbook.package.machine import running as running_python
from labhandbook.recipe.local_channel import Channel
from labhandbook.recipe.local_dists import Local
from labhandbook.recipe.wheel_solver import Resolver
from labhandbook.release.local_index import running
from tooling.tests.conftest import Quiet, run
from tooling.tests.recipe.samples import V0, Release, line_of, need_network, v1, write

pytestmark = pytest.mark.walk

COMMAND = "  - script:\n      - echo one\n      - demo --help | grep nothing\n\nabout:\n"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist of a small package that imports and asks for click."""
    need_network()
    folder = tmp_path_factory.mktemp("dist")
    name, data = Release(real=True, files={"demo/__init__.py": "import click\n"}).sdist()
    (folder / name).write_bytes(data)
    return folder / name


@pytest.fixture(scope="module")
def conda_forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a channel on this machine in conda-forge's place: Python, click, and what builds need."""
    need_network()
    folder = tmp_path_factory.mktemp("channel")
    python, local = running_python(), Local()
    channel = Channel(folder / "made", python, local)
    channel.fill(Resolver(python, local, folder).pins(["pip", "setuptools", "click"]))
    kind = partial(Quiet, directory=str(channel.folder))
    with running(ThreadingHTTPServer(("127.0.0.1", 0), kind)) as server:
        yield f"http://127.0.0.1:{server.server_port}/"


def built(sdist: Path, folder: Path, *changes: tuple[str, str], **env: str) -> tuple[str, int, str, Path]:
    """Text, exit code, what was said, and the folder of packages, of a recipe with some changes."""
    text = v1().replace("ab" * 32, hashlib.sha256(sdist.read_bytes()).hexdigest())
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = write(folder, text)
    done = run("recipe", "build", path, "--dist", sdist, "--output", folder / "output", cwd=folder, **env)  # type: ignore[arg-type]
    assert "Traceback" not in done.stderr
    return text, done.returncode, done.stderr, folder / "output"


def test_a_good_recipe_is_built_and_installed(release: Path, tmp_path: Path) -> None:
    _, code, said, output = built(release, tmp_path, ("        - demo\n", "        - demo\n        - demo.cli\n"),
                                  ("about:\n", "  - script:\n      - demo\n\nabout:\n"),
                                  ("    - click >=8.1\n", "    - click >=8.1\n    - ruamel.yaml\n    - "
                                   "typing_extensions\n    - if: win\n      then: no-such-package-anywhere\n"))
    assert code == 0, said
    assert len(list(output.glob("noarch/demo-1.2.0-*.conda"))) == 1
    assert "built, tested, installed and imported" in said and "not proven: that conda-forge has these" in said
    assert re.search(r"RCP069 conda-forge can't be reached \(.+\); not proven: ", said), "and nothing else says so"
    assert all(f"✓ {stage} " in said for stage in ("source", "solving", "building", "testing", "installing"))
    assert "next: handbook recipe submit " in said


def test_conda_forge_is_used_where_it_answers(release: Path, conda_forge: str, tmp_path: Path) -> None:
    """Its packages, its Python, and the solver's own reason where it has no such package."""
    env = {"HANDBOOK_CONDA_FORGE": conda_forge, "RATTLER_CACHE_DIR": str(tmp_path / "cache")}
    _, code, said, output = built(release, tmp_path, **env)
    assert code == 0 and "RCP069 not proven: other systems" in said and "wheels" not in said, said
    assert list(output.glob("noarch/demo-1.2.0-*.conda")) and list((tmp_path / "cache").rglob("click-*"))
    for rule, old, new in (("RCP062", "click >=8.1", "click >=8000"), ("RCP061", "setuptools >=80", "no-such-thing")):
        text, code, said, _ = built(release, tmp_path / rule, (f"    - {old}\n", f"    - {new}\n"), **env)
        where = f"recipe.yaml:{line_of(text, f'- {new}')}: {rule} {new} can't be installed: "
        assert code == 1 and f"{where}No candidates were found for {new}" in said, said


def test_offline_is_a_choice(release: Path, conda_forge: str, tmp_path: Path) -> None:
    path = write(tmp_path, v1().replace("ab" * 32, hashlib.sha256(release.read_bytes()).hexdigest()))
    done = run("recipe", "build", path, "--dist", release, "--offline", cwd=tmp_path,
               HANDBOOK_CONDA_FORGE=conda_forge)
    assert done.returncode == 0 and "RCP069 --offline was asked for; not proven: that conda-forge has" in done.stderr
    other = Release(name="Other").wheel()
    (tmp_path / other[0]).write_bytes(other[1])
    both = run("recipe", "build", path, "--dist", release, "--dist", tmp_path / other[0], cwd=tmp_path,
               HANDBOOK_CONDA_FORGE=conda_forge)
    assert both.returncode == 0 and "RCP069 this machine's dists of other are in no channel; not" in both.stderr


@pytest.mark.parametrize(("old", "new", "code", "at", "words"), [
    ("sha256: ", "sha256: 0", "RCP002", "sha256", "checksum"),
    ("    - click >=8.1\n", "", "RCP065", "  run:", "run lacks click"),
    ("        - demo\n", "        - demo\n        - demo.absent\n", "RCP064", "demo.absent", "demo.absent can't be"),
    ("setuptools >=80", "setuptools >=8000", "RCP061", "setuptools", "can't be installed"),
    ("    - pip\n", "    - pip\n    - no-such-thing-at-all\n", "RCP061", "no-such-thing", "the index has no project"),
    ("click >=8.1", "click >=8000", "RCP062", "click", "can't be installed"),
    ("click >=8.1", "click >=8.1,<8.2\n    - click >=8.2", "RCP062", "  run:", "exclude each other"),
    ("    - setuptools >=80", "    - hatchling", "RCP063", "  host:", "the build needs the module setuptools"),
    ("license: MIT", "license: Own Words", "RCP002", "license: Own", "SPDX"),
    ("license_file: LICENSE", "license_file: COPYING", "RCP063", "license_file", "COPYING"),
    ("about:\n", COMMAND, "RCP066", "grep nothing", "demo --help | grep nothing ended with status 1"),
    ("--no-deps", "--no-depps", "RCP063", "script:", "no such option: --no-depps"),
])
def test_the_cause_is_named_at_its_line(old: str, new: str, code: str, at: str, words: str, release: Path,
                                   tmp_path: Path) -> None:
    text, status, said, output = built(release, tmp_path, (old, new))
    assert status == 1 and not output.exists(), said
    assert f"recipe.yaml:{line_of(text, at)}: {code} " in said and words in said, said


def test_a_noarch_package_has_no_compiled_files(release: Path, tmp_path: Path) -> None:
    text, status, said, _ = built(release, tmp_path, ("  script: ${{ PYTHON }}", "  script:\n    - ${{ PYTHON }}"),
                                  ("-isolation\n", "-isolation\n    - touch $SP_DIR/demo/fast.so\n"))
    assert status == 1 and f"recipe.yaml:{line_of(text, 'noarch')}: RCP063 " in said, said
    assert "the noarch package has compiled files: " in said and "fast.so" in said


def test_another_hash(release: Path, tmp_path: Path) -> None:
    text, status, said, _ = built(release, tmp_path, (hashlib.sha256(release.read_bytes()).hexdigest(), "cd" * 32))
    assert status == 1 and f"recipe.yaml:{line_of(text, 'sha256')}: RCP060 " in said
    assert "the recipe names cdcdcdcdcdcdcdcd" in said


def test_what_cannot_be_built_here(tmp_path: Path) -> None:
    compiled = v1().replace("  noarch: python\n", "").replace(
        "requirements:\n", "requirements:\n  build:\n    - ${{ compiler('c') }}\n    - ${{ stdlib('c') }}\n")
    newer = v1().replace('version: "1.2.0"', 'version: "1.2.0"\n  python_min: "3.99"')
    for name, text, words in (
        ("meta.yaml", V0, "rattler-build reads v1 only"),
        ("recipe.yaml", compiled, "a compiled package can't be built here"),
        ("recipe.yaml", newer, "no Python 3.99 or newer is on this machine"),
        ("recipe.yaml", re.sub(r"  sha256: .*\n", "", v1()).replace("  url: ", "  git: "), "no source, or several"),
    ):
        path = write(tmp_path / str(len(words)), text, name)
        done = run("recipe", "build", path, "--output", tmp_path / "output")
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr, done.stderr
        assert done.stderr.count("✗") == 1 and not (tmp_path / "output").exists()


def test_no_network_no_dists(tmp_path: Path) -> None:
    path = write(tmp_path, v1())
    (tmp_path / "empty").mkdir()
    for words, *options in (("can't be asked for demo", "--index", "http://127.0.0.1:9"),
                            ("holds no sdist and no wheel", "--dist", tmp_path / "empty"),
                            ("there is no", "--dist", tmp_path / "absent.tar.gz"),
                            ("is no sdist and no wheel", "--dist", path)):
        done = run("recipe", "build", path, *options, cwd=tmp_path)
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
        assert not (tmp_path / "output").exists()
