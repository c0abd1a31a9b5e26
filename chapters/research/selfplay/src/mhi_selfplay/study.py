"""The numbers of the page."""
from pathlib import Path


def results(file: Path, parts: list[str], runs: Path) -> None:
    """Nothing yet."""
