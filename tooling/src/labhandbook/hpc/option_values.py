"""The forms that Slurm asks of options whose values are words, lists or small numbers, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from labhandbook.core.rules import WARNING, At
from labhandbook.hpc.sbatch_options import Option

LONGEST = 40
# Slurm leaves these out when their value is empty, and refuses others without a value.
UNSET = ("array", "gpus", "gpus-per-node", "gpus-per-task")
FILLED = ("gres-flags", "hint", "mail-type")
# Numbers as C's strtol reads them: blanks and a plus may precede them.
WHOLE = r"\s*(?:\+?\d{1,12}|-0+)"
ABOVE_ZERO = r"\s*\+?0*[1-9]\d*"
SIZE = rf"({WHOLE})(?:([kmgt])b?)?"
TASKS_WRITTEN = "0-4, 1,3,7 or 0-99%10"
MAIL = "NONE|BEGIN|END|FAIL|REQUEUE|ALL|INVALID_DEPEND|STAGE_OUT|TIME_LIMIT(?:_90|_80|_50)?|ARRAY_TASKS"
PROFILE = "all|none|energy|task|lustre|filesystem|network"
HINT = "compute_bound|memory_bound|(?:no)?multithread|help"
JOB = r"\s*\d+(?:_(?:\d*|\*))?(?:\+\d+)?"
AFTER = rf"singleton|(?:after(?:any|ok|notok|corr|burstbuffer)?|expand):{JOB}(?::{JOB})*|{JOB}"
LIMIT = "(?:RLIMIT_)?(?:ALL|NONE|AS|CORE|CPU|DATA|FSIZE|MEMLOCK|NOFILE|NPROC|RSS|STACK)"
METER = "(?:(?:task|energy|network|filesystem)=)?"
# Of the name of a speed, of a governor and of a number Slurm looks at the beginning only.
SPEED = r"(?:lo|him1|hi|med|\s*\+?0*[1-9]|co|onde|perf|pow|sche|user)[^-:]*"
SPEED_MEANT = r"(?:\s*\+?\d+|[a-z]\w*)"
CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:\s*[ap]m)?"
DAY = r"(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.]\d{1,2}(?:[/.]\d{2,4})?|\d{4}(?:\d{2})?|today|tomorrow)"
TIME = (rf"\s*(?:now(?:\s*[+-]\s*\d+\s*(?:[smhdw][a-z]*)?)?|midnight|noon|fika|teatime|elevenses|{CLOCK}|{DAY}"
        rf"|{DAY}[-T\s]{CLOCK}|{CLOCK}[-\s]{DAY})")
# Slurm keeps the seconds of --signal in 16 bits.
SECONDS = r"\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]"
PART = r"(?:(?:\*[^:]*|\s*\+?\d{1,9}[km]?(?:-\s*\+?0*[1-9]\d{0,8}[km]?)?)?)"


class Form(NamedTuple):
    """What Slurm takes as a value, and what a message says to write.

    `meant` is what a value should look like where Slurm takes more and ignores the part that it can't read.
    """

    taken: str
    instead: str
    meant: str = ""


def _list(item: str) -> str:
    return f",*(?:{item})(?:,+(?:{item}))*,*"


FORMS = {
    **dict.fromkeys(("mincpus", "sockets-per-node", "cores-per-socket", "threads-per-core", "ntasks-per-core",
                     "ntasks-per-socket", "ntasks-per-gpu"), Form(ABOVE_ZERO, "a number above zero")),
    **dict.fromkeys(("begin", "deadline"), Form(TIME, "2027-01-31T16:00, 16:00, tomorrow or now+2hours")),
    **dict.fromkeys(("nodelist", "exclude"), Form(r"(?:[^\[\]]|\[[\d,-]+\])*", "names, or name[1-4,7]")),
    **dict.fromkeys(("wait-all-nodes", "oom-kill-step"), Form(r"\s*(?:\+?0*[01]|-0+)", "0 or 1")),
    "acctg-freq": Form(_list(rf"{METER}\s*\+?\d[^,]*"), "seconds, as in task=30", _list(rf"{METER}\s*\+?\d+")),
    "array": Form(".*", TASKS_WRITTEN, r"[^%]*(?:%\s*\+?\d+(?:,[^%]*)?)?"),
    "core-spec": Form(WHOLE, "a number"),
    "cpu-freq": Form(rf"{SPEED}(?:-{SPEED})?(?::{SPEED})?", "low, medium, high, or a number of kHz",
                     rf"{SPEED_MEANT}(?:[-:]{SPEED_MEANT})*"),
    "dependency": Form(rf"(?:{AFTER})(?:[,?](?:{AFTER}))*", "afterok and a job's number, as in afterok:123"),
    "distribution": Form(r"(?:\*|block|cyclic|arbitrary|plane(?:=\d+)?)(?::(?:\*|block|f?cyclic)){0,2}"
                         r"(?:,(?:(?:no)?pack)?)?|(?:no)?pack", "block, cyclic, plane=SIZE or arbitrary"),
    "exclusive": Form("user|mcs|topo|exclusive|no", "--exclusive alone, or --exclusive=user"),
    "extra-node-info": Form(rf"{PART}(?::{PART}(?::{PART}(?::.*)?)?)?", "sockets:cores:threads, as in 2:8:1"),
    "gres": Form(_list(rf"(?:gres[:/])?[\w.-]+(?:[:=][\w.-]+)?(?:[:=]{WHOLE}[kmgtp]?)?"),
                 "name:type:count, as in gpu:v100:1"),
    "gres-flags": Form(_list("(?:disable|enforce)-binding|(?:one|multiple)-tasks?-per-sharing|allow-task-sharing"),
                       "disable-binding or enforce-binding"),
    "hint": Form(rf"(?:{HINT})(?:,(?:{HINT}))*", "compute_bound, memory_bound, multithread or nomultithread"),
    "kill-on-invalid-dep": Form("yes|no|y|n", "yes or no"),
    "mail-type": Form(rf"(?:.*,)?(?:{MAIL})(?:,.*)?",
                      "END, FAIL or another event of man sbatch, with commas between", _list(MAIL)),
    "mem-bind": Form(r"(?:(?:quiet|verbose|q|v|none|no|rank|local|prefer|p|sort|nosort|help|ma(?:p|sk)_mem:.+),?)*",
                     "local, rank or none"),
    "nice": Form(r"\s*[+-]?(?:\d{0,9}|1\d{9}|20\d{8})(?!\d).*", "a number up to 2147483645", r"\s*[+-]?\d+"),
    "profile": Form(f".*(?:{PROFILE}).*", "all, none, energy, task, lustre, network", _list(PROFILE)),
    "propagate": Form(_list(LIMIT), "ALL, NONE, or STACK"),
    "signal": Form(rf"[^@]*(?:@\s*\+?(?:{SECONDS})?)?", "at most 65535 seconds behind the @"),
    "switches": Form(rf"{ABOVE_ZERO}(?:@.*)?", "a number, or a number and a time, as in 1@02:00:00"),
    "tmp": Form(SIZE, "a size, as in 10G"),
}


def strange(options: Sequence[Option]) -> Iterator[At]:
    """Values that Slurm can't read, and values that it reads only in part; it leaves most empty ones aside."""
    for option in options:
        value, form = option.value, FORMS.get(option.name)
        if value == "" and option.name in UNSET:
            yield At(f"{option.written} has an empty value: Slurm leaves the option out", line=option.line,
                     severity=WARNING)
        elif form is None or value is None or (not value and option.name not in FILLED):
            continue
        elif not re.fullmatch(form.taken, value, re.IGNORECASE):
            yield At(f"{option.written}: {_cut(value) or 'an empty value'} can't be read: write {form.instead}",
                     line=option.line)
        elif form.meant and value and not re.fullmatch(form.meant, value, re.IGNORECASE):
            yield At(f"{option.written}: Slurm ignores what it can't read in {_cut(value)}: write {form.instead}",
                     line=option.line, severity=WARNING)


def _cut(value: str) -> str:
    return value if len(value) <= LONGEST else f"{value[:LONGEST - 3]}..."
