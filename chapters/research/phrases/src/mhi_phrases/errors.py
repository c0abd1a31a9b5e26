"""What the package raises."""


class PhrasesError(Exception):
    """Something that a person can mend: the message says what happened and what to do."""
