"""The command tree of `handbook`: parses, calls, prints and sets the exit code."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable, MutableMapping
from datetime import datetime
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import click

from labhandbook.core import ending
from labhandbook.core.escapes import Lost
from labhandbook.errors import HandbookError
from labhandbook.files import write_atomic
from labhandbook.terminal import Progress, paint, show_error, show_findings

FINE, FINDINGS, COULD_NOT_RUN = 0, 1, 2


class Command(click.Command):
    """A command that names the section of the handbook that documents it."""

    def __init__(self, *args: Any, section: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section
        self.epilog = f"Chapter: @{section}" if section else None


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="labhandbook", prog_name="handbook")
def handbook() -> None:
    """The lab handbook you can run: every workflow it documents is a command."""


class Lazy(click.Group):
    """A group of commands whose module is imported when one of them is asked for, not to show help."""

    def __init__(self, name: str, module: str, text: str) -> None:
        self._module = module
        super().__init__(name, help=text)

    @property
    def commands(self) -> MutableMapping[str, click.Command]:
        """The commands of the group of this name in the module."""
        group: click.Group = getattr(import_module(self._module), str(self.name))
        return group.commands

    @commands.setter
    def commands(self, value: object) -> None:
        """Click gives a new group its commands; this one has them elsewhere."""


handbook.add_command(Lazy("release", "labhandbook.release.commands",
                          "Release a Python package, step by step as the packaging chapter tells it."))
handbook.add_command(Lazy("recipe", "labhandbook.recipe.commands",
                          "Bring a package to conda-forge and keep its recipe true."))
handbook.add_command(Lazy("job", "labhandbook.hpc.commands",
                          "Check, price, write and review jobs for the clusters."))


def book_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option that says where the book is."""
    return click.option("--book", "start", type=click.Path(path_type=Path), default=".",
                        help="A folder of the book (default: this one).")(function)


@handbook.command(cls=Command, section="sec-contributing-preview")
@book_option
@click.option("--engine", type=click.Choice(["quarto", "pandoc"]), help="Default: Quarto if it is on PATH.")
@click.option("--output", type=click.Path(path_type=Path), help="Folder to fill (default: the book's output-dir).")
@click.option("--to", "formats", multiple=True, type=click.Choice(["html", "pdf", "epub"]),
              help="A format; may be given again (default: all).")
@click.option("--format", "shape", type=click.Choice(["text", "json"]), default="text", help="How to report.")
def render(start: Path, engine: str | None, output: Path | None, formats: tuple[str, ...], shape: str) -> int:
    """Render the whole handbook."""
    from labhandbook import runner
    from labhandbook.book.model import load_book
    from labhandbook.book.quarto import quarto_program, render_quarto
    from labhandbook.book.render import FORMATS, Rendered, refuse_output
    from labhandbook.book.render import render as render_pandoc

    book = load_book(start)
    target = (output or book.output).resolve()
    refuse_output(book, target, named=output is not None)
    engine = engine or ("quarto" if quarto_program() else "pandoc")
    progress = Progress(quiet=shape == "json")
    if engine == "quarto":
        progress.stage("Quarto")
        render_quarto(book, target, formats)
        result = Rendered("quarto", target, len(book.pages), [])
    else:
        result = render_pandoc(book, target, formats or FORMATS, progress.stage)
    progress.end()
    if result.failed:
        runner.tell_findings(result.findings, "Handbook render")
    if shape == "json":
        click.echo(json.dumps(result.as_json()))
    elif result.failed:
        show_findings(result.findings)
        progress.last(False, f"{len(result.findings)} findings; {target.name}/ is untouched")
    else:
        show_findings(result.findings)
        progress.last(True, f"{result.pages} pages by {result.engine} in {shown(target)}/ "
                            f"(open {shown(target / 'index.html')}, or read it with search: make preview)")
    return FINDINGS if result.failed else FINE


@handbook.command(cls=Command, section="sec-contributing-preview")
@book_option
@click.option("--port", type=click.IntRange(0, 65535), default=4444, show_default=True, help="0 takes a free one.")
@click.option("--open/--no-open", "browse", default=None, help="Open a browser (default: on a terminal).")
def preview(start: Path, port: int, browse: bool | None) -> int:
    """Serve the handbook and show every edit at once."""
    from labhandbook.book.model import load_book
    from labhandbook.book.preview import serve

    serve(load_book(start), port, browse=sys.stdout.isatty() if browse is None else browse)
    return FINE


@handbook.command(cls=Command, section="sec-contributing-facts")
@book_option
@click.option("--write", is_flag=True, help="Write them to _variables.yml, where Quarto reads them.")
def facts(start: Path, write: bool) -> int:
    """Show the variables that chapters take from the facts files."""
    from labhandbook.book.facts import VARIABLES, variables, write_variables
    from labhandbook.book.model import load_book

    book = load_book(start)
    if write:
        changed = write_variables(book)
        click.echo(f"{VARIABLES} {'written' if changed else 'is up to date'}")
    else:
        click.echo(json.dumps(variables(book), indent=2, ensure_ascii=False))
    return FINE


@handbook.command(cls=Command, section="sec-contributing-check")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--site", type=click.Path(path_type=Path), help="A built site to check too (default: the book's own).")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown", "sarif"]), default="text",
              help="How to report.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A file for the report.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Judge the facts as of this day.")
def check(path: Path | None, site: Path | None, form: str, output: Path | None, today: datetime | None) -> int:
    """Check the whole handbook, or the chapter or folder at PATH."""
    from labhandbook import runner
    from labhandbook.book.check import check as look
    from labhandbook.book.model import find_root
    from labhandbook.report import as_text, counts, report

    progress = Progress()
    found = look(path or find_root(Path.cwd()), site=site, today=today.date() if today else None)
    runner.tell_findings(found.findings, "Handbook check", found.addresses)
    if output:
        try:
            write_atomic(output, report(found.findings, form, found.addresses))
        except OSError as error:
            raise HandbookError(f"{output} can't be written: {error.strerror or error}",
                                todo="choose another file with --output", section="sec-contributing-check") from None
    elif form == "text":
        click.echo(as_text(found.findings, paint), nl=False)
    else:
        click.echo(report(found.findings, form, found.addresses), nl=False)
    progress.last(not found.failed, f"{found.pages} page{'s' if found.pages != 1 else ''}, {found.rules} rules: "
                                    f"{counts(found.findings)}")
    return FINDINGS if found.failed else FINE


@handbook.command(cls=Command, section="sec-contributing-upkeep")
@book_option
@click.option("--issue", is_flag=True, help="Bring one issue of the repository on GitHub to what is found.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown", "sarif"]), default="text",
              help="How to report.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Judge the facts as of this day.")
def upkeep(start: Path, issue: bool, form: str, today: datetime | None) -> int:
    """Find what has aged: addresses that don't answer, facts past review, newer versions of pinned tools."""
    from labhandbook import runner
    from labhandbook.book.model import load_book
    from labhandbook.places import addresses
    from labhandbook.report import as_text, counts, report
    from labhandbook.upkeep.look import look

    progress, book = Progress(quiet=form == "json"), load_book(start)
    found = look(book, today.date() if today else datetime.now().date(), progress.stage)
    progress.end()
    where = addresses(finding.rule.section for finding in found.findings)
    title = "Upkeep of the handbook"
    text = as_text(found.findings, paint) if form == "text" else report(found.findings, form, where, title)
    click.echo(text, nl=False)
    runner.tell_findings(found.findings, title, where)
    done = ""
    if issue:
        from labhandbook.release.git import read_git
        from labhandbook.release.github import open_github
        from labhandbook.upkeep.issue import deliver

        done = f"; {deliver(open_github(read_git(book.root, ask_remote=False)), found.findings, where, found.blind)}"
        runner.summarise(f"The issue: {done.removeprefix('; ')}")
    progress.last(not found.failed, f"{found.asked} addresses asked: {counts(found.findings)}{done}")
    return FINDINGS if found.failed and not issue else FINE


@handbook.command(cls=Command, section="sec-book-rules")
@book_option
@click.argument("code", required=False)
@click.option("--write", is_flag=True, help="Write the reference pages of the book from the rules.")
def rules(start: Path, code: str | None, write: bool) -> int:
    """Explain the rule with this code, or list all rules."""
    from labhandbook import reference
    from labhandbook.rules import REGISTRY

    reference.load()
    if write:
        from labhandbook.book.model import find_root

        for path, text in reference.pages(find_root(start.resolve())).items():
            write_atomic(path, text)
            click.echo(f"{shown(path)} written")
    elif code is None:
        for rule in sorted(REGISTRY.values(), key=lambda rule: rule.code):
            click.echo(f"{rule.code}  {rule.title}")
    elif code.upper() in REGISTRY:
        click.echo(reference.explain(REGISTRY[code.upper()]), nl=False)
    else:
        raise HandbookError(f"no rule has the code {code}", todo="see all codes with: handbook rules",
                            section="sec-book-rules")
    return FINE


def shown(path: Path) -> str:
    """A path as a person would type it from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def missing_part(error: ModuleNotFoundError) -> HandbookError:
    """What to say when a command needs a module that the light core doesn't bring."""
    return HandbookError(
        f"{(error.name or '').partition('.')[0]} isn't installed",
        why="the package is light at its core; what a command needs beyond it is in the extra of its workflow",
        todo="run `make` in the handbook, or `pip install 'labhandbook[render,check,release,recipe]'`",
        section="sec-contributing-preview")


def main() -> None:
    """Run the command line; the one place where errors become messages and exit codes."""
    # What a stranger wrote may not move the cursor: everything that is printed goes through guarded streams.
    ending.guard_streams()
    threading.excepthook = lambda failed: _failed(failed.exc_value) if failed.exc_value else None
    with ending.on_signals() as came:
        try:
            code = _outcome()
            sys.stdout.flush()
            sys.stderr.flush()
        except Lost as error:
            code = ending.silence(error)
            if code != ending.BROKEN_PIPE:
                with contextlib.suppress(Lost):
                    show_error(ending.lost(error))
        except (ending.Stopped, KeyboardInterrupt):
            code = COULD_NOT_RUN
        if came:
            code = 128 + came[0]
    sys.exit(code)


def _outcome() -> int:
    """The exit code of the command, with its error shown."""
    try:
        # Colours are our own affair: click would drop the escapes of others instead of letting them be shown.
        code = handbook.main(standalone_mode=False, color=True)
        return code if isinstance(code, int) else FINE
    except HandbookError as error:
        show_error(ending.without_folder() or error)
    except click.ClickException as error:
        error.show()
    except (click.Abort, KeyboardInterrupt) as error:
        if isinstance(error.__cause__, EOFError):
            _failed(error.__cause__)
        else:
            click.echo("Stopped.", err=True)
    except ending.Stopped as error:
        click.echo(f"Stopped by {signal.Signals(error.number).name}.", err=True)
    except Lost:
        raise
    except Exception as error:
        _failed(error)
    return COULD_NOT_RUN


def _failed(error: BaseException) -> None:
    """Show an error that no command expected."""
    if isinstance(error, ModuleNotFoundError) and not (error.name or "labhandbook").startswith("labhandbook"):
        show_error(missing_part(error))
        return
    known = ending.explain(error)
    if known is None:
        from labhandbook.release.machine import without_secrets

        known = ending.record(error, metadata.version("labhandbook"), without_secrets)
    show_error(known)
