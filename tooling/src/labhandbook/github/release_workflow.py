"""`handbook release init`: a package's own release workflow.

PyPI accepts uploads from the repository's own workflow only, not from a shared one. So the jobs that upload are
written into the repository; the others are in workflows of the handbook, which are called by commit.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from urllib.parse import unquote, urlsplit

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.core.git import git
from labhandbook.core.github_api import repository_of
from labhandbook.core.section_addresses import address
from labhandbook.core.templates import fill
from labhandbook.github import trusted_publisher
from labhandbook.github.trusted_publisher import Form
from labhandbook.package.project import PYPROJECT, TABLE, Project
from labhandbook.package.version_tables import pythons

SECTION = "sec-actions-init"
WORKFLOW = Path(".github/workflows", trusted_publisher.WORKFLOW)
REHEARSAL = ".github/workflows/rehearse.yml"
# What packages use of the handbook's repository.
PARTS = {**{name: f".github/workflows/release-{name}.yml" for name in ("prepare", "verify", "finish")},
         **{name: f".github/actions/{name}" for name in ("publish", "rehearse")}}
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


def write(project: Project, publishers: Sequence[Form], handbook: str = "", *, force: bool = False) -> bool:
    """Write the workflow for these publishers into a project; True when the file changed.

    Raises HandbookError when the file has other content, and when the project isn't a repository of its own.
    """
    path = project.root / WORKFLOW
    if project.git and project.git.root != project.root:
        raise HandbookError(f"{project.root.name} is a folder of a larger repository", where=str(project.root),
                            why="GitHub reads workflows at the top of a repository only", section=SECTION,
                            todo="run init in a package that has a repository of its own")
    text = render(project, publishers, uses(project, handbook))
    there = untrusted_data.text(path, str(WORKFLOW)) if path.exists() else None
    if there == text:
        return False
    if there is not None and not force:
        raise HandbookError(f"{WORKFLOW} exists already, and differs", where=str(path),
                            why="your own changes in it would be lost", section=SECTION,
                            todo="commit it, then compare: handbook release init --force && git diff")
    _put(path, text)
    return True


def write_beside(project: Project, publishers: Sequence[Form], handbook: str = "") -> list[str]:
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
    own = uses(project, handbook)
    if own["rehearse"].startswith("$/"):
        return changed
    if not (project.root / REHEARSAL).exists():
        text = (resources.files("labhandbook.github") / "rehearse.yml.in").read_text(encoding="utf-8")
        _put(project.root / REHEARSAL, fill(text, {
            "SECTION": address("sec-actions-rehearse"), "CHECK OUT": check_out(), "REHEARSE": own["rehearse"]}))
        changed.append(REHEARSAL)
    if not any((project.root / name).exists() for name in (DEPENDABOT, *OTHER_BOTS)):
        _put(project.root / DEPENDABOT, UPDATES)
        changed.append(DEPENDABOT)
    return changed


def _put(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text)
    except OSError as error:
        raise HandbookError(f"{path.name} can't be written: {error.strerror or error}", where=str(path),
                            todo="free space, or check who may write there", section=SECTION) from None


def render(project: Project, publishers: Sequence[Form], own: Mapping[str, str]) -> str:
    """The workflow's text; `own` has the references to the handbook's workflows and actions by their names."""
    text = (resources.files("labhandbook.github") / "release.yml.in").read_text(encoding="utf-8")
    environments = {each.index: each.environment for each in publishers}
    if "testpypi" not in environments:
        # Its two jobs, and what waits for them.
        text = re.sub(r"(?ms)^  testpypi:\n.*?(?=^  pypi:\n)", "", text).replace("needs: verify", "needs: prepare")
    return fill(text, {
        **{name.upper(): uses for name, uses in own.items()}, "SECTION": address("sec-actions"),
        "REPOSITORY": f"{publishers[0].owner}/{publishers[0].repository}",
        "TESTPYPI": environments.get("testpypi", ""), "PYPI": environments["pypi"],
        "TAGS": project.settings.tag.format(version="[0-9]*")})


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
                            todo="admit a Python that gets fixes")
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
