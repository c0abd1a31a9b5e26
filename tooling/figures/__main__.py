"""Draw all pictures of the book, or those whose file names are given: `python -m tooling.figures lumi-node.svg`."""

from __future__ import annotations

import sys

from tooling.figures import card
from tooling.figures.drawing import ROOT
from tooling.figures.gallery import gallery


def main() -> int:
    """Write the pictures beside their chapters."""
    wanted = set(sys.argv[1:])
    for picture in gallery():
        if not wanted or picture.file.rpartition("/")[2] in wanted:
            (ROOT / picture.file).write_text(str(picture), encoding="utf-8")
            print(picture.file)
    if not wanted or "card.png" in wanted:
        (ROOT / card.FILE).write_bytes(card.draw())
        print(card.FILE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
