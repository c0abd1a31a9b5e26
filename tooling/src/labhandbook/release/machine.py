"""What this machine offers a release: uv, interpreters, its package index, and environments without secrets.

Programs that a release starts must not see its secrets, and installers must know one index for dependencies: with a
second one, whoever registers a name there first decides what is installed (dependency confusion).
"""

from __future__ import annotations

import configparser
import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from labhandbook.core import foreign
from labhandbook.errors import HandbookError

SECRET = re.compile(r"TWINE_|UV_PUBLISH|ACTIONS_ID_|ACTIONS_RUNTIME|(TOKEN|PASSWORD|SECRET|CREDENTIALS?)($|_)", re.I)
UPLOAD_SECRET = re.compile(r"TWINE_|UV_PUBLISH|ACTIONS_ID_|ACTIONS_RUNTIME", re.I)
LEAKS = re.compile(r"PIP_(CONFIG_FILE|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|CONSTRAINT|REQUIREMENT|USER|"
                   r"TARGET|PREFIX)$|UV_(INDEX|DEFAULT_INDEX|EXTRA_INDEX_URL|INDEX_URL|FIND_LINKS|NO_INDEX|CONSTRAINT|"
                   r"OVERRIDE|CONFIG_FILE|RESOLUTION|PRERELEASE|PYTHON|PROJECT|OFFLINE)$|"
                   r"PYTHON(PATH|HOME|STARTUP|DONTWRITEBYTECODE|PYCACHEPREFIX|OPTIMIZE|WARNINGS|SAFEPATH)$|PYTEST_|"
                   r"VIRTUAL_ENV|CONDA_(PREFIX|DEFAULT_ENV)$|COVERAGE_|__PYVENV_LAUNCHER__$")
WORTH = ("index-url", "cert", "client-cert", "proxy", "trusted-host", "timeout", "retries")
# What PEP 508's markers may ask of an interpreter.
MARKERS = """
import json, os, platform, sys
print(json.dumps([sys.executable, {
    "implementation_name": sys.implementation.name, "implementation_version": platform.python_version(),
    "os_name": os.name, "platform_machine": platform.machine(), "platform_release": platform.release(),
    "platform_system": platform.system(), "platform_version": platform.version(),
    "platform_python_implementation": platform.python_implementation(), "sys_platform": sys.platform,
    "python_full_version": platform.python_version(),
    "python_version": ".".join(platform.python_version_tuple()[:2])}]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python on this machine; `markers` is what it answers to the markers of requirements (PEP 508)."""

    version: str
    path: Path
    markers: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def minor(self) -> tuple[int, int]:
        """Its release line, such as (3, 13)."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)


def uv_program() -> Path | None:
    """uv, from PATH or from beside this Python."""
    found = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    return Path(found) if found else None


def installer_env() -> dict[str, str]:
    """The environment for pip and uv: one index, the machine's own, no other configuration, no upload secrets."""
    env = {name: value for name, value in os.environ.items()
           if not UPLOAD_SECRET.match(name) and not LEAKS.match(name)}
    env |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1",
            "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1",
            "PYTHONNOUSERSITE": "1", "NO_COLOR": "1", **reach_loopback()}
    settings = pip_settings()
    for name, value in settings.items():
        env.setdefault("PIP_" + name.upper().replace("-", "_"), value)
    if "cert" in settings:
        env.setdefault("SSL_CERT_FILE", settings["cert"])
    if address := default_index():
        env |= {"PIP_INDEX_URL": address, "UV_DEFAULT_INDEX": address}
    return env


def suite_env() -> dict[str, str]:
    """The environment for a package's own code: nothing that looks like a secret, nothing that redirects imports."""
    env = {name: value for name, value in os.environ.items() if not SECRET.search(name) and not LEAKS.match(name)}
    return env | {"PYTHONNOUSERSITE": "1"}


def reach_loopback() -> dict[str, str]:
    """Variables that keep a proxy out of the way to the index on loopback."""
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
            data = foreign.toml(foreign.text(path), str(path))
        except HandbookError:
            continue
        indexes = [entry.get("url") for entry in data.get("index", []) if entry.get("default")]
        address = next(iter(indexes), None) or data.get("index-url")
        if isinstance(address, str):
            return address
    return None


@functools.cache
def pip_settings() -> dict[str, str]:
    """What pip's configuration says about reaching the index: its address, certificates and proxy."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    files = [Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"), Path.home() / ".pip" / "pip.conf",
             home / "pip" / "pip.conf", Path(sys.prefix) / "pip.conf"]
    if named := os.environ.get("PIP_CONFIG_FILE"):
        files = [] if named == os.devnull else [*files, Path(named)]
    parser = configparser.RawConfigParser(strict=False)
    for path in files:
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
    found: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            found |= {name.replace("_", "-"): value for name, value in parser.items(section)}
    return {name: found[name] for name in WORTH if name in found}


def interpreters(admitted: str = "", versions: Sequence[str] = ()) -> list[Interpreter]:
    """The newest CPython of each release line found here that `admitted` (requires-python) lets in, oldest first.

    They are looked for on PATH, by uv, among pyenv's, and as this Python; nothing is downloaded. `versions`, such as
    "3.12", chooses among the release lines.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import Version

    try:
        allowed = SpecifierSet(admitted)
    except InvalidSpecifier:
        raise HandbookError(f"requires-python is no version specifier: {admitted}", where="pyproject.toml",
                            todo='write it as in requires-python = ">=3.12"', section="sec-pypi-metadata") from None

    def worth(path: Path) -> bool:
        """Whether it could be one of these by its file name: to start a Python takes time."""
        named = re.search(r"python(3\.\d+)$", path.name)
        return named is None or ((not versions or named[1] in versions) and any(
            allowed.contains(f"{named[1]}.{micro}") for micro in range(40)))

    newest: dict[tuple[int, int], Interpreter] = {}
    with ThreadPoolExecutor() as pool:
        for found in pool.map(ask, filter(worth, _found())):
            if (found is None or not allowed.contains(found.version, prereleases=True)
                    or (versions and "{}.{}".format(*found.minor) not in versions)):
                continue
            known = newest.get(found.minor)
            if known is None or Version(found.version) > Version(known.version):
                newest[found.minor] = found
    return [newest[minor] for minor in sorted(newest)]


def _found() -> list[Path]:
    """The files of every CPython on this machine from 3.8 on."""
    own = Path(getattr(sys, "_base_executable", sys.executable))
    return sorted({path.resolve() for path in (own, *_on_path(), *_of_pyenv(), *_of_uv())})


@functools.cache
def ask(path: Path) -> Interpreter | None:
    """What the Python at `path` says of itself; None when it doesn't run or isn't CPython."""
    try:
        done = subprocess.run([path, "-I", "-c", MARKERS], capture_output=True, text=True, check=True, timeout=20)
        executable, markers = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    if markers["implementation_name"] != "cpython":
        return None
    return Interpreter(markers["python_full_version"].rstrip("+"), Path(executable), markers)


def _on_path() -> list[Path]:
    shims = str(_pyenv() / "shims")
    path = os.pathsep.join(each for each in os.environ.get("PATH", "").split(os.pathsep) if each != shims)
    return [Path(found) for minor in range(8, 25) if (found := shutil.which(f"python3.{minor}", path=path))]


def _pyenv() -> Path:
    return Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")


def _of_pyenv() -> list[Path]:
    return sorted(path for path in _pyenv().glob("versions/3.*/bin/python3")
                  if re.match(r"3\.(8|9|\d\d)\.\d+$", path.parents[1].name))


def _of_uv() -> list[Path]:
    """The Pythons that uv installed."""
    root = Path(os.environ.get("UV_PYTHON_INSTALL_DIR")
                or Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "uv" / "python")
    return sorted(root.glob("cpython-3.*/bin/python3"))


def without_secrets(text: str, *secrets: str | None) -> str:
    """Text with the given secrets, those of the environment and passwords in addresses blotted out."""
    known = {value for name, value in os.environ.items() if SECRET.search(name) and len(value) >= 6}
    for secret in sorted(known | {secret for secret in secrets if secret}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return re.sub(r"(\w+://)[^/\s:@]+(:[^/\s@]*)?@", r"\1***@", text)
