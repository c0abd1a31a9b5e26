"""The command tree of `handbook`: parses, calls, prints and sets the exit code.

What `handbook --help` does not need is imported in functions, so that it is shown at once.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from importlib import import_module

import click

from labhandbook.cli.shared_options import COULD_NOT_RUN, FINE
from labhandbook.core import guarded_streams
from labhandbook.core.errors import HandbookError
from labhandbook.core.escapes import Lost

# The module and the short help of each command and group.
COMMANDS = {
    "check": ("book_commands", "Check the whole handbook, or the chapter or folder at PATH."),
    "facts": ("book_commands", "Show the variables that chapters take from the facts files."),
    "job": ("job_commands", "Check, price, write and review jobs for the clusters."),
    "preview": ("book_commands", "Serve the handbook and show every edit at once."),
    "recipe": ("recipe_commands", "Bring a package to conda-forge and keep its recipe up to date."),
    "release": ("release_commands", "Release a Python package, step by step as in the packaging chapter."),
    "render": ("book_commands", "Render the whole handbook."),
    "rules": ("book_commands", "Explain the rule with this code, or list all rules."),
    "search-index": ("book_commands", "Put the search into the pages that Quarto has rendered."),
    "seminar": ("seminar_commands", "Organise a seminar: announcements, calendar and checklists from one file "
                                    "for each talk."),
    "upkeep": ("book_commands", "Find what is out of date: addresses that don't answer, facts past their review "
                                "day, newer versions of tools."),
    "watch": ("watch_commands", "Watch pages, feeds, releases and pull requests for what is new."),
}


class Lazy(click.Group):
    """A group that imports a command's module when the command is used, not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command, imported."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            module = import_module(f"labhandbook.cli.{COMMANDS[cmd_name][0]}")
            self.add_command(getattr(module, cmd_name.replace("-", "_")))
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands in the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="labhandbook", prog_name="handbook")
def handbook() -> None:
    """The lab handbook you can run: every workflow it documents is a command."""


def missing_part(error: ModuleNotFoundError) -> HandbookError:
    """What to say when a command needs a module that the package itself doesn't bring."""
    from labhandbook.core.kit_extras import kit_with

    return HandbookError(
        f"{(error.name or '').partition('.')[0]} isn't installed",
        why="the package installs only what all commands need; the rest is in extras, one for each workflow",
        todo="run `make` in the handbook, or " + kit_with("render,check,release,recipe,seminar,watch"),
        section="sec-contributing-preview")


def main() -> None:
    """Run the command line; the one place where errors become messages and exit codes."""
    # Foreign text may not move the cursor: everything that is printed is written to guarded streams.
    guarded_streams.guard_streams()
    threading.excepthook = _thread_failed
    with guarded_streams.on_signals() as came:
        try:
            code = _outcome()
            sys.stdout.flush()
            sys.stderr.flush()
        except Lost as error:
            code = guarded_streams.silence(error)
            if code != guarded_streams.BROKEN_PIPE:
                from labhandbook.core import last_handler

                with contextlib.suppress(Lost):
                    _show(last_handler.lost(error))
        except (guarded_streams.Stopped, KeyboardInterrupt):
            code = COULD_NOT_RUN
        if came and came[0] != signal.SIGINT:
            code = 128 + came[0]
    sys.exit(code)


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    """Show the error of a thread; what a signal kept it from starting is none.

    Only `process.start` raises InterruptedError: Python itself repeats calls that a signal interrupts (PEP 475).
    """
    if failed.exc_value and not isinstance(failed.exc_value, InterruptedError):
        _failed(failed.exc_value)


def _outcome() -> int:
    """The exit code of the command, with its error shown."""
    try:
        # We colour the output ourselves: click would drop the escape codes of foreign text instead of showing them.
        code = handbook.main(standalone_mode=False, color=True)
        return code if isinstance(code, int) else FINE
    except HandbookError as error:
        from labhandbook.core import last_handler

        _show(last_handler.without_folder() or error)
    except click.ClickException as error:
        error.show()
    except (click.Abort, KeyboardInterrupt) as error:
        if isinstance(error.__cause__, EOFError):
            _failed(error.__cause__)
        else:
            click.echo("Stopped.", err=True)
    except guarded_streams.Stopped as error:
        click.echo(f"Stopped by {signal.Signals(error.number).name}.", err=True)
    except Lost:
        raise
    except Exception as error:
        _failed(error)
    return COULD_NOT_RUN


def _show(error: HandbookError) -> None:
    from labhandbook.core.terminal import show_error

    show_error(error)


def _failed(error: BaseException) -> None:
    """Show an error that no command expected."""
    from importlib import metadata

    from labhandbook.core import last_handler

    if isinstance(error, ModuleNotFoundError) and not (error.name or "labhandbook").startswith("labhandbook"):
        _show(missing_part(error))
        return
    known = last_handler.explain(error)
    if known is None:
        from labhandbook.package.machine import without_secrets

        known = last_handler.record(error, metadata.version("labhandbook"), without_secrets)
    _show(known)
