"""What the package raises."""


class PhrasesError(Exception):
    """A mistake that a person can correct: the message says what happened and what to do."""
