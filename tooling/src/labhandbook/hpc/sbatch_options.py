"""The options of sbatch, and how Slurm reads them: exact, or shortened as long as one option alone begins so."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

SHORT = {
    "a": "array", "A": "account", "b": "begin", "B": "extra-node-info", "c": "cpus-per-task", "C": "constraint",
    "d": "dependency", "D": "chdir", "e": "error", "F": "nodefile", "G": "gpus", "h": "help", "H": "hold",
    "i": "input", "J": "job-name", "k": "no-kill", "L": "licenses", "m": "distribution", "M": "clusters",
    "n": "ntasks", "N": "nodes", "o": "output", "O": "overcommit", "p": "partition", "q": "qos", "Q": "quiet",
    "s": "oversubscribe", "S": "core-spec", "t": "time", "v": "verbose", "V": "version", "w": "nodelist",
    "W": "wait", "x": "exclude",
}
FLAGS = frozenset((
    "contiguous", "help", "hold", "ignore-pbs", "no-requeue", "overcommit", "oversubscribe", "parsable", "quiet",
    "reboot", "requeue", "spread-job", "test-only", "usage", "use-min-nodes", "verbose", "version", "wait",
    "stepmgr", "consolidate-segments", "spread-segments",
))
# These take a value only behind an equals sign.
OPTIONAL = frozenset(("exclusive", "get-user-env", "nice", "no-kill", "propagate", "resv-ports"))
VALUED = frozenset((
    "account", "acctg-freq", "array", "batch", "bb", "bbf", "begin", "chdir", "cluster-constraint", "clusters",
    "comment", "constraint", "container", "container-id", "core-spec", "cores-per-socket", "cpu-freq", "cpus-per-gpu",
    "cpus-per-task", "deadline", "delay-boot", "dependency", "distribution", "error", "exclude", "export",
    "export-file", "extra", "extra-node-info", "gid", "gpu-bind", "gpu-freq", "gpus", "gpus-per-node",
    "gpus-per-socket", "gpus-per-task", "gres", "gres-flags", "hint", "input", "job-name", "kill-on-invalid-dep",
    "licenses", "mail-type", "mail-user", "mcs-label", "mem", "mem-bind", "mem-per-cpu", "mem-per-gpu", "mincpus",
    "network", "nodefile", "nodelist", "nodes", "ntasks", "ntasks-per-core", "ntasks-per-gpu", "ntasks-per-node",
    "ntasks-per-socket", "oom-kill-step", "open-mode", "output", "partition", "power", "prefer", "priority",
    "profile", "qos", "reservation", "segment", "signal", "sockets-per-node", "switches", "thread-spec",
    "threads-per-core", "time", "time-min", "tmp", "tres-bind", "tres-per-task", "uid", "wait-all-nodes", "wckey",
    "wrap",
))
# Other names that Slurm reads as these.
ALIASES = {"tasks-per-node": "ntasks-per-node", "ntasks-per-tres": "ntasks-per-gpu"}
LONG = FLAGS | OPTIONAL | VALUED | ALIASES.keys()


@dataclass(frozen=True)
class Option:
    """An option as a line of a script gives it; `name` is the full one, "" when Slurm knows none.

    `value` is None when there is none.
    """

    line: int
    written: str
    name: str
    value: str | None

    @property
    def shortened(self) -> bool:
        """Whether Slurm had to complete the name."""
        return bool(self.name) and self.written.startswith("--") and self.written[2:] not in LONG


def resolve(word: str) -> str:
    """The full name of a long option that Slurm takes `word` for; "" when it would refuse it."""
    found = [word] if word in LONG else [name for name in LONG if name.startswith(word)]
    return ALIASES.get(found[0], found[0]) if len(found) == 1 else ""


SRUN_VALUED = VALUED | {"mpi", "cpu-bind", "jobid", "het-group", "relative"}


def srun_options(text: str) -> list[str]:
    """The names of the options between `srun` and the command that it starts; those that no name fits as written."""
    found = []
    words = deque(text.partition("srun")[2].split())
    while words and words[0].startswith("-"):
        word = words.popleft()
        name = word[2:].partition("=")[0] if word.startswith("--") else SHORT.get(word[1:2], word)
        found.append(resolve(name) or name)
        if found[-1] in SRUN_VALUED and (len(word) == 2 if word[1:2] != "-" else "=" not in word) and words:
            words.popleft()
    return found


def read_words(words: list[str], line: int) -> list[Option]:
    """The options of one `#SBATCH` line, which the shell's rules have split into words."""
    found: list[Option] = []
    left = deque(words)
    while left:
        word = left.popleft()
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            full = resolve(name)
            given: str | None = value if equals else None
            if full in VALUED and not equals:
                given = left.popleft() if left else None
            found.append(Option(line, f"--{name}", full, given))
        elif word.startswith("-") and len(word) > 1:
            full = SHORT.get(word[1], "")
            rest = word[2:] or None
            if full in VALUED and rest is None:
                rest = left.popleft() if left else None
            found.append(Option(line, word[:2], full, rest.removeprefix("=") if rest else rest))
        else:
            found.append(Option(line, word, "", None))
    return found
