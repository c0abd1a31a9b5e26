"""A tool whose parts are shown in a chapter."""

import functools


def before() -> None:
    """Not shown."""


def bend() -> None:
    """Another one of this name, outside the class."""


@functools.cache
@functools.wraps(
    before,
)
class Tool:
    """A tool with *stars*, `ticks` and {braces}."""

    def use(
        self,
        times: int = 2,
    ) -> str:
        # A comment with "quotes" & <signs>.

        return """
    \\t""" * times

    @staticmethod
    def bend(
        angle: float,
    ) -> float:
        """Bend it.

        Half way.
        """
        return angle / 2

    rest = 1


def after() -> float:
    total = 0.0
    # part: loop
    for angle in range(3):
        total += Tool.bend(angle)
    # end: loop
    return total
