"""What `handbook recipe lint` says of the files beside a recipe: conda-forge.yml, the variants, a feedstock's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from labhandbook.core.process import find_program, run_git
from labhandbook.recipe.recipe_lint import lint
from tooling.tests.conftest import LACKS, run
from tooling.tests.recipe.samples import V0, v1

NOARCH = {"conda-forge.yml": "conda_build_tool: rattler-build\n", ".ci_support/linux_64_.yaml": "zlib:\n- '1'\n"}
TARGET = "c_stdlib_version:\n  - '2.17'  # [linux]\n  - '{}'  # [osx]\n"


def feedstock(folder: Path, text: str, files: dict[str, str], name: str = "recipe.yaml") -> Path:
    """A feedstock with a recipe and files beside it."""
    for place, words in {**NOARCH, **files, f"recipe/{name}": text}.items():
        path = folder / "demo-feedstock" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words, encoding="utf-8")
    return folder / "demo-feedstock"


def found(folder: Path) -> list[tuple[str, str, int, str]]:
    return [(one.rule.code, Path(one.file).name, one.line, str(one.weight)) for one in lint([folder]).findings]


def test_a_feedstock_without_a_fault(tmp_path: Path) -> None:
    assert found(feedstock(tmp_path, v1(), {})) == []


def test_the_renderer_ends_before_its_folder_goes(tmp_path: Path) -> None:
    """Python warns of a folder that it has to remove itself."""
    done = run("recipe", "lint", feedstock(tmp_path, v1(), {}), "--offline", PYTHONWARNINGS="error")
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize(("files", "code", "name", "line"), [
    ({"conda-forge.yml": "bot:\n  automerge: true\nbot: {}\n"}, "RCP035", "conda-forge.yml", 3),
    ({"conda-forge.yml": "no_such_setting: 1\n"}, "RCP035", "conda-forge.yml", 1),
    ({"conda-forge.yml": "azure:\n  max_parallel: many\n"}, "RCP035", "conda-forge.yml", 2),
    ({"conda-forge.yml": "build_platform:\n  osx_arm64: osx_65\n"}, "RCP035", "conda-forge.yml", 2),
    ({"conda-forge.yml": "workflow_settings:\n  build_workspace_dir: /tmp/x\n"}, "RCP035", "conda-forge.yml", 2),
    ({"conda-forge.yml": "workflow_settings:\n  resize_partitions: true\n"}, "RCP035", "conda-forge.yml", 2),
    ({"conda-forge.yml": "workflow_settings:\n  store_build_artifacts:\n"
                         "    - {os: linux, value: true}\n    - {value: false}\n"}, "RCP035", "conda-forge.yml", 4),
    ({"conda-forge.yml": "workflow_settings:\n  store_build_artifacts:\n"
                         "    - {os: linux, platform: win_64, value: true}\n"}, "RCP035", "conda-forge.yml", 3),
    ({"recipe/conda_build_config.yaml": "\n"}, "RCP034", "conda_build_config.yaml", 0),
    ({"recipe/conda_build_config.yaml": TARGET.format("10.13")}, "RCP034", "conda_build_config.yaml", 1),
    ({"recipe/conda_build_config.yaml": "MACOSX_SDK_VERSION:\n  - '10.15'\n"}, "RCP034",
     "conda_build_config.yaml", 1),
    ({"recipe/conda_build_config.yaml": "MACOSX_DEPLOYMENT_TARGET:\n  - '11.0'\n"}, "RCP034",
     "conda_build_config.yaml", 1),
    ({"recipe/variants.yaml": "c_stdlib_version:\n  - if: osx\n    then: '10.13'\n"}, "RCP034", "variants.yaml", 1),
    ({"recipe/variants.yaml": "a:\n- b\n", "recipe/conda_build_config.yaml": "c:\n- d\n"}, "RCP034",
     "recipe.yaml", 0),
    ({".github/workflows/mine.yml": "on: push\n"}, "RCP036", "recipe.yaml", 0),
])
def test_a_fault_beside_the_recipe(files: dict[str, str], code: str, name: str, line: int, tmp_path: Path) -> None:
    assert found(feedstock(tmp_path, v1(), files)) == [(code, name, line, "error")]


@pytest.mark.parametrize("files", [
    {"recipe/conda_build_config.yaml": TARGET.format("11.0")},
    {"recipe/conda_build_config.yaml": "c_stdlib_version:\n  - '2.17'  # [linux]\n"},
    {"recipe/variants.yaml": "c_stdlib_version:\n  - if: linux\n    then: '2.28'\n"},
    {"conda-forge.yml": "workflow_settings:\n  store_build_artifacts:\n"
                        "    - {os: linux, value: true}\n    - {os: win, value: false}\n"},
    {"conda-forge.yml": "linter:\n  skip:\n    - lint_stdlib\nbot:\n  anything: goes\n"},
    {".github/workflows/conda-build.yml": "on: push\n"},
])
def test_what_a_feedstock_may_have(files: dict[str, str], tmp_path: Path) -> None:
    assert found(feedstock(tmp_path, v1(), files)) == []


@pytest.mark.parametrize("files", [{"conda-forge.yml": "os_version:\n  linux_64: cos7\n"},
                                   {"conda-forge.yml": "azure:\n  free_disk_space: true\n"},
                                   {"conda-forge.yml": "azure:\n  settings_linux:\n    variables:\n"
                                                       "      CONDA_BLD_PATH: x\n"}])
def test_what_is_deprecated_is_a_warning(files: dict[str, str], tmp_path: Path) -> None:
    assert {(code, weight) for code, *_, weight in found(feedstock(tmp_path, v1(), files))} == {("RCP035", "warning")}


def test_nothing_is_built_without_ci_support(tmp_path: Path) -> None:
    folder = feedstock(tmp_path, v1(), {})
    (folder / ".ci_support/linux_64_.yaml").unlink()
    assert found(folder) == [("RCP036", "recipe.yaml", 0, "error")]


def test_build_bat_has_another_name_in_conda_build(tmp_path: Path) -> None:
    assert found(feedstock(tmp_path, v1(), {"recipe/bld.bat": "rem\n"})) == [("RCP037", "recipe.yaml", 0, "warning")]


def test_a_bound_that_overrides_the_pinning(tmp_path: Path) -> None:
    text = v1().replace("    - setuptools >=80\n", "    - setuptools >=80\n    - zlib >=1.3\n")
    line = text.splitlines().index("    - zlib >=1.3") + 1
    assert found(feedstock(tmp_path, text, {})) == [("RCP073", "recipe.yaml", line, "warning")]


@pytest.mark.parametrize(("remote", "codes"), [("demo", []), ("other", ["RCP033"])])
def test_the_feedstock_has_the_recipes_name(remote: str, codes: list[str], tmp_path: Path) -> None:
    folder = feedstock(tmp_path, v1(), {})
    address = f"git@github.com:conda-forge/{remote}-feedstock.git"
    for words in (["init", "--quiet"], ["remote", "add", "origin", address]):
        assert run_git(folder, *words).returncode == 0
    assert [code for code, *_ in found(folder)] == codes


@pytest.mark.parametrize(("change", "allowed"), [
    (lambda text: text.replace("    - click >=8.1", "    - if: win\n      then: colorama"), True),
    (lambda text: text.replace("    - click >=8.1", "    - if: match(python, '3.12')\n      then: click"), False),
])
def test_noarch_platforms_allow_conditions_on_the_system(change: Callable[[str], str], allowed: bool,
                                                         tmp_path: Path) -> None:
    text = change(v1())
    assert [code for code, *_ in found(feedstock(tmp_path / "one", text, {}))][:1] == ["RCP018"]
    several = {"conda-forge.yml": "noarch_platforms:\n  - linux_64\n  - win_64\n"}
    assert ("RCP018" not in [code for code, *_ in found(feedstock(tmp_path / "two", text, several))]) is allowed


def test_a_selector_of_a_v0_noarch_recipe_may_name_a_variant(tmp_path: Path) -> None:
    text = V0.replace("    - click >=8.1\n", "    - click >=8.1\n    - colorama  # [flavour]\n")
    assert [code for code, *_ in found(feedstock(tmp_path / "one", text, {}, "meta.yaml"))] == ["RCP018"]
    variants = {"recipe/conda_build_config.yaml": "flavour:\n  - true\n"}
    assert found(feedstock(tmp_path / "two", text, variants, "meta.yaml")) == []


def test_shellcheck_is_run_where_the_feedstock_asks_for_it(tmp_path: Path) -> None:
    files = {"recipe/build.sh": "set -e\necho $1\n"}
    asks = "conda_build_tool: rattler-build\nshellcheck:\n  enabled: {}\n"
    assert found(feedstock(tmp_path / "a", v1(), {**files, "conda-forge.yml": asks.format("false")})) == []
    place = feedstock(tmp_path / "b", v1(), {**files, "conda-forge.yml": asks.format("true")})
    if find_program("shellcheck") is None:
        assert found(place) == [("RCP038", "recipe.yaml", 0, "unverified")]
        pytest.skip(LACKS + "shellcheck")
    assert ("RCP038", "build.sh", 2, "warning") in found(place)


def test_a_name_that_a_variant_defines_is_no_misspelling(tmp_path: Path) -> None:
    text = v1().replace("  noarch: python", "  noarch: python\n  string: py_${{ versio }}")
    assert ("RCP048", "recipe.yaml") in {one[:2] for one in found(feedstock(tmp_path / "without", text, {}))}
    for place in ("recipe/variants.yaml", "recipe/conda_build_config.yaml", ".ci_support/linux_64_.yaml"):
        beside = feedstock(tmp_path / place.replace("/", "-"), text, {place: "versio:\n- '1'\n"})
        assert "RCP048" not in {one[0] for one in found(beside)}, place


@pytest.mark.parametrize(("given", "shown"), [
    (".", "conda-forge.yml"), ("recipe", "conda-forge.yml"), ("recipe/recipe.yaml", "conda-forge.yml"),
    ("../demo-feedstock", "conda-forge.yml"), (None, "demo-feedstock/conda-forge.yml"),
])
def test_a_file_beside_the_recipe_has_its_shortest_path(given: str | None, shown: str, tmp_path: Path) -> None:
    folder = feedstock(tmp_path, v1(), {"conda-forge.yml": "no_such_setting: 1\n"})
    done = run("recipe", "lint", given or folder.name, "--offline", cwd=folder if given else tmp_path)
    assert f"✗ {shown}:1: RCP035" in done.stdout, done.stdout


def test_a_file_beside_a_recipe_elsewhere_has_its_path_from_here(tmp_path: Path) -> None:
    folder = feedstock(tmp_path, v1(), {"conda-forge.yml": "no_such_setting: 1\n"})
    (tmp_path / "here").mkdir()
    done = run("recipe", "lint", str(folder), "--offline", cwd=tmp_path / "here")
    assert "✗ ../demo-feedstock/conda-forge.yml:1: RCP035" in done.stdout, done.stdout
