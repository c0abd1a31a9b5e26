"""What this machine offers a release: uv, interpreters, its package index, and environments without secrets.

Programs that a release starts must not see its secrets, and installers must know one index for dependencies: with a
second one, whoever registers a name there first decides what is installed (dependency confusion).
"""

from __future__ import annotations

import atexit
import configparser
import contextlib
import functools
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.process import PASSWORD, SECRET, TimeoutExpired, environment, run

# How this machine's installers reach the index and where they keep what they fetched.
INSTALLERS = ("PIP_CACHE_DIR", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_DEFAULT_TIMEOUT", "PIP_TIMEOUT", "PIP_RETRIES",
              "PIP_TRUSTED_HOST", "PIP_PROXY", "UV_CACHE_DIR", "UV_NO_CACHE", "UV_LINK_MODE", "UV_HTTP_TIMEOUT",
              "UV_HTTP_RETRIES", "UV_CONCURRENT_DOWNLOADS", "UV_CONCURRENT_BUILDS", "UV_CONCURRENT_INSTALLS",
              "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_INSECURE_HOST", "UV_PYTHON_INSTALL_DIR", "PYENV_ROOT")
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
    """The environment for pip and uv: one index, the machine's own, no other configuration, no secret.

    They pass it on to the backends and setup.py files of what they install. So an address with a password in it is
    not here but in a settings file that only this user can read.
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
    """Variables that name settings files with addresses for pip and uv, which go away with this process."""
    kept = contextlib.ExitStack()
    atexit.register(kept.close)
    folder = kept.enter_context(scratch("index"))
    known = dict(proxies) or ({"http_proxy": proxy, "https_proxy": proxy} if proxy else {})
    lines = [f"{name.replace('_', '-')} = {json.dumps(value)}" for name, value in known.items()]
    lines += ["[[index]]", f"url = {json.dumps(address)}", "default = true"] if address else []
    (folder / "uv.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    # pip reads its other files too; what is empty here takes away what they say.
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
        done = run([path, "-I", "-c", MARKERS], timeout=20)
        executable, markers = json.loads(done.stdout)
    except (OSError, TimeoutExpired, ValueError):
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
    """Text with *** for the given secrets, those of the environment and passwords in addresses."""
    known = {value for name, value in os.environ.items() if SECRET.search(name) and len(value) >= 6}
    for secret in sorted(known | {secret for secret in secrets if secret}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return re.sub(r"(\w+://)[^/\s:@]+(:[^/\s@]*)?@", r"\1***@", text)


@contextlib.contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A folder outside every project that goes away at the end; those that a killed run left go first."""
    prefix = f"handbook-{name}-"
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*-*"):
        process = left.name.removeprefix(prefix).split("-")[0]
        if process.isdigit() and not _alive(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
