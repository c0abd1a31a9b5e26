"""Runs workflow files on this machine with act, each job in a fresh folder, with stand-ins for the actions they use.

act (https://github.com/nektos/act) reads the real files, decides which jobs run, and gives steps the variables and
files of GitHub's runner. What it lacks (approvals, identities, permissions of the token) the workflow's text says.
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
    outputs: dict[str, str] = field(default_factory=dict)

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
    runs: int = 0
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def artifacts(self) -> Path:
        """The folder with the artifacts of the runs so far."""
        return self.scratch / "artifacts"

    def run(self, workflow: Path, event: Event, *, matrix: Mapping[str, str] | None = None,
            done: Sequence[str] = (), timeout: float = 900) -> Run:
        """Run the jobs of a workflow file for an event, as the first time or again without those that are `done`."""
        self.artifacts.mkdir(parents=True, exist_ok=True)
        (self.scratch / "home").mkdir(exist_ok=True)
        if not (clone := self.scratch / "clone").exists():
            subprocess.run(["git", "clone", "--quiet", self.remote, clone], check=True)
        payload = self.scratch / "event.json"
        payload.write_text(json.dumps(event.payload))
        self._fetch_own(event.variables["GITHUB_SHA"])
        self.runs += 1
        folder = self.scratch / f"run-{self.runs}"
        self._write(workflow, f"own/repository@{event.variables['GITHUB_SHA']}", folder, done)
        ran = subprocess.run(self._command(workflow.name, folder, event, payload, matrix or {}), capture_output=True,
                             text=True, env=self._environ(), cwd=self.scratch, timeout=timeout, check=False)
        ended = read(ran.stdout, ran.stderr, done)
        self.outputs |= {name: job.outputs for name, job in ended.jobs.items()}
        return ended

    def _fetch_own(self, commit: str) -> None:
        """The repository itself as an action's repository: `$/path` means it, at the commit that runs."""
        if f"own/repository@{commit}" not in self.actions:
            own = self.scratch / f"own-{commit}"
            own.mkdir()
            packed = subprocess.run(["git", "archive", commit], cwd=self.remote, capture_output=True, check=True)
            subprocess.run(["tar", "--extract", "--directory", own], input=packed.stdout, check=True)
            self.actions = {**self.actions, f"own/repository@{commit}": own}
            for path in (own / ".github" / "actions").glob("*/action.yml"):
                path.write_text(named(path.read_text(encoding="utf-8"), f"own/repository@{commit}"), encoding="utf-8")

    def _write(self, workflow: Path, home: str, folder: Path, done: Sequence[str], call: str = "") -> str:
        """Write a workflow and those that it calls into a folder, and give the name of its copy.

        `home` is what `$/`, which act doesn't know, means in it. Each call gets a copy of its own, so that a job that
        is done can only count as such, as when GitHub runs failed jobs again. `call` is the path of the calling jobs.
        """
        described = yaml.load(named(workflow.read_text(encoding="utf-8"), home), Loader)
        for name, job in described["jobs"].items():
            full = f"{call}{name}"
            if full in done:
                described["jobs"][name] = {"runs-on": "ubuntu-latest", "steps": [{"run": "true"}], "outputs": {
                    key: self._kept(value, full, call) for key, value in job.get("outputs", {}).items()}}
            elif called := re.fullmatch(r"([\w.-]+/[\w.-]+)/(\S+)@(\w+)", job.get("uses", "")):
                source = f"{called[1]}@{called[3]}"
                copy = self._write(self.actions[source] / called[2], source, folder, done, f"{full}/")
                job["uses"] = f"called/workflows/.github/workflows/{copy}@{folder.name}"
        if call:
            described["name"] = f"[{call}]"
        path = folder / ".github" / "workflows" / (f"{call.replace('/', '-')}called.yml" if call else workflow.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(described, sort_keys=False), encoding="utf-8")
        return path.name

    def _kept(self, value: str, job: str, call: str) -> str:
        """An output of a job that is done, which comes from a step of it or from a job before it."""
        found = re.search(r"(?:needs\.(\w+)|steps\.\w+)\.outputs\.(\w+)", value)
        return self.outputs.get(f"{call}{found[1]}" if found[1] else job, {}).get(found[2], "") if found else ""

    def _command(self, workflow: str, folder: Path, event: Event, payload: Path,
                 matrix: Mapping[str, str]) -> list[str]:
        used = [*self.actions.items(), *stand_ins([folder, *self.actions.values()]),
                (f"called/workflows@{folder.name}", folder)]
        listed = {"--env": event.variables, "--var": self.variables, "--secret": self.secrets,
                  "--local-repository": {name: str(path) for name, path in used}}
        options = [part for option, values in listed.items() for name, value in values.items()
                   for part in (option, f"{name}={value}")]
        options += [part for name, value in matrix.items() for part in ("--matrix", f"{name}:{value}")]
        return [str(PROGRAMS / "act"), event.name, "--json", "--directory", str(self.scratch / "clone"),
                "--workflows", str(folder / ".github" / "workflows" / workflow), "--eventpath", str(payload),
                "--platform", "ubuntu-latest=-self-hosted", "--no-skip-checkout", "--no-cache-server",
                "--action-cache-path", str(self.scratch / "act"),
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


def named(text: str, home: str) -> str:
    """The text of a workflow or an action with `$/path`, its own repository, by name and commit."""
    name, _, commit = home.partition("@")
    return re.sub(r"uses: \$/(\S+)", rf"uses: {name}/\1@{commit}", text)


def stand_ins(folders: Iterable[Path]) -> list[tuple[str, Path]]:
    """The stand-ins for the actions that the workflows and the composite actions in these folders use."""
    texts = [path.read_text(encoding="utf-8") for folder in folders
             for name in ("workflows/*.yml", "actions/*/action.yml") for path in (folder / ".github").glob(name)]
    used = {(f"{owner}/{name}@{commit}", STAND_INS / name) for text in texts for owner, name, commit
            in re.findall(r"uses: ([\w.-]+)/([\w.-]+)(?:/[\w./-]+)?@([0-9a-f]{40})", text)}
    return sorted((name, path) for name, path in used if path.is_dir())


def read(output: str, trouble: str, done: Sequence[str] = ()) -> Run:
    """What act's log says of the jobs, those of called workflows behind the names of the calling ones."""
    jobs: dict[str, Job] = {}
    for line in output.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            trouble += line + "\n"
            continue
        if "jobID" not in entry:
            continue
        call = re.search(r"\[([^\]]+/)\]/", entry["job"])
        job = jobs.setdefault(f"{call[1] if call else ''}{entry['jobID']}", Job())
        if entry.get("raw_output") or entry.get("command") in ("error", "warning", "notice"):
            job.said.append(str(entry["msg"]))
        if entry.get("command") == "error":
            job.errors.append(str(entry["arg"]))
        if entry.get("command") == "summary":
            job.summary += str(entry["content"])
        if entry.get("command") == "set-output":
            job.outputs[str(entry["name"])] = str(entry["arg"])
        if "jobResult" in entry and job.result != "failure":
            job.result = str(entry["jobResult"])
        elif entry["level"] == "error" and entry.get("command") != "error":
            job.said.append(f"{entry['msg']}\n")
    calling = {name for name in jobs if any(other.startswith(f"{name}/") for other in (*jobs, *done))}
    return Run({name: job for name, job in jobs.items() if name not in calling and name not in done}, trouble)
