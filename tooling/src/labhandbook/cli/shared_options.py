"""What the commands share: exit codes, the class of a command, options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

FINE, FINDINGS, COULD_NOT_RUN = 0, 1, 2


class Command(click.Command):
    """A command that names the section of the handbook that documents it."""

    def __init__(self, *args: Any, section: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the address of the section, whole: click would break it at its hyphens."""
        from labhandbook.core.section_addresses import address

        if self.section:
            formatter.write(f"\n  Chapter: {address(self.section) or '@' + self.section}\n")


class Tidy(click.Group):
    """A group whose commands leave no temporary file, however they end."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        from labhandbook.core.reaper import temporary_files

        with temporary_files():
            return super().invoke(ctx)


def book_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option that says where the book is."""
    return click.option("--book", "start", type=click.Path(path_type=Path), default=".",
                        help="A folder of the book (default: this one).")(function)


def shown(path: Path) -> str:
    """A path as a person would type it from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
