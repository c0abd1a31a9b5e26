"""A job script as Slurm reads it: its options up to the first command, and the commands after them."""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.hpc.sbatch_options import Option, read_words

LARGEST = 4 * 1024 * 1024  # bytes; Slurm itself takes no script beyond 4 MB (slurm.conf, max_script_size)
DIRECTIVE = re.compile(r"^#SBATCH(?=\s|$)")
ALMOST = re.compile(r"^\s*#\s*sbatch\b", re.IGNORECASE)
HEREDOC = re.compile(r"(?<!<)<<-?\s*([\"']?)(\w+)\1")
COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")


@dataclass(frozen=True)
class Script:
    """A job script. `late` are directives below the first command, `almost` lines that only look like one.

    `commands` are the lines that the shell runs, with their numbers; comments and here-documents are left out.
    """

    file: str
    shebang: bool
    options: tuple[Option, ...] = ()
    late: tuple[Option, ...] = ()
    almost: tuple[int, ...] = ()
    commands: tuple[tuple[int, str], ...] = ()
    unreadable: tuple[tuple[int, str], ...] = ()
    carriage: bool = False
    _last: dict[str, Option] = field(default_factory=dict, compare=False)

    def option(self, name: str) -> Option | None:
        """The option of this name; of several the last, which is the one that counts."""
        return self._last.get(name)

    def value(self, name: str, default: str = "") -> str:
        """The value of an option."""
        option = self.option(name)
        return default if option is None or option.value is None else option.value

    def line(self, *names: str) -> int:
        """The line of the first of these options that is given; 0 when none is."""
        return next((self._last[name].line for name in names if name in self._last), 0)

    def log_folder(self, option: str) -> str:
        """The folder of a log as written, "" when it is the one the job is submitted from or depends on the job."""
        folder = posixpath.dirname(self.value(option))
        return "" if "%" in folder else folder


def read(path: Path) -> Script:
    """Read a job script. Raises HandbookError when the file can't be read."""
    data = untrusted_data.content(path, largest=LARGEST, section="sec-hpc-workflow-script")
    try:
        # A byte order mark stays: bash and sbatch read it as part of the first line.
        return parse(data.decode(), path.as_posix())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise HandbookError(f"{path} is not UTF-8 text", where=f"{path}:{line}",
                            todo="save it as UTF-8", section="sec-hpc-workflow-script") from None


def parse(text: str, file: str = "job.sh") -> Script:
    """The script that a text is."""
    options: list[Option] = []
    late: list[Option] = []
    almost: list[int] = []
    unreadable: list[tuple[int, str]] = []
    lines = text.replace("\r\n", "\n").split("\n")
    body = _commands(lines)
    first = body[0][0] if body else len(lines) + 1
    for number, line in enumerate(lines, 1):
        if DIRECTIVE.match(line):
            try:
                words = shlex.split(line[len("#SBATCH"):], comments=True)
            except ValueError as error:
                unreadable.append((number, str(error).lower()))
                continue
            (options if number < first else late).extend(read_words(words, number))
        elif ALMOST.match(line) and re.search(r"\s-", line) and not line.startswith("##"):
            almost.append(number)
    return Script(file, text.startswith("#!"), tuple(options), tuple(late), tuple(almost), tuple(body),
                  tuple(unreadable), "\r\n" in text, {option.name: option for option in options if option.name})


def _commands(lines: list[str]) -> list[tuple[int, str]]:
    """The lines that the shell runs, joined where a backslash continues one."""
    found: list[tuple[int, str]] = []
    end = ""
    joined, start = "", 0
    for number, line in enumerate(lines, 1):
        if end:
            end = "" if line.strip() == end else end
            continue
        text = COMMENT.sub("", line).rstrip() if not joined else line.rstrip()
        if text.endswith("\\"):
            start = start or number
            joined += text[:-1] + " "
            continue
        text = (joined + text).strip()
        if text:
            found.append((start or number, text))
            heredoc = HEREDOC.search(text)
            end = heredoc[2] if heredoc else ""
        joined, start = "", 0
    return found
