"""The clusters as `clusters.yml` tells them: partitions, nodes, GPUs, billing, storage and commands.

The file belongs to the book. Inside a checkout its current text is read; an installed package carries a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.wording import hint
from labhandbook.hpc.fact_table import Place, Table

FILE = Path("chapters/hpc/clusters.yml")
COPY = Path(__file__).with_name("clusters.yml")
OTHER = ("csc", "aalto")
PARTITION = ("kind", "use", "exclusive", "time-limit", "max-hours", "min-nodes", "max-nodes", "max-jobs",
             "running-jobs", "max-cores", "max-memory-gib", "min-gpus", "max-gpus", "needs", "large-memory",
             "cores-per-node", "memory-gib", "bu-per-core-hour", "bu-per-gib-hour")
# What stands beside the partitions of a cluster.
ABOUT = ("page", "other", "complete")
USES = ("batch", "test", "interactive", "long")
NONE = 0
PRICES = {
    "slices": ("gpu-hours-per-node-hour", "gpu-hours-per-slice-hour", "cores-per-slice", "memory-gb-per-slice",
               "core-hours-per-node-hour", "memory-gb-per-core", "object-rate", "scratch-rate", "flash-rate"),
    "units": ("gpu-bu-per-gpu-hour", "cpu-bu-per-core-hour", "cpu-bu-per-gib-hour", "cpu-bu-per-node-hour",
              "scratch-bu-per-tib-hour", "home-bu-per-tib-hour", "projappl-bu-per-tib-hour"),
}


@dataclass(frozen=True)
class Nodes:
    """What a job can have of one node; 0 where nobody has told."""

    cores: int = NONE
    memory_gib: float = NONE
    gpus: int = NONE


@dataclass(frozen=True)
class Partition:
    """A queue: its nodes and the limits of one job in it; 0 is no limit that is known.

    `use` is what it is made for, `max_jobs` how many jobs an account may have in it and `running_jobs` how many of
    them run at once, `large_gib` the memory of the few bigger nodes that it has, `core_price` and
    `gib_price` its own prices.
    """

    name: str
    gpu: bool
    exclusive: bool
    limit: str
    hours: float
    nodes: Nodes
    min_nodes: int
    max_nodes: int
    max_jobs: int
    running_jobs: int
    max_cores: int
    max_gib: float
    min_gpus: int
    max_gpus: int
    needs: str
    large_gib: float
    core_price: float
    gib_price: float
    use: str = USES[0]

    @property
    def everyday(self) -> bool:
        """Whether it is for anybody's batch jobs."""
        return self.use == USES[0] and not self.needs

    @property
    def node_gib(self) -> float:
        """The most memory that a job can have on one node."""
        return self.max_gib or max(self.nodes.memory_gib, self.large_gib)


@dataclass(frozen=True)
class Gpus:
    """How GPUs are asked for, and the fair share of a node for each; `unit` is what Slurm counts."""

    unit: str
    option: str
    type: str
    tool: str
    cores_each: int = NONE
    gib_each: float = NONE

    def request(self, count: int, nodes: int = 1) -> str:
        """The option that asks for `count` GPUs on each of some nodes."""
        if self.option.startswith("gres="):
            return f"--{self.option}:{count}"
        # --gpus counts those of all nodes, and Slurm may take them unevenly.
        return f"--{'gpus-per-node' if nodes > 1 else self.option}={count}"


@dataclass(frozen=True)
class Area:
    """A storage area and whether an environment belongs there."""

    name: str
    path: str
    environments: bool


@dataclass(frozen=True)
class Cluster:
    """One cluster.

    `others` are partitions that exist and are not described; there may be more when the list is not `complete`.
    `billing` holds the numbers of its price list by name, `facts` every value by its path in the file, as `gpu.host`.
    """

    key: str
    name: str
    retired: str = ""
    replaced_by: str = ""
    slurm_cluster: str = ""
    partitions: dict[str, Partition] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    complete: bool = True
    gpus: Gpus | None = None
    scheme: str = "none"
    cpu_unit: str = ""
    gpu_unit: str = ""
    billing: dict[str, float] = field(default_factory=dict)
    areas: tuple[Area, ...] = ()
    commands: dict[str, bool] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    def unknown(self, name: str) -> tuple[str, bool]:
        """What is to be said of a partition that is not described, and whether it may exist all the same."""
        guess = hint(name, self.partitions)
        if name in self.others or not self.complete:
            return (f"the handbook doesn't know {self.name} {name}{guess}: scontrol show partition {name} tells its "
                    "limits", True)
        return f"{self.name} has no partition {name or 'that the script names'}{guess}", False


@dataclass(frozen=True)
class Clusters:
    """All clusters of a file, by their key."""

    file: str
    known: dict[str, Cluster]

    def get(self, key: str) -> Cluster:
        """The cluster of this name. Raises HandbookError when there is none."""
        if key.lower() not in self.known:
            raise HandbookError(f"{key} is not a cluster of the handbook{hint(key.lower(), self.known)}",
                                todo=f"name one of: {', '.join(self.known)}", section="sec-systems-choose")
        return self.known[key.lower()]


def find() -> Path:
    """The file of clusters: the book's one inside a checkout, else the copy in the package."""
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file() and (folder / "_quarto.yml").is_file():
            return folder / FILE
    return COPY


def load(path: Path | None = None) -> Clusters:
    """Read and validate the file of clusters.

    Raises HandbookError with file and line when it can't be read or says something that makes no sense.
    """
    path = path or find()
    shown = _shown(path)
    return parse(untrusted_data.text(path, shown, section="sec-contributing-facts"), shown)


def _shown(path: Path) -> str:
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return str(path)


def parse(text: str, file: str) -> Clusters:
    """The clusters that a text tells; `file` names it in errors."""
    node = untrusted_data.yaml_nodes(text, file, section="sec-contributing-facts")
    if node is None:
        raise HandbookError("the file of clusters is empty", where=file, todo="restore it from git",
                            section="sec-contributing-facts")
    known = {key: _cluster(key, table) for key, table in Table(Place("clusters", file, node)).tables(*OTHER)}
    return Clusters(file, known)


def _cluster(key: str, table: Table) -> Cluster:
    """One cluster from its mapping."""
    name = table.text("name")
    if table.text("status", choices=("in use", "retired")) == "retired":
        return Cluster(key, name, table.text("compute-off"), table.text("replaced-by"))
    queues = table.table("partitions")
    if queues is None:
        raise table.place.fail("lacks partitions", "add `partitions:` with a mapping for each partition")
    cpu, gpu, billing = table.table("cpu"), table.table("gpu"), table.table("billing")
    scheme = billing.text("scheme", choices=tuple(PRICES)) if billing else "none"
    storage, commands = table.table("storage"), table.table("commands")
    return Cluster(
        key, name, slurm_cluster=table.text("cluster", ""), gpus=_gpus(gpu) if gpu else None, scheme=scheme,
        partitions={queue: _partition(queue, each, cpu, gpu) for queue, each in queues.tables(*ABOUT)},
        others=tuple(queues.text("other", "").replace(",", " ").split()), complete=queues.yes("complete", True),
        cpu_unit=billing.text("cpu-unit") if billing else "", gpu_unit=billing.text("gpu-unit") if billing else "",
        billing={price: billing.number(price) for price in PRICES[scheme]} if billing else {},
        areas=tuple(_areas(storage)) if storage else (),
        commands={command: commands.yes(command) for command in commands.names} if commands else {},
        facts=dict(table.place.leaves()))


def _nodes(table: Table | None, own: Table) -> Nodes:
    """The nodes of a partition: its own numbers, else those of the cluster's nodes of its kind."""
    for each in (own, table):
        if each and "cores-per-node" in each:
            return Nodes(each.whole("cores-per-node"), each.number("memory-gib"), each.whole("gpus-per-node", NONE))
    return Nodes()


def _partition(name: str, table: Table, cpu: Table | None, gpu: Table | None) -> Partition:
    table.only(*PARTITION)
    for_gpus = table.text("kind", choices=("cpu", "gpu")) == "gpu"
    known = "max-hours" in table
    large = cpu.number("large-memory-gib", NONE) if cpu and table.yes("large-memory", False) else NONE
    return Partition(
        name, for_gpus, table.yes("exclusive", None if known else False),
        table.text("time-limit", None if known else ""), table.number("max-hours", NONE),
        _nodes(gpu if for_gpus else cpu, table), table.whole("min-nodes", 1),
        table.whole("max-nodes", None if known else NONE), table.whole("max-jobs", NONE),
        table.whole("running-jobs", NONE), table.whole("max-cores", NONE), table.number("max-memory-gib", NONE),
        table.whole("min-gpus", NONE), table.whole("max-gpus", NONE), table.text("needs", ""), large,
        table.number("bu-per-core-hour", NONE), table.number("bu-per-gib-hour", NONE),
        table.text("use", USES[0], USES))


def _gpus(table: Table) -> Gpus:
    return Gpus(table.text("unit"), table.text("option"), table.text("type", ""), table.text("tool"),
                table.whole("cores-per-gpu", NONE), table.number("memory-gib-per-gpu", NONE))


def _areas(table: Table) -> Iterator[Area]:
    for name, each in table.tables("page"):
        if "path" in each:
            yield Area(name, each.text("path"), each.yes("environments"))
