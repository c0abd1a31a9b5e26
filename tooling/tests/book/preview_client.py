"""A preview of a small book, as a process of its own, and what can be asked of it."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CHAPTER = "# One {#sec-one}\n\nThe first words.\n\n## A part {#sec-one-part}\n\nSee @sec-two.\n"
FILES = {
    "index.qmd": "# Home {#sec-home .unnumbered}\n\nWelcome. {{< var facts.speed >}}\n",
    "one.qmd": CHAPTER,
    "two.qmd": "# Two {#sec-two}\n\nSee @sec-one-part.\n\n{{< include _shared.md >}}\n\n![A dot](dot.svg)\n",
    "_shared.md": "Shared by two.\n",
    "dot.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><circle r="2"/></svg>',
    "chapters/facts.yml": "source: here\nchecked: 2026-01-01\nreview-by: 2027-01-01\nspeed: 12 knots\n",
}
PATH = """@article{{a2020, author = {{A, B}}, title = {{{title}}}, shorttitle = {{Tools}}, year = {{2020}},
  doi = {{10.1/a}}, keywords = {{topic:x, level:core, minutes:9, kind:book}}, annotation = {{is so.}}}}
"""
# Until an edit is seen. The machine that runs the tests may be busy with others.
SOON = 60.0


@dataclass
class Preview:
    """A running preview: its process, its address and what it has said so far."""

    process: subprocess.Popen[str]
    base: str = ""
    said: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.base.rstrip("/").rpartition(":")[2])

    @property
    def words(self) -> str:
        """All that it said."""
        return "".join(self.said)

    def get(self, path: str, method: str = "GET") -> tuple[int, dict[str, str], str]:
        """The answer to a request: status, headers and text. The path is sent as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            connection.putrequest(method, path, skip_host=False)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def until(self, path: str, *words: str, without: str = "\0", seconds: float = SOON) -> str:
        """The page at `path` as soon as it holds all the words."""
        end = time.monotonic() + seconds
        text = ""
        while time.monotonic() < end:
            text = self.get(path)[2]
            if all(word in text for word in words) and without not in text:
                return text
            time.sleep(0.02)
        raise AssertionError(f"{path} does not show {words}: {text[-3000:]}\n{self.words}")


@contextlib.contextmanager
def previewing(book: Path, *options: str) -> Iterator[Preview]:
    """A preview of a book, ended by Ctrl-C as its reader would; it must end well and take its processes along."""
    program = Path(sys.executable).with_name("handbook")
    process = subprocess.Popen([program, "preview", "--book", book, "--no-open", *(options or ("--port", "0"))],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "NO_COLOR": "1"}, start_new_session=True)
    preview = Preview(process)
    ready = threading.Event()

    def listen() -> None:
        assert process.stderr
        for line in process.stderr:
            preview.said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
                preview.base = found[0]
                ready.set()
        ready.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        assert ready.wait(600) and preview.base, preview.words
        yield preview
        assert process.poll() is None, preview.words
        below = family(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(600) == 0, preview.words
        assert ended(below)
        assert "Traceback" not in preview.words
    finally:
        process.kill()
        process.wait()
        listener.join()
        assert process.stderr
        process.stderr.close()


def family(pid: int) -> list[int]:
    """The processes that a process started, and theirs."""
    found = []
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *family(int(child))]
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                if int(child) not in found:
                    found += [int(child), *family(int(child))]
    return found


def status(pid: int) -> str:
    """A process's state."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "Z"


def ended(pids: list[int], seconds: float = SOON) -> bool:
    """Whether processes have ended, or end soon: the one that watches over the others is the last."""
    end = time.monotonic() + seconds
    while any(Path(f"/proc/{pid}").exists() and status(pid) != "Z" for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def tree(folder: Path) -> dict[str, float]:
    """Every file of a folder with its time of change."""
    return {str(path): path.lstat().st_mtime for path in folder.rglob("*") if not path.is_dir()}
