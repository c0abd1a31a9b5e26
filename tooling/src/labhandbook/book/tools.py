"""The programs that the checks call: where they are and what they print."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from labhandbook.book.checks.reading import Block, Ran

SECONDS = 120
SCRIPT = 'for file; do bash -n "$file" || :; done'


def program(name: str) -> str | None:
    """A program of this Python's environment, or one on PATH."""
    own = Path(sys.executable).with_name(name)
    return str(own) if own.is_file() else shutil.which(name)


def run(name: str, arguments: Sequence[str], cwd: Path, fine: set[int], seconds: float = SECONDS) -> Ran:
    """What a tool prints within `seconds`; `fine` are the exit codes of a run that did its work."""
    path = program(name)
    if path is None:
        return Ran(None, f"{name} is not installed (pip install 'labhandbook[check]')")
    try:
        done = subprocess.run([path, *arguments], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                              encoding="utf-8", errors="replace", timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Ran(None, f"{name} did not run: {error}")
    if done.returncode not in fine:
        last = (done.stderr or done.stdout).strip().splitlines() or ["no word"]
        return Ran(None, f"{name} stopped with exit code {done.returncode}: {last[-1]}")
    return Ran(done.stdout)


def panache(texts: Mapping[str, str], folder: Path, select: Sequence[str]) -> Ran:
    """What panache says of chapters, given by their names, which are written to `folder`.

    Beside `_quarto.yml` it would read the whole book once more, to follow what the engine follows.
    """
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    ran = run("panache", ["lint", "--isolated", "--no-cache", "--color", "never", "--message-format", "short",
                          "--select", ",".join(select), "--", *sorted(texts)], folder, {0, 1})
    return ran if ran.output is None else Ran(ran.output.replace(f"{folder.resolve()}/", ""))


def codespell(root: Path, files: Sequence[str]) -> Ran:
    """What codespell says; it reads the book's own .codespellrc. Names in addresses are nobody's spelling."""
    options = ["--disable-colors", "--quiet-level", "7", "--uri-ignore-words-list", "*"]
    return run("codespell", [*options, "--", *files], root, {0, 65})


def lychee(site: Path) -> Ran:
    """What lychee says of the links between the files of a site, as JSON."""
    ran = run("lychee", ["--offline", "--include-fragments", "--no-ignore", "--hidden", "--no-progress", "--format",
                         "json", "--extensions", "html", "--exclude-path", "/site_libs/|/pagefind/", "--index-files",
                         "index.html", "--root-dir", str(site), "--", str(site)], site, {0, 2})
    if ran.output is not None and not ran.output.lstrip().startswith("{"):
        return Ran(None, "lychee printed no report")
    return ran


def bash(blocks: Sequence[Block], folder: Path) -> Ran:
    """What `bash -n` says of each block, written to `folder`; the blocks go to two processes."""
    path = program("bash")
    if path is None:
        return Ran(None, "bash is not installed")
    first: dict[str, int] = {}
    for number, block in enumerate(blocks):
        if first.setdefault(block.text, number) == number:
            (folder / f"{number}.sh").write_text(block.text + "\n", encoding="utf-8")
    names = [f"{number}.sh" for number in first.values()]
    shares = [share for share in (names[::2], names[1::2]) if share]
    running = [subprocess.Popen([path, "-c", SCRIPT, "check", *share], cwd=folder, text=True, errors="replace",
                                env={"PATH": str(Path(path).parent), "LC_ALL": "C"},
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
               for share in shares]
    return Ran("".join(process.communicate()[1] for process in running))
