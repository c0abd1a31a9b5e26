"""Runs workflow files on this machine with act, each job in a fresh folder, with stand-ins for the actions they use.

act (https://github.com/nektos/act) reads the real files, decides which jobs run, and gives steps the variables and
files of GitHub's runner. What it lacks (approvals, identities, permissions of the token) the workflow's text tells.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
STAND_INS = HERE / "stand_ins"
PYTHON = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
# Where this environment's programs lie: act, and uv, which a job would otherwise fetch first.
PROGRAMS = Path(sys.executable).parent
Json = dict[str, Any]


class Loader(yaml.SafeLoader):
    """Reads YAML as GitHub does: `on` is a word."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), list("tf"))


def load(path: Path) -> Json:
    """A workflow or an action, parsed."""
    found: Json = yaml.load(path.read_text(encoding="utf-8"), Loader)
    return found


@dataclass
class Job:
    """How a job ended ("success" or "failure"), its summary, its annotations and all that it said."""

    result: str = ""
    summary: str = ""
    errors: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def log(self) -> str:
        """All that it said, as one text."""
        return "".join(self.said)


@dataclass
class Run:
    """The jobs of a run that began; those after a failed one are missing. `trouble` is what act said itself."""

    jobs: dict[str, Job]
    trouble: str

    def ended(self, result: str) -> list[str]:
        """The jobs that ended so, in the order in which they began."""
        return [name for name, job in self.jobs.items() if job.result == result]

    def why(self) -> str:
        """What a person needs to see when a run did not end as expected."""
        failed = [f"--- {name}: {job.result}\n{job.log[-3000:]}\n{job.summary}" for name, job in self.jobs.items()
                  if job.result != "success"]
        return "\n".join([*failed, self.trouble])


@dataclass(frozen=True)
class Event:
    """What starts a run: its name, its payload, and the variables that GitHub sets for it (GITHUB_...)."""

    name: str
    payload: Mapping[str, object]
    variables: Mapping[str, str]


@dataclass
class Runner:
    """A machine that runs jobs. `remote` is the bare repository that checkouts come from, `scratch` its disk.

    `variables` and `secrets` are the repository's, `environ` is what every process on the machine sees and
    `actions` are folders for further actions by `owner/name@commit`.
    """

    remote: Path
    scratch: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, Path] = field(default_factory=dict)

    @property
    def artifacts(self) -> Path:
        """The folder with the artifacts of the runs so far."""
        return self.scratch / "artifacts"

    def run(self, workflow: Path, event: Event, *, matrix: Mapping[str, str] | None = None,
            timeout: float = 900) -> Run:
        """Run the jobs of a workflow file for an event."""
        self.artifacts.mkdir(parents=True, exist_ok=True)
        (self.scratch / "home").mkdir(exist_ok=True)
        if not (clone := self.scratch / "clone").exists():
            subprocess.run(["git", "clone", "--quiet", self.remote, clone], check=True)
        payload = self.scratch / "event.json"
        payload.write_text(json.dumps(event.payload))
        workflow = self._translated(workflow, event)
        done = subprocess.run(self._command(workflow, event, payload, matrix or {}), capture_output=True, text=True,
                              env=self._environ(), cwd=self.scratch, timeout=timeout, check=False)
        return read(done.stdout, done.stderr)

    def _translated(self, workflow: Path, event: Event) -> Path:
        """The workflow with its repository's own actions (`$/path`), which act doesn't know, as those of another.

        As on GitHub they are fetched at the commit that runs, apart from the job's checkout.
        """
        text, commit = workflow.read_text(encoding="utf-8"), event.variables["GITHUB_SHA"]
        if "uses: $/" not in text:
            return workflow
        own = self.scratch / "own"
        if not own.exists():
            own.mkdir()
            packed = subprocess.run(["git", "archive", commit], cwd=self.remote, capture_output=True, check=True)
            subprocess.run(["tar", "--extract", "--directory", own], input=packed.stdout, check=True)
        self.actions = {**self.actions, f"own/repository@{commit}": own}
        path = self.scratch / ".github" / "workflows" / workflow.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(re.sub(r"uses: \$/(\S+)", rf"uses: own/repository/\1@{commit}", text), encoding="utf-8")
        return path

    def _command(self, workflow: Path, event: Event, payload: Path, matrix: Mapping[str, str]) -> list[str]:
        used = [*self.actions.items(), *stand_ins(workflow, self.actions.values())]
        listed = {"--env": event.variables, "--var": self.variables, "--secret": self.secrets,
                  "--local-repository": {name: str(path) for name, path in used}}
        options = [part for option, values in listed.items() for name, value in values.items()
                   for part in (option, f"{name}={value}")]
        options += [part for name, value in matrix.items() for part in ("--matrix", f"{name}:{value}")]
        return [str(PROGRAMS / "act"), event.name, "--json", "--directory", str(self.scratch / "clone"),
                "--workflows", str(workflow), "--eventpath", str(payload), "--platform", "ubuntu-latest=-self-hosted",
                "--no-skip-checkout", "--no-cache-server", "--action-cache-path", str(self.scratch / "act"),
                "--actor", event.variables.get("GITHUB_ACTOR", "someone"), *options]

    def _environ(self) -> dict[str, str]:
        """What every process on a runner sees, which is little of what this one does."""
        return {"PATH": f"{PROGRAMS}{os.pathsep}{os.defpath}", "HOME": str(self.scratch / "home"), "LANG": "C.UTF-8",
                "UV_CACHE_DIR": uv_cache(), "STAND_IN_REMOTE": str(self.remote), "STAND_IN_PYTHON": str(PYTHON),
                "STAND_IN_ARTIFACTS": str(self.artifacts), "STAND_IN_IDENTITIES": "", **self.environ}


def uv_cache() -> str:
    """uv's cache on this machine, so that jobs don't fetch everything anew."""
    done = subprocess.run([PROGRAMS / "uv", "cache", "dir"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def stand_ins(workflow: Path, others: Iterable[Path]) -> list[tuple[str, Path]]:
    """The stand-ins for the actions that a workflow and the composite actions in other folders use."""
    texts = [workflow.read_text(encoding="utf-8")]
    for folder in {*others, workflow.parents[2]}:
        texts += [path.read_text(encoding="utf-8") for path in (folder / ".github" / "actions").glob("*/action.yml")]
    used = {(f"{owner}/{name}@{commit}", STAND_INS / name) for text in texts for owner, name, commit
            in re.findall(r"uses: ([\w.-]+)/([\w.-]+)(?:/[\w./-]+)?@([0-9a-f]{40})", text)}
    return sorted((name, path) for name, path in used if path.is_dir())


def read(output: str, trouble: str) -> Run:
    """What act's log tells of the jobs."""
    jobs: dict[str, Job] = {}
    for line in output.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            trouble += line + "\n"
            continue
        if "jobID" not in entry:
            continue
        job = jobs.setdefault(entry["jobID"], Job())
        if entry.get("raw_output") or entry.get("command") in ("error", "warning", "notice"):
            job.said.append(str(entry["msg"]))
        if entry.get("command") == "error":
            job.errors.append(str(entry["arg"]))
        if entry.get("command") == "summary":
            job.summary += str(entry["content"])
        if "jobResult" in entry and job.result != "failure":
            job.result = str(entry["jobResult"])
        elif entry["level"] == "error" and entry.get("command") != "error":
            job.said.append(f"{entry['msg']}\n")
    return Run(jobs, trouble)


def resume(workflow: Path, done: Sequence[str], target: Path) -> Path:
    """The workflow as GitHub runs it when failed jobs are run again: those that ended well only count as such.

    The file lies in `target`, below folders of the same names, with the actions of its repository beside it.
    """
    described = load(workflow)
    for name in done:
        described["jobs"][name] = {"runs-on": "ubuntu-latest", "steps": [{"run": "true"}]}
    path = target / ".github" / "workflows" / workflow.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(described, sort_keys=False), encoding="utf-8")
    return path
