"""The forms that Slurm asks of options whose values are words, lists or small numbers, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from labhandbook.core.rules import WARNING, At
from labhandbook.hpc.sbatch_options import Option

LONGEST = 40
# Slurm leaves an option out when its value is empty: of the first group nobody means that.
UNSET = ("array", "gpus", "gpus-per-node", "gpus-per-socket", "gpus-per-task")
LEFT_OUT = ("acctg-freq", "core-spec", "dependency", "exclude", "exclusive", "extra-node-info", "get-user-env",
            "nice", "no-kill", "priority", "propagate", "signal", "wait-all-nodes")
# Numbers as C's strtol reads them: blanks and a plus may precede them.
WHOLE = r"\s*(?:\+?\d{1,12}|-0+)"
ABOVE_ZERO = r"\s*\+?0*[1-9]\d*"
SIZE = rf"({WHOLE})(?:([kmgt])b?)?"
TASKS_WRITTEN = "0-4, 1,3,7 or 0-99%10"
MAIL = "NONE|BEGIN|END|FAIL|REQUEUE|ALL|INVALID_DEPEND|STAGE_OUT|TIME_LIMIT(?:_90|_80|_50)?|ARRAY_TASKS"
PROFILE = "all|none|energy|task|lustre|filesystem|network"
HINT = "compute_bound|memory_bound|(?:no)?multithread"
JOB = r"\d+(?:_(?:\d*|\*))?"
AFTER = rf"singleton|(?:after(?:any|ok|notok|corr|burstbuffer)?|expand)(?::\s*{JOB}(?:\+\d+)?)+|{JOB}"
LIMIT = "(?:RLIMIT_)?(?:AS|CORE|CPU|DATA|FSIZE|MEMLOCK|NOFILE|NPROC|RSS|STACK)"
FREQUENCY = r"(?:memory=)?(?:\d+|low|medium|high|highm1)|verbose"
RESOURCE = rf"(?:gres[:/])?[\w.-]+(?:[:=][\w.-]+)?(?:[:=]{WHOLE}[kmgtp]?)?"
# No number below zero and none beyond the largest; of what is no number Slurm makes 0.
LENIENT = r"(?!\s*(?:-0*[1-9]|\+?[1-9]\d{10})).*"
METER = "(?:(?:task|energy|network|filesystem)=)?"
# Of the name of a speed, of a governor and of a number Slurm looks at the beginning only.
SPEED = r"(?:lo|hi|med|\s*\+?0*[1-9])[^-:]*"
GOVERNOR = "(?:co|onde|perf|pow|sche|user)[^-:]*"
SPEED_MEANT = r"(?:\s*\+?\d+|[a-z]\w*)"
CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:\s*[ap]m)?"
DAY = r"(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.]\d{1,2}(?:[/.]\d{2,4})?|\d{4}(?:\d{2})?|today|tomorrow)"
TIME = (rf"\s*(?:now(?:\s*[+-]\s*\d+\s*(?:[smhdw][a-z]*)?)?|midnight|noon|fika|teatime|elevenses|{CLOCK}|{DAY}"
        rf"|{DAY}[-T\s]{CLOCK}|{CLOCK}[-\s]{DAY})")
# Slurm keeps the seconds of --signal in 16 bits.
SECONDS = r"\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]"
PART = r"(?:(?:\*[^:]*|\s*\+?\d{1,9}[km]?(?:-\s*\+?0*[1-9]\d{0,8}[km]?(?:-[^:]*)?)?)?)"


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
    **dict.fromkeys(("nodelist", "exclude"), Form(r"(?:[^\[\]]|\[[\d,-]+\])+", "names, or name[1-4,7]")),
    **dict.fromkeys(("wait-all-nodes", "oom-kill-step"), Form(r"\s*(?:\+?0*[01]|-0+)", "0 or 1")),
    "acctg-freq": Form(_list(rf"{METER}\s*\+?\d[^,]*"), "seconds, as in task=30", _list(rf"{METER}\s*\+?\d+")),
    "array": Form(".*", TASKS_WRITTEN, r"[^%]*(?:%\s*\+?\d+(?:,[^%]*)?)?"),
    "core-spec": Form(WHOLE, "a number"),
    "cpu-freq": Form(rf"{SPEED}(?:-{SPEED}(?::{GOVERNOR})?)?|{GOVERNOR}", "low, medium, high, or a number of kHz",
                     rf"{SPEED_MEANT}(?:[-:]{SPEED_MEANT})*"),
    "dependency": Form(rf"(?:{AFTER})(?:[,?](?:{AFTER}))*", "afterok and a job's number, as in afterok:123"),
    "distribution": Form(r"(?:\*|block|cyclic|arbitrary|plane(?:=0*[1-9]\d*)?)(?::(?:\*|block|f?cyclic)){0,2}"
                         r"(?:,(?:(?:no)?pack)?)?|(?:no)?pack", "block, cyclic, plane=SIZE or arbitrary"),
    "exclusive": Form("user|mcs|topo|exclusive|no", "--exclusive alone, or --exclusive=user"),
    "extra-node-info": Form(rf"{PART}(?::{PART}(?::{PART}(?::.*)?)?)?", "sockets:cores:threads, as in 2:8:1"),
    "get-user-env": Form(r"\s*[+-]?\d*(?:[sl].*)?", "a number of seconds, or one with S or L, as in 10L",
                         r"\s*[+-]?\d*[sl]?"),
    "gpu-bind": Form(rf"(?:verbose,)?(?:[cn].*|map_gpu:[\d,*]*|mask_gpu:[\da-fx,*]*|(?:per_task|single):{LENIENT})",
                     "closest, none, single:2, map_gpu:0,1 or mask_gpu:0x1,0x2",
                     r"(?:verbose,)?(?:closest|none|(?:map|mask)_gpu:.+|(?:per_task|single):\s*\+?\d+)"),
    "gpu-freq": Form(rf"(?-i:{_list(FREQUENCY)})", "low, medium, high, highm1, or a number of MHz"),
    "gres": Form(rf"{RESOURCE}(?:,{RESOURCE})*",
                 "name:type:count, as in gpu:v100:1"),
    "gres-flags": Form(_list("(?:disable|enforce)-binding|(?:one|multiple)-tasks?-per-sharing|allow-task-sharing"),
                       "disable-binding or enforce-binding"),
    "hint": Form(rf"(?:{HINT})(?:,(?:{HINT}))*", "compute_bound, memory_bound, multithread or nomultithread"),
    "kill-on-invalid-dep": Form("yes|no", "yes or no"),
    "mail-type": Form(rf"(?:.*,)?(?:{MAIL})(?:,.*)?",
                      "END, FAIL or another event of man sbatch, with commas between", _list(MAIL)),
    "mem-bind": Form(r"(?:(?:quiet|verbose|q|v|none|no|rank|local|prefer|p|sort|nosort|help|ma(?:p|sk)_mem:.+),?)+",
                     "local, rank or none"),
    "nice": Form(r"\s*[+-]?(?:\d{0,9}|1\d{9}|20\d{8})(?!\d).*", "a number up to 2147483645", r"\s*[+-]?\d+"),
    "profile": Form(f".*(?:{PROFILE}).*", "all, none, energy, task, lustre, network", _list(PROFILE)),
    "no-kill": Form("set|off|no", "--no-kill alone, or --no-kill=off"),
    "open-mode": Form("[at].*", "append or truncate", "append|truncate|[at]"),
    "priority": Form(rf"top|{LENIENT}", "a number up to 4294967293, or TOP", r"top|\s*\+?\d+"),
    "propagate": Form(rf"(?-i:ALL|NONE|{_list(LIMIT)})", "ALL, NONE, or STACK"),
    "signal": Form(rf"[^@]*(?:@\s*\+?(?:{SECONDS})?)?", "at most 65535 seconds behind the @"),
    "switches": Form(rf"{ABOVE_ZERO}(?:@.*)?", "a number, or a number and a time, as in 1@02:00:00"),
    "thread-spec": Form(ABOVE_ZERO, "a number above zero"),
    "tmp": Form(SIZE, "a size, as in 10G"),
}


def strange(options: Sequence[Option]) -> Iterator[At]:
    """Values that Slurm can't read, and values that it reads only in part."""
    for option in options:
        value, form = option.value, FORMS.get(option.name)
        if value == "" and option.name in UNSET:
            yield At(f"{option.written} has an empty value: Slurm leaves the option out", line=option.line,
                     severity=WARNING)
        elif form is None or value is None or (not value and option.name in LEFT_OUT):
            continue
        elif not re.fullmatch(form.taken, value, re.IGNORECASE):
            yield At(f"{option.written}: {_cut(value) or 'an empty value'} can't be read: write {form.instead}",
                     line=option.line)
        elif form.meant and value and not re.fullmatch(form.meant, value, re.IGNORECASE):
            yield At(f"{option.written}: Slurm ignores what it can't read in {_cut(value)}: write {form.instead}",
                     line=option.line, severity=WARNING)


def _cut(value: str) -> str:
    return value if len(value) <= LONGEST else f"{value[:LONGEST - 3]}..."
