"""`handbook job`: check, price, write and review jobs. Each command parses, calls one function and prints."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from labhandbook.cli.job_result_commands import collect, efficiency, explain, facts, next_step, save, watch
from labhandbook.cli.report_options import findings_format_option, format_option, show_report
from labhandbook.cli.shared_options import FINDINGS, FINE, Command
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.terminal import Progress


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def job() -> None:
    """Check, price, write and review jobs for the clusters."""


for each in (watch, collect, explain, facts, efficiency):
    job.add_command(each)


@job.command(cls=Command, section="sec-hpc-workflow-check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--cluster", "name", required=True, help="The cluster that will run it.")
@click.option("--from", "folder", type=click.Path(path_type=Path), default=".",
              help="The folder you will submit from (default: this one).")
@findings_format_option
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
def check(files: tuple[Path, ...], name: str, folder: Path, form: str, strict: bool) -> int:
    """Check job scripts before they cost anything."""
    from labhandbook.core.report import counts
    from labhandbook.core.rules import Findings
    from labhandbook.hpc.check_job import check as check_file
    from labhandbook.hpc.clusters import load
    from labhandbook.hpc.submission import submission

    progress = Progress()
    cluster = load().get(name)
    each = [check_file(file, cluster, folder) for file in files]
    found = Findings.of((finding for findings in each for finding in findings), each[0].rules)
    show_report(found, form, None, "Job check")
    failed, names = found.failed(strict=strict), ", ".join(file.name for file in files)
    progress.last(not failed, f"{names} for {cluster.name}: {found.rules} rules: {counts(found)}")
    if not failed:
        next_step(submission(files[0], cluster, folder))
    return FINDINGS if failed else FINE


@job.command(cls=Command, section="sec-hpc-workflow-cost")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--cluster", "name", help="The cluster (default: the one that has the script's partition).")
@click.option("--storage", metavar="SIZE", help="Price data of this size instead of a script, as 500G or 2T.")
@click.option("--area", default="scratch", show_default=True, help="The storage area of the data.")
@click.option("--days", type=click.FloatRange(0), default=30, show_default=True, help="How long the data is kept.")
@format_option
def cost(file: Path | None, name: str | None, storage: str | None, area: str, days: float, form: str) -> int:
    """Price a job, and a cheaper request that does the same.

    All tasks of an array count. On a login node it compares the price with the project's remaining budget, and fails
    if the budget is too small.
    """
    from labhandbook.hpc import budget
    from labhandbook.hpc.clusters import load
    from labhandbook.hpc.cost import bill
    from labhandbook.hpc.cost import storage as price

    if storage:
        if not name:
            raise HandbookError("no cluster is named", todo="add --cluster", section="sec-hpc-workflow-cost")
        held = price(load().get(name), storage, area, days)
        click.echo(json.dumps(vars(held), indent=2) if form == "json" else f"{held}\n    {held.how}")
        return FINE
    if file is None:
        raise HandbookError("no script is named", todo="name one, or ask with --storage for the price of data",
                            section="sec-hpc-workflow-cost")
    found = bill(file, load(), name)
    answer = budget.ask(found.cluster)
    paid = budget.payer(budget.read(answer, found.asked.price.unit == found.cluster.gpu_unit), found.account)
    if form == "json":
        more = {"budget": vars(paid) | {"left": paid.left}} if paid else {}
        click.echo(json.dumps(found.as_json() | more, indent=2))
    else:
        said = budget.compared(found.asked.price, paid) + "\n" if paid else budget.raw(found.cluster, answer)
        click.echo(found.as_text() + said, nl=False)
    return FINDINGS if paid and found.asked.price.amount > paid.left else FINE


@job.command(cls=Command, section="sec-hpc-workflow-script")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--cluster", help="The cluster. Asked for when it is missing.")
@click.option("--kind", type=click.Choice(["single", "ranks", "torchrun", "seeds", "grid", "requeue", "smallest"]),
              default="single", show_default=True,
              help="One process; one for each GPU, started by Slurm or by torchrun; an array over seeds or over the "
                   "lines of grid.txt, which resumes; a run that saves at its time limit and continues; the smallest "
                   "job, to see that everything works.")
@click.option("--name", help="The job's name (default: that of the file).")
@click.option("--partition", default="", help="Default: the cheapest that takes the job.")
@click.option("--nodes", type=click.IntRange(1), default=1, show_default=True, help="Nodes.")
@click.option("--gpus", type=click.IntRange(0), help="GPUs on each node, in the unit that the cluster counts.")
@click.option("--cores", type=click.IntRange(1), default=None, help="Cores on each node (default: a fair share).")
@click.option("--memory", default="", help="Memory on each node, such as 16G (default: a fair share).")
@click.option("--time", help="The time limit, such as 02:30:00 (default: half an hour).")
@click.option("--array", default="", help="Tasks of an array, such as 0-4%2; alone, it means --kind seeds.")
@click.option("--grid", multiple=True, metavar="NAME=VALUES",
              help="A setting of a sweep and its values, as lr=1e-3,1e-4 or seed=0:10; once for each setting.")
@click.option("--pack", type=click.IntRange(1), default=None,
              help="Runs that one task of a sweep carries out (default: as few as the array's limit allows).")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def new(file: Path | None, cluster: str | None, force: bool, grid: tuple[str, ...], **wanted: Any) -> int:
    """Write a job script that passes the check.

    It goes into FILE; without one it is printed. With --grid the settings of each run go into NAME.txt beside it.
    """
    from labhandbook.hpc import sweep
    from labhandbook.hpc.clusters import load
    from labhandbook.hpc.new_job import Kind, Wish, plan
    from labhandbook.hpc.script_text import LOGS, script

    known = load()
    if cluster is None:
        keys = [each.key for each in known.running]
        if not sys.stdin.isatty():
            raise HandbookError("no cluster is named", todo=f"add --cluster with one of: {', '.join(keys)}",
                                section="sec-hpc-workflow-script")
        cluster = str(click.prompt("Cluster", type=click.Choice(keys), default=keys[0], err=True))
        if wanted["gpus"] is None:
            wanted["gpus"] = click.prompt("GPUs on each node", type=click.IntRange(0), default=1, err=True)
        wanted["time"] = wanted["time"] or click.prompt("Time limit", default="00:30:00", value_proc=_time, err=True)
    wanted["name"] = wanted["name"] or (file.stem if file else "run")
    rows = sweep.settings(grid) if grid else []
    wanted["runs"] = len(rows)
    wish = Wish(**{name: value for name, value in wanted.items() if value is not None})
    planned = plan(known.get(cluster), replace(wish, kind=Kind(wish.kind)))
    text = script(planned, file.name if file else "job.sh")
    if file is None:
        click.echo(text, nl=False)
        return FINE
    made = {file: text} | ({file.with_name(f"{planned.wish.name}.txt"): sweep.table(rows)} if rows else {})
    for path, held in made.items():
        _refuse_to_replace(path, (force and path == file) or _text(path) == held)
    for path, held in made.items():
        save(path, held)
    more = f": {len(rows)} runs in {planned.wish.name}.txt, {planned.wish.pack} a task, --time is for all of a task"
    Progress().last(True, f"{file} for {planned.cluster.name} {planned.partition.name}{more if rows else ''}")
    next_step(f"mkdir -p {LOGS} && handbook job check {file} --cluster {planned.cluster.key}")
    return FINE


@job.command(cls=Command, section="sec-job-scripts")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--cluster", "name", help="Only the scripts for this cluster.")
@click.option("--force", is_flag=True, help="Replace files that differ.")
def scripts(folder: Path, name: str | None, force: bool) -> int:
    """Write the handbook's own job scripts.

    They go into FOLDER, by default the current one.
    """
    from labhandbook.hpc.chapter_scripts import scripts as written
    from labhandbook.hpc.clusters import load

    known = load()
    made = dict(written(known, known.get(name).key if name else ""))
    changed = {folder / file: text for file, text in made.items() if _text(folder / file) != text}
    for path in changed:
        _refuse_to_replace(path, force)
    for path, text in changed.items():
        save(path, text)
        click.echo(path)
    Progress().last(True, f"{len(changed)} of {len(made)} scripts written into {folder}"
                          + (", the others are up to date" if len(changed) < len(made) else ""))
    next_step("read one, then run handbook job check with its name and --cluster")
    return FINE


@job.command(cls=Command, section="sec-systems-choices")
def choices() -> int:
    """List jobs with cluster, partition, price and command.

    It is the table on the page of systems, which is written by: handbook job choices > chapters/hpc/_choices.qmd
    """
    from labhandbook.hpc.choices import table
    from labhandbook.hpc.clusters import load

    click.echo(table(load()), nl=False)
    return FINE


def _time(text: str) -> str:
    """A time limit as it was typed; click asks again until Slurm can read it."""
    from labhandbook.hpc.job_request import Unreadable, hours

    try:
        hours(text)
    except Unreadable as error:
        raise click.BadParameter(str(error)) from None
    return text


def _text(path: Path) -> str | None:
    """What a file holds; None when there is none or it isn't text."""
    try:
        return untrusted_data.text(path)
    except HandbookError:
        return None


def _refuse_to_replace(path: Path, force: bool) -> None:
    """Raise HandbookError when a file exists that must not be replaced."""
    if path.exists() and not force:
        raise HandbookError(f"{path} exists", why="only --force replaces a file",
                            todo="add --force, or name another place", section="sec-hpc-workflow-script")
