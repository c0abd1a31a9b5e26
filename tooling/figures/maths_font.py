"""Make _extensions/handbook/maths.woff2, the font of the equations, from TeX Gyre Termes Math.

    python -m tooling.figures.maths_font texgyretermes-math.otf

Debian has that file in fonts-texgyre-math, TeX Live in tex-gyre-math. It needs fonttools and brotli. Run it again
with more CHARACTERS when a test says that an equation shows one that the font lacks. The bytes depend on the version
of fonttools, so no test compares them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "_extensions" / "handbook" / "maths.woff2"
NAME = "Handbook Maths"
# What equations are written with: each costs bytes, those that stretch (brackets, bars, roots) a lot.
CHARACTERS = (
    *map(chr, range(0x20, 0x7F)),
    *"¯±·×̸̂̃̄̇̈⃗ΓΔΘΛΞΠΣΦΨΩ‖…′‾ℎℓℝℕℤℂℙℚℒ←→↦⇒⇔∀∂∃∅∇∈∉∏∑−∖∗∘√∝∞∣∥∧∨∩∪∫∼≈≔≠≡≤≥≪≫⊂⊆⊕⊗⊤⊥⋅⋮⋯⋱⌈⌉⌊⌋⟨⟩𝔼𝟙𝒟𝒩𝒪",
    *map(chr, range(0x1D434, 0x1D468)),  # italic letters
    *map(chr, range(0x1D6FB, 0x1D71C)),  # italic nabla and Greek
)


def subset(source: Path, target: Path, characters: Iterable[str]) -> None:
    """Write some characters of a font with its table for maths to `target`, under another name, as its licence asks.

    Raises ValueError when the font has no table for maths.
    """
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    font = TTFont(source)
    if "MATH" not in font:
        raise ValueError(f"{source} has no table for maths")
    for table in font["cmap"].tables:  # pandoc's bars, as wide as what is below them
        if table.isUnicode():
            table.cmap |= dict.fromkeys(map(ord, "¯‾"), table.cmap[ord("̅")])
    # Of its names the copyright, the licence and the version stay.
    options = Options(flavor="woff2", layout_features=[], hinting=False, desubroutinize=True, notdef_outline=True,
                      name_IDs=[0, 1, 4, 5, 13, 14])
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "DSIG"]
    shrink = Subsetter(options)
    shrink.populate(unicodes=map(ord, characters))
    shrink.subset(font)
    for each in (1, 4):
        font["name"].setName(NAME, each, 3, 1, 0x409)
    font.flavor = "woff2"
    font.save(target)


def main() -> int:
    """Make the font from the file that is named."""
    if len(sys.argv) != 2:
        sys.exit("name the file texgyretermes-math.otf")
    subset(Path(sys.argv[1]), TARGET, CHARACTERS)
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
