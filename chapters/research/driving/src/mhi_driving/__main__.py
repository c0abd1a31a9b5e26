"""The command `mhi-driving`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    parser = argparse.ArgumentParser(prog="mhi-driving", description="Learn to keep a lane.")
    parser.parse_args(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
