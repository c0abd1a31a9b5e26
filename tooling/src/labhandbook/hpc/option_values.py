"""The forms that Slurm asks of options whose values are words, lists or small numbers, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from labhandbook.hpc.sbatch_options import Option

LONGEST = 40
FILLED = ("gres-flags", "hint", "mail-type")  # Slurm refuses these without a value.
MAIL = "NONE|BEGIN|END|FAIL|REQUEUE|ALL|INVALID_DEPEND|STAGE_OUT|TIME_LIMIT(?:_90|_80|_50)?|ARRAY_TASKS"
JOB = r"\d+(?:_(?:\d+|\*))?(?:\+\d+)?"
AFTER = rf"singleton|(?:after(?:any|ok|notok|corr|burstbuffer)?|expand):{JOB}(?::{JOB})*"
SPEED = r"(?:\d+|low|medium|high|highm1|conservative|ondemand|performance|powersave|schedutil|userspace)"
CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:\s*[ap]m)?"
DAY = r"(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.]\d{1,2}(?:[/.]\d{2,4})?|\d{4}(?:\d{2})?|today|tomorrow)"
TIME = (rf"now(?:\s*[+-]\s*\d+\s*(?:[smhdw][a-z]*)?)?|midnight|noon|fika|teatime|elevenses|{CLOCK}|{DAY}"
        rf"|{DAY}[-T\s]{CLOCK}|{CLOCK}[-\s]{DAY}")
# Slurm keeps the seconds of --signal in 16 bits.
SECONDS = r"\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]"
NUMBER = ("[1-9][0-9]*", "a number above zero")


def _list(item: str) -> str:
    return f"(?:{item})(?:,+(?:{item}))*,*"


# For each option what a value looks like, and what a message says to write.
FORMS = {
    **dict.fromkeys(("mincpus", "sockets-per-node", "cores-per-socket", "threads-per-core", "ntasks-per-core",
                     "ntasks-per-socket", "ntasks-per-gpu"), NUMBER),
    **dict.fromkeys(("begin", "deadline"), (TIME, "2027-01-31T16:00, 16:00, tomorrow or now+2hours")),
    **dict.fromkeys(("nodelist", "exclude"), (r"(?:[^\[\]]|\[[\d,-]+\])*", "names, or name[1-4,7]")),
    **dict.fromkeys(("wait-all-nodes", "oom-kill-step"), ("[01]", "0 or 1")),
    "acctg-freq": (_list(r"(?:(?:task|energy|network|filesystem)=)?\d+"), "seconds, as in task=30"),
    "core-spec": (r"\d+", "a number"),
    "cpu-freq": (rf"{SPEED}(?:-{SPEED})?(?::{SPEED})?", "low, medium, high, or a number of kHz"),
    "dependency": (rf"{JOB}|(?:{AFTER})(?:[,?](?:{AFTER}))*",
                   "afterok and a job's number, as in afterok:123"),
    "distribution": (r"(?:\*|block|cyclic|arbitrary|plane(?:=\d+)?)(?::(?:\*|block|f?cyclic)){0,2}(?:,(?:no)?pack)?"
                     r"|(?:no)?pack", "block, cyclic, plane=SIZE or arbitrary"),
    "exclusive": ("user|mcs|topo|exclusive|no", "--exclusive alone, or --exclusive=user"),
    "extra-node-info": (r"[\d*-]+(?::[\d*-]+){0,2}", "sockets:cores:threads, as in 2:8:1"),
    "gres": (_list(r"(?:gres/)?[\w.-]+(?:[:=][\w.-]+)?(?:[:=]\d+[kmgtp]?)?"), "name:type:count, as in gpu:v100:1"),
    "gres-flags": (_list("(?:disable|enforce)-binding|(?:one|multiple)-tasks?-per-sharing|allow-task-sharing"),
                   "disable-binding or enforce-binding"),
    "hint": ("compute_bound|memory_bound|(?:no)?multithread|help",
             "compute_bound, memory_bound, multithread or nomultithread"),
    "kill-on-invalid-dep": ("yes|no|y|n", "yes or no"),
    "mail-type": (_list(MAIL), "END, FAIL or another event of man sbatch, with commas between"),
    "mem-bind": (r"(?:(?:quiet|verbose|q|v|none|no|rank|local|prefer|p|sort|nosort|help|ma(?:p|sk)_mem:.+),?)*",
                 "local, rank or none"),
    "nice": (r"[+-]?\d{0,9}|[^\d+-].*", "a number up to 2147483645"),
    "profile": (_list("all|none|energy|task|lustre|filesystem|network"), "all, none, energy, task, lustre, network"),
    "propagate": (_list("ALL|NONE|AS|CORE|CPU|DATA|FSIZE|MEMLOCK|NOFILE|NPROC|RSS|STACK"), "ALL, NONE, or STACK"),
    "signal": (rf"[^@]*(?:@(?:{SECONDS})?)?", "at most 65535 seconds behind the @"),
    "switches": (r"[1-9]\d*(?:@.*)?", "a number, or a number and a time, as in 1@02:00:00"),
    "tmp": (r"\d+(?:[kmgt]b?)?", "a size, as in 10G"),
}


def strange(options: Sequence[Option]) -> Iterator[tuple[int, str]]:
    """Values that Slurm can't read, with their lines; it leaves most empty ones aside."""
    for option in options:
        form, instead = FORMS.get(option.name, ("", ""))
        value = option.value or ""
        if not form or option.value is None or (not value and option.name not in FILLED):
            continue
        if not re.fullmatch(form, value, re.IGNORECASE):
            shown = value if len(value) <= LONGEST else f"{value[:LONGEST - 3]}..."
            yield option.line, f"{option.written}: {shown or 'an empty value'} can't be read: write {instead}"
