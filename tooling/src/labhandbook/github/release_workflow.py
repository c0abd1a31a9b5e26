"""`handbook release init`: a package's own release workflow.

PyPI accepts uploads from the repository's own workflow only, not from a shared one. So the jobs that upload are
written into the repository; the others are in workflows of the handbook, which are called by commit.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from urllib.parse import unquote, urlsplit

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.core.git import git
from labhandbook.core.github_api import API, GitHub, repository_of
from labhandbook.core.section_addresses import address
from labhandbook.core.templates import fill
from labhandbook.core.wording import listed
from labhandbook.github.doctor import NEXT, composites, workflows_of
from labhandbook.github.trusted_publisher import Form, of_several
from labhandbook.github.upload_steps import Sources, publications
from labhandbook.github.workflow_model import FOLDER, read_workflow
from labhandbook.package.project import PYPROJECT, TABLE, Project
from labhandbook.package.version_tables import pythons

SECTION = "sec-actions-init"
# What packages use of the handbook's repository.
PARTS = {**{name: f".github/workflows/release-{name}.yml" for name in ("prepare", "verify", "finish")},
         **{name: f".github/actions/{name}" for name in ("publish", "rehearse", "handbook")}}
A_YEAR = timedelta(days=365)
# Dependabot proposes newer actions once they are a week old, and other programs do the same.
DEPENDABOT = ".github/dependabot.yml"
OTHER_BOTS = (".github/dependabot.yaml", "renovate.json", ".github/renovate.json")
UPDATES = """\
version: 2
updates:
  - package-ecosystem: github-actions
    directory: /
    schedule:
      interval: monthly
    cooldown:
      default-days: 7
"""


@cache
def actions() -> dict[str, str]:
    """`owner/name@commit # tag` of each action by its owner/name."""
    data = tomllib.loads((resources.files("labhandbook.github") / "actions.toml").read_text(encoding="utf-8"))
    return {name: f"{name}@{entry['commit']} # {entry['tag']}" for name, entry in data.items()
            if isinstance(entry, dict)}


def write(project: Project, publishers: Sequence[Form], own: Mapping[str, str], *, compiled: bool = False,
          force: bool = False) -> list[str]:
    """Write the workflow for these publishers into a project's repository; the names of the files that changed.

    `own` says how it uses the handbook. Raises HandbookError when the file has other content.
    """
    name = f"{FOLDER}/{publishers[0].workflow}"
    path = top(project) / name
    text = render(project, publishers, own, compiled=compiled)
    there = untrusted_data.text(path, name) if path.exists() else None
    if there == text:
        return []
    if there is not None and not force:
        jobs = read_workflow(name, there).jobs if "jobs:" in there else {}
        raise HandbookError(f"{name} exists already, and differs", where=str(path), section=SECTION,
                            why=f"it would be replaced{f', with its jobs {listed(list(jobs))}' if jobs else ''}",
                            todo="commit it, then compare: handbook release init --force && git diff")
    _put(path, text)
    return [name]


def top(project: Project) -> Path:
    """The folder where GitHub looks for workflows."""
    return project.git.root if project.git else project.root


def others(project: Project, publishers: Sequence[Form]) -> list[str]:
    """The other workflows of the repository that upload on a tag of the project."""
    workflows, _ = workflows_of(top(project))
    sources = Sources(workflows, composites(top(project)), "", (project.settings.tag.format(version=NEXT),))
    own = {publishers[0].workflow, f"dev{of_several(project)}.yml"}
    return sorted({each.workflow.name for each in publications(sources) if each.every} - own)


def write_dev(project: Project, publishers: Sequence[Form], own: Mapping[str, str]) -> tuple[list[str], Form]:
    """Write the workflow that uploads dev versions to TestPyPI: its file if it was not there, and its form."""
    form = replace(next(each for each in publishers if each.index == "testpypi"),
                   workflow=f"dev{of_several(project)}.yml")
    path = top(project) / (name := f"{FOLDER}/{form.workflow}")
    if path.exists():
        return [], form
    _put(path, fill(_template("dev"), {
        "SECTION": address("sec-actions-dev"), "NAME": Path(form.workflow).stem, "CHECK OUT": check_out(),
        "BRANCH": (project.git.default_branch if project.git else None) or "main", "FOLDER": folder_of(project),
        "REPOSITORY": f"{form.owner}/{form.repository}", "TESTPYPI": form.environment, "HANDBOOK": own["handbook"],
        "PUBLISH": own["publish"], "UPLOAD": actions()["actions/upload-artifact"]}))
    return [name], form


def write_beside(project: Project, publishers: Sequence[Form], own: Mapping[str, str]) -> list[str]:
    """Record the publishers in `pyproject.toml`, rehearse pull requests and have the pins kept up to date.

    What is there already stays as it is. The result is the files that changed.
    """
    changed = []
    if not project.settings.publisher:
        first, places = publishers[0], {each.index: each.environment for each in publishers}
        table = "\n".join([
            f"[{TABLE}.publisher]", f'repository = "{first.owner}/{first.repository}"',
            f'workflow = "{first.workflow}"',
            f"environments = {{ {', '.join(f'{index} = {json.dumps(name)}' for index, name in places.items())} }}"])
        text = f"{project.text.rstrip()}\n\n{table}\n"
        try:
            tomllib.loads(text)
        except ValueError:
            raise HandbookError(f"{PYPROJECT} has no room for the table of the publisher", section=SECTION,
                                why=f"{TABLE} is written inside another table",
                                todo=f"write it there:\n{table}") from None
        _put(project.root / PYPROJECT, text)
        changed.append(PYPROJECT)
    if own["rehearse"].startswith("$/"):
        return changed
    root, name = top(project), f"rehearse{of_several(project)}"
    if not (root / (file := f"{FOLDER}/{name}.yml")).exists():
        inside = folder_of(project)
        _put(root / file, fill(_template("rehearse"), {
            "SECTION": address("sec-actions-rehearse"), "CHECK OUT": check_out(), "REHEARSE": own["rehearse"],
            "NAME": name, "STEP WITH": f"\n        with:\n          path: {inside}" if inside != "." else ""}))
        changed.append(file)
    if not any((root / name).exists() for name in (DEPENDABOT, *OTHER_BOTS)):
        _put(root / DEPENDABOT, UPDATES)
        changed.append(DEPENDABOT)
    return changed


def _put(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text)
    except OSError as error:
        raise HandbookError(f"{path.name} can't be written: {error.strerror or error}", where=str(path),
                            todo="free space, or check who may write there", section=SECTION) from None


def render(project: Project, publishers: Sequence[Form], own: Mapping[str, str], *, compiled: bool = False) -> str:
    """The workflow's text; `own` has the references to the handbook's workflows and actions by their names.

    For a `compiled` package jobs on several machines build its wheels first.
    """
    text, environments = _template("release"), {each.index: each.environment for each in publishers}
    if "testpypi" not in environments:
        # Its two jobs, and what waits for them.
        text = re.sub(r"(?ms)^  testpypi:\n.*?(?=^  pypi:\n)", "", text).replace("needs: verify", "needs: prepare")
    inside, known = folder_of(project), actions()
    place = f"\n      path: {inside}" if inside != "." else ""
    words = {
        **{name.upper(): uses for name, uses in own.items()}, "SECTION": address("sec-actions"),
        "NAME": Path(publishers[0].workflow).stem, "REPOSITORY": f"{publishers[0].owner}/{publishers[0].repository}",
        "TESTPYPI": environments.get("testpypi", ""), "PYPI": environments["pypi"], "FOLDER": inside, "PATH": place,
        "TAGS": project.settings.tag.format(version="[0-9]*"), "WITH": f"\n    with:{place}" if place else "",
        "NEEDS": "\n    needs: wheels" if compiled else "", "CHECK OUT": check_out(),
        "CIBUILDWHEEL": known["pypa/cibuildwheel"], "UPLOAD": known["actions/upload-artifact"]}
    return fill(text, {**words, "WHEELS": fill(_template("wheels"), words) if compiled else ""})


def _template(name: str) -> str:
    return (resources.files("labhandbook.github") / f"{name}.yml.in").read_text(encoding="utf-8")


def folder_of(project: Project) -> str:
    """The project's folder in its repository."""
    return project.root.relative_to(top(project)).as_posix()


def has_extensions(project: Project) -> bool:
    """Whether a project compiles code: it has settings for cibuildwheel, or its build is one that compiles."""
    setup = project.root / "setup.py"
    return bool(project.get("tool", "cibuildwheel") is not None
                or re.match(r"maturin|scikit_build_core|mesonpy", str(project.get("build-system", "build-backend")))
                or (setup.exists() and re.search(r"ext_modules|cythonize", untrusted_data.text(setup))))


def check_out() -> str:
    """The step that checks out all of the history: the tags give the version."""
    return "\n".join(f"      {line}" for line in (
        "- name: Check out", f"  uses: {actions()['actions/checkout']}", "  with:", "    fetch-depth: 0",
        "    persist-credentials: false"))


def matrix(project: Project, today: date | None = None) -> list[str]:
    """The oldest admitted Python that gets fixes, and the newest that is a year old: packages take that long."""
    from packaging.specifiers import SpecifierSet

    day, table = today or date.today(), pythons()
    admitted = SpecifierSet(str(project.table.get("requires-python", "")))
    # A Python gets fixes for five years (PEP 602).
    ripe = [each for each in table.alive(day) if table.ends[each] <= day + 4 * A_YEAR + timedelta(days=31)]
    fitting = [version for each in ripe if admitted.contains(version := "{}.{}".format(*each))]
    if not fitting:
        raise HandbookError(f"no Python that gets fixes is admitted by requires-python: {admitted}",
                            where=f"pyproject.toml:{project.line('requires-python', 'project')}", section=SECTION,
                            why="the workflow tests on the oldest and the newest of them",
                            todo="let requires-python allow a Python that still gets fixes")
    return list(dict.fromkeys((fitting[0], fitting[-1])))


def uses(project: Project, commit: str = "") -> dict[str, str]:
    """How a workflow of the project uses the handbook's workflows and actions, by short names.

    In the handbook's repository they are those of the running commit (`$/`), elsewhere those of that repository.
    """
    if all((project.root / path).exists() for path in PARTS.values()):
        return {name: f"$/{path}" for name, path in PARTS.items()}
    repository, version = home()
    commit = commit or own_commit(repository, version)
    return {name: f"{repository_of(repository)}/{path}@{commit} # {version}" for name, path in PARTS.items()}


def on_github(own: Mapping[str, str]) -> str:
    """Why GitHub could not be asked for the handbook's commit that a workflow names; empty where GitHub has it.

    Raises HandbookError where GitHub does not have it: the workflow would not start.
    """
    found = re.match(r"([\w.-]+/[\w.-]+)/.*@(\w+)", own["publish"])
    if not found:
        return ""
    token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or ""
    github = GitHub(found[1], os.environ.get("GITHUB_API_URL", API).rstrip("/"), token, attempts=1, seconds=5.0)
    try:
        if github.get(f"commits/{found[2]}") is not None:
            return ""
        if github.get("") is None:
            return f"GitHub shows no {found[1]}" + ("" if token else " without a token")
    except HandbookError as problem:
        return problem.what
    raise HandbookError(f"{found[1]} on GitHub has no commit {found[2][:10]}", section=SECTION,
                        why="a workflow that calls it would not start",
                        todo="push it, or name another: --handbook COMMIT")


def home() -> tuple[str, str]:
    """The address of this handbook's repository, and the version that is installed here."""
    about = metadata.metadata("labhandbook")
    urls = dict(url.split(", ", 1) for url in about.get_all("Project-URL") or [])
    return urls["Repository"], about["Version"]


def own_commit(repository: str, version: str) -> str:
    """The commit of the handbook that is installed here: that of its installation from git, or of its version's tag.

    Raises HandbookError when neither is known.
    """
    origin = json.loads(metadata.distribution("labhandbook").read_text("direct_url.json") or "{}")
    if commit := origin.get("vcs_info", {}).get("commit_id"):
        return str(commit)
    folder = Path(unquote(urlsplit(origin.get("url", "")).path))
    if origin.get("dir_info") is not None and (commit := git(folder, "rev-parse", "HEAD")):
        return commit
    listed = git(Path.cwd(), "ls-remote", repository, f"refs/tags/v{version}", f"refs/tags/v{version}^{{}}") or ""
    if listed:
        return listed.split("\n")[-1].partition("\t")[0]
    raise HandbookError(f"the commit of handbook {version} is not known", section=SECTION,
                        why=f"it wasn't installed from git, and {repository} has no tag v{version}",
                        todo="name it: --handbook COMMIT")
