"""The clusters as `clusters.yml` describes them: partitions, nodes, GPUs, billing, storage, commands and habits.

The file is part of the book. Inside a checkout its current text is read; an installed package carries a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.wording import hint, nearest
from labhandbook.core.yaml_reader import read_yaml
from labhandbook.hpc.fact_table import Place, Table, named

FILE = Path("chapters/hpc/clusters.yml")
COPY = Path(__file__).with_name("clusters.yml")
PARTS = COPY.with_name("parts")
SECTION = "sec-contributing-facts"
USES = ("batch", "test", "interactive", "long")
# What is beside the partitions of a cluster, and beside its storage areas.
ABOUT = ("page", "other", "complete")
PRICES = {
    "slices": ("gpu-hours-per-node-hour", "gpu-hours-per-slice-hour", "cores-per-slice", "memory-gb-per-slice",
               "core-hours-per-node-hour", "memory-gb-per-core"),
    "units": ("gpu-bu-per-gpu-hour", "cpu-bu-per-core-hour", "cpu-bu-per-gib-hour", "cpu-bu-per-node-hour"),
}
ALSO = ("disk-bu-per-gib-hour",)  # prices that a cluster may have


@dataclass(frozen=True)
class Nodes:
    """What a job can have of one node; 0 where the file does not say."""

    cores: int = 0
    memory_gib: float = 0
    gpus: int = 0


@dataclass(frozen=True)
class Partition:
    """A queue: its nodes and the limits of one job in it; 0 means that no limit is known.

    `use` is what it is made for, `max_jobs` how many jobs an account may have in it, `large_gib` the memory of the
    few bigger nodes that it has, `disk_gb` the disk that `--gres=nvme` can reserve, `core_price` and `gib_price` its
    own prices, `slice_price` the core-hours of a slice of its nodes, `by_memory` that whole nodes cost more with more
    memory, `needs` what a project must show first. Some sources allow `perhaps_hours`.
    """

    name: str
    gpu: bool
    nodes: Nodes
    large_gib: float = 0
    exclusive: bool = False
    limit: str = named("time-limit", "")
    hours: float = named("max-hours", 0.0)
    perhaps_hours: float = 0.0
    min_nodes: int = 1
    max_nodes: int = 0
    max_jobs: int = 0
    max_cores: int = 0
    max_gib: float = named("max-memory-gib", 0.0)
    disk_gb: int = named("nvme-gb", 0)
    min_gpus: int = 0
    max_gpus: int = 0
    needs: str = ""
    core_price: float = named("bu-per-core-hour", 0.0)
    gib_price: float = named("bu-per-gib-hour", 0.0)
    slice_cores: int = named("cores-per-slice", 0)
    slice_gb: float = named("memory-gb-per-slice", 0.0)
    slice_price: float = named("core-hours-per-slice-hour", 0.0)
    by_memory: bool = named("memory-billed", False)
    use: str = named("use", USES[0], USES)

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
    """How GPUs are requested, and the fair share of a node for each; `unit` is what Slurm counts.

    With `memory_included` a job gets the share of memory without `--mem`; with `cores_included` the share of cores
    costs nothing more. Not `complete`: there may be other types than `type`.
    """

    unit: str
    option: str
    tool: str
    type: str = ""
    cores_each: int = named("cores-per-gpu", 0)
    gib_each: float = named("memory-gib-per-gpu", 0.0)
    memory_included: bool = False
    cores_included: bool = False
    complete: bool = True

    def request(self, count: int, nodes: int = 1) -> str:
        """The option that requests `count` GPUs on each of some nodes."""
        if self.option.startswith("gres="):
            return f"--{self.option}:{count}"
        # --gpus counts those of all nodes, and Slurm may take them unevenly.
        return f"--{'gpus-per-node' if nodes > 1 else self.option}={count}"


@dataclass(frozen=True)
class JobFacts:
    """What the cluster does with jobs, and what its job scripts are put together from.

    `account`: a job names its project. `requeues`: Slurm starts a job again when a node fails. `srun_cores`: srun
    gets the cores of a task from the script. `salloc_shell`: salloc opens its shell on the compute node.
    `environment` and `gpu_environment` name the script parts that set up the software, `python` and `gpu_python` are
    the words that start Python in it. `shared_scripts`: its CPU scripts are those of other clusters too. `gpu_memory`
    is what a script for one GPU requests, `place` where CPU jobs run, `scratch_variable` names the disk of each job.
    `default_partition`: a job that names no partition may get one.
    """

    account: bool = False
    requeues: bool = False
    srun_cores: bool = False
    mail: bool = True
    salloc_shell: bool = True
    environment: str = "folder"
    python: str = "python3"
    gpu_environment: str = ""
    gpu_python: str = ""
    shared_scripts: bool = False
    gpu_memory: str = ""
    place: str = ""
    confirmed: bool = True
    default_partition: bool = True
    scratch_variable: str = ""


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
    `former` gives for a partition of a system that this one replaced the one to use now; `modules` and `variables`
    say the same of names that other systems use. `plug_ins` are options that plug-ins of its Slurm add to sbatch's.
    `missing` are the commands that it does not have, each with what to use instead. Script parts in the folder
    `parts` come before those of the package.
    """

    key: str
    name: str
    retired: str = ""
    replaced_by: str = ""
    successor: Cluster | None = None
    slurm_cluster: str = ""
    partitions: dict[str, Partition] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    complete: bool = True
    gpus: Gpus | None = None
    jobs: JobFacts = field(default_factory=JobFacts)
    scheme: str = ""
    cpu_unit: str = ""
    gpu_unit: str = ""
    billing: dict[str, float] = field(default_factory=dict)
    areas: tuple[Area, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    former: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    plug_ins: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    parts: Path = PARTS

    @property
    def unit(self) -> str:
        """What its Slurm counts as a GPU."""
        return self.gpus.unit if self.gpus else "GPU"

    def unknown(self, name: str) -> tuple[str, bool]:
        """What to say of a partition that is not described, and whether it may exist anyway."""
        guess = hint(name, self.partitions)
        if name in self.former:
            return f"{self.name} has no partition {name}: {self.former[name]} is in its place", False
        likely = not self.others or not nearest(name, self.partitions, 0.85)
        if any(fnmatchcase(name, each) for each in self.others) or (not self.complete and likely):
            return (f"the handbook does not describe {self.name} {name}{guess}: scontrol show partition {name} shows "
                    "its limits", True)
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

    @property
    def running(self) -> list[Cluster]:
        """Those that run jobs."""
        return [cluster for cluster in self.known.values() if not cluster.retired]


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
    shown = path.resolve()
    if shown.is_relative_to(Path.cwd().resolve()):
        shown = shown.relative_to(Path.cwd().resolve())
    return parse(untrusted_data.text(path, shown.as_posix(), section=SECTION), shown.as_posix(),
                 path.with_name("parts"))


def parse(text: str, file: str, parts: Path | None = None) -> Clusters:
    """The clusters that a text describes; `file` names it in errors, `parts` is the folder of its script parts."""
    value = read_yaml(text, file, section=SECTION)
    if not value:
        raise HandbookError("the file of clusters is empty", where=file, todo="restore it from git", section=SECTION)
    top = Table(Place("clusters", file, value))
    instead = top.table("instead")
    known = {key: _cluster(key, table, dict(instead.place.leaves()) if instead else {}, parts or PARTS)
             for key, table in top.tables() if "status" in table or "partitions" in table}
    by_name = {cluster.name: cluster for cluster in known.values()}
    return Clusters(file, {key: replace(cluster, successor=by_name.get(cluster.replaced_by))
                           for key, cluster in known.items()})


def _cluster(key: str, table: Table, instead: dict[str, str], parts: Path) -> Cluster:
    """One cluster from its mapping."""
    name = table.text("name")
    if table.text("status", choices=("in use", "retired")) == "retired":
        return Cluster(key, name, table.text("compute-off"), table.text("replaced-by"))
    queues = table.table("partitions")
    if queues is None:
        raise table.place.fail("lacks partitions", "add `partitions:` with a mapping for each partition")
    cpu, gpu, billing, jobs = (table.table(each) for each in ("cpu", "gpu", "billing", "jobs"))
    scheme = billing.text("scheme", choices=tuple(PRICES)) if billing else ""
    storage, commands = table.table("storage"), table.table("commands")
    return Cluster(
        key, name, slurm_cluster=table.text("cluster", ""), gpus=gpu.read(Gpus) if gpu else None, scheme=scheme,
        partitions={queue: _partition(queue, each, cpu, gpu) for queue, each in queues.tables(*ABOUT)},
        others=tuple(queues.text("other", "").replace(",", " ").split()), complete=queues.yes("complete", True),
        jobs=jobs.read(JobFacts, only=True) if jobs else JobFacts(),
        cpu_unit=billing.text("cpu-unit") if billing else "", gpu_unit=billing.text("gpu-unit") if billing else "",
        billing={price: billing.number(price) for price in (*PRICES[scheme], *filter(billing.__contains__, ALSO))
                 } if billing else {},
        areas=tuple(_areas(storage)) if storage else (),
        missing={each: instead.get(each, "") for each in (commands.names if commands else ())
                 if commands and not commands.yes(each)},
        former=_leaves(table, "former-partitions"), modules=_leaves(table, "instead-modules"),
        variables=_leaves(table, "instead-variables"), plug_ins=_leaves(table, "plug-in-options"),
        facts=dict(table.place.leaves()), parts=parts)


def _leaves(table: Table, key: str) -> dict[str, str]:
    found = table.table(key)
    return dict(found.place.leaves()) if found else {}


def _partition(name: str, table: Table, cpu: Table | None, gpu: Table | None) -> Partition:
    """One partition; where it does not describe its nodes, they are the cluster's nodes of its kind."""
    for_gpus = table.text("kind", choices=("cpu", "gpu")) == "gpu"
    nodes = next((Nodes(each.whole("cores-per-node"), each.number("memory-gib"), each.whole("gpus-per-node", 0))
                  for each in (table, gpu if for_gpus else cpu) if each and "cores-per-node" in each), Nodes())
    large = cpu.number("large-memory-gib", 0) if cpu and table.yes("large-memory", False) else 0
    return table.read(Partition, only=True, name=name, gpu=for_gpus, nodes=nodes, large_gib=large,
                      also=("kind", "large-memory", "cores-per-node", "memory-gib", "gpus-per-node", "running-jobs"),
                      needed=("exclusive", "time-limit", "max-nodes") if "max-hours" in table else ())


def _areas(table: Table) -> Iterator[Area]:
    for name, each in table.tables("page"):
        if "path" in each:
            yield Area(name, each.text("path"), each.yes("environments"))
