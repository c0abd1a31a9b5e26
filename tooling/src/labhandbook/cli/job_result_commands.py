"""The commands of `handbook job` for jobs that wait, run or have ended."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from labhandbook.cli.report_options import format_option
from labhandbook.cli.shared_options import FINDINGS, FINE, Command
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.core.terminal import Progress


def next_step(text: str) -> None:
    """Say what to do next, on a line of its own, from which it can be copied."""
    click.echo(f"    next: {text}", err=True)


def save(path: Path, content: str | bytes) -> None:
    """Write a file and the folders above it. Raises HandbookError when that can't be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, content)
    except OSError as error:
        raise HandbookError(f"{path} can't be written: {error.strerror or error}", todo="name another place",
                            section="sec-hpc-workflow-script") from None


@click.command(cls=Command, section="sec-hpc-workflow-monitor")
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
        next_step("handbook job efficiency with a job's number")
        click.echo("\a", nl=False, err=True)
        words = shlex.split(after) if after else ["notify-send", "handbook", "Your jobs have ended."]
        try:
            run(words, timeout=60)
        except OSError as error:
            if after:
                raise HandbookError(f"{words[0]} can't be started: {error.strerror}",
                                    section="sec-hpc-workflow-monitor",
                                    todo="correct the command after --then") from None
    return FINE


@click.command(cls=Command, section="sec-job-scripts-sweep")
@click.argument("script", type=click.Path(path_type=Path))
@click.option("--output", "-o", "output", type=click.Path(path_type=Path),
              help="Write the table there, as Parquet if its name ends in .parquet.")
def collect(script: Path, output: Path | None) -> int:
    """Gather the runs of a sweep into one table: settings, state, result.

    SCRIPT is the one that job new --grid has written. If runs are missing, the command prints the line that submits
    only them.
    """
    from labhandbook.hpc.sweep import collect as gather

    found = gather(script)
    if output:
        save(output, found.as_parquet() if output.suffix == ".parquet" else found.as_csv())
    else:
        click.echo(found.as_csv(), nl=False)
    failed = any(row.state == "failed" for row in found.rows)
    Progress().last(not failed, found.summary() + (f", in {output}" if output else ""))
    if found.missing:
        next_step(found.resubmit())
    return FINDINGS if failed else FINE


@click.command(cls=Command, section="sec-hpc-errors")
@click.argument("message", nargs=-1, required=True)
@format_option
def explain(message: tuple[str, ...], form: str) -> int:
    """Say what an error, an exit code or a reason for waiting means, and what to do.

    MESSAGE is a line of a log or of squeue, in quotes.
    """
    from labhandbook.hpc.explain import explain as explanation

    found = explanation(" ".join(message))
    if form == "json":
        click.echo(json.dumps([vars(each) for each in found], indent=2))
    else:
        click.echo("\n".join(each.as_text() for each in found), nl=False)
    return FINE


@click.command(cls=Command, section="sec-contributing-facts")
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


@click.command(cls=Command, section="sec-hpc-workflow-monitor")
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
