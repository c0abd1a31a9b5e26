"""How passwords, tokens and keys look in files, told so that no example in a text is taken for one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

# Files that exist to hold a secret.
FILES = {
    ".env": "an environment file", ".pypirc": "twine's passwords", ".netrc": "passwords", "_netrc": "passwords",
    ".git-credentials": "git's passwords", ".htpasswd": "passwords", "id_rsa": "an SSH key", "id_dsa": "an SSH key",
    "id_ecdsa": "an SSH key", "id_ed25519": "an SSH key", ".dockercfg": "Docker's passwords",
    "kubeconfig": "a cluster's keys", ".pgpass": "passwords", "secring.gpg": "PGP keys",
}
ENDS = {".p12": "keys", ".pfx": "keys", ".jks": "keys", ".keystore": "keys", ".kdbx": "passwords",
        ".ppk": "an SSH key"}
FOLDERS = {".aws/credentials": "AWS keys", ".docker/config.json": "Docker's passwords", ".ssh/config": "SSH settings"}

TOKENS = {
    "a private key": rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\\n|\s)+"
                     rb"(?:[\w-]+: .*(?:\\n|\s)+)*[A-Za-z0-9+/=]{40}",
    "a PyPI token": rb"pypi-AgE[A-Za-z0-9_-]{50,}",
    "a GitHub token": rb"gh[oprsu]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
    "a GitLab token": rb"glpat-[A-Za-z0-9_-]{20,}",
    "an AWS key": rb"(?:AKIA|ASIA)[0-9A-Z]{16}",
    "a Slack token": rb"xox[abprs]-[0-9]{8,}-[0-9A-Za-z-]{20,}",
    "a Google key": rb"AIza[0-9A-Za-z_-]{35}",
    "a Hugging Face token": rb"hf_[A-Za-z]{34}",
    "an npm token": rb"npm_[A-Za-z0-9]{36}",
    "an API key": rb"sk-(?:proj|ant-[a-z0-9]+|live|test)-[A-Za-z0-9_-]{40,}",
}
# Neither may lie inside a longer word: pictures in notebooks are megabytes of letters.
PATTERNS = {what: re.compile(rb"(?<![A-Za-z0-9+/=_-])(?:" + token + rb")(?![A-Za-z0-9+/_-])")
            if what != "a private key" else re.compile(token) for what, token in TOKENS.items()}
HINTS = (b"PRIVATE KEY", b"pypi-", b"gh", b"glpat-", b"AKIA", b"ASIA", b"xox", b"AIza", b"hf_", b"npm_", b"sk-")


def secret_file(path: str) -> str:
    """What a file with this name is for, if it is to hold a secret; otherwise empty."""
    pure = PurePosixPath(path)
    folder = "/".join(pure.parts[-2:])
    name = pure.name
    if name.startswith(".env.") and not name.endswith((".example", ".sample", ".template", ".dist", ".md")):
        return FILES[".env"]
    return FILES.get(name) or FOLDERS.get(folder) or ENDS.get(pure.suffix.lower(), "")


def secrets(data: bytes) -> Iterator[tuple[int, str]]:
    """The lines of a file on which a secret stands, and of what kind; never the secret itself."""
    if not any(hint in data for hint in HINTS):
        return
    for what, pattern in PATTERNS.items():
        for match in pattern.finditer(data):
            token = match[0]
            if what == "a private key" or (len(set(token[-20:])) > 7 and not token.upper().endswith(b"EXAMPLE")):
                yield data.count(b"\n", 0, match.start()) + 1, what
