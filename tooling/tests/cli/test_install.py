"""Every block of "Install the kit" runs as printed, in a home of its own, also where the system's Python is 3.6.

The repository's address leads to this checkout (git's `insteadOf`), `curl` hands out an installer that copies uv's
own program, and `module` does nothing. The `python3` of a login node is a real 3.6 where PATH has `python3.6`; else a
stand-in that only says its version.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tooling.tests.conftest import LACKS, ROOT
from tooling.tests.release.packaging_chapter import Block, blocks

pytestmark = pytest.mark.long

PAGE = "chapters/kit.qmd"
ADDRESS = "https://github.com/acerbilab/handbook"
OLD = "#!/bin/sh\necho 'Python 3.6.15'\n[ \"$1\" = -V ]\n"
BLOCKS = [each for each in blocks(PAGE) if not each.text.startswith("handbook")]


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a new user: an empty home, the programs of the system, and the stand-ins."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        pytest.skip(LACKS + "uv")
    home, programs = tmp_path / "home", tmp_path / "bin"
    home.mkdir()
    programs.mkdir()
    for name, text in {"curl": f"echo 'mkdir -p ~/.local/bin && cp {uv} ~/.local/bin/'", "module": "exit 0"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    (programs / "python3").symlink_to(Path(sys.executable).resolve())
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("VIRTUAL_ENV", "XDG_", "UV_TOOL"))}
    return {**kept, "HOME": str(home), "PATH": f"{programs}:/usr/bin:/bin", "PYTHON_MODULE": "Python",
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{ROOT}.insteadOf",
            "GIT_CONFIG_VALUE_0": ADDRESS}


def test_the_page_has_a_way_for_each_machine() -> None:
    assert [each.tab for each in BLOCKS] == ["uv", "pipx", "venv", "", "LUMI", "Roihu", "Turso", ""]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda each: f"{each.section}-{each.tab}")
def test_the_kit_is_installed_as_printed(block: Block, machine: dict[str, str]) -> None:
    programs, text = Path(machine["PATH"].partition(":")[0]), block.text
    if block.tab == "pipx" and not shutil.which("pipx"):
        pytest.skip(LACKS + "pipx")
    if block.tab == "pipx":
        (programs / "pipx").symlink_to(str(shutil.which("pipx")))
    if block.section == "sec-kit-login" and not block.tab:
        (programs / "python3").unlink()
        if old := shutil.which("python3.6"):
            (programs / "python3").symlink_to(old)
        else:
            (programs / "python3").write_text(OLD)
            (programs / "python3").chmod(0o755)
    if block.section == "sec-kit-extras":
        text = BLOCKS[0].text + text
    done = subprocess.run(["bash", "-ec", f'{text}\nexport PATH="$HOME/.local/bin:$PATH"\nhandbook --version\n'
                           "handbook job --help"], cwd=machine["HOME"], env=machine, capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "handbook, version" in done.stdout and "efficiency" in done.stdout


def test_the_line_that_adds_an_extra_keeps_those_that_are_there(machine: dict[str, str]) -> None:
    """uv removes what an extra brought when the next line doesn't name it."""
    asked = "from labhandbook.core.kit_extras import kit_with; print(kit_with('watch'))"
    text = (f'{BLOCKS[0].text}\nexport PATH="$HOME/.local/bin:$PATH"\n'
            f'uv tool install --force --python ">=3.11" "labhandbook[seminar] @ git+{ADDRESS}"\n'
            f'python="$(uv tool dir)/labhandbook/bin/python"\nline="$("$python" -c "{asked}")"\n'
            'echo "$line"\neval "$line"\n"$python" -c "import feedparser, icalendar, protego"\n'
            'handbook seminar init talks')
    done = subprocess.run(["bash", "-ec", text], cwd=machine["HOME"], env=machine, capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f'"labhandbook[watch,seminar] @ git+{ADDRESS}"' in done.stdout
