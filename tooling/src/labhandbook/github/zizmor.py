"""What zizmor, a checker of workflows' security, finds in the files that an upload depends on, without a network."""

from __future__ import annotations

import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labhandbook.core import process, untrusted_data
from labhandbook.core.errors import HandbookError

PROGRAM = "zizmor"
OPTIONS = ("--offline", "--no-progress", "--quiet", "--no-exit-codes", "--color", "never", "--format", "json-v1",
           "--")
SECONDS = 60
SEVERITIES = ("Medium", "High", "Unknown")
# Below them zizmor reports matters of taste, and this audit.
TOKENS = "use-trusted-publishing"


@dataclass(frozen=True)
class Weakness:
    """One finding of zizmor: its audit's id, what the audit is about and its page, and the place.

    `job` is the name of the job, empty for the whole workflow and for a composite action.
    """

    audit: str
    about: str
    page: str
    file: str
    line: int
    job: str = ""


@dataclass(frozen=True)
class Audit:
    """zizmor's findings; `problem` says why it did not check all files."""

    problem: str = ""
    found: tuple[Weakness, ...] = ()


def audit(root: Path, files: Collection[str]) -> Audit:
    """Run zizmor on files of a repository. It reads the repository's own zizmor.yml, which may ignore findings."""
    if not files:
        return Audit()
    program = process.find_program(PROGRAM)
    if program is None:
        return Audit("zizmor is not installed")
    try:
        done = process.run([program, *OPTIONS, *sorted(files)], cwd=root, timeout=SECONDS)
        report = untrusted_data.json_data(done.stdout, "the report of zizmor") if done.returncode == 0 else []
        found = tuple(_weakness(each) for each in report if _counts(each))
    except subprocess.TimeoutExpired:
        return Audit(f"zizmor did not end within {SECONDS} s")
    except (OSError, HandbookError) as problem:
        return Audit(f"zizmor did not run: {problem}")
    except (KeyError, TypeError, IndexError, AttributeError):
        return Audit("the report of zizmor has another form than json-v1")
    said = [line.rpartition("registry::input: ")[2] for line in done.stderr.splitlines() if line.strip()]
    return Audit(said[0] if said and (done.returncode or "WARN" in done.stderr) else "", found)


def _counts(entry: dict[str, Any]) -> bool:
    return not entry["ignored"] and (entry["determinations"]["severity"] in SEVERITIES or entry["ident"] == TOKENS)


def _weakness(entry: dict[str, Any]) -> Weakness:
    places = entry["locations"]
    place = next((each for each in places if each["symbolic"]["kind"] == "Primary"), places[0])
    route = [next(iter(part.values())) for part in place["symbolic"]["route"]["route"]]
    return Weakness(str(entry["ident"]), str(entry["desc"]), str(entry["url"]),
                    str(place["symbolic"]["key"]["Local"]["verbatim_path"]),
                    int(place["concrete"]["location"]["start_point"]["row"]) + 1,
                    str(route[1]) if len(route) > 1 and route[0] == "jobs" else "")
