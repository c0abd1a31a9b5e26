"""The one family of errors that a user sees; `cli.main` prints it and sets the exit code."""

from __future__ import annotations


class HandbookError(Exception):
    """Something kept a command from running (exit code 2).

    The message says what happened; the keyword arguments say where (`file:line`), why it matters,
    what to do next and which section of the handbook says more (its id, such as `sec-contributing`).
    """

    def __init__(self, what: str, *, where: str = "", why: str = "", todo: str = "", section: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.todo = todo
        self.section = section
