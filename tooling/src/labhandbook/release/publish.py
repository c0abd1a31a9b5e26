"""Uploading the files of the ledger, byte for byte, with twine. An upload that was interrupted continues.

Secrets come from the environment (TWINE_*), the keyring or, on GitHub, from trusted publishing; twine finds them and
nothing here prints them. The index is asked before every attempt which files it has: the same file there is a
success, another one under the same name an error, because a file name can be used once only.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labhandbook.core.process import TimeoutExpired, environment, isolated, run
from labhandbook.core.steps import Say, nothing
from labhandbook.package import index_addresses
from labhandbook.package.index_addresses import Index
from labhandbook.package.machine import without_secrets
from labhandbook.package.simple_index import IndexDown, Listed, listing
from labhandbook.release import upload_refusals
from labhandbook.release.release_folder import check_bytes

if TYPE_CHECKING:
    from requests import Response
    from twine.repository import Repository

ATTEMPTS = 5
SIGNING = 300.0
# The variables that identify the signer; the process gets no other secret.
IDENTITY = ("GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")


@dataclass(frozen=True)
class Upload:
    """What is to be uploaded, and how long to wait.

    `hashes` are the ledger's, by file name. `secret` is the token of the loopback index; other indexes get theirs
    through twine. `pause` is the first pause between attempts in seconds; each next one is twice as long.
    """

    project: str
    version: str
    files: Sequence[Path]
    hashes: Mapping[str, str]
    index: Index
    secret: str | None = None
    interactive: bool = False
    attest: bool = True
    timeout: float = 60.0
    pause: float = 1.0


def publish(upload: Upload, say: Say = nothing) -> dict[str, str]:
    """Bring every file onto the index; "uploaded" or "there already" for each.

    Raises HandbookError when the index refuses, has other files under these names, or does not answer.
    """
    check_bytes(upload.files, upload.hashes)
    done: dict[str, str] = {}
    listed = listed_files(upload)
    there = same(upload, listed)
    missing = [path for path in upload.files if path.name not in there]
    if missing and (late := upload_refusals.closed(upload.index, upload.project, upload.version, listed.values())):
        raise late
    for path in upload.files:
        if path.name in there:
            done[path.name] = "there already"
            say(f"{path.name} is on {upload.index.label} already, the same bytes")
    if not missing:
        return done
    repository = open_repository(upload)
    try:
        with attested(upload, missing) as attestations:
            for path in missing:
                done[path.name] = upload_one(upload, repository, path, attestations.get(path.name), say)
    finally:
        repository.close()
    return done


def present(upload: Upload) -> set[str]:
    """The files that the index has already, with our bytes. Raises HandbookError as `listed_files` and `same` do."""
    return same(upload, listed_files(upload))


def listed_files(upload: Upload) -> dict[str, Listed]:
    """The files that the index lists for the project. Raises HandbookError when it doesn't answer again and again."""
    for left, pause in attempts(upload):
        try:
            found = listing(upload.index, upload.project, upload.timeout)
        except IndexDown as down:
            if not left:
                raise upload_refusals.down(upload.index, str(down)) from None
            time.sleep(pause)
        else:
            return found
    raise AssertionError("the last attempt returns or raises")


def same(upload: Upload, found: Mapping[str, Listed]) -> set[str]:
    """The files among those listed that are ours. Raises HandbookError for another file under one of our names."""
    for path in upload.files:
        other = found.get(path.name)
        if other and other.sha256 and other.sha256 != upload.hashes[path.name]:
            raise upload_refusals.burnt(upload.index, path.name, upload.version)
    return {path.name for path in upload.files if path.name in found}


def attempts(upload: Upload) -> list[tuple[int, float]]:
    """How many attempts are left after each one, and the pause before the next."""
    return [(ATTEMPTS - 1 - number, upload.pause * 2**number) for number in range(ATTEMPTS)]


def upload_one(upload: Upload, repository: Repository, path: Path, attestation: Path | None, say: Say) -> str:
    """Upload one file, again after a problem that may pass; "uploaded" or "there already"."""
    say(f"uploading {path.name} to {upload.index.label}")
    for left, pause in attempts(upload):
        problem = post(repository, path, attestation)
        if isinstance(problem, str):
            passing = problem
        elif problem.status_code == 200:
            return "uploaded"
        elif problem.status_code in (429, *range(500, 600)):
            passing = f"it answers {problem.status_code} {problem.reason}"
        else:
            return settle(upload, path, problem)
        if not left:
            raise upload_refusals.down(upload.index, passing)
        say(f"{upload.index.label}: {passing}; again in {pause:g} s")
        time.sleep(pause)
        if path.name in present(upload):
            return "there already"
    raise AssertionError("the last attempt returns or raises")


def settle(upload: Upload, path: Path, response: Response) -> str:
    """What a refusal means: the same file is there already, or the error for it."""
    text = re.sub(r"(?s)<(script|style|title)\b.*?</\1>|<[^>]+>", " ", response.text[:4000])
    text = re.sub(r"\s+", " ", text)
    reason = re.sub(r"\s+", " ", response.reason or "").strip()
    # PyPI gives its reason in the status line and in the page as well.
    words = without_secrets(reason if len(reason) > len("Bad Request") and reason[:60] in text else
                            f"{reason} {text[:500]}", upload.secret)
    if response.status_code == 409 or (response.status_code == 400 and "already" in words):
        for _, pause in attempts(upload):
            if path.name in present(upload):
                return "there already"
            if "already exist" not in words and response.status_code != 409:
                break
            time.sleep(pause)
        raise upload_refusals.burnt(upload.index, path.name, upload.version)
    raise upload_refusals.refused(upload.index, upload.project, path.name, response.status_code, words)


def post(repository: Repository, path: Path, attestation: Path | None) -> Response | str:
    """The index's answer to one upload by twine, or words for why there was none."""
    import requests
    from twine.package import PackageFile

    package = PackageFile.from_filename(str(path), None)
    if attestation:
        package.add_attestations([str(attestation)])
    try:
        # twine prints its progress on standard output, which is for results here.
        with contextlib.redirect_stdout(io.StringIO()):
            return repository.upload(package, max_redirects=1)
    except requests.Timeout:
        return "it gave no answer in time"
    except requests.ConnectionError as error:
        broken = "reset" in str(error) or "aborted" in str(error) or "Broken pipe" in str(error)
        return "the connection broke" if broken else "it can't be reached"


def open_repository(upload: Upload) -> Repository:
    """twine's view of the index, with credentials. Raises HandbookError when there are none that could work."""
    import argparse

    import requests
    from twine import exceptions
    from twine.settings import Settings

    parser = argparse.ArgumentParser()
    Settings.register_argparse_arguments(parser)
    arguments = ["--repository-url", upload.index.upload, "--disable-progress-bar"]
    arguments += [] if upload.interactive else ["--non-interactive"]
    chosen = parser.parse_args(arguments)
    if upload.secret is not None:
        chosen.username, chosen.password = "__token__", upload.secret
    try:
        if upload.secret is None and upload.index.moved and vouched():
            chosen.username, chosen.password = "__token__", minted(upload.index)
        repository = Settings.from_argparse(chosen).create_repository()
    except exceptions.TrustedPublishingFailure as failure:
        raise upload_refusals.publisher(upload.index, upload.project, without_secrets(str(failure))) from None
    except (exceptions.NonInteractive, exceptions.InvalidConfiguration):
        raise upload_refusals.credentials(upload.index) from None
    except requests.RequestException as error:
        raise upload_refusals.down(upload.index, type(error).__name__) from None
    for scheme in ("http://", "https://"):
        repository.session.mount(scheme, _patient(upload.timeout))
    repository.session.trust_env = upload.secret is None
    return repository


def vouched() -> bool:
    """Whether GitHub vouches for the job that this process runs in, and no password was given."""
    return "ACTIONS_ID_TOKEN_REQUEST_TOKEN" in os.environ and "TWINE_PASSWORD" not in os.environ


def minted(index: Index) -> str | None:
    """A token by trusted publishing from an index in place of PyPI: twine asks only PyPI and TestPyPI."""
    from twine.auth import CredentialInput, Resolver

    return Resolver({"repository": index.upload}, CredentialInput("__token__")).make_trusted_publishing_token()


def _patient(timeout: float) -> Any:
    """An adapter with a limit on the time for an answer; by default requests waits for ever."""
    from requests.adapters import HTTPAdapter

    class Patient(HTTPAdapter):
        """Waits `timeout` seconds for each answer."""

        def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override]
            """Send a request with a limit in time."""
            return super().send(request, **{**options, "timeout": timeout})

    return Patient()


@contextlib.contextmanager
def attested(upload: Upload, files: Sequence[Path]) -> Any:
    """Signed statements for the files by file name, where GitHub vouches for the job; else none.

    They are made for this index alone, in a folder of their own: those for one index break the next.
    """
    import importlib.util
    import shutil
    import tempfile

    takes = upload.index.name in index_addresses.KNOWN and not upload.index.moved
    if not (upload.attest and takes and vouched() and importlib.util.find_spec("pypi_attestations")):
        yield {}
        return
    with tempfile.TemporaryDirectory() as folder:
        copies = [shutil.copy2(path, folder) for path in files]
        try:
            done = run(isolated("-m", "pypi_attestations", "sign", *map(str, copies)), cwd=folder, timeout=SIGNING,
                       env=environment(names=IDENTITY))
            problem = done.stderr if done.returncode else ""
        except TimeoutExpired:
            problem = f"signing took longer than {SIGNING} s"
        if problem:
            raise upload_refusals.attestation(without_secrets(problem))
        yield {path.name: Path(folder) / f"{path.name}.publish.attestation" for path in files}
