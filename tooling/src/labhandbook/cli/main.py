"""The command tree of `handbook`: parses, calls, prints and sets the exit code."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import MutableMapping
from importlib import import_module, metadata

import click

from labhandbook.cli.book_commands import check, facts, preview, render, rules, upkeep
from labhandbook.cli.shared_options import COULD_NOT_RUN, FINE
from labhandbook.core import last_handler
from labhandbook.core.errors import HandbookError
from labhandbook.core.escapes import Lost
from labhandbook.core.terminal import show_error


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


handbook.add_command(Lazy("release", "labhandbook.cli.release_commands",
                          "Release a Python package, step by step as the packaging chapter tells it."))
handbook.add_command(Lazy("recipe", "labhandbook.cli.recipe_commands",
                          "Bring a package to conda-forge and keep its recipe true."))
handbook.add_command(Lazy("job", "labhandbook.cli.job_commands",
                          "Check, price, write and review jobs for the clusters."))
for command in (check, facts, preview, render, rules, upkeep):
    handbook.add_command(command)


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
    last_handler.guard_streams()
    threading.excepthook = lambda failed: _failed(failed.exc_value) if failed.exc_value else None
    with last_handler.on_signals() as came:
        try:
            code = _outcome()
            sys.stdout.flush()
            sys.stderr.flush()
        except Lost as error:
            code = last_handler.silence(error)
            if code != last_handler.BROKEN_PIPE:
                with contextlib.suppress(Lost):
                    show_error(last_handler.lost(error))
        except (last_handler.Stopped, KeyboardInterrupt):
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
        show_error(last_handler.without_folder() or error)
    except click.ClickException as error:
        error.show()
    except (click.Abort, KeyboardInterrupt) as error:
        if isinstance(error.__cause__, EOFError):
            _failed(error.__cause__)
        else:
            click.echo("Stopped.", err=True)
    except last_handler.Stopped as error:
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
    known = last_handler.explain(error)
    if known is None:
        from labhandbook.package.machine import without_secrets

        known = last_handler.record(error, metadata.version("labhandbook"), without_secrets)
    show_error(known)
