"""What the package raises."""

from labhandbook.runs import HandbookError


class PhrasesError(HandbookError):
    """A mistake that a person can correct: the message says what happened and what to do."""
