"""`handbook job`: check, price, write and review jobs. Each command parses, calls one function and prints."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from labhandbook.cli.report_options import findings_format_option, format_option, show_report
from labhandbook.cli.shared_options import FINDINGS, FINE, Command
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.core.terminal import Progress


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def job() -> None:
    """Check, price, write and review jobs for the clusters."""


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
    from labhandbook.hpc.check_job import check as look
    from labhandbook.hpc.clusters import load

    progress = Progress()
    cluster = load().get(name)
    each = [look(file, cluster, folder) for file in files]
    found = Findings.of((finding for findings in each for finding in findings), each[0].rules)
    show_report(found, form, None, "Job check")
    failed, names = found.failed(strict=strict), ", ".join(file.name for file in files)
    progress.last(not failed, f"{names} for {cluster.name}: {found.rules} rules: {counts(found)}")
    if not failed:
        _next(f"sbatch {names.partition(',')[0]}, on {cluster.name}")
    return FINDINGS if failed else FINE


def _next(text: str) -> None:
    """Say what to do next, on a line of its own, from which it can be copied."""
    click.echo(f"    next: {text}", err=True)


@job.command(cls=Command, section="sec-hpc-workflow-cost")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--cluster", "name", help="The cluster (default: the one that has the script's partition).")
@click.option("--storage", metavar="SIZE", help="Price data of this size instead of a script, as 500G or 2T.")
@click.option("--area", default="scratch", show_default=True, help="The storage area of the data.")
@click.option("--days", type=click.FloatRange(0), default=30, show_default=True, help="How long the data is kept.")
@format_option
def cost(file: Path | None, name: str | None, storage: str | None, area: str, days: float, form: str) -> int:
    """Price a job, and a cheaper request that does the same.

    All tasks of an array count. On a login node it also shows what the project has left.
    """
    from labhandbook.hpc.clusters import load
    from labhandbook.hpc.cost import bill, left
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
    click.echo(json.dumps(found.as_json(), indent=2) + "\n" if form == "json"
               else found.as_text() + left(found.cluster), nl=False)
    return FINE


@job.command(cls=Command, section="sec-hpc-workflow-script")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--cluster", help="The cluster. Asked for when it is missing.")
@click.option("--kind", type=click.Choice(["single", "ranks", "seeds", "grid", "requeue", "smallest"]),
              default="single", show_default=True,
              help="One process; one for each GPU; an array over seeds or over the lines of grid.txt, which resumes; "
                   "a run that saves at its time limit and goes on; one that only shows that all works.")
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
        _save(path, held)
    more = f": {len(rows)} runs in {planned.wish.name}.txt, {planned.wish.pack} a task, --time is for all of a task"
    Progress().last(True, f"{file} for {planned.cluster.name} {planned.partition.name}{more if rows else ''}")
    _next(f"mkdir -p {LOGS} && handbook job check {file} --cluster {planned.cluster.key}")
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
        _save(path, text)
        click.echo(path)
    Progress().last(True, f"{len(changed)} of {len(made)} scripts written into {folder}"
                          + (", the others are up to date" if len(changed) < len(made) else ""))
    _next("read one, then run handbook job check with its name and --cluster")
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


def _save(path: Path, text: str) -> None:
    """Write a file and the folders above it. Raises HandbookError when that can't be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text)
    except OSError as error:
        raise HandbookError(f"{path} can't be written: {error.strerror or error}", todo="name another place",
                            section="sec-hpc-workflow-script") from None


@job.command(cls=Command, section="sec-hpc-workflow-monitor")
@click.argument("numbers", metavar="[JOBID]...", nargs=-1)
@click.option("--every", type=click.IntRange(30), default=60, show_default=True, help="Seconds between questions.")
@click.option("--clusters", default="", help="The Slurm cluster to ask, as for squeue -M.")
@click.option("--then", "after", metavar="COMMAND", help="A command to run when all have ended.")
def watch(numbers: tuple[str, ...], every: int, clusters: str, after: str | None) -> int:
    """Show the state of your jobs as bars until they have ended.

    It asks Slurm once in a while, rings the terminal at the end, and shows a message on a desktop that has one.
    Without JOBID it shows all of your jobs.
    """
    import shlex
    import time

    from labhandbook.core.process import run
    from labhandbook.hpc.watch_jobs import ask, frames, shown

    before = ""
    for jobs in frames(numbers, every, time.sleep, lambda wanted: ask(wanted, clusters)):
        text = shown(jobs)
        if text != before:
            over = f"\x1b[{len(before.splitlines())}A\x1b[J" if before and sys.stdout.isatty() else ""
            click.echo(over + text, nl=False)
        before = text
    Progress().last(True, "all jobs have ended" if before else "no job of yours is in the queue")
    if before:
        _next("handbook job efficiency with a job's number")
        click.echo("\a", nl=False, err=True)
        words = shlex.split(after) if after else ["notify-send", "handbook", "Your jobs have ended."]
        try:
            run(words, timeout=60)
        except OSError as error:
            if after:
                raise HandbookError(f"{words[0]} can't be started: {error.strerror}", todo="check --then",
                                    section="sec-hpc-workflow-monitor") from None
    return FINE


@job.command(cls=Command, section="sec-job-scripts-sweep")
@click.argument("script", type=click.Path(path_type=Path))
@click.option("--output", "-o", "output", type=click.Path(path_type=Path), help="Write the table there.")
def collect(script: Path, output: Path | None) -> int:
    """Gather the runs of a sweep into one CSV: settings, state, result.

    SCRIPT is the one that job new --grid has written. It says how to submit only what is missing.
    """
    from labhandbook.hpc.sweep import collect as gather

    found = gather(script)
    if output:
        _save(output, found.as_csv())
    else:
        click.echo(found.as_csv(), nl=False)
    failed = any(row.state == "failed" for row in found.rows)
    Progress().last(not failed, found.summary() + (f", in {output}" if output else ""))
    if found.missing:
        _next(found.resubmit())
    return FINDINGS if failed else FINE


@job.command(cls=Command, section="sec-hpc-errors")
@click.argument("message", nargs=-1, required=True)
@format_option
def explain(message: tuple[str, ...], form: str) -> int:
    """Say what an error, an exit code or a reason for waiting means, and what to do.

    MESSAGE is a line of a log or of squeue, in quotes.
    """
    from labhandbook.hpc.explain import explain as look

    found = look(" ".join(message))
    if form == "json":
        click.echo(json.dumps([vars(each) for each in found], indent=2))
    else:
        click.echo("\n".join(each.as_text() for each in found), nl=False)
    return FINE


@job.command(cls=Command, section="sec-contributing-facts")
@click.option("--cluster", "name", required=True, help="The cluster whose login node this is.")
def facts(name: str) -> int:
    """Compare clusters.yml with the Slurm of a cluster.

    Run it on the login node. What differs is printed as the lines to put into clusters.yml.
    """
    from datetime import date
    from socket import gethostname

    from labhandbook.hpc.clusters import load
    from labhandbook.hpc.live_facts import ask, change, counted

    cluster = load().get(name)
    live = ask(cluster)
    text = change(cluster, live, gethostname(), date.today())
    click.echo(text, nl=False)
    Progress().last(not text, counted(cluster, live))
    return FINDINGS if text else FINE


@job.command(cls=Command, section="sec-hpc-workflow-monitor")
@click.argument("words", metavar="JOBID...", nargs=-1, required=True)
@click.option("--from", "saved", type=click.Path(path_type=Path, allow_dash=True),
              help="A saved answer of sacct -P (- is standard input).")
@click.option("--clusters", default="", help="The Slurm cluster to ask, as for sacct -M.")
@format_option
def efficiency(words: tuple[str, ...], saved: Path | None, clusters: str, form: str) -> int:
    """Show how well jobs used what they requested.

    Cores, memory and time, from Slurm's accounting, and what to ask for next time. JOBID is a number, or the log of
    a job, such as slurm_log/train_123.out.
    """
    from labhandbook.hpc.efficiency import ask, number, read, report

    numbers = [number(word) for word in words]
    jobs = read(_saved(saved) if saved else ask(numbers, clusters))
    if saved:
        jobs = [each for each in jobs if any(each.job == one or each.job.startswith(f"{one}_") for one in numbers)]
        if not jobs:
            raise HandbookError(f"the saved answer has no job {', '.join(numbers)}", todo="give a number that it has",
                                section="sec-hpc-workflow-monitor")
    if form == "json":
        click.echo(json.dumps([each.as_json() for each in jobs], indent=2))
    else:
        click.echo(report(jobs), nl=False)
    return FINE


def _saved(path: Path) -> str:
    """A saved answer, or the one on standard input. Raises HandbookError when the file can't be read."""
    if str(path) == "-":
        return sys.stdin.buffer.read(untrusted_data.LARGEST).decode("utf-8", "replace")
    return untrusted_data.content(path, section="sec-hpc-workflow-monitor").decode("utf-8", "replace")
