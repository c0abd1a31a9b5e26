"""What py-rattler-build says of a v1 recipe, and the line that it means."""

from __future__ import annotations

import re

from labhandbook.errors import HandbookError
from labhandbook.recipe.facts import python_min
from labhandbook.recipe.reading import Reading


def problem(reading: Reading) -> tuple[str, int] | None:
    """Its message and the line, None when it takes the recipe.

    Raises HandbookError when it isn't installed.
    """
    try:
        import rattler_build
    except ImportError:
        raise HandbookError("py-rattler-build isn't installed", why="conda-forge builds v1 recipes with it",
                            todo="pip install 'labhandbook[recipe]'", section="sec-conda-forge-check") from None
    variant = {"python_min": [python_min()], "c_stdlib": ["sysroot"], "c_stdlib_version": ["2.17"]}
    try:
        recipe = rattler_build.Stage0Recipe.from_yaml(reading.text)
        recipe.render(rattler_build.VariantConfig(variant))
    except rattler_build.RattlerBuildError as error:
        said = str(error)
    except Exception as error:
        if not type(error).__module__.startswith(("rattler_build", "builtins")):
            raise
        said = str(error)
    else:
        return None
    inner = re.search(r'message: "((?:[^"\\]|\\.)*)"', said)
    words = inner[1] if inner else said
    words = " ".join(re.split(r"\n\s*\n|\nSee ", words)[0].split())
    words = re.sub(r"^(parse error: |invalid value for '(?:recipe|item)': )", "", words)
    return words[:300], line(said, reading)


def line(said: str, reading: Reading) -> int:
    """The line that a message means: the one it names, else the first that holds a word of it."""
    if found := re.search(r"line: (\d+)", said):
        return int(found[1])
    if found := re.search(r"YAML: (\d+):\d+", said):
        return int(found[1])
    quoted = re.findall(r"(?:field|license: |spec: |checksum: |value:? )\s*'?([^\s',]+)'?", said)
    quoted += re.findall(r"'([^']{3,})'", said)
    for word in quoted:
        for number, text in enumerate(reading.lines, 1):
            if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text):
                return number
    return 1
