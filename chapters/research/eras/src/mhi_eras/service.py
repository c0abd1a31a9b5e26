"""The tournament's service, through its own client `numerapi`: who you are, the round's data, your submission."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from dotenv import find_dotenv, load_dotenv

from labhandbook.runs import HandbookError

SECTION = "sec-eras-service"
PUBLIC, SECRET = "NUMERAI_PUBLIC_ID", "NUMERAI_SECRET_KEY"
# Another address of the service, for tests and mirrors.
ADDRESS = "MHI_ERAS_SERVICE"


def credentials() -> tuple[str, str]:
    """The public id and the secret key: from the environment, else from `.env` here or above, else from a prompt.

    They are never taken from the command line, where other users of the machine can read them. Raises HandbookError
    when there are none and nobody can be asked.
    """
    load_dotenv(find_dotenv(usecwd=True))
    found = [os.environ.get(name, "") for name in (PUBLIC, SECRET)]
    if not all(found) and sys.stdin.isatty():
        found = [value or getpass.getpass(f"{name}: ") for name, value in zip((PUBLIC, SECRET), found, strict=True)]
    if not all(found):
        raise HandbookError("nobody has said who you are", section=SECTION,
                            why="a submission belongs to an account of the tournament",
                            todo=f"set {PUBLIC} and {SECRET} in the environment or in .env; "
                                 "make them on the site under Account, API keys")
    return found[0], found[1]


def client(*, known: bool) -> Any:
    """A client of the service, with credentials if it must be `known`."""
    import logging

    from numerapi import NumerAPI, base_api  # it brings pandas, which only these commands need

    if address := os.environ.get(ADDRESS):
        base_api.API_TOURNAMENT_URL = address
    public, secret = credentials() if known else (None, None)
    made: Any = NumerAPI(public, secret, verbosity="ERROR", show_progress_bars=sys.stderr.isatty())
    logging.getLogger("numerapi").setLevel(logging.CRITICAL)  # what it would log is raised, so it is shown once
    return made


def download(folder: Path, names: list[str]) -> list[Path]:
    """Fetch files of the current round into `folder`; one that is whole is not fetched again.

    Raises HandbookError when the service has no such file or can't be reached.
    """
    with telling(f"{', '.join(names)} can't be fetched"):
        service = client(known=False)
        offered = service.list_datasets()
        if missing := [name for name in names if name not in offered]:
            raise HandbookError(f"the round has no {missing[0]}", section=SECTION,
                                todo=f"take one of: {', '.join(sorted(offered)[:12])}")
        return [Path(service.download_dataset(name, str(folder / Path(name).name))) for name in names]


def submit(file: Path, model: str) -> str:
    """Upload predictions for the model of this name in your account; the id of the submission.

    Raises HandbookError when the account has no such model or the service refuses.
    """
    with telling(f"{file} can't be submitted"):
        service = client(known=True)
        models: dict[str, str] = service.get_models()
        if model not in models:
            raise HandbookError(f"your account has no model {model}", section=SECTION,
                                todo=f"take one of: {', '.join(sorted(models)) or 'none yet; make one on the site'}")
        return str(service.upload_predictions(str(file), model_id=models[model]))


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Turn what the client raises into words for people, without the key that it may hold."""
    try:
        yield
    except (ValueError, KeyError, TypeError, OSError, requests.RequestException) as error:
        said = "it gave no answer" if isinstance(error, KeyError | TypeError) else str(error)
        for name in (PUBLIC, SECRET):
            if secret := os.environ.get(name):
                said = said.replace(secret, "***")
        raise HandbookError(f"{what}: {said}", section=SECTION,
                            why="the service refused, or could not be reached",
                            todo="check the network, the key's permissions and the round's deadline, then try again",
                            ) from None
