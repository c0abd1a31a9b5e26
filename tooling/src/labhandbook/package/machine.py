"""What a release uses of this machine: uv, interpreters, its package index, and environments without secrets.

Programs that a release starts must not see its secrets, and installers must know one index for dependencies: with a
second one, whoever registers a name there first decides what is installed (dependency confusion).
"""

from __future__ import annotations

import ast
import atexit
import contextlib
import functools
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.process import PASSWORD, SECRET, TimeoutExpired, environment, isolated, run

# How this machine's installers reach the index and where they keep what they fetched.
INSTALLERS = ("PIP_CACHE_DIR", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_DEFAULT_TIMEOUT", "PIP_TIMEOUT", "PIP_RETRIES",
              "PIP_TRUSTED_HOST", "PIP_PROXY", "UV_CACHE_DIR", "UV_NO_CACHE", "UV_LINK_MODE", "UV_HTTP_TIMEOUT",
              "UV_HTTP_RETRIES", "UV_CONCURRENT_DOWNLOADS", "UV_CONCURRENT_BUILDS", "UV_CONCURRENT_INSTALLS",
              "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_INSECURE_HOST", "UV_PYTHON_INSTALL_DIR", "PYENV_ROOT")
WORTH = ("index-url", "cert", "client-cert", "proxy", "trusted-host", "timeout", "retries")


@dataclass(frozen=True)
class Interpreter:
    """A CPython on this machine: its version, such as 3.13.1, and its program."""

    version: str
    path: Path

    @property
    def minor(self) -> tuple[int, int]:
        """Its release line, such as (3, 13)."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)

    @property
    def line(self) -> str:
        """Its release line in words, such as 3.13."""
        return "{}.{}".format(*self.minor)

    @property
    def markers(self) -> dict[str, str]:
        """The values of the markers in requirements (PEP 508) for this Python on this machine."""
        from packaging.markers import default_environment

        return {**cast("dict[str, str]", default_environment()), "python_version": self.line,
                "python_full_version": self.version, "implementation_name": "cpython",
                "implementation_version": self.version, "platform_python_implementation": "CPython"}


def running() -> Interpreter:
    """The Python below the environment in which this program runs."""
    return Interpreter(platform.python_version().rstrip("+"),
                       Path(getattr(sys, "_base_executable", sys.executable)).resolve())


def uv_program() -> Path | None:
    """uv, from PATH or from beside this Python."""
    found = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    return Path(found) if found else None


def installer_env() -> dict[str, str]:
    """The environment for pip and uv: one index, the machine's own, no other configuration, no secret.

    They pass it on to the backends and setup.py files of what they install. So an address with a password is in a
    settings file that only this user can read, and not in a variable.
    """
    settings, address = pip_settings(), default_index()
    env = environment({
        "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1", "PYTHONNOUSERSITE": "1", "NO_COLOR": "1",
        **reach_loopback()}, names=INSTALLERS)
    for name, value in settings.items():
        if name != "index-url" and not PASSWORD.search(value):
            env.setdefault("PIP_" + name.upper().replace("-", "_"), value)
    if "cert" in settings:
        env.setdefault("SSL_CERT_FILE", settings["cert"])
    proxies = tuple(sorted((name.lower(), value) for name, value in os.environ.items()
                           if name.lower() in ("http_proxy", "https_proxy") and PASSWORD.search(value)))
    if (address and "@" in urlsplit(address).netloc) or proxies or PASSWORD.search(settings.get("proxy", "")):
        del env["UV_NO_CONFIG"]
        env |= settings_files(address or "", proxies, settings.get("proxy", ""))
    elif address:
        env |= {"PIP_INDEX_URL": address, "UV_DEFAULT_INDEX": address}
    return env


@functools.cache
def settings_files(address: str, proxies: tuple[tuple[str, str], ...], proxy: str) -> dict[str, str]:
    """Variables that name settings files with addresses for pip and uv, until this process ends."""
    kept = contextlib.ExitStack()
    atexit.register(kept.close)
    folder = kept.enter_context(scratch("index"))
    known = dict(proxies) or ({"http_proxy": proxy, "https_proxy": proxy} if proxy else {})
    lines = [f"{name.replace('_', '-')} = {json.dumps(value)}" for name, value in known.items()]
    lines += ["[[index]]", f"url = {json.dumps(address)}", "default = true"] if address else []
    (folder / "uv.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    # pip reads its other files as well; an empty value here overrides theirs.
    given = {**dict.fromkeys(("extra-index-url", "find-links", "constraint", "requirement"), ""), "no-index": "false",
             "index-url": address, "proxy": known.get("https_proxy") or known.get("http_proxy", "")}
    text = "".join(f"{name} = {value}\n" for name, value in given.items())
    (folder / "pip.conf").write_text(f"[global]\n{text}[install]\n{text}", encoding="utf-8")
    return {"PIP_CONFIG_FILE": str(folder / "pip.conf"), "UV_CONFIG_FILE": str(folder / "uv.toml")}


def suite_env(names: Iterable[str] = ()) -> dict[str, str]:
    """The environment for a package's own code: what every program needs, and the variables that the project names.

    Raises HandbookError when one of these holds an address with a password.
    """
    for name in names:
        if PASSWORD.search(os.environ.get(name, "")):
            raise HandbookError(f"the variable {name} holds an address with a password", section="sec-pypi-test",
                                why="pass-env hands it to the package's build and tests, and all that they run",
                                todo=f"set {name} to an address without one, or remove it from pass-env")
    return environment({"PYTHONNOUSERSITE": "1"}, names=names)


def reach_loopback() -> dict[str, str]:
    """Variables that make programs reach the index on this machine without a proxy."""
    hosts = [os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or "", "127.0.0.1"]
    value = ",".join(host for host in hosts if host)
    return {"NO_PROXY": value, "no_proxy": value}


def default_index() -> str | None:
    """The index that this machine takes packages from, where that isn't PyPI itself: a mirror or a proxy."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if os.environ.get(name):
            return os.environ[name]
    return _uv_index() or pip_settings().get("index-url")


def _uv_index() -> str | None:
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    for path in (home / "uv" / "uv.toml", Path("/etc/uv/uv.toml")):
        try:
            data = untrusted_data.toml(untrusted_data.text(path), str(path))
        except HandbookError:
            continue
        indexes = [entry.get("url") for entry in data.get("index", []) if entry.get("default")]
        address = next(iter(indexes), None) or data.get("index-url")
        if isinstance(address, str):
            return address
    return None


@functools.cache
def pip_settings() -> dict[str, str]:
    """What pip's settings say about reaching the index, as `pip config list` shows them; none without pip."""
    pip = isolated("-m", "pip") if find_spec("pip") else [shutil.which("pip") or "pip"]
    try:
        done = run([*pip, "config", "list"], timeout=60, cwd=Path(sys.prefix), env=environment(
            names=[name for name in os.environ if name.startswith("PIP_")], password=True))
    except (OSError, TimeoutExpired):
        return {}
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for name, value in re.findall(rf"(?m)^{section}\.([\w-]+)=(['\"].*['\"])$", done.stdout):
            found[name] = str(ast.literal_eval(value))
    return {name: found[name] for name in WORTH if name in found}


def interpreters(admitted: str = "", versions: Sequence[str] = ()) -> list[Interpreter]:
    """The newest CPython of each release line that `admitted` (requires-python) lets in, the oldest line first.

    uv lists them: those on PATH, its own and pyenv's. Without uv there is only the running one. Nothing is
    downloaded. `versions`, such as "3.12", chooses among the release lines.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import Version

    try:
        allowed = SpecifierSet(admitted)
    except InvalidSpecifier:
        raise HandbookError(f"requires-python is no version specifier: {admitted}", where="pyproject.toml",
                            todo='write it as in requires-python = ">=3.12"', section="sec-pypi-metadata") from None
    newest: dict[tuple[int, int], Interpreter] = {}
    for found in sorted((*_listed_by_uv(), running()), key=lambda each: Version(each.version)):
        if allowed.contains(found.version, prereleases=True) and (not versions or found.line in versions):
            newest[found.minor] = found
    return [newest[minor] for minor in sorted(newest)]


@functools.cache
def _listed_by_uv() -> tuple[Interpreter, ...]:
    """The Pythons that uv finds, from 3.8 on. pyenv's shims run one version, so uv gets the versions' own folders."""
    uv, pyenv = uv_program(), Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    if uv is None:
        return ()
    folders = [*map(str, sorted(pyenv.glob("versions/*/bin"))), *os.environ.get("PATH", "").split(os.pathsep)]
    path = os.pathsep.join(folder for folder in folders if folder != str(pyenv / "shims"))
    try:
        done = run([uv, "python", "list", "--only-installed", "--output-format", "json"], timeout=120,
                   cwd=Path(sys.prefix), env=environment({"PATH": path, "UV_NO_CONFIG": "1"}, names=INSTALLERS))
        listed = json.loads(done.stdout)
    except (OSError, TimeoutExpired, ValueError):
        return ()
    return tuple(Interpreter(each["version"], Path(each["path"])) for each in listed
                 if each["implementation"] == "cpython" and each["variant"] == "default"
                 and (each["version_parts"]["major"], each["version_parts"]["minor"]) >= (3, 8))


def without_secrets(text: str, *secrets: str | None) -> str:
    """Text with *** for the given secrets, those of the environment and passwords in addresses."""
    known = {value for name, value in os.environ.items() if SECRET.search(name) and len(value) >= 6}
    for secret in sorted(known | {secret for secret in secrets if secret}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return re.sub(r"(\w+://)[^/\s:@]+(:[^/\s@]*)?@", r"\1***@", text)


@contextlib.contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A folder outside every project, removed at the end."""
    with tempfile.TemporaryDirectory(prefix=f"handbook-{name}-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
