"""The other engine: Quarto itself, where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from labhandbook.book.engine.epub import epub
from labhandbook.book.engine.navigation import download_name
from labhandbook.book.engine.pandoc_engine import Engine
from labhandbook.book.facts import write_variables
from labhandbook.book.model import Book
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import replacing_folder
from labhandbook.core.process import close, environment, start, stop
from labhandbook.core.terminal import echo


def quarto_program() -> str | None:
    """Where Quarto is, or None."""
    return shutil.which("quarto")


def render_quarto(book: Book, output: Path, formats: tuple[str, ...]) -> None:
    """Render the book with Quarto into `output`, replacing it only when Quarto succeeds.

    The EPUB of a book in house style is the embedded engine's: Quarto's has no page of a part.

    Quarto empties its output folder before it starts, so it gets another one. All of its formats come from
    one run: a second `--to` would delete the first. Raises HandbookError when Quarto is missing or fails.
    """
    program = quarto_program()
    if program is None:
        raise HandbookError("Quarto isn't installed", todo="run `make quarto`, or render with --engine pandoc",
                            section="sec-contributing")
    write_variables(book)
    command = [program, "render", str(book.root)]
    if len(formats) == 1:
        command += ["--to", {"pdf": "typst"}.get(formats[0], formats[0])]
    with replacing_folder(output) as fresh:
        code = _say([*command, "--output-dir", str(fresh)])
        if code:
            raise HandbookError(f"Quarto stopped with exit code {code}", why="its own message is above",
                                todo="correct the place it names, or compare with --engine pandoc",
                                section="sec-contributing")
        if book.house_style and "epub" in (formats or ("epub",)):
            with Engine(book) as engine:
                engine.read(book.pages)
                engine.prepare()
                (fresh / download_name(book, "epub")).write_bytes(epub(engine))


def _say(command: list[str]) -> int:
    """Run Quarto and print what it says; its exit code."""
    env = environment(names=[name for name in os.environ if name.startswith("QUARTO_")] + ["VIRTUAL_ENV"])
    process = start(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert process.stdout
        for line in process.stdout:
            echo(line, err=True, nl=False)
        return process.wait()
    finally:
        stop(process)
        close(process.stdout)
