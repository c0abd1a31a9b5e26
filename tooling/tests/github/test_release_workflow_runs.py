"""release.yml, run: a pushed tag runs every job, stops where it must, says why, and a re-run finishes.

The package is one that `handbook release new` makes, its workflow the one that `init` writes. Both indexes are on
loopback and take uploads from a trusted publisher only; GitHub's API is on loopback too.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from labhandbook.github.release_workflow import PARTS
from labhandbook.package.index_addresses import index
from tooling.tests.conftest import LACKS, ROOT, run
from tooling.tests.github import fake_github
from tooling.tests.github.act_runner import Event, Run, load
from tooling.tests.github.pipeline import JOBS, TOKEN, Pipeline, handbook_as_fetched, pipeline
from tooling.tests.github.test_release_workflow import lint
from tooling.tests.package.sample_packages import download, git, published
from tooling.tests.release.faulty_index import Fault
from tooling.tests.release.own_packages import ready

pytestmark = pytest.mark.long

REPOSITORY = "lab/averages"
# The commit at which the package's workflow uses the handbook; it means the files of this working tree.
COMMIT = "0123456789abcdef0123456789abcdef01234567"
EXTENSION = """
#include <Python.h>
static PyObject *one(PyObject *self, PyObject *args) { return PyLong_FromLong(1); }
static PyMethodDef methods[] = {{"one", one, METH_NOARGS, "One."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_one", NULL, -1, methods};
PyMODINIT_FUNC PyInit__one(void) { return PyModule_Create(&module); }
"""
FEEDSTOCK = f"""
schema_version: 1
context:
  version: "0.0.9"
package:
  name: averages
  version: ${{{{ version }}}}
source:
  url: {index("pypi").web}/packages/source/a/averages/averages-${{{{ version }}}}.tar.gz
  sha256: {"0" * 64}
build:
  number: 1
  noarch: python
  script: ${{{{ PYTHON }}}} -m pip install . -vv --no-deps --no-build-isolation
requirements:
  host: [python 3.11.*, pip, setuptools >=80, setuptools-scm >=8]
  run: [python >=3.11]
tests:
  - python: {{imports: [averages]}}
about:
  license: BSD-3-Clause
  license_file: LICENSE
extra:
  recipe-maintainers: [a-person]
"""
NAMES = {"averages-0.1.0.tar.gz", "averages-0.1.0-py3-none-any.whl"}


@pytest.fixture(scope="module")
def handbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The handbook as GitHub fetches it for the workflow."""
    if download("click") is None:
        pytest.skip(LACKS + "the network")
    return handbook_as_fetched(tmp_path_factory.mktemp("actions") / "handbook", f"acerbilab/handbook@{COMMIT}")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A new package with its release workflow, one commit and no tag."""
    folder = tmp_path / "averages"
    made = run("release", "new", folder, "--author", "A Person", "--email", "a.person@example.org",
               "--repository", f"https://github.com/{REPOSITORY}")
    assert made.returncode == 0, made.stderr
    wrote = run("release", "init", folder, "--repository", REPOSITORY, "--handbook", COMMIT)
    assert wrote.returncode == 0, wrote.stderr
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


@pytest.fixture
def line(package: Path, handbook: Path, tmp_path: Path) -> Iterator[Pipeline]:
    """The pipeline of the package."""
    with pipeline(package, tmp_path / "line", REPOSITORY, "v0.1.0") as ready:
        ready.runner.actions = {f"acerbilab/handbook@{COMMIT}": handbook}
        yield ready


def commit(folder: Path) -> None:
    """Commit everything."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Everything")


def feedstock(folder: Path) -> dict[str, str]:
    """conda-forge's feedstock of an older version, and the variables that let git find it here."""
    recipe = folder / "averages-feedstock" / "recipe" / "recipe.yaml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text(FEEDSTOCK)
    git(folder / "averages-feedstock", "init", "--quiet")
    commit(folder / "averages-feedstock")
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{folder}/.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://github.com/conda-forge/"}


def stopped_at(ran: Run, job: str, *before: str) -> str:
    """The summary of the job that failed, after those that went well; no other one ran."""
    assert ran.ended("failure") == [job], ran.why()
    assert set(ran.ended("success")) == set(before), ran.why()
    return ran.jobs[job].summary


def hashes(files: dict[str, bytes]) -> dict[str, str]:
    """The sha256 of files by name."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def test_a_tag_is_released_whatever_breaks_on_the_way(line: Pipeline) -> None:
    """A red check, TestPyPI down half-way, GitHub refusing, an upload that breaks off, a job run once too often."""
    git(line.project, "tag", "--annotate", "v0.1.0", "--message", "averages 0.1.0")
    line.push("v0.1.0", "failure")
    said = stopped_at(line.run(), "prepare/admit")
    assert "REL401" in said and "tests.yml ended with failure" in said and "Fix the cause" in said

    line.github.run(".github/workflows/tests.yml", "success")
    line.testpypi.faults.append(Fault("upload", "error", times=99, skip=1))
    said = stopped_at(line.run(), "testpypi", *JOBS[:5])
    assert "gave no usable answer: it answers 503" in said and "uploads the files that are missing" in said
    assert len(line.testpypi.uploads()) == 1 and not line.pypi.uploads()

    line.runner.environ = {**line.runner.environ, **feedstock(line.runner.scratch / "conda-forge")}
    line.testpypi.faults.clear()
    line.github.faults.append(fake_github.Fault("POST", "/uploads/", status=403))
    last = line.run()
    said = stopped_at(last, "finish/announce", *JOBS[5:10])
    assert "GitHub refuses POST" in said and "contents: write" in said
    assert set(line.testpypi.uploads()) == set(line.pypi.uploads()) == NAMES
    assert len(line.testpypi.uploads()) == len(line.pypi.uploads()) == 2, "nothing is uploaded twice"
    back = last.jobs["finish/verify/verify"].summary
    assert "wheel from 127.0.0.1" in back and "2 tests passed" in back, "it came back, and passes its tests"
    change = last.jobs["finish/recipe"].summary
    assert "## A change for conda-forge/averages-feedstock" in change
    assert '-  version: "0.0.9"' in change and '+  version: "0.1.0"' in change and "+  sha256: " in change
    (draft,) = line.github.releases
    assert draft["draft"] and "The first release" in draft["body"], "what users see is published whole or not at all"

    line.github.faults.append(fake_github.Fault("POST", "/uploads/", status=502, half=True))
    done = line.run()
    assert done.ended("success") == ["finish/announce"], done.why()
    assert line.finished == JOBS
    (release,) = line.github.releases
    assert release["tag_name"] == "v0.1.0" and not release["draft"] and not release["prerelease"]
    files = line.github.assets("v0.1.0")
    assert "sha256" in files.pop("recipe.yaml").decode()
    for place in (line.testpypi, line.pypi):
        served = {file.filename: file.sha256 for file in place.store.files("averages")}
        assert served == hashes(files) and set(served) == NAMES, "the same bytes everywhere"

    again = line.run(only=["pypi"])
    assert again.ended("success") == ["pypi"], again.why()
    assert all(f"{name} there already" in again.jobs["pypi"].summary for name in NAMES)
    assert len(line.pypi.uploads()) == 2
    said = "".join(job.log + job.summary for ran in (last, again) for job in ran.jobs.values())
    assert not any(secret in said for secret in (TOKEN, line.pypi.token, line.testpypi.token))


def test_a_tag_that_is_not_the_version_builds_nothing(line: Pipeline) -> None:
    pyproject = line.project / "pyproject.toml"
    text = pyproject.read_text().replace('dynamic = ["version"]', 'version = "0.1.0"')
    pyproject.write_text(text.replace("[tool.setuptools_scm]", "").replace(', "setuptools-scm >= 8"', ""))
    commit(line.project)
    git(line.project, "tag", "--annotate", "v0.2.0", "--message", "averages 0.2.0")
    line.push("v0.2.0")
    said = stopped_at(line.run(), "prepare/admit")
    assert "REL013" in said and "the tag is v0.2.0, the version is 0.1.0, whose tag is v0.1.0" in said
    assert not line.testpypi.requests and not line.github.releases


def test_nothing_of_the_repository_is_there_where_files_are_uploaded(line: Pipeline, tmp_path: Path) -> None:
    """Modules, settings, hooks and git's configuration lie in the repository, each of which would leave a mark."""
    mark = tmp_path / "sprung"
    mark.mkdir()
    trap = f'import os; open("{mark}/" + os.environ.get("GITHUB_JOB", "none"), "a").write(__file__)\n'
    names = ("sitecustomize", "usercustomize", "pypi_attestations", "sigstore", "types", "rich/__init__",
             "id/__init__", "twine", "pip/__init__", "uv", "requests", "labhandbook/__init__")
    script = f"#!/bin/sh\necho script > {mark}/$GITHUB_JOB\n"
    for name, text in {
            **{f"{name}.py": trap for name in names}, ".handbook.sh": script, ".hooks/post-checkout": script,
            "pip.conf": "[global]\nindex-url = http://127.0.0.1:9/\n",
            "uv.toml": 'index-url = "http://127.0.0.1:9/"\n', ".python-version": "2.7\n",
            ".pypirc": "[distutils]\nindex-servers = pypi\n[pypi]\nusername = evil\npassword = evil\n",
            "pytest.ini": "[pytest]\naddopts = -p sigstore\n", ".gitattributes": "* filter=trap\n",
            ".gitconfig": f"[core]\nfsmonitor = {mark}\n"}.items():
        path = line.project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    commit(line.project)
    git(line.project, "tag", "--annotate", "v0.1.0", "--message", "averages 0.1.0")
    line.push("v0.1.0")
    uploading = ["testpypi", "pypi"]
    used = [step.get("uses", "") for step in load(ROOT / PARTS["publish"] / "action.yml")["runs"]["steps"]]
    for name in uploading:
        used += [step.get("uses", "") for step in load(line.workflow)["jobs"][name]["steps"]]
    assert len(used) == 6 and not any("checkout" in each for each in used)
    line.run(only=["prepare/build"])
    ran = line.run(only=uploading)
    assert sorted(ran.ended("success")) == sorted(uploading), ran.why()
    assert set(line.testpypi.uploads()) == set(line.pypi.uploads()) == NAMES
    assert not {path.name for path in mark.iterdir()} & set(uploading)


@pytest.mark.slow
def test_a_run_without_trouble_and_all_of_it_again(line: Pipeline) -> None:
    """All jobs of a finished release, run again: everything is there already, and nothing changes."""
    git(line.project, "tag", "--annotate", "v0.1.0", "--message", "averages 0.1.0")
    line.push("v0.1.0")
    first = line.run()
    assert set(first.ended("success")) == set(JOBS), first.why()
    said = first.jobs["finish/verify/verify"].summary
    assert "wheel from 127.0.0.1" in said and "2 tests passed" in said
    logs = "".join(job.log + job.summary for job in first.jobs.values())
    for secret in (TOKEN, line.pypi.token, line.testpypi.token):
        assert secret not in logs
    before = [dict(each) for each in line.github.releases]
    again = line.run(afresh=True)
    assert set(again.ended("success")) == set(JOBS), again.why()
    assert line.github.releases == before
    assert len(line.pypi.uploads()) == len(line.testpypi.uploads()) == 2


@pytest.mark.slow
def test_a_compiled_package_in_a_folder_of_its_repository_is_released(handbook: Path, tmp_path: Path) -> None:
    """Its tags have its name, its environments too, and its wheels are built before all else."""
    folder = tmp_path / "mono" / "packages" / "averages"
    run("release", "new", folder, "--author", "A Person", "--email", "a@example.org", "--repository",
        f"https://github.com/{REPOSITORY}")
    described = (folder / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(described.replace('"v{version}"', '"averages-v{version}"').replace(
        "[tool.setuptools_scm]", '[tool.setuptools_scm]\nroot = "../.."'))
    (folder / "setup.py").write_text("from setuptools import Extension, setup\n\n"
                                     'setup(ext_modules=[Extension("averages._one", ["src/averages/one.c"])])\n')
    (folder / "src/averages/one.c").write_text(EXTENSION)
    top = tmp_path / "mono"
    git(top, "init", "--quiet")
    commit(top)
    wrote = run("release", "init", folder, "--repository", REPOSITORY, "--handbook", COMMIT)
    assert wrote.returncode == 0, wrote.stderr
    commit(top)
    git(top, "tag", "--annotate", "averages-v0.1.0", "--message", "averages 0.1.0")
    with pipeline(top, tmp_path / "line", REPOSITORY, "averages-v0.1.0", "packages/averages",
                  "release-averages.yml") as line:
        line.runner.actions = {f"acerbilab/handbook@{COMMIT}": handbook}
        line.push("averages-v0.1.0")
        ran = line.run()
        assert set(ran.ended("success")) | {"finish/recipe"} == {"wheels", *JOBS}, ran.why()
        (wheel,) = [name for name in line.pypi.uploads() if name.endswith(".whl")]
        assert "manylinux" in wheel and len(line.pypi.uploads()) == 2
        assert set(line.pypi.uploads()) <= set(line.github.assets("averages-v0.1.0"))


@pytest.mark.slow
def test_gpyreg_is_released_by_the_workflow_that_init_writes(handbook: Path, tmp_path: Path) -> None:
    """The lab's own package, as its sdist on PyPI has it, made a repository again."""
    folder = published("gpyreg", "gpyreg-1.4.0", tmp_path)
    if folder is None:
        pytest.skip(LACKS + "the network")
    for left in (folder / "PKG-INFO", *folder.glob("*.egg-info")):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    # All of its suite takes many minutes in each of five environments; three of its modules run in all of them.
    quick = [f"gpyreg.testing.test_{name}" for name in ("mean_functions", "rng", "utils")]
    with (folder / "pyproject.toml").open("a") as stream:
        stream.write(f'\n[tool.handbook.release]\ntest-command = {["pytest", "--pyargs", *quick]}\n')
    wrote = run("release", "init", folder, "--repository", "acerbilab/gpyreg", "--handbook", COMMIT, "--force")
    assert wrote.returncode == 0, wrote.stderr
    git(folder, "init", "--quiet")
    commit(folder)
    assert lint(folder) == ""
    git(folder, "tag", "--annotate", "v1.4.0", "--message", "gpyreg 1.4.0")
    with pipeline(folder, tmp_path / "line", "acerbilab/gpyreg", "v1.4.0") as line:
        line.runner.actions = {f"acerbilab/handbook@{COMMIT}": handbook}
        line.push("v1.4.0")
        ran = line.run()
        assert set(ran.ended("success")) == set(JOBS), ran.why()
        assert {name.partition("-")[0] for name in line.github.assets("v1.4.0")} == {"gpyreg", "recipe.yaml"}
        said = ran.jobs["finish/verify/verify"].summary
        assert "wheel from 127.0.0.1" in said and "tests" in said


@pytest.mark.slow
def test_this_repository_is_released_by_its_own_workflow(tmp_path: Path) -> None:
    if download("click") is None:
        pytest.skip(LACKS + "the network")
    folder = ready(tmp_path / "clone", "v0.1.0")
    with pipeline(folder, tmp_path / "line", "acerbilab/handbook", "v0.1.0") as line:
        line.push("v0.1.0")
        ran = line.run()
        assert set(ran.ended("success")) == set(JOBS), ran.why()
        assert "labhandbook-0.1.0-py3-none-any.whl" in line.github.assets("v0.1.0")
        assert "tests passed" in ran.jobs["finish/verify/verify"].summary


@pytest.mark.slow
def test_a_pull_request_is_rehearsed_by_the_workflow_that_init_writes(line: Pipeline) -> None:
    git(line.project, "push", "--quiet", "origin", "main")
    event = Event("pull_request", {"number": 1}, {"GITHUB_REF": "refs/pull/1/merge", "GITHUB_SHA": line.commit,
                                                  "GITHUB_REPOSITORY": REPOSITORY})
    ran = line.runner.run(line.project / ".github/workflows/rehearse.yml", event)
    assert ran.ended("success") == ["rehearse"], ran.why()
    said = ran.jobs["rehearse"].summary
    assert "Release rehearsal: averages" in said and "wheel from rehearsal" in said
