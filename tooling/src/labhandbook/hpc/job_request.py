"""What a script requests from Slurm, in numbers, and what it gets in a partition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, inf
from typing import Any

from labhandbook.core.rules import At
from labhandbook.hpc.clusters import Partition
from labhandbook.hpc.job_script import Script
from labhandbook.hpc.option_values import SIZE, TASKS_WRITTEN, UNSET, WHOLE, strange

MEMORY = re.compile(SIZE, re.IGNORECASE)
GIB = {"k": 2 ** -20, "m": 2 ** -10, "": 2 ** -10, "g": 1.0, "t": 1024.0}
TIME = re.compile(r"^(?:(N)-(?:(N)(?::(N))?(?::(N))?)?|(N)(?::(N))?(?::(N))?)$".replace("N", r"\d{1,10}"))
# Slurm reads a missing number as 0 and leaves everything from the % on to the limit of tasks at a time.
TASKS = re.compile(r"\[?(N)\]?(?:-(N)\]?(?::(N)\]?)?)?(?:%.*)?".replace("N", r"(?:\s*[+-]?\d{1,10})?"))
NODES = re.compile(rf"({WHOLE})(k)?(m)?\s*", re.IGNORECASE)
SIZES = re.compile(r"N(?:,N)*".replace("N", r"\d{1,7}(?:-\d{1,7}(?::\d{1,7})?)?"))
NUMBERS = ("ntasks", "ntasks-per-node", "cpus-per-task", "cpus-per-gpu")
DISK = re.compile(r"(?:\bnvme:|\bstoragesize=)(\d{1,9})([GT])?", re.IGNORECASE)
PINNED = ("constraint", "nodelist", "reservation", "bb", "bbf", "nodefile")
SIGNALS = "HUP|INT|QUIT|KILL|TERM|USR1|USR2|CONT|STOP|TSTP|ABRT|ALRM|URG|TTIN|TTOU|XCPU"
SIGNAL = re.compile(rf"R?B?R?:?\s*(?:(?:SIG)?(?:{SIGNALS})|[+-]?0*[1-9]\d*)\s*(?:@.*)?", re.IGNORECASE)


class Unreadable(ValueError):
    """A value that Slurm would not read."""


def short(text: str, longest: int = 60) -> str:
    """A text for a message, cut where it is longer than `longest` characters."""
    return text if len(text) <= longest else f"{text[:longest - 3]}..."


def gib(text: str) -> float:
    """Memory as Slurm reads it (`32G`, `500M`, plain numbers are MiB), in GiB."""
    match = MEMORY.fullmatch(text)
    if not match:
        raise Unreadable(f"{short(text)} is not an amount of memory: write a whole number and K, M, G or T, as 16G")
    return int(match[1]) * GIB[(match[2] or "").lower()]


def hours(text: str) -> float:
    """A time limit as Slurm reads it, in hours: minutes, min:sec, h:min:sec, days-h, days-h:min, days-h:min:sec."""
    if text.lower() in ("unlimited", "infinite", "-1"):
        return inf
    match = TIME.match(text)
    if not match:
        raise Unreadable(f"{short(text)} is not a time: write hours:minutes:seconds or days-hours, as 02:30:00 or "
                         "1-12")
    parts = [int(part or 0) for part in match.groups()]
    if match[1]:
        return parts[0] * 24 + parts[1] + parts[2] / 60 + parts[3] / 3600
    if match[7]:
        return parts[4] + parts[5] / 60 + parts[6] / 3600
    return parts[4] / 60 + parts[5] / 3600


def clock(amount: float) -> str:
    """Hours as `--time` takes them."""
    seconds = round(amount * 3600)
    days, rest = divmod(seconds, 86400)
    text = f"{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"{days}-{text}" if days else text


def array(text: str) -> int:
    """How many tasks an array has."""
    count = 0
    for part in filter(None, text.split(",")):  # Slurm passes over an empty part.
        match = TASKS.fullmatch(part)
        low, high, step = match.groups() if match else ("-1", None, None)
        first = int(low or 0)
        last = first if high is None else int(high or 0)
        each = 1 if step is None else int(step or 0)
        if not 0 <= first <= last or each < 1:
            raise Unreadable(f"{short(text)} is not a list of array tasks: write {TASKS_WRITTEN}")
        count += len(range(first, last + 1, each))
    return count or 1


def count(text: str, least: int = 1) -> int:
    """A number of things, at least one."""
    if not re.fullmatch(WHOLE, text) or int(text) < least:
        raise Unreadable(f"{short(text)} is not a number above zero")
    return int(text)


def _nodes(text: str) -> int:
    """A number of nodes, in which Slurm takes k for 1024."""
    match = NODES.fullmatch(text)
    if not match:
        raise Unreadable(f"{short(text)} is not a number of nodes")
    return int(match[1]) * (1024 if match[2] else 1) * (1024 ** 2 if match[3] else 1)


def span(text: str) -> tuple[int, int]:
    """Nodes: a number, the least and the most, or (since Slurm 23.11) the numbers that will do."""
    if SIZES.fullmatch(text) and {",", ":"}.intersection(text):
        sizes = [int(size) for size in re.findall(r"(?<!:)\b\d+", text)]
        return min(sizes), max(sizes)
    least, dash, most = text.partition("-")
    low = _nodes(least) if least.strip() or not dash else 1
    high = _nodes(most) or low if dash else low  # at most 0 is no limit
    if low < 1:
        raise Unreadable(f"{short(text)} is not a number above zero")
    if high < low:
        raise Unreadable(f"{short(text)} asks for at most {high} and at least {low}")
    return low, high


def gpus(text: str) -> tuple[str, int]:
    """The type (or "") and number of GPUs: `2`, `gh200`, `gh200:2`; 0 asks for none."""
    kind, colon, number = text.strip(",").rpartition(":")
    if not colon and number and not re.fullmatch(WHOLE, number):
        return number, 1
    if colon and not kind:
        raise Unreadable(f"{short(text)} names no type before the colon")
    return kind, count(number, least=0)


@dataclass(frozen=True)
class Request:
    """The numbers of a request; None where the script leaves something out. Memory is in GiB, time in hours.

    `disk_gib` is the disk that it reserves on each node, `pinned` says that it names nodes or features of nodes.
    """

    partitions: tuple[str, ...] = ()
    nodes: tuple[int, int] | None = None
    tasks: int | None = None
    tasks_per_node: int | None = None
    cpus_per_task: int = 1
    cpus_per_gpu: int | None = None
    mem: float | None = None
    mem_per_cpu: float | None = None
    mem_per_gpu: float | None = None
    gpus_total: int = 0
    gpus_per_node: int = 0
    gpus_per_task: int = 0
    gpu_types: tuple[str, ...] = ()
    other_gres: tuple[str, ...] = ()
    hours: float | None = None
    exclusive: bool = False
    array: int = 1
    disk_gib: int = 0
    pinned: bool = False

    @property
    def wants_gpus(self) -> bool:
        """Whether any GPU is requested."""
        return bool(self.gpus_total or self.gpus_per_node or self.gpus_per_task)

    @property
    def partition(self) -> str:
        """The first partition that is named, or ""."""
        return self.partitions[0] if self.partitions else ""


@dataclass(frozen=True)
class Shape:
    """What a job gets, per node: `gib` is None when the partition's default holds."""

    nodes: int
    cores: int
    gpus: int
    gib: float | None
    tasks: int


READERS = {**dict.fromkeys(("time", "time-min", "delay-boot"), hours), "array": array, "nodes": span,
           **dict.fromkeys(("mem", "mem-per-cpu", "mem-per-gpu"), gib),
           **dict.fromkeys(("gpus", "gpus-per-node", "gpus-per-socket", "gpus-per-task"), gpus),
           **dict.fromkeys(NUMBERS, count)}


def mistakes(script: Script) -> Iterator[At]:
    """Values that Slurm would not read, or not as they are meant."""
    for name, reader in READERS.items():
        if (option := script.option(name)) and not (option.value == "" and name in UNSET):
            try:
                reader(option.value or "")
            except Unreadable as error:
                yield At(f"{option.written}: {error if option.value else 'needs a value'}", line=option.line)
    if (option := script.option("signal")) and not SIGNAL.fullmatch(option.value or ""):
        yield At(f"--signal: {option.value} is no signal: write one as B:USR1@120", line=option.line)
    yield from strange(script.options)


def read_request(script: Script) -> Request:
    """The request of a script. Raises Unreadable when a value has no meaning; see `mistakes`."""
    def get(name: str, default: Any = None) -> Any:
        text = script.value(name)
        return READERS[name](text) if text else default

    asked = [gpus(rest or "1") for rest in _resources(script, own=True)]
    per_node = asked[-1][1] if asked else 0
    found = {name: get(name, ("", 0)) for name in ("gpus", "gpus-per-node", "gpus-per-task")}
    return Request(
        tuple(part for part in script.value("partition").split(",") if part), get("nodes"), get("ntasks"),
        get("ntasks-per-node"), get("cpus-per-task", 1), get("cpus-per-gpu"), get("mem"), get("mem-per-cpu"),
        get("mem-per-gpu"), found["gpus"][1], found["gpus-per-node"][1] or per_node, found["gpus-per-task"][1],
        tuple(kind for kind, _ in (*asked, *found.values()) if kind),
        tuple(filter(None, _resources(script, own=False))), get("time"), script.option("exclusive") is not None,
        get("array", 1), _disk(script), any(script.option(name) for name in PINNED))


def _disk(script: Script) -> int:
    """The GiB of disk that `--gres=nvme` or a burst buffer reserve."""
    match = DISK.search(script.value("gres")) or DISK.search(script.value("bb"))
    return int(match[1]) * (1024 if (match[2] or "").upper() == "T" else 1) if match else 0


def _resources(script: Script, *, own: bool) -> Iterator[str]:
    """The GPUs in `--gres` as a type and number, or (not `own`) the names of the other resources in it."""
    for part in filter(None, script.value("gres").split(",")):
        kind, _, rest = part.removeprefix("gres:").partition(":")
        if own is (kind in ("gpu", "gres/gpu")):
            yield rest if own else kind if kind != "none" else ""


def shape(request: Request, partition: Partition) -> Shape:
    """What Slurm gives for a request in a partition, on as few nodes as it may.

    Limits are ignored here: a shape beyond them can't start.
    """
    whole = partition.nodes
    node_cores = min(whole.cores or inf, partition.max_cores or inf)
    per_task = request.cpus_per_task
    least, most = request.nodes or (1, inf)
    least = max(least, partition.min_nodes)
    tasks = request.tasks or (request.tasks_per_node or 1) * least
    if request.tasks and request.nodes:
        least = min(least, request.tasks)
    room = max(1, node_cores // per_task if node_cores != inf else tasks)
    if request.tasks_per_node:
        room = min(room, request.tasks_per_node)
    if request.gpus_per_task and whole.gpus:
        room = min(room, max(1, whole.gpus // request.gpus_per_task))
    needed = max(least, ceil(tasks / room))
    if request.gpus_total and request.gpus_per_node:
        needed = max(needed, ceil(request.gpus_total / request.gpus_per_node))
    elif request.gpus_total and whole.gpus:
        needed = max(needed, ceil(request.gpus_total / whole.gpus))
    nodes = int(min(needed, most))
    on_each = ceil(tasks / nodes)
    cards = request.gpus_per_node or (ceil(request.gpus_total / nodes) if request.gpus_total
                                      else request.gpus_per_task * on_each)
    cores = max(on_each * per_task, (request.cpus_per_gpu or 0) * cards)
    memory = request.mem
    if memory == 0:
        memory = partition.node_gib or None
    elif memory is None and request.mem_per_cpu is not None:
        memory = request.mem_per_cpu * cores
    elif memory is None and request.mem_per_gpu is not None:
        memory = request.mem_per_gpu * cards
    if (partition.exclusive or request.exclusive) and whole.cores:
        return Shape(nodes, max(cores, whole.cores), max(cards, whole.gpus), memory, tasks)
    return Shape(nodes, cores, cards, memory, tasks)
