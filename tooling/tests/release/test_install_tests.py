"""Clean environments: the release's own files by hash, dependencies from one index, tests outside the project."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from importlib import metadata as installed
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Severity
from labhandbook.package import machine
from labhandbook.package.environments import (
    Environment,
    InstallFailed,
    Own,
    create,
    extra_for_tests,
    modules,
    requirements,
)
from labhandbook.package.machine import Interpreter, interpreters, uv_program, without_secrets
from labhandbook.package.project import Project, Settings, load_project
from labhandbook.package.wheel_tags import fits
from labhandbook.release import install_tests
from labhandbook.release.install_tests import Trial
from labhandbook.release.release_rules.installed_tests import judge, untested
from labhandbook.release.test_suite import Suite, folders_of_tests, run_suite
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_packages import git, write
from tooling.tests.release.faulty_index import serving

pytestmark = pytest.mark.walk

HERE = next(each for each in interpreters() if each.minor == sys.version_info[:2])
REDIRECTING = {"PYTHONPATH": "/tmp", "PYTHONOPTIMIZE": "1", "PYTHONDONTWRITEBYTECODE": "1",
               "PYTHONWARNINGS": "ignore", "PYTEST_ADDOPTS": "-k nothing", "COVERAGE_PROCESS_START": "x"}
FLAKY = """import pathlib


def test_flaky():
    mark = pathlib.Path('{mark}')
    first = not mark.exists()
    mark.touch()
    assert not first


def test_it():
    assert True
"""


def own(path: Path, name: str = "demo", version: str = "1.0") -> Own:
    return Own(name, version, sample_dists.sha256(path), path)


def project(folder: Path, **settings: object) -> Project:
    data = {"project": {"name": "demo", "requires-python": ">={}.{}".format(*HERE.minor), "classifiers": [
        "Programming Language :: Python :: 3.11", "Programming Language :: Python :: 3.99"]}}
    return Project(folder, data, "", None, Settings(**settings))  # type: ignore[arg-type]


@pytest.fixture(params=["uv", "pip"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Environment]]:
    """Make an environment with each installer."""
    uv = uv_program() if request.param == "uv" else None
    yield lambda: create(tmp_path / "env", HERE, uv)


def distribution(folder: Path, **options: object) -> installed.Distribution:
    """A package's metadata as they are once it is installed."""
    import zipfile

    with zipfile.ZipFile(sample_dists.wheel(folder, **options)) as archive:  # type: ignore[arg-type]
        archive.extractall(folder / "site")
    return next(iter(installed.distributions(path=[str(folder / "site")], name="demo")))


def test_our_file_by_hash_and_its_tests_outside(make: Callable[[], Environment], tmp_path: Path) -> None:
    environment = make()
    environment.install_own([own(sample_dists.wheel(tmp_path))])
    assert environment.distribution("demo").version == "1.0"
    environment.install(["pytest"])
    outside = tmp_path / "outside"
    outside.mkdir()
    suite = run_suite(environment, project(tmp_path), ["demo"], outside)
    assert suite.fine and suite.tests == 1, suite.output


def test_other_bytes_are_refused(make: Callable[[], Environment], tmp_path: Path) -> None:
    environment, file = make(), own(sample_dists.wheel(tmp_path))
    sample_dists.wheel(tmp_path, more={"demo/evil.py": ""})
    with pytest.raises(InstallFailed, match=r"(?i)hash"):
        environment.install_own([file])


def test_only_the_named_file_comes_from_the_index(make: Callable[[], Environment], tmp_path: Path) -> None:
    path = sample_dists.wheel(tmp_path, requires=["numpy"])
    with serving(tmp_path / "index") as server:
        sample_dists.put(server, path)
        environment = make()
        environment.install_own([Own("demo", "1.0", sample_dists.sha256(path), index=f"{server.url}/simple/")])
    assert environment.pins().keys() - {"pip", "setuptools"} == {"demo"}


def test_pip_can_not_choose_the_lowest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install_tests, "uv_program", lambda: None)
    monkeypatch.setattr(install_tests, "create", None)
    (tried,) = install_tests.carry_out([trial(sample_dists.wheel(tmp_path), lowest=True)], project(tmp_path))
    (finding,) = judge(project(tmp_path), [tried])
    assert finding.rule.code == "REL606" and finding.weight is Severity.UNVERIFIED and "install uv" in finding.message


def test_extra_indexes_and_secrets_stay_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nindex-url = https://mirror.example.org/simple\n"
                      "extra-index-url = https://evil.example.org/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    for name in ("PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.setenv(name, "https://evil.example.org/simple")
    monkeypatch.setenv("TWINE_PASSWORD", sample_dists.CANARY)
    monkeypatch.setenv("GITHUB_TOKEN", sample_dists.CANARY)
    for name, value in REDIRECTING.items():
        monkeypatch.setenv(name, value)
    machine.pip_settings.cache_clear()
    try:
        env = machine.installer_env()
        assert env["PIP_INDEX_URL"] == env["UV_DEFAULT_INDEX"] == "https://mirror.example.org/simple"
        assert not any("evil" in value for value in env.values())
        assert env["PIP_CONFIG_FILE"] == os.devnull and env["UV_NO_CONFIG"] == "1"
        assert sample_dists.CANARY not in env.get("TWINE_PASSWORD", "")
        assert sample_dists.CANARY not in machine.suite_env().values()
        assert not machine.suite_env().keys() & REDIRECTING.keys(), "an assert that isn't there can't fail"
    finally:
        monkeypatch.undo()
        machine.pip_settings.cache_clear()


def test_secrets_are_blotted_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINE_PASSWORD", sample_dists.CANARY)
    text = without_secrets(f"{sample_dists.CANARY} https://user:pass@mirror.example.org/x given", "given")
    assert text == "*** https://***@mirror.example.org/x ***"


def test_requirements_follow_extras_and_leave_our_own_out(tmp_path: Path) -> None:
    package = distribution(tmp_path, extras=["test", "plot", "all"], requires=[
        "click>=8", "ours>=1", 'old; python_version < "3"', 'matplotlib>=3; extra == "plot"',
        'demo[plot]; extra == "all"', 'pytest>=8; extra == "test"',
        'numpy; python_version > "3" and extra == "test"'])
    markers = HERE.markers
    assert requirements(package, [], markers, ["Ours"]) == ["click>=8"]
    assert requirements(package, ["all"], markers, ["ours"]) == ["click>=8", "matplotlib>=3"]
    assert requirements(package, ["test"], markers, ["ours"]) == ["click>=8", "pytest>=8", "numpy"]
    assert extra_for_tests(package, markers) == "test"


def test_without_an_extra_named_test_the_one_with_pytest_serves(tmp_path: Path) -> None:
    package = distribution(tmp_path, extras=["doc", "dev"], requires=['pytest-xdist; extra == "doc"',
                                                                      'pytest; extra == "dev"'])
    assert extra_for_tests(package, HERE.markers) == "dev"


def test_modules_in_a_namespace_are_found(tmp_path: Path) -> None:
    package = distribution(tmp_path, more={})
    assert modules(package) == ["demo"]
    (tmp_path / "two").mkdir()
    wheel_files = {"lab/tool/__init__.py": "", "lab/tool/sub/__init__.py": "", "alone.py": ""}
    assert modules(distribution(tmp_path / "two", more=wheel_files)) == ["alone", "demo", "lab.tool"]


def test_interpreters_are_those_admitted() -> None:
    found = interpreters(f">={HERE.version}")
    assert HERE in found and all(each.minor >= HERE.minor for each in found)
    assert len({each.minor for each in found}) == len(found)
    with pytest.raises(HandbookError, match="no version specifier"):
        interpreters("3.x")


def test_no_python_that_is_admitted(tmp_path: Path) -> None:
    with pytest.raises(HandbookError, match=r"no Python 2\.6 found"):
        install_tests.admitted(project(tmp_path), ["2.6"])


def test_a_promised_python_that_is_missing_is_a_finding(tmp_path: Path) -> None:
    (finding,) = untested(project(tmp_path), [Interpreter("3.11.9", Path("python"))])
    assert "3.99" in finding.message and finding.weight is Severity.UNVERIFIED


def trial(path: Path, **options: bool) -> Trial:
    return Trial("wheel", (own(path),), HERE, **options)


COMPILED = "demo-1.0-cp311-cp311-linux_x86_64.whl"


@pytest.mark.parametrize(("file", "python", "installs"), [
    ("demo-1.0-py3-none-any.whl", (3, 13), True), ("demo-1.0-py2.py3-none-any.whl", (3, 9), True),
    (COMPILED, (3, 11), True), (COMPILED, (3, 10), False), (COMPILED, (3, 12), False),
    ("demo-1.0-cp311-abi3-linux_x86_64.whl", (3, 13), True), ("demo-1.0-cp311-abi3-linux_x86_64.whl", (3, 10), False),
    ("demo-1.0-py3-none-linux_x86_64.whl", (3, 12), True), ("demo-1.0-py2-none-any.whl", (3, 12), False),
])
def test_which_pythons_a_wheel_fits(file: str, python: tuple[int, int], installs: bool) -> None:
    assert fits(file, python) is installs


def test_where_a_compiled_wheel_does_not_fit_the_sdist_is_tried() -> None:
    pythons = [Interpreter(f"3.{minor}.1", Path(f"python3.{minor}")) for minor in (10, 11, 12)]
    wheel, sdist = (Own("demo", "1.0", "", Path(name)) for name in (COMPILED, "demo-1.0.tar.gz"))
    assert [each.label for each in install_tests.plan([wheel], [sdist], pythons)] == [
        "sdist on Python 3.10.1", "wheel on Python 3.11.1", "sdist on Python 3.12.1",
        "sdist on Python 3.10.1 with the lowest dependencies"]
    assert install_tests.newest(pythons, [COMPILED]).minor == (3, 11)
    with pytest.raises(HandbookError, match="no Python fits demo"):
        install_tests.newest(pythons[:1], [COMPILED])


def test_what_ends_alike_is_one_finding(tmp_path: Path) -> None:
    def tried(python: str, failing: str, *, lowest: bool = False) -> install_tests.Tried:
        suite = Suite("pytest", 1 if failing else 5, 1.0, 3, failures=(failing,) if failing else (),
                      output=f"in {python}")
        return install_tests.Tried(Trial("wheel", (), Interpreter(python, Path(python)), lowest), 1.0, 1.0, suite)

    found = judge(project(tmp_path), [tried("3.11.1", "test_a"), tried("3.12.1", "test_a"), tried("3.13.1", "test_b"),
                                      tried("3.11.2", ""), tried("3.12.2", "", lowest=True)])
    assert [(each.rule.code, each.message.splitlines()[0]) for each in found] == [
        ("REL602", "wheel on Python 3.11.1, 3.12.1: pytest failed: test_a"),
        ("REL602", "wheel on Python 3.13.1: pytest failed: test_b"),
        ("REL603", "wheel on Python 3.11.2; wheel on Python 3.12.2 with the lowest dependencies: "
                   "pytest found no tests")]
    problems = [install_tests.Tried(Trial("wheel", (), HERE), 1.0, 1.0, problem=f"error:\n{why}")
                for why in ("one", "two")]
    assert len(judge(project(tmp_path), problems)) == 2, "two installers' reasons are two findings"


def test_a_python_that_a_person_chose_is_not_said_to_be_missing(tmp_path: Path) -> None:
    """Where the lowest dependencies fail on another Python than the oldest, the message says why that one."""
    seen = project(tmp_path)
    seen.table["requires-python"] = ">=3.10"
    suite = Suite("pytest", 1, 1.0, 3, failures=("test_a",), output="")
    newer = Interpreter("3.12.1", Path("python"))
    tried = [install_tests.Tried(Trial("wheel", (), newer, lowest=True), 1.0, 1.0, suite)]
    (chosen,), (oldest_here,) = judge(seen, tried, asked=True), judge(seen, tried)
    assert chosen.rule.code == oldest_here.rule.code == "REL605"
    assert "on the Python that --python names, not the oldest" in chosen.message
    assert "isn't here" not in chosen.message
    assert "the oldest Python that requires-python admits isn't here" in oldest_here.message


def test_a_failing_suite_names_the_submodules_that_are_not_checked_out(tmp_path: Path) -> None:
    for name in ("data", "demo"):
        write(tmp_path / name, {"pyproject.toml": '[project]\nname = "demo"\n'})
        git(tmp_path / name, "init", "--quiet")
        if name == "demo":
            git(tmp_path / name, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet",
                str(tmp_path / "data"), "tests/data")
        git(tmp_path / name, "add", "--all")
        git(tmp_path / name, "commit", "--quiet", "--message", "All")
    git(tmp_path, "clone", "--quiet", str(tmp_path / "demo"), "clone")
    suite = Suite("pytest", 1, 1.0, 3, failures=("test_a",), output="")
    tried = [install_tests.Tried(Trial("wheel", (), HERE), 1.0, 1.0, suite)]
    for folder, said in (("demo", "pytest failed: test_a"),
                         ("clone", "pytest failed (not checked out: the submodule tests/data): test_a")):
        (finding,) = judge(load_project(tmp_path / folder, ask_remote=False), tried)
        assert said in finding.message


def test_a_suite_that_passes_at_the_second_try(tmp_path: Path) -> None:
    path = sample_dists.wheel(tmp_path, test=FLAKY.format(mark=tmp_path / "mark"))
    (tried,) = install_tests.carry_out([trial(path)], project(tmp_path, reruns=2))
    assert tried.suite and tried.suite.fine and tried.suite.tests == 2
    assert [name.rpartition("::")[2] for name in tried.suite.rerun] == ["test_flaky"]
    (finding,) = judge(project(tmp_path), [tried])
    assert finding.rule.code == "REL604" and "test_flaky" in finding.message


def test_a_suite_that_may_not_run_again_fails(tmp_path: Path) -> None:
    path = sample_dists.wheel(tmp_path, test=FLAKY.format(mark=tmp_path / "mark"))
    (tried,) = install_tests.carry_out([trial(path)], project(tmp_path))
    (finding,) = judge(project(tmp_path), [tried])
    assert finding.rule.code == "REL602" and "test_flaky" in finding.message


def test_lowest_dependencies_are_installed_and_what_raised_them_is_named(tmp_path: Path) -> None:
    if not uv_program():
        pytest.skip("this machine lacks uv")
    lowest = ("def test_lowest():\n    from importlib.metadata import version\n"
              "    assert version('iniconfig') == '2.0.0'\n")
    path = sample_dists.wheel(tmp_path, test=lowest, requires=["iniconfig>=2.0.0", "packaging>=21.0"])
    (tried,) = install_tests.carry_out([trial(path, lowest=True)], project(tmp_path))
    assert tried.suite and tried.suite.fine, tried
    assert [each.split()[0] for each in tried.raised] == ["packaging"], "pytest needs a newer one"
    assert {finding.rule.code for finding in judge(project(tmp_path), [tried])} == {"REL606"}


def test_a_dependency_that_is_not_there(tmp_path: Path) -> None:
    path = sample_dists.wheel(tmp_path, requires=["labhandbook-no-such-package-at-all>=1"])
    (tried,) = install_tests.carry_out([trial(path)], project(tmp_path))
    (finding,) = judge(project(tmp_path), [tried])
    assert finding.rule.code == "REL601" and "no-such-package" in finding.message


def test_lowest_dependencies_that_only_an_older_python_takes(tmp_path: Path) -> None:
    lowest = install_tests.Tried(Trial("wheel", (), HERE, lowest=True), 1.0, 1.0, problem="no wheel")
    (finding,) = judge(project(tmp_path), [lowest])
    assert finding.rule.code == "REL605" and finding.weight is Severity.ERROR
    wide = project(tmp_path)
    wide.data["project"]["requires-python"] = ">=3.9"
    (finding,) = judge(wide, [lowest])
    assert finding.rule.code == "REL606" and finding.weight is Severity.UNVERIFIED
    assert "the oldest Python" in finding.message


def test_tests_beside_the_package_are_copied_out(tmp_path: Path) -> None:
    root = tmp_path / "project"
    (root / "tests").mkdir(parents=True)
    (root / "tests" / "test_beside.py").write_text("def test_beside():\n    import demo\n    assert demo.ANSWER\n")
    (root / "demo").mkdir()
    (root / "demo" / "__init__.py").write_text("raise RuntimeError('the checkout, not the installed package')\n")
    path = sample_dists.wheel(tmp_path, test="")
    (tried,) = install_tests.carry_out([trial(path)], project(root))
    assert tried.suite and tried.suite.fine and tried.suite.command == "pytest tests", tried
    (root / "tests" / "test_beside.py").unlink()
    (tried,) = install_tests.carry_out([trial(path)], project(root))
    (finding,) = judge(project(root), [tried])
    assert finding.rule.code == "REL603" and finding.weight is Severity.UNVERIFIED


@pytest.mark.parametrize(("texts", "folders"), [
    ({}, []), ({"tests/a.py": ""}, ["tests"]), ({"test/a.py": "", "tests/a.py": ""}, ["tests", "test"]),
    ({"tests/a.py": "", "demo/checks/a.py": "",
      "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["demo/checks", "gone", "../out", "/tmp"]\n'},
     ["demo/checks"]),
    ({"one/a.py": "", "two/a.py": "", "pytest.ini": "[pytest]\ntestpaths = one\n    two\n"}, ["one", "two"]),
    ({"one/a.py": "", "setup.cfg": "[tool:pytest]\ntestpaths = one\n"}, ["one"]),
    ({"tests/a.py": "", "setup.cfg": "no settings at all", "tox.ini": "[tox]\n"}, ["tests"]),
])
def test_the_folders_of_tests_are_those_that_pytest_knows(texts: dict[str, str], folders: list[str],
                                                          tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": "", **texts})
    assert folders_of_tests(load_project(tmp_path, ask_remote=False)) == folders


def test_tests_left_out_of_the_wheel_go_back_into_their_package(tmp_path: Path) -> None:
    """As in PyVBMC: tests import each other by the package's name, and pytest's settings say where they are."""
    root = write(tmp_path / "project", {
        "pyproject.toml": '[project]\nname = "demo"\n[tool.pytest.ini_options]\ntestpaths = ["src/demo/checks"]\n'
                          'markers = ["kept"]\naddopts = ["--strict-markers"]\n',
        "src/demo/__init__.py": "raise RuntimeError('the checkout, not the installed package')\n",
        "src/demo/checks/__init__.py": "NUMBER = 0\n", "src/demo/checks/numbers.txt": "41\n",
        "src/demo/checks/test_it.py": "from pathlib import Path\n\nimport pytest\n\nimport demo\n"
                                      "from demo.checks import NUMBER\n\n\n@pytest.mark.kept\ndef test_it():\n"
                                      "    text = (Path(__file__).parent / 'numbers.txt').read_text()\n"
                                      "    assert demo.ANSWER == NUMBER + 1 == int(text) + 1\n"})
    # The wheel has no tests of its own, and brings a module whose place the sources' must not take.
    path = sample_dists.wheel(tmp_path,
                              more={"demo/tests/test_it.py": "", "demo/checks/__init__.py": "NUMBER = 41\n"})
    (tried,) = install_tests.carry_out([trial(path)], load_project(root, ask_remote=False))
    assert tried.suite and tried.suite.fine and tried.suite.tests == 1, tried
    assert tried.suite.command == "pytest -c pyproject.toml --pyargs demo.checks"


def test_a_failure_is_shown_where_it_happened(tmp_path: Path) -> None:
    loud = "import warnings\n\n\ndef test_it():\n    assert 'the reason' == 'another'\n\n\n" + "".join(
        f"def test_{number}():\n    warnings.warn('noise {number}')\n\n\n" for number in range(30))
    (tried,) = install_tests.carry_out([trial(sample_dists.wheel(tmp_path, test=loud))], project(tmp_path))
    (finding,) = judge(project(tmp_path), [tried])
    assert "assert 'the reason' == 'another'" in finding.message and "noise" not in finding.message


def test_a_command_of_its_own(tmp_path: Path) -> None:
    command = ("python", "-c", "import demo, os, pathlib; assert not list(pathlib.Path().glob('[!.]*')); "
                               "assert r'{root}'; raise SystemExit(0)")
    (tried,) = install_tests.carry_out([trial(sample_dists.wheel(tmp_path))], project(tmp_path, test_command=command))
    assert tried.suite and tried.suite.fine, tried
