"""py-rattler-build's reading and rendering of recipes, in a process of its own with limits on memory and time.

A recipe is a program: `${{ 'a' * 999999999 }}` makes the process that renders it run out of memory. One process
renders all recipes of a command, since starting it takes longer than rendering. When a recipe ends it, the next
recipe gets a new one.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import re
import tempfile
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from labhandbook.core import process
from labhandbook.core.errors import HandbookError
from labhandbook.core.kit_extras import kit_with
from labhandbook.recipe.conda_forge_facts import python_min
from labhandbook.recipe.recipe_reader import Reading

MEMORY = 2 << 30  # bytes of address space; its threads reserve a few hundred MiB before they do anything
SECONDS = 5  # of processor time for one recipe
# Every thread of its runtime would reserve memory of its own.
FEW_THREADS = {"MALLOC_ARENA_MAX": "2", "RAYON_NUM_THREADS": "1", "TOKIO_WORKER_THREADS": "1"}
PATIENCE = 120  # seconds by the clock, for one that sleeps
# Reads a line [text, variants] and answers a line: what was said of it, or null.
PROGRAM = """
import json, os, resource, sys
try:
    import rattler_build
except ImportError:
    print('{"lacking": true}', flush=True)
    sys.exit()
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
print('{"lacking": false}', file=answers, flush=True)
for line in sys.stdin:
    text, variants = json.loads(line)
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    try:
        rattler_build.Stage0Recipe.from_yaml(text).render(rattler_build.VariantConfig(variants))
    except Exception as error:
        print(json.dumps({"said": str(error)[:20000]}), file=answers, flush=True)
    else:
        print('{"said": null}', file=answers, flush=True)
"""


class Exhausted(Exception):
    """A recipe needed more memory or time than it may have."""


class _Renderer:
    """The process, started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: process.Popen[str] | None = None

    def ask(self, text: str, variants: Mapping[str, Sequence[str]]) -> str | None:
        """What it says of a recipe; None when it takes it."""
        with self._lock:
            if self._process is None:
                self._begin()
            answer = self._answer(json.dumps([text, variants]) + "\n")
            if answer is None:
                self.close()
                raise Exhausted
            said: str | None = answer["said"]
            return said

    def _begin(self) -> None:
        # It leaves a folder for each recipe behind.
        self._folder = tempfile.TemporaryDirectory(prefix="handbook-recipe-")
        atexit.register(self.close)  # after the folder, so that the process ends before its folder goes
        self._process = process.start(process.isolated("-c", PROGRAM, str(SECONDS)), stdin=process.PIPE,
                                      stdout=process.PIPE, limits=process.Limits(MEMORY),
                                      env=process.environment({**FEW_THREADS, "TMPDIR": self._folder.name}))
        answer = self._answer("")
        if answer is None or answer["lacking"]:
            self.close()
            raise HandbookError("py-rattler-build isn't installed", why="conda-forge builds v1 recipes with it",
                                todo=kit_with("recipe"), section="sec-kit-extras")

    def _answer(self, request: str) -> dict[str, Any] | None:
        """The line that answers a request; None when the process ends instead."""
        running = self._process
        assert running is not None and running.stdin and running.stdout
        alarm = threading.Timer(PATIENCE, process.stop, [running])
        alarm.start()
        try:
            running.stdin.write(request)
            running.stdin.flush()
            line = running.stdout.readline()
        except OSError:
            line = ""
        finally:
            alarm.cancel()
        if not line.endswith("\n"):
            return None
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is None:
            return
        process.stop(self._process)
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with contextlib.suppress(OSError):  # there may be text that it never read
                    stream.close()
        self._process = None
        self._folder.cleanup()
        atexit.unregister(self.close)


_RENDERER = _Renderer()


def said_of(text: str, variants: Mapping[str, Sequence[str]]) -> str | None:
    """What py-rattler-build says of the text of a v1 recipe; None when it takes it.

    Raises Exhausted when rendering needs too much, and HandbookError when it isn't installed.
    """
    return _RENDERER.ask(text, variants)


def problem(reading: Reading) -> tuple[str, int] | None:
    """Its message and the line, None when it takes the recipe.

    Raises HandbookError when it isn't installed.
    """
    variant = {"python_min": [python_min()], "c_stdlib": ["sysroot"], "c_stdlib_version": ["2.17"]}
    try:
        said = said_of(reading.text, variant)
    except Exhausted:
        return (f"rendering it needs more than {MEMORY >> 20} MiB or {SECONDS} s, so it can't be checked",
                costly(reading))
    # conda-forge's variants define what a recipe alone does not, so an undefined value is no fault of the recipe.
    if said is None or re.search(r"undefined (value|variable)", said):
        return None
    inner = re.search(r'(?:message|reason): "((?:[^"\\]|\\.)*)"', said)
    words = inner[1] if inner else said
    words = " ".join(re.split(r"\n\s*\n|\nSee ", words)[0].split())
    words = re.sub(r"^(parse error: |invalid value for '(?:recipe|item)': )", "", words)
    return words[:300], line(said, reading)


def costly(reading: Reading) -> int:
    """The line of the expression that most likely needs so much: a product, a range or a large number."""
    lines = [number for number, text in enumerate(reading.lines, 1) if "${{" in text or "{%" in text]
    return next((number for number in lines if re.search(r"\*|range|\d{5}", reading.lines[number - 1])),
                next(iter(lines), 1))


def line(said: str, reading: Reading) -> int:
    """The line that a message means: the one it names, else the first that holds a word of it."""
    if found := re.search(r"line: (\d+)", said):
        return int(found[1])
    if found := re.search(r"YAML: (\d+):\d+", said):
        return int(found[1])
    quoted = re.findall(r"(?:field|license: |spec: |checksum: |value:? )\s*'?([^\s',]+)'?", said)
    quoted += re.findall(r"'([^']{3,})'", said)
    for word in quoted[:20]:
        for number, text in enumerate(reading.lines, 1):
            if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text):
                return number
    return 1
