"""A release by a pushed tag on this machine: a repository, GitHub, TestPyPI and PyPI on loopback, and act."""

from __future__ import annotations

import contextlib
import os
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from labhandbook.github.release_workflow import matrix
from labhandbook.package.project import load_project
from labhandbook.release.local_index import running
from tooling.tests.conftest import ROOT
from tooling.tests.github import fake_github
from tooling.tests.github.act_runner import Event, Run, Runner, load, named
from tooling.tests.package.sample_packages import git
from tooling.tests.release.faulty_index import Server, Store

TOKEN = "ghs_loopback-token-of-the-job"
SYSTEM = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
# The order in which the jobs of a release may run; those of a called workflow behind the name of the calling job.
JOBS = ["prepare/admit", "prepare/build", "prepare/check", "prepare/inspect", "prepare/test", "testpypi",
        "verify/verify", "pypi", "finish/verify/verify", "finish/recipe", "finish/announce"]


class Secure(Server):
    """An index by https, as trusted publishing asks for."""

    @property
    def url(self) -> str:
        """The address of the index's root."""
        return super().url.replace("http://", "https://")

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that leave in the middle of a handshake."""


@contextlib.contextmanager
def serving(folder: Path, authority: trustme.CA, lag: float = 0.3) -> Iterator[Secure]:
    """Serve an index that trusts one publisher and knows no password."""
    server = Secure(Store(folder, lag), os.urandom(12).hex())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with running(server):
        yield server


@dataclass
class Pipeline:
    """All that a release touches. `project` is the maintainer's clone, `remote` GitHub's copy of it.

    The package is in the folder `path` of it, and `name` is its workflow.
    """

    repository: str
    project: Path
    remote: Path
    runner: Runner
    github: fake_github.State
    testpypi: Secure
    pypi: Secure
    path: str = "."
    name: str = "release.yml"
    finished: list[str] = field(default_factory=list)
    attempt: int = 0

    @property
    def workflow(self) -> Path:
        """The release workflow as it is pushed."""
        return self.project / ".github" / "workflows" / self.name

    def push(self, tag: str, conclusion: str | None = "success") -> None:
        """Push the branch and the tag; the package's own checks end with a conclusion."""
        git(self.project, "push", "--quiet", "origin", "main", tag)
        self.github.ref = f"refs/tags/{tag}"
        self.github.run(".github/workflows/tests.yml", conclusion, sha=self.commit)

    @property
    def commit(self) -> str:
        """The commit of the tag."""
        return git(self.project, "rev-parse", "HEAD").strip()

    def run(self, only: Sequence[str] = (), *, afresh: bool = False) -> Run:
        """What GitHub does with the tag: all jobs, or those that are left of an earlier attempt, or `only` some."""
        if afresh:
            self.finished = []
        self.attempt += 1
        done = [name for name in JOBS if name not in only] if only else self.finished
        ran = self.runner.run(self.workflow, self.event(), done=done,
                              matrix={"python": self.python, "runner": "ubuntu-latest"})
        self.finished = [name for name in ("wheels", *JOBS) if name in (*self.finished, *ran.ended("success"))]
        return ran

    @property
    def python(self) -> str:
        """The oldest Python of the matrix: the jobs on the others do the same."""
        return matrix(load_project(self.project / self.path, ask_remote=False))[0]

    def event(self) -> Event:
        """The push of the tag."""
        tag = self.github.ref.removeprefix("refs/tags/")
        payload = {"ref": self.github.ref, "after": self.commit, "repository": {
            "full_name": self.repository, "default_branch": "main", "private": False}}
        return Event("push", payload, {
            "GITHUB_REF": self.github.ref, "GITHUB_REF_NAME": tag, "GITHUB_REF_TYPE": "tag",
            "GITHUB_SHA": self.commit, "GITHUB_REPOSITORY": self.repository,
            "GITHUB_REPOSITORY_OWNER": self.repository.partition("/")[0],
            "GITHUB_RUN_ID": "4711", "GITHUB_RUN_ATTEMPT": str(self.attempt), "GITHUB_API_URL": self.api,
            "GITHUB_WORKFLOW_REF": f"{self.repository}/.github/workflows/{self.name}@{self.github.ref}",
            "GITHUB_ACTOR": "a-maintainer"})

    @property
    def api(self) -> str:
        """The address of GitHub's API."""
        return str(self.runner.environ["STAND_IN_IDENTITY"]).removesuffix("/identity")


@contextlib.contextmanager
def pipeline(project: Path, scratch: Path, repository: str, tag: str, path: str = ".",
             name: str = "release.yml") -> Iterator[Pipeline]:
    """A pipeline for the package in a folder, which has its release workflow and its commits, but no remote."""
    scratch.mkdir(exist_ok=True)
    remote = scratch / "remote.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", project, remote], check=True)
    git(project, "remote", "add", "origin", str(remote))
    git(project, "fetch", "--quiet", "origin")
    authority, bundle = trustme.CA(), scratch / "authorities.pem"
    bundle.write_bytes(Path(SYSTEM).read_bytes() + authority.cert_pem.bytes())
    jobs = {called: fake_github.Job(str(job.get("environment", "")), "id-token" in job["permissions"])
            for called, job in load(project / ".github" / "workflows" / name)["jobs"].items()}
    state = fake_github.State(repository, remote, TOKEN, jobs=jobs, workflow=f".github/workflows/{name}")
    with serving(scratch / "testpypi", authority) as testpypi, serving(scratch / "pypi", authority) as pypi, \
            fake_github.serving(state) as server:
        for index, job in ((testpypi, "testpypi"), (pypi, "pypi")):
            index.publisher = {"repository": repository, "environment": jobs[job].environment,
                               "workflow_ref": f"{repository}/.github/workflows/{name}@refs/tags/{tag}"}
        runner = Runner(
            remote, scratch / "runner", {}, {"GITHUB_TOKEN": TOKEN}, {
                "HANDBOOK_PYPI": pypi.url, "HANDBOOK_TESTPYPI": testpypi.url,
                "STAND_IN_IDENTITIES": ",".join(name for name, job in jobs.items() if job.identity),
                "STAND_IN_IDENTITY": f"{server.url}/identity", "NO_PROXY": "127.0.0.1",
                **dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT"), str(bundle))})
        yield Pipeline(repository, project, remote, runner, state, testpypi, pypi, path, name)


def handbook_as_fetched(folder: Path, name: str = "") -> Path:
    """This repository as GitHub hands it to a workflow that uses its actions: the files, without their history."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, check=True)
    packed = subprocess.run(["tar", "--create", "--null", "--files-from", "-"], cwd=ROOT, input=listed.stdout,
                            capture_output=True, check=True)
    folder.mkdir()
    subprocess.run(["tar", "--extract", "--directory", folder], input=packed.stdout, check=True)
    if name:
        for path in (folder / ".github" / "actions").glob("*/action.yml"):
            path.write_text(named(path.read_text(encoding="utf-8"), name), encoding="utf-8")
    return folder
