"""A job script as Slurm reads it: its options up to the first command, and the commands after them.

A script that hands its job to sbatch in a here-document is read as that job. A job of several parts, which
`#SBATCH hetjob` separates, is a script for each part.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.hpc.sbatch_options import Option, read_words

LARGEST = 4 * 1024 * 1024  # bytes; Slurm itself takes no script beyond 4 MB (slurm.conf, max_script_size)
DIRECTIVE = re.compile(r"^#SBATCH(?=\s|$)")
PART = re.compile(r"^#SBATCH\s+(?:hetjob|packjob)\b")
# `# SBATCH` is how people switch a line off; the others are meant to count.
ALMOST = re.compile(r"^\s*#sbatch\s+-", re.IGNORECASE)
SWITCHED_OFF = re.compile(r"^\s*#\s+SBATCH\b")
HEREDOC = re.compile(r"(?<!<)<<-?\s*([\"']?)(\w+)\1")
SUBMITS = re.compile(r"(?:^|[\s;&|($`])sbatch\b")
COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
SHELL = re.compile(r"^#!.*\b(?:ba|da|k|z|tc|c)?sh\b")
MARK = "\ufeff"  # the byte order mark
# What a part of a job takes over from the first part.
SHARED = ("time", "output", "error", "open-mode", "requeue", "no-requeue", "account", "partition", "job-name")


@dataclass(frozen=True)
class Script:
    """A job script. `late` are directives below the first command, `almost` lines that only look like one.

    `commands` are the lines that the shell runs, with their numbers; comments and here-documents are left out, and
    all lines of a script in another language. `filled`: a shell fills in the variables of the directives. `parts` are
    the other parts of a job that has several.
    """

    file: str
    shebang: bool
    options: tuple[Option, ...] = ()
    late: tuple[Option, ...] = ()
    almost: tuple[int, ...] = ()
    commands: tuple[tuple[int, str], ...] = ()
    unreadable: tuple[tuple[int, str], ...] = ()
    carriage: bool = False
    mark: bool = False
    filled: bool = False
    submits: bool = False
    parts: tuple[Script, ...] = ()
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
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # Slurm and the shell read bytes
    return parse(text, path.as_posix())


def parse(text: str, file: str = "job.sh") -> Script:
    """The script that a text is."""
    lines = text.removeprefix(MARK).replace("\r\n", "\n").split("\n")
    shebang = text.startswith("#!")
    shell = not lines[0].startswith("#!") or bool(SHELL.match(lines[0]))
    body, heredocs = _commands(lines)
    hidden = {number for each in heredocs for number in each.lines} if shell else set()
    if shell and not any(DIRECTIVE.match(line) for number, line in enumerate(lines, 1) if number not in hidden):
        for each in heredocs:
            if each.submitted and any(DIRECTIVE.match(lines[number - 1]) for number in each.lines):
                inner = [line if number in each.lines else "" for number, line in enumerate(lines, 1)]
                first = inner[each.lines[0] - 1]
                return replace(_read(inner, file, {}), shebang=first.startswith("#!"), carriage="\r\n" in text,
                               filled=each.filled, mark=text.startswith(MARK))
    found = _read(["" if number in hidden else line for number, line in enumerate(lines, 1)], file, dict(body))
    return replace(found, shebang=shebang, commands=found.commands if shell else (), carriage="\r\n" in text,
                   mark=text.startswith(MARK), submits=any(SUBMITS.search(command) for _, command in body))


def _read(lines: list[str], file: str, known: dict[int, str]) -> Script:
    """The script of some lines; `known` are its commands where they have been read."""
    parts: list[list[Option]] = [[]]
    late: list[Option] = []
    almost: list[int] = []
    off: list[int] = []
    unreadable: list[tuple[int, str]] = []
    body = list(known.items()) or _commands(lines)[0]
    first = next((number for number, line in enumerate(lines, 1) if line.strip()[:1] not in ("", "#")),
                 len(lines) + 1)
    for number, line in enumerate(lines, 1):
        if PART.match(line) and number < first:
            parts.append([option for option in parts[0] if option.name in SHARED])
        elif DIRECTIVE.match(line):
            try:
                words = shlex.split(line[len("#SBATCH"):], comments=True)
            except ValueError as error:
                unreadable.append((number, str(error).lower()))
                continue
            (parts[-1] if number < first else late).extend(read_words(words, number))
        elif SWITCHED_OFF.match(line):
            off.append(number)
        elif number < first and ALMOST.match(line):  # below it may be a command that is switched off
            almost.append(number)
    if not parts[0]:  # a script without any request has it in these lines
        almost += [number for number in off if re.search(r"\s-", lines[number - 1])]
    scripts = [Script(file, True, tuple(options), tuple(late), tuple(almost), tuple(body), tuple(unreadable),
                      _last={option.name: option for option in options if option.name}) for options in parts]
    return replace(scripts[0], parts=tuple(scripts[1:]))


@dataclass(frozen=True)
class _Heredoc:
    """The lines of a here-document; whether sbatch reads it, and whether the shell fills in its variables."""

    lines: range
    submitted: bool
    filled: bool


def _commands(lines: list[str]) -> tuple[list[tuple[int, str]], list[_Heredoc]]:
    """The lines that the shell runs, joined where a backslash continues one, and the here-documents."""
    found: list[tuple[int, str]] = []
    heredocs: list[_Heredoc] = []
    end, begin, command, quoted = "", 0, "", False
    joined, start = "", 0
    for number, line in enumerate(lines, 1):
        if end:
            if line.strip() == end or number == len(lines):
                heredocs.append(_Heredoc(range(begin, number), bool(SUBMITS.search(command)), not quoted))
                end = ""
            continue
        text = COMMENT.sub("", line).rstrip() if not joined else line.rstrip()
        if text.endswith("\\"):
            start = start or number
            joined += text[:-1] + " "
            continue
        text = (joined + text).strip()
        if text:
            found.append((start or number, text))
            if heredoc := HEREDOC.search(text):
                end, quoted, command, begin = heredoc[2], bool(heredoc[1]), text, number + 1
        joined, start = "", 0
    return found, heredocs
