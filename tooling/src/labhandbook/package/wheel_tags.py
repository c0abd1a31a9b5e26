"""The tags in a wheel's file name: which Pythons install it here, which pip prefers, and whether PyPI accepts it.

The platforms that PyPI accepts are those of warehouse's `forklift/legacy.py`, August 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

PLAIN = {
    "any", "win32", "win_arm64", "win_amd64", "win_ia64", "linux_armv6l", "linux_armv7l", "manylinux1_x86_64",
    "manylinux1_i686", "manylinux2010_x86_64", "manylinux2010_i686", "manylinux2014_x86_64", "manylinux2014_i686",
    "manylinux2014_aarch64", "manylinux2014_armv7l", "manylinux2014_ppc64", "manylinux2014_ppc64le",
    "manylinux2014_s390x",
}
LINUX = {"x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x", "riscv64"}
MAC = {"ppc", "ppc64", "i386", "x86_64", "arm64", "intel", "fat", "fat3", "fat64", "universal", "universal2"}
# From macOS 11 on there is one release line a year, and the second number is always 0.
MAC_YEARS = {"11", "12", "13", "14", "15", "26"}


def fits(file: str, python: tuple[int, int]) -> bool:
    """Whether CPython of a release line, such as (3, 13), installs a wheel on this machine."""
    return bool(preferred([file], python))


def preferred(files: Iterable[str], python: tuple[int, int]) -> list[str]:
    """The wheels among these files that CPython of a release line installs on this machine, pip's choice first.

    A compiled wheel is for the one Python that it was built with, unless it keeps to the stable ABI.
    """
    from packaging.tags import compatible_tags, cpython_tags, platform_tags
    from packaging.utils import parse_wheel_filename

    platforms, name = list(platform_tags()), "cp{}{}".format(*python)
    tags = [*cpython_tags(python, [name], platforms), *compatible_tags(python, name, platforms)]
    order = {tag: place for place, tag in reversed([*enumerate(tags)])}
    places = {file: min(order.get(tag, len(tags)) for tag in parse_wheel_filename(file)[3])
              for file in files if file.endswith(".whl")}
    return sorted((file for file in places if places[file] < len(tags)), key=lambda file: (places[file], file))


def allowed(platform: str) -> bool:
    """Whether PyPI accepts wheels for a platform."""
    if platform in PLAIN:
        return True
    if found := re.match(r"macosx_(\d+)_(\d+)_(.*)", platform):
        major, minor, machine = found.groups()
        return machine in MAC and (major == "10" or (major in MAC_YEARS and minor == "0"))
    if found := re.match(r"(many|musl)linux_\d+_\d+_(.*)", platform):
        return found[2] in LINUX or (found[1] == "many" and found[2] == "ppc64")
    if found := re.match(r"ios_\d+_\d+_(.*)_(iphoneos|iphonesimulator)", platform):
        return found[1] in ("arm64", "x86_64")
    if found := re.match(r"android_\d+_(.*)", platform):
        return found[1] in ("armeabi_v7a", "arm64_v8a", "x86", "x86_64")
    return re.match(r"pyemscripten_\d+_\d+_wasm32", platform) is not None
