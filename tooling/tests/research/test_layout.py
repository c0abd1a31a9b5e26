"""Every project is laid out as a package that the kit can release, each with another backend."""

from __future__ import annotations

import json
import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

from tooling.tests.conftest import ROOT
from tooling.tests.research.conftest import PROJECTS


def table(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


def test_six_projects_with_six_backends() -> None:
    assert [project.name for project in PROJECTS] == ["bo", "driving", "eras", "gp", "phrases", "selfplay"]
    assert len({table(project)["build-system"]["build-backend"] for project in PROJECTS}) == 6


def test_names_tags_and_change_log_agree(project: Path) -> None:
    said = table(project)
    assert said["project"]["name"] == f"mhi-{project.name}"
    assert said["tool"]["handbook"]["release"]["tag"] == f"{project.name}-v{{version}}"
    log = (project / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", log, re.MULTILINE)[0] == said["project"]["version"]
    assert (project / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    for name in ("README.md", "index.qmd", "tests", f"src/mhi_{project.name}/py.typed"):
        assert (project / name).exists(), name


def test_project_imports_only_runs_of_the_kit(project: Path) -> None:
    for path in (project / "src").rglob("*.py"):
        imports = re.findall(r"^\s*(?:from|import) (labhandbook\S*)", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(imports) <= {"labhandbook.runs"}, path


def test_page_has_its_four_sections(project: Path) -> None:
    ids = re.findall(r"^## .*\{#(\S+?)[ }]", (project / "index.qmd").read_text(encoding="utf-8"), re.MULTILINE)
    parts = [f"sec-{project.name}-{part}" for part in ("read", "idea", "run", "trust")]
    assert [name for name in ids if name in parts] == parts


def test_results_are_an_object(project: Path) -> None:
    assert isinstance(json.loads((project / "results.json").read_text(encoding="utf-8")), dict)


def test_installed_package_is_this_one(project: Path, research: Path) -> None:
    module = import_module(f"mhi_{project.name}")
    assert module.__file__ and Path(module.__file__).is_relative_to(project) and module.__doc__
