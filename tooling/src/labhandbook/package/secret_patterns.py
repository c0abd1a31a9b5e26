"""The forms of passwords, tokens and keys in files, narrow enough that examples in texts do not match."""

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

# How each token begins, to be found fast, and how it goes on.
TOKENS = (
    ("a private key", (b"-----BEGIN ",), rb"(?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\\n|\s)+"
                                         rb"(?:[\w-]+: [^\n\\]*(?:\\n|\n)(?:\\n|\s)*)*[A-Za-z0-9+/=]{40}"),
    ("a PyPI token", (b"pypi-AgE",), rb"[A-Za-z0-9_-]{50,}"),
    ("a GitHub token", (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"), rb"[A-Za-z0-9]{36,}"),
    ("a GitHub token", (b"github_pat_",), rb"[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    ("a GitLab token", (b"glpat-",), rb"[A-Za-z0-9_-]{20,}"),
    ("an AWS key", (b"AKIA", b"ASIA"), rb"[0-9A-Z]{16}"),
    ("a Slack token", (b"xoxa-", b"xoxb-", b"xoxp-", b"xoxr-", b"xoxs-"), rb"[0-9]{8,}-[0-9A-Za-z-]{20,}"),
    ("a Google key", (b"AIza",), rb"[0-9A-Za-z_-]{35}"),
    ("a Hugging Face token", (b"hf_",), rb"[A-Za-z]{34}"),
    ("an npm token", (b"npm_",), rb"[A-Za-z0-9]{36}"),
    ("an API key", (b"sk-",), rb"(?:proj|ant-[a-z0-9]+|live|test)-[A-Za-z0-9_-]{40,}"),
)
# A token doesn't lie inside a longer word: the pictures in notebooks are megabytes of letters.
PATTERNS = [(what, starts, re.compile(rest if what == "a private key" else rest + rb"(?![A-Za-z0-9+/_-])"))
            for what, starts, rest in TOKENS]
WORD = re.compile(rb"[A-Za-z0-9+/=_-]")


def secret_file(path: str) -> str:
    """What a file with this name is for, if it is to hold a secret; otherwise empty."""
    pure = PurePosixPath(path)
    folder = "/".join(pure.parts[-2:])
    name = pure.name
    if name.startswith(".env.") and not name.endswith((".example", ".sample", ".template", ".dist", ".md")):
        return FILES[".env"]
    return FILES.get(name) or FOLDERS.get(folder) or ENDS.get(pure.suffix.lower(), "")


def secrets(data: bytes) -> Iterator[tuple[int, str]]:
    """The lines of a file with a secret, and its kind; never the secret itself."""
    for what, starts, pattern in PATTERNS:
        for start in starts:
            at = data.find(start)
            counted, line = 0, 1
            while at >= 0:
                key = what == "a private key"
                # What begins within a word is no token. To try it would take time with the square of the word.
                alone = key or at == 0 or not WORD.match(data, at - 1)
                match = pattern.match(data, at + len(start)) if alone else None
                if match and (key or _token(match[0])):
                    line, counted = line + data.count(b"\n", counted, at), at
                    yield line, what
                at = data.find(start, at + len(start))


def _token(rest: bytes) -> bool:
    """Whether what looks like a token is one: no xxxx and no example."""
    return len(set(rest[-20:])) > 7 and not rest.upper().endswith(b"EXAMPLE")
