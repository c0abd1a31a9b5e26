"""What py-rattler-build says of a v1 recipe, and the line that it means."""

from __future__ import annotations

import re

from labhandbook.recipe.conda_forge_facts import python_min
from labhandbook.recipe.recipe_reader import Reading
from labhandbook.recipe.renderer import MEMORY, SECONDS, Exhausted, said_of


def problem(reading: Reading) -> tuple[str, int] | None:
    """Its message and the line, None when it takes the recipe.

    Raises HandbookError when it isn't installed.
    """
    variant = {"python_min": [python_min()], "c_stdlib": ["sysroot"], "c_stdlib_version": ["2.17"]}
    try:
        said = said_of(reading.text, variant)
    except Exhausted:
        return (f"rendering it needs more than {MEMORY >> 20} MiB or {SECONDS} s, so it can't be checked",
                costly(reading))
    if said is None:
        return None
    inner = re.search(r'message: "((?:[^"\\]|\\.)*)"', said)
    words = inner[1] if inner else said
    words = " ".join(re.split(r"\n\s*\n|\nSee ", words)[0].split())
    words = re.sub(r"^(parse error: |invalid value for '(?:recipe|item)': )", "", words)
    return words[:300], line(said, reading)


def costly(reading: Reading) -> int:
    """The line of the expression that most likely needs so much: a product, a range or a large number."""
    lines = [number for number, text in enumerate(reading.lines, 1) if "${{" in text or "{%" in text]
    return next((number for number in lines if re.search(r"\*|range|\d{5}", reading.lines[number - 1])),
                next(iter(lines), 1))


def line(said: str, reading: Reading) -> int:
    """The line that a message means: the one it names, else the first that holds a word of it."""
    if found := re.search(r"line: (\d+)", said):
        return int(found[1])
    if found := re.search(r"YAML: (\d+):\d+", said):
        return int(found[1])
    quoted = re.findall(r"(?:field|license: |spec: |checksum: |value:? )\s*'?([^\s',]+)'?", said)
    quoted += re.findall(r"'([^']{3,})'", said)
    for word in quoted[:20]:
        for number, text in enumerate(reading.lines, 1):
            if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text):
                return number
    return 1
