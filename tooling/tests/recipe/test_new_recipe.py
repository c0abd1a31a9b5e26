"""`handbook recipe new`: the recipe of a release, and one clear message where there can be none."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from labhandbook.core.yaml_reader import read_yaml
from labhandbook.package.index_addresses import index
from labhandbook.recipe.grayskull_run import parse
from labhandbook.recipe.new_recipe import Wishes, new
from labhandbook.recipe.recipe_lint import lint
from labhandbook.recipe.recipe_text import Recipe, Requirement, render
from labhandbook.recipe.requirement_specs import asked, bounds, pep508, same_bounds
from tooling.tests.conftest import run
from tooling.tests.recipe.samples import Release, serving

pytestmark = pytest.mark.walk


def made(release: Release, folder: Path, **wishes: object) -> tuple[str, Recipe]:
    """The text of a release's recipe, from an index that serves it."""
    with serving(dict([release.sdist(), release.wheel()])) as address:
        found = new("demo", folder, Wishes(("someone",), target=address, **wishes))  # type: ignore[arg-type]
    return found.path.read_text(encoding="utf-8"), found.recipe


def test_a_recipe_says_what_the_release_says(tmp_path: Path) -> None:
    release = Release(requires=("click>=8.1,<9", "Matplotlib~=3.5", "importlib_metadata>=6; python_version < '3.8'",
                                "httpx; extra == 'web'"))
    text, recipe = made(release, tmp_path)
    digest = hashlib.sha256(release.sdist()[1]).hexdigest()
    for words in ("name: demo\n", 'version: "1.2.0"', f"sha256: {digest}",
                  "/packages/source/d/demo/demo-${{ version }}.tar.gz", "- demo = demo.cli:main",
                  "-m pip install . -vv --no-deps --no-build-isolation", "- setuptools >=80", "- click >=8.1,<9",
                  "- matplotlib-base >=3.5,<4", "license: MIT", "license_file: LICENSE", "- someone",
                  "homepage: https://example.org/demo"):
        assert words in text
    assert "importlib" not in text and "httpx" not in text and "#" not in text and "python_min:" not in text
    assert not [one for one in lint([tmp_path]).findings if one.rule.code != "RCP012"], "the index here is not https"
    assert recipe.noarch


def test_an_index_in_the_place_of_pypi_is_not_in_the_recipe(tmp_path: Path) -> None:
    """conda-forge fetches from PyPI, whatever index has its files here; that address itself is not checked."""
    release, usual = Release(), index("pypi").web
    right = f"  url: {usual}/packages/source/d/demo/demo-${{{{ version }}}}.tar.gz\n"
    with serving(dict([release.sdist(), release.wheel()])) as address:
        done = run("recipe", "new", "demo", "--maintainer", "someone", cwd=tmp_path, HANDBOOK_PYPI=address)
        assert done.returncode == 0, done.stderr
        path = tmp_path / "recipes/demo/recipe.yaml"
        text = path.read_text(encoding="utf-8")
        assert right in text and address not in text
        assert "RCP068 the file came from the index that is used in place of PyPI" in done.stderr
        path.write_text(text.replace(usual, "https://example.org"), encoding="utf-8")
        elsewhere = run("recipe", "lint", "--format", "json", cwd=tmp_path, HANDBOOK_PYPI=address)
        assert "example.org is not PyPI" in elsewhere.stdout
        path.write_text(text.replace("/d/demo/", "/e/demo/"), encoding="utf-8")
        wrong = run("recipe", "lint", "--format", "json", cwd=tmp_path, HANDBOOK_PYPI=address)
        assert wrong.returncode == 1 and "the file is at /packages/source/d/demo/" in wrong.stdout
        old = run("recipe", "new", "demo", "--index", address, "--force", cwd=tmp_path)
        assert old.returncode == 1 and f"url: {address}/" in path.read_text(encoding="utf-8"), "asked for by name"
    with serving(dict([release.sdist(), release.wheel()]), lasting={release.sdist()[0]: b"another"}) as address:
        path.write_text(text, encoding="utf-8")
        other = run("recipe", "lint", "--format", "json", cwd=tmp_path, HANDBOOK_PYPI=address)
        assert other.returncode == 1 and "leads to a file with sha256" in other.stdout


def test_without_a_home_page_it_is_the_page_on_pypi(tmp_path: Path) -> None:
    """Of PyPI itself, also where another index is used in its place."""
    release = Release(homepage="")
    with serving(dict([release.sdist(), release.wheel()])) as address:
        done = run("recipe", "new", "demo", "--maintainer", "someone", cwd=tmp_path, HANDBOOK_PYPI=address)
    assert done.returncode == 0 and "name a better one" in done.stderr, done.stderr
    text = (tmp_path / "recipes/demo/recipe.yaml").read_text(encoding="utf-8")
    assert f"  homepage: {index('pypi').web}/project/demo/\n" in text and address not in text


def test_what_noarch_cannot_express_is_in_the_notes(tmp_path: Path) -> None:
    text, recipe = made(Release(requires=("colorama; sys_platform == 'win32'", "winthing; sys_platform == 'win32'",
                                          "tomli>=2; python_version < '3.13'", "fastthing[all]",
                                          "x @ https://example.org/x.zip")),
                        tmp_path)
    notes = "\n".join(recipe.notes)
    assert "    - colorama" in text and "- tomli >=2" in text and "- fastthing" in text
    assert "    - if: win\n      then:\n        - winthing\n" in text
    assert "    - if: win\n      then:\n        - __win\n      else:\n        - __unix\n" in text
    settings = tmp_path / "recipes" / "demo" / "conda-forge.yml"
    assert settings.read_text(encoding="utf-8") == "noarch_platforms:\n  - linux_64\n  - win_64\n"
    assert not lint([tmp_path]).findings.failed(), "with noarch_platforms the conditions are allowed"
    for words in ("winthing is only needed on win", "tomli >=2 is only needed for Python 3.11, 3.12",
                  "fastthing[all] is written as fastthing", "x is required by an address"):
        assert words in notes


def test_macos_is_built_where_it_differs(tmp_path: Path) -> None:
    text, _ = made(Release(requires=("dbusthing; sys_platform == 'linux'",)), tmp_path)
    settings = tmp_path / "recipes" / "demo" / "conda-forge.yml"
    assert "osx_64" in settings.read_text(encoding="utf-8")
    assert all(f"- if: {system}\n      then:\n        - __{system}\n" in text for system in ("linux", "osx", "win"))


LINUX = "cp312-cp312-manylinux_2_28_x86_64"


@pytest.mark.parametrize(("published", "builds", "compiled"), [
    (LINUX, "py3-none-any", False), ("py3-none-any", LINUX, True), (LINUX, LINUX, True)])
def test_the_sdists_own_build_says_whether_it_is_compiled(published: str, builds: str, compiled: bool,
                                                          tmp_path: Path) -> None:
    """The index may have wheels for one system of a package whose sdist builds a pure one, and the reverse."""
    text, recipe = made(Release(tag=published, builds=builds, files={"src/demo.c": ""}), tmp_path)
    assert recipe.noarch is not compiled and ("compiler('c')" in text) is compiled


def test_an_optional_extension_counts(tmp_path: Path) -> None:
    """Its compilation fails here, and the build goes on without it."""
    _, recipe = made(Release(says="building 'demo.fast' extension", files={"demo/fast.c": ""}), tmp_path)
    assert not recipe.noarch and any("left out extension modules" in note for note in recipe.notes), recipe.notes


def test_what_the_sdist_builds_counts_and_not_what_is_published(tmp_path: Path) -> None:
    files = {"demo_cli.py": "import click\n"}
    release = Release(modules=("demo/__init__.py", "demo_cli.py"), files=files,
                      commands="[console_scripts]\na = b:c\n")
    other = Release(modules=("old.py",), commands="[console_scripts]\nold = old:main\n")
    with serving(dict([release.sdist(), other.wheel()])) as address:
        recipe = new("demo", tmp_path, Wishes(("someone",), target=address)).recipe
    assert recipe.imports == ["demo", "demo_cli"] and recipe.entry_points == ["a = b:c"]


def test_an_sdist_that_cannot_be_built_here_is_named(tmp_path: Path) -> None:
    release = Release(files={"made_already.py": "raise ImportError('no compiler for Fortran')\n"})
    _, recipe = made(release, tmp_path)
    assert recipe.imports == ["demo"] and recipe.noarch
    assert re.search(r"can't be built here \(.*no compiler for Fortran.*\), so modules, entry points and whether "
                     r"it is compiled are read from demo-1.2.0-py3-none-any.whl", recipe.notes[0]), recipe.notes
    with serving(dict([release.sdist()])) as address:
        refused(tmp_path, "no wheel can be built from demo-1.2.0.tar.gz", "demo", "--index", address, "--force")


def test_modules_that_need_extras_are_not_imported(tmp_path: Path) -> None:
    modules = ("demo/__init__.py", "demo/web.py", "demo_web/__init__.py", "demo_try.py")
    files = {"demo/web.py": "import httpx\n", "demo_web/__init__.py": "from demo import web\nimport demo.web\n",
             "demo_try.py": "try:\n    import httpx\nexcept ImportError:\n    httpx = None\n"}
    release = Release(modules=modules, files=files, requires=("click", "httpx; extra == 'web'"))
    assert made(release, tmp_path)[1].imports == ["demo", "demo_try"]


def test_modules_are_not_called_as_their_project(tmp_path: Path) -> None:
    """PyYAML, which only an extra requires, is imported as yaml: its own wheel says so."""
    files = {"demo_io/__init__.py": "import yaml\n", "demo_try.py": "import click, json\n"}
    release = Release(modules=("demo/__init__.py", "demo_io/__init__.py", "demo_try.py"), files=files,
                      requires=("click", "PyYAML; extra == 'io'"))
    name, wheel = Release("PyYAML", "6.0", modules=("yaml/__init__.py", "_yaml/__init__.py")).wheel()
    said = json.dumps({"urls": [{"filename": name, "url": f"/files/{name}", "size": len(wheel),
                                 "digests": {"sha256": hashlib.sha256(wheel).hexdigest()}}]}).encode()
    with serving(dict([release.sdist(), release.wheel()]) | {"json": said, name: wheel}) as address:
        found = new("demo", tmp_path, Wishes(("someone",), target=address))
    assert found.recipe.imports == ["demo", "demo_try"]
    assert made(release, tmp_path / "silent")[1].imports == ["demo", "demo_io", "demo_try"], "an index without JSON"


def test_stubs_are_tested_by_their_files(tmp_path: Path) -> None:
    text, _ = made(Release(modules=("demo-stubs/__init__.pyi",), commands=""), tmp_path)
    assert "tests:\n  - package_contents:\n      files:\n        - '**/demo-stubs/**'\n" in text.replace('"', "'")
    assert "pip check" in text and not [one for one in lint([tmp_path]).findings if one.rule.code != "RCP012"]


def test_an_entry_point_loses_its_extra(tmp_path: Path) -> None:
    commands = "[console_scripts]\ndemo = demo.cli:main [web]\n"
    assert made(Release(commands=commands), tmp_path)[1].entry_points == ["demo = demo.cli:main"]


def test_a_broken_version_is_not_the_newest(tmp_path: Path) -> None:
    name, data = Release().sdist()
    old = {"demo-0.2.0dev-20120903.tar.gz": data, "demo-2.0.0rc1.tar.gz": data}
    with serving({name: data, **old, **dict([Release().wheel()])}) as address:
        assert new("demo", tmp_path, Wishes(("someone",), target=address)).recipe.version == "1.2.0"


def test_what_an_extra_brings_is_named(tmp_path: Path) -> None:
    release = Release(requires=("fastthing[all,web]",))
    said = json.dumps({"info": {"requires_dist": ["click", "stack_data; extra == 'all'", "rich>=13; extra == 'web'",
                                                  "pytest; extra == 'test'"]}}).encode()
    with serving(dict([release.sdist(), release.wheel()]) | {"json": said}) as address:
        found = new("demo", tmp_path, Wishes(("someone",), target=address))
    assert any("add what they require: stack_data, rich" in note for note in found.recipe.notes), found.recipe.notes


def test_a_folder_of_licences(tmp_path: Path) -> None:
    text, _ = made(Release(files={"LICENSES/MIT.txt": "MIT License\n", "demo/LICENSES/x.txt": ""}), tmp_path)
    assert "  license_file:\n    - LICENSE\n    - LICENSES/MIT.txt\n" in text


def test_extras_that_users_miss_are_named(tmp_path: Path) -> None:
    _, recipe = made(Release(extra="Provides-Extra: web\nProvides-Extra: test"), tmp_path)
    assert recipe.notes == ["conda has no extras: the requirements of web are left out"]


def test_a_newer_python_is_set(tmp_path: Path) -> None:
    text, _ = made(Release(python=">=3.12,<3.15"), tmp_path)
    assert 'python_min: "3.12"' in text and "- python >=${{ python_min }},<3.15" in text


def test_the_tests_of_the_sdist_run(tmp_path: Path) -> None:
    release = Release(files={"tests/test_demo.py": "def test_it():\n    pass\n"})
    text, _ = made(release, tmp_path, pytest=True, commands=("demo --help",))
    assert "- pytest tests" in text and "files:\n      source:\n        - tests/" in text and "- demo --help" in text
    assert {one.rule.code for one in lint([tmp_path]).findings} <= {"RCP012"}


def test_a_compiled_package_is_an_honest_draft(tmp_path: Path) -> None:
    release = Release(tag="cp311-cp311-manylinux_2_28_x86_64", files={"src/fast.c": "", "src/fast.rs": ""})
    text, recipe = made(release, tmp_path)
    for words in ("${{ compiler('c') }}", "${{ compiler('rust') }}", "${{ stdlib('c') }}", "    - python\n",
                  "    - cargo-bundle-licenses\n",
                  "    - cargo-bundle-licenses --format yaml --output THIRDPARTY.yml\n",
                  "    - LICENSE\n    - THIRDPARTY.yml\n"):
        assert words in text
    assert "noarch" not in text
    notes = "\n".join(recipe.notes)
    for words in ("a first draft", "check the compilers, guessed from the sources (c, rust)", "name the libraries",
                  "with build.skip"):
        assert words in notes
    assert not [one.rule.code for one in lint([tmp_path]).findings if one.rule.code != "RCP012"]


@pytest.mark.parametrize(("release", "words"), [
    (Release(licence="", text="Do as you please.\n"), "the licence of Demo 1.2.0 is unclear"),
    (Release(licence="License: Own", text=""), "the licence of Demo 1.2.0 is unclear"),
])
def test_an_unknown_licence(release: Release, words: str, tmp_path: Path) -> None:
    with serving(dict([release.sdist(), release.wheel()])) as address:
        done = run("recipe", "new", "demo", "--index", address, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "") and words in done.stderr and "--license" in done.stderr
        assert "Traceback" not in done.stderr and list(tmp_path.iterdir()) == []
        wrong = run("recipe", "new", "demo", "--index", address, "--license", "My Own", cwd=tmp_path)
        assert wrong.returncode == 2 and "My Own is not an SPDX expression" in wrong.stderr
        assert list(tmp_path.iterdir()) == []
        named = run("recipe", "new", "demo", "--index", address, "--license", "MIT", cwd=tmp_path)
        assert "recipes/demo/recipe.yaml" in named.stderr


def refused(folder: Path, words: str, *args: str) -> None:
    """One clear message, exit code 2, nothing written."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = run("recipe", "new", *args, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "") and "Traceback" not in done.stderr
    assert words in done.stderr and done.stderr.count("✗") == 1
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_no_project_no_sdist_no_files_no_index(tmp_path: Path) -> None:
    release = Release()
    with serving(dict([release.wheel()])) as address:
        refused(tmp_path, "demo has no sdist", "demo", "--index", address)
        refused(tmp_path, "has no project other", "other", "--index", address)
        refused(tmp_path, "'de mo' is not a project name", "de mo", "--index", address)
    with serving(dict([release.sdist(), release.wheel()]), lost=True) as address:
        refused(tmp_path, "can't be downloaded", "demo", "--index", address)
        refused(tmp_path, "demo 9 has no sdist", "demo==9", "--index", address)
    refused(tmp_path, "can't be asked for demo", "demo", "--index", "http://127.0.0.1:9")
    refused(tmp_path, "there is no file demo-1.tar.gz", "./demo-1.tar.gz")
    (tmp_path / "demo-1.tar.gz").write_text("no archive", encoding="utf-8")
    refused(tmp_path, "demo-1.tar.gz can't be read: not a gzip file", "./demo-1.tar.gz")


def test_a_recipe_that_is_there_stays(tmp_path: Path) -> None:
    release = Release()
    path = tmp_path / "recipes" / "demo" / "recipe.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("mine\n", encoding="utf-8")
    with serving(dict([release.sdist(), release.wheel()])) as address:
        refused(tmp_path, "recipe.yaml is there already", "demo", "--index", address)
        path.rename(path.with_name("meta.yaml"))
        refused(tmp_path, "meta.yaml is there already", "demo", "--index", address, "--force")


def test_another_file_than_the_published_one(tmp_path: Path) -> None:
    with serving(dict([Release().sdist(), Release().wheel()])) as address:
        name, data = Release(text=LATER).sdist()
        (tmp_path / name).write_bytes(data)
        refused(tmp_path, f"{name} is not the file on", f"./{name}", "--index", address)


LATER = "MIT License\n\nPermission is hereby granted, free of charge, to anyone.\n"


def test_without_maintainers_the_recipe_is_not_finished(tmp_path: Path) -> None:
    with serving(dict([Release().sdist(), Release().wheel()])) as address:
        done = run("recipe", "new", "demo", "--index", address, cwd=tmp_path)
        assert done.returncode == 1 and "RCP043 your-github-name is a placeholder" in done.stderr
        run("recipe", "new", "demo", "--index", address, "--force", cwd=tmp_path, GITHUB_ACTOR="octocat")
        path = tmp_path / "recipes" / "demo" / "recipe.yaml"
        assert path.read_text(encoding="utf-8").endswith("    - octocat\n")
        (tmp_path / "pyproject.toml").write_text('[tool.handbook.recipe]\nmaintainers = ["one", "two"]\n',
                                                 encoding="utf-8")
        run("recipe", "new", "demo", "--index", address, "--force", cwd=tmp_path)
        assert path.read_text(encoding="utf-8").endswith("    - one\n    - two\n")
        run("recipe", "new", "demo", "--index", address, "--force", "--maintainer", "me", "--maintainer", "@you",
            cwd=tmp_path)
        assert path.read_text(encoding="utf-8").endswith("    - me\n    - you\n")


@pytest.mark.parametrize(("pip", "conda"), [
    ("==1.*", "1.*"), ("~=1.4.2", ">=1.4.2,<1.5"), ("<2,>=1", ">=1,<2"), ("!=1.5,>1", ">1,!=1.5"),
    ("===1.0", "==1.0")])
def test_bounds_in_condas_words(pip: str, conda: str) -> None:
    assert bounds(SpecifierSet(pip)) == conda


def test_bounds_are_compared_by_meaning() -> None:
    assert same_bounds(">=1.0,<2", "<2.0,>=1") and not same_bounds(">=1", ">1") and same_bounds("", "")
    assert pep508("numpy 1.26.*", "numpy") == "numpy==1.26.*" and pep508("a >=1,<2", "b") == "b>=1,<2"


def test_markers_that_never_hold() -> None:
    assert asked("x; platform_python_implementation == 'PyPy'", "3.11", ["3.11"]) is None
    found = asked("y>=1; os_name == 'nt'", "3.11", ["3.11", "3.12"])
    assert found and (found.systems, found.pythons, found.text) == (("win",), (), "y >=1")


@pytest.mark.parametrize("summary", ["a: b", "# no", "- one", "null", "1.10", "${{ x }}", "über – \U0001f40d", "'",
                                     '"', "a #b", "word " * 60 + "end", "@x", "{a", "!x"])
def test_any_text_is_read_as_it_was_written(summary: str) -> None:
    recipe = Recipe("demo", "1.10", "https://example.org/demo-{version}.tar.gz", "ab" * 32, summary=summary,
                    run=[Requirement("a >=1", ("win",)), Requirement("b")])
    text = render(recipe)
    found = read_yaml(text, "recipe.yaml").data
    assert found["about"]["summary"] == summary and found["context"]["version"] == "1.10"
    assert found["requirements"]["run"] == ["python >=${{ python_min }}", {"if": "win", "then": ["a >=1"]}, "b"]
    assert 'version: "1.10"\n\npackage:\n  name: demo\n' in text and text.endswith("    - your-github-name\n")


def test_grayskulls_answers() -> None:
    assert parse("package:\n  name: a\nabout:\n  license: BSD-3-Clause\n") == "BSD-3-Clause" and parse("") == ""
