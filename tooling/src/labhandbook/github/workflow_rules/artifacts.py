"""Rules on how files get from the job that builds to the job that uploads."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterable, Iterator

from labhandbook.core.rules import ERROR, WARNING, At
from labhandbook.github.repository import WORKFLOW, WORKFLOWS, Repository
from labhandbook.github.trigger_events import runs
from labhandbook.github.upload_steps import PYPA, Publication
from labhandbook.github.workflow_model import Job, Step
from labhandbook.github.workflow_rules.build_jobs import built

UP, DOWN = "actions/upload-artifact", "actions/download-artifact"
# Actions that keep files under a name of their own.
KEEPERS = {"hynek/build-and-inspect-python-package": "Packages"}
# Specifiers that keep a newer version out.
SPECIFIERS = re.compile(r"<|==|~=")
# Commands that may bring files into another folder.
MOVES = re.compile(r"\b(mv|cp|rsync|ln|find|unzip|tar|install|mkdir|rename|python\d?|pip|gh|curl|wget)\b")
# A command that writes a file into a folder, with the file.
WRITES = re.compile(r"(?:>{1,2}\s*|\b(?:cp|mv)\s+(?:-\w+\s+)*\S+\s+|\s(?:-o|--output(?:-file)?|--outfile)[ =])"
                    r"[\"']?(?:\./)?(?P<folder>[\w.-]+)/(?P<name>[\w.$\{\}-]+\.\w+|SHA\d+SUMS|[\w-]*CHECKSUMS?)[\"']?(?=\s|$)",
                    re.IGNORECASE)
TAKEN = re.compile(r"\.(whl|gz|zip|attestation|asc)$")
# A path that means a file, by its ending.
FILE = re.compile(r"\.\w*[a-z]\w*$")


@WORKFLOWS.rule("GHA034", "A job downloads only files that a job it waits for has kept",
      why="A download finds only files that this run has kept by that moment. A job that is not listed under needs: "
          "may still be running, and no artifact has a misspelt name.",
      fix="Name the building job under needs:, and use the same name in upload-artifact and download-artifact.",
      section=WORKFLOW, source="gbionics/adam#107 and jorgeortizfuentes/fintself#4")
def kept_before(repository: Repository) -> Iterator[At]:
    """download-artifact in an uploading job without needs:, or with a name that no job keeps."""
    for found in repository.publications:
        # A called workflow downloads what jobs of its caller kept.
        for step in _downloads(found) if "workflow_call" not in found.workflow.events else []:
            if not found.job.needs:
                yield At(f"{found.job.name} downloads files and waits for no job", found.file, step.line)
                continue
            name, kept = step.inputs["name"].text, _kept(repository, found.job.before)
            if name and "$" not in name and kept is not None and name not in kept:
                known = ", ".join(sorted(kept)) or "none"
                late = any(_keeps(each) == name for job in found.workflow.jobs.values() for each in job.steps)
                yield At(f"no job that {found.job.name} waits for keeps {name} (kept: {known})", found.file,
                         step.inputs.at("name"), WARNING if late else None)


def _downloads(found: Publication) -> list[Step]:
    """The downloads of a job from its own run."""
    return [step for step in found.job.steps if step.uses(DOWN) and "run-id" not in step.inputs.map
            and not step.body["if"].text]


def _kept(repository: Repository, jobs: Iterable[Job]) -> dict[str, Step] | None:
    """The names under which jobs keep files, each with its step; None where some names are unknown."""
    found: dict[str, Step] = {}
    for before in jobs:
        called = repository.sources.called(before)
        if before.calls.text and called is None:
            return None
        for step in (step for each in (called.jobs.values() if called else [before])
                     for step in repository.sources.steps(each.steps)):
            kept = _keeps(step)
            if kept is None or "$" in kept:
                return None
            if kept:
                found[kept] = step
    return found


def _keeps(step: Step) -> str | None:
    """The name under which a step keeps files, "" when it keeps none, None where the name is unknown."""
    used = step.action
    if used is None:
        return None if step.body["uses"].text and not step.body["uses"].text.startswith("./") else ""
    if used.repository == UP:
        return step.inputs["name"].text or "artifact"
    if used.repository in KEEPERS:
        return None if "upload-name-suffix" in step.inputs.map else KEEPERS[used.repository]
    return "" if used.repository.startswith(("actions/", "astral-sh/", "step-security/", "pypa/")) else None


@WORKFLOWS.rule("GHA035", "The files are downloaded into the folder that is uploaded",
      why="Without a name, each of several artifacts is downloaded into a folder of its own. An upload takes the "
          "files of one folder, so it finds no files.",
      fix="Download by name into dist/, or add merge-multiple: true.", section=WORKFLOW,
      source="Grid2op/lightsim2grid#169, NatLabRockies/plexosdb#111 and pypa/gh-action-pypi-publish#199")
def in_place(repository: Repository) -> Iterator[At]:
    """Downloads of which none ends in the folder that gh-action-pypi-publish takes, where no command moves files.

    Since version 5 download-artifact unpacks the only artifact of a run without a folder of its own.
    """
    for found in repository.publications:
        steps = [step for step in found.job.steps if step is not found.step]
        downloads = _downloads(found)
        if found.tool != PYPA or not downloads or "$" in found.folder or any(
                MOVES.search(step.run.text) or (_keeps(step) is None and not step.uses(PYPA)) for step in steps):
            continue
        if len(downloads) < sum(step.uses(DOWN) for step in steps) or any(map(built, steps)):
            continue
        places = [_places(repository, found, step) for step in downloads]
        if None in places or found.folder in (place for each in places for place in each or ()):
            continue
        nested = next((step for step, each in zip(downloads, places, strict=True)
                       if any(place.startswith(f"{found.folder}/") for place in each or ())), None)
        if nested:
            yield At(f"the files are downloaded into folders below {found.folder}/", found.file, nested.line)
        else:
            where = ", ".join(sorted({f"{place or '.'}/" for each in places for place in each or ()}))
            yield At(f"the files are downloaded into {where}, and those in {found.folder}/ are uploaded", found.file,
                     downloads[-1].line)


def _places(repository: Repository, found: Publication, step: Step) -> set[str] | None:
    """The folders that hold files after a download; None where that is not known."""
    path, name = step.inputs["path"].text, step.inputs["name"].text
    version, kept = step.action.version if step.action else (), _kept(repository, found.workflow.jobs.values())
    if "$" in path + name or not version or version < (4,) or "artifact-ids" in step.inputs.map:
        return None
    folder = posixpath.normpath(path.strip() or ".").removeprefix("./")
    folder = "" if folder == "." else folder
    names = [name] if name else fnmatch.filter(kept or (), step.inputs["pattern"].text or "*")
    if step.inputs["merge-multiple"].word == "true" or name or (len(names) == 1 and version >= (5,)):
        inside = [_folders(kept.get(each)) for each in names] if kept is not None else [None]
        return None if None in inside else {posixpath.normpath(posixpath.join(folder, one)) if one else folder
                                            for each in inside for one in each or ()} or None
    if kept is None:
        # Where the names are unknown there may be one alone; before version 5 that has a folder too.
        return {f"{folder}/*"} if folder == found.folder and version < (5,) else None
    return {posixpath.join(folder, each) for each in names} or None


def _folders(keeper: Step | None) -> set[str] | None:
    """The folders in an artifact that surely hold distributions, "" for its top; None where that is not known.

    upload-artifact leaves out what its paths share, which with several paths may be nothing.
    """
    if keeper is None or not keeper.uses(UP):
        return None if keeper is None else {""}
    lines = keeper.inputs["path"].text.split()
    if not lines or not all(line.strip("./") and re.fullmatch(r"(\./)?[\w./-]*\w/?(/?\*(\.\w+)*)?", line)
                            for line in lines):
        return None
    names = [posixpath.normpath(line) for line in lines]
    places = [posixpath.dirname(name) if "*" in name or FILE.search(name) else name for name in names]
    shared = places[0] if len(places) == 1 else posixpath.commonpath(places)
    found = {place.removeprefix(shared).strip("/") for name, place in zip(names, places, strict=True)
             if TAKEN.search(name) or not FILE.search(name)}
    return found or None


@WORKFLOWS.rule("GHA038", "Each artifact of a run has a name of its own",
      why="Since version 4 upload-artifact refuses a name that the run has already, and the job fails: 409 Conflict.",
      fix="Give each upload-artifact a name, with the matrix's values in it, and download them with pattern: and "
          "merge-multiple: true.",
      section=WORKFLOW, source="scikit-image/scikit-image#7383 and actions/upload-artifact#493")
def one_name(repository: Repository) -> Iterator[At]:
    """Two uploads of one name in a run that publishes, or one in each copy of a matrix; both may lack a name."""
    seen: dict[tuple[str, str], tuple[str, int]] = {}
    jobs = {(job.workflow.file, job.name): job for found in repository.publications
            for job in [*repository.building(found), *found.workflow.jobs.values()]}
    starts = {found.workflow.file: [each for each in found.sure if each.of_tag or each.event == "release"][:1]
              for found in repository.publications}
    for (file, name), job in sorted(jobs.items(), key=lambda each: (each[0][0], each[1].line)):
        for step in job.steps:
            kept, used = _keeps(step), step.action
            sure = not step.body["if"].text and all(runs(job, each) for each in starts.get(file, [None] * 2) if each)
            if not (used and used.repository == UP and used.version >= (4,) and kept) or not sure \
                    or "${{" in kept or step.inputs["overwrite"].word == "true":
                continue
            matrix = job.body["strategy"]["matrix"]
            if any(len(value.items) > 1 for value in matrix.map.values()):
                yield At(f"each copy of {name} keeps {kept}", step.file, step.line)
            elif (other := seen.setdefault((file, kept), (name, step.line))) != (name, step.line):
                yield At(f"{name} keeps {kept}, as {other[0]} does", step.file, step.line)


@WORKFLOWS.rule("GHA039", "Only distributions are in the folder that is uploaded",
      why="twine takes every file of the folder, and refuses one that is no sdist or wheel: Unknown distribution "
          "format. Nothing is uploaded.",
      fix="Write the file into another folder, and keep it as an artifact of its own.", section=WORKFLOW,
      source="timlnx/bitmath#149, kapicorp/kapitan#1548, spec-kitty/spec-kitty#8 and rapiddweller/datamimic#267")
def only_files(repository: Repository) -> Iterator[At]:
    """Commands that write another file into the folder before it is kept or uploaded, and artifacts with one."""
    places = set()
    for found in repository.publications:
        if found.tool != PYPA:
            continue
        names = {step.inputs["name"].text for step in _downloads(found)} - {""}
        for job in repository.building(found):
            steps = list(repository.sources.steps(job.steps))
            for number, step in enumerate(steps):
                later = steps[number:]
                passed = found.step in later or any(
                    each.uses(UP) and (not names or _keeps(each) in names) for each in later)
                for line, what in _others(found, step) if passed else ():
                    if (step.file, line) not in places and not any("rm " in each.run.text for each in later):
                        places.add((step.file, line))
                        yield At(f"{what} is in the folder that {found.job.name} uploads", step.file, line)
        for down in _downloads(found):
            if down.inputs["merge-multiple"].word == "true" and posixpath.normpath(
                    down.inputs["path"].text or ".") == found.folder:
                kept = _kept(repository, found.job.before) or {}
                for name in fnmatch.filter(kept, down.inputs["name"].text or down.inputs["pattern"].text or "*"):
                    lines = kept[name].inputs["path"].text.split() if kept[name].uses(UP) else []
                    if lines and all(FILE.search(line) and not TAKEN.search(line) for line in lines):
                        yield At(f"{lines[0]} of the artifact {name} is in the folder that {found.job.name} uploads",
                                 found.file, down.line)
            for name in _not_removed(repository, found, down):
                yield At(f"{found.folder}/{name}/ stays in the folder that {found.job.name} uploads",
                         found.file, down.line)


def _not_removed(repository: Repository, found: Publication, down: Step) -> list[str]:
    """Artifacts that a nameless download put into folders of their own there, where commands remove some of them."""
    chosen = {"name", "pattern", "artifact-ids", "merge-multiple"} & down.inputs.map.keys()
    if chosen or posixpath.normpath(down.inputs["path"].text or ".") != found.folder:
        return []
    lines = [line for step in found.job.steps for _, line in step.run.lines]
    if any(re.search(r"\b(find|rmdir|python\d?|Remove-Item)\b|\$", line) for line in lines):
        return []
    removed = [name for line in lines if re.search(r"\brm\s", line)
               for name in re.findall(rf"(?<![\w/]){re.escape(found.folder)}/([\w.*?-]+)", line)]
    stay = [name for name in _kept(repository, found.job.before) or {}
            if not any(fnmatch.fnmatch(name, each) for each in removed)]
    return sorted(stay) if removed else []


def _others(found: Publication, step: Step) -> Iterator[tuple[int, str]]:
    """The lines of a step that put another file into the folder that is uploaded."""
    for number, line in step.run.lines:
        for match in WRITES.finditer(line):
            if match["folder"] == found.folder and not TAKEN.search(match["name"]):
                yield number, f"{match['folder']}/{match['name']}"


@WORKFLOWS.rule("GHA036", "The artifact actions are version 4 or newer",
      why="GitHub fails every run that uses versions 1 to 3 of upload-artifact or download-artifact.",
      fix="Use the current version of both, pinned by commit.", section=WORKFLOW,
      source="PyThaiNLP/pythainlp#1076, pybind/pybind11-stubgen#246 and rigetti/qcs-sdk-rust#530")
def artifact_version(repository: Repository) -> Iterator[At]:
    """Versions before 4. https://github.blog/changelog/2024-04-16-deprecation-notice-v3-of-the-artifact-actions/"""
    places: dict[tuple[str, str], list[int]] = {}
    for workflow in repository.publishing:
        for step in (step for job in workflow.jobs.values() for step in repository.sources.steps(job.steps)):
            used = step.action
            if used and used.repository in (UP, DOWN) and used.version and used.version < (4,):
                places.setdefault((step.file, f"{used.repository} {used.version[0]}"), []).append(used.line)
    for (file, what), lines in places.items():
        count = f" ({len(set(lines))} places)" if len(set(lines)) > 1 else ""
        yield At(f"GitHub has switched off {what}{count}", file, min(lines))


@WORKFLOWS.rule("GHA037", "The uploading action can read the metadata of today's build backends",
      why="Before 1.12.3 pypa/gh-action-pypi-publish can't read metadata 2.4, which today's backends write, and "
          "says that name and version are missing. Before 1.14.2 it can't read metadata 2.5, which hatchling writes "
          "since 1.32. The branch master is older than both and gets no updates.",
      fix="Use the current version of the action, pinned by commit.", section=WORKFLOW,
      source="pypa/gh-action-pypi-publish#351, pypa/gh-action-pypi-publish#354, coin-or/CyLP#214, "
             "bloomberg/memray#190, vispy/vispy#2784 and livekit/agents#6836")
def reads_metadata(repository: Repository) -> Iterator[At]:
    """gh-action-pypi-publish from before 1.12.3; a warning where the project limits its backend's version.

    With hatchling, unless it is limited or the form of its metadata is set, also that from before 1.14.2.
    """
    project = repository.project
    requires = project.strings("build-system", "requires") if project else []
    limited = project is None or any(map(SPECIFIERS.search, requires))
    newest = (not limited and any(re.match(r"hatchling(?![\w-])", one) for one in requires) and project is not None
              and "core-metadata-version" not in str(project.get("tool", "hatch")))
    for found in repository.publications:
        used = found.step.action
        if found.tool != PYPA or used is None:
            continue
        if used.ref == "master":
            yield At("the branch master is no longer maintained", found.file, found.line)
        elif used.version and used.version < (1, 12, 3) and len(used.version) > 1:
            yield At(f"version {'.'.join(map(str, used.version))} can't read metadata 2.4", found.file, found.line,
                     WARNING if limited else ERROR)
        elif newest and used.version and used.version < (1, 14, 2) and len(used.version) > 1:
            yield At(f"version {'.'.join(map(str, used.version))} can't read metadata 2.5, which hatchling writes",
                     found.file, found.line)
