"""The variables of a recipe put in their places. Nothing is evaluated, so a recipe can't run anything here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

# Jinja's statements and comments, over lines too. They are left out: a recipe is read with all of its branches.
JINJA = re.compile(r"\{%(?:(?!\{%|%\}).)*%\}|\{#(?:(?!\{#|#\}).)*#\}", re.DOTALL)
SET = re.compile(r"""\{%-?\s*set\s+(\w+)\s*=\s*(?:(["'])([^"']*)\2|([\w.]+))\s*-?%\}""")
ASSIGNED = re.compile(r"\{%-?\s*set\s+(\w+)")
BRACES = re.compile(r"^\s*(?:- +)*(?:[\w-]+: +)?(?=\{\{)")
# Where a recipe uses its own variables. Nothing is evaluated: names, positions, `lower`, `upper` and `replace` are
# all that recipes on conda-forge need. Variables of variables could grow without end, so a value that becomes
# too long stays as it is written.
PLACE = re.compile(r"(?:\$\{\{|\{\{)([^{}]+)\}\}")
EXPRESSION = re.compile(r"(\w+)(?:\[(\d{1,4})\])?\s*((?:\|[^|]+)*)")
REPLACE = re.compile(r"replace\(\s*(['\"])(.*?)\1\s*,\s*(['\"])(.*?)\3\s*\)")
# A name in an expression: no attribute, filter, function or argument of one.
NAME = re.compile(r"(?<![\w.])(?<!\|)(?<!\| )[A-Za-z_]\w{3,}(?!\w|\s*\(|\s*=(?!=))")
STRING = re.compile(r"""(["'])(?:(?!\1).)*\1""")
COMMENT = re.compile(r"(?:^|\s)#.*$")
LONGEST_VALUE = 1_000  # characters of a value that is put in
MOST_NAMES = 500
# What conda-forge's settings and the build tools define for every recipe, packages apart.
GIVEN = frozenset((
    "python", "python_min", "python_impl", "is_python_min", "is_freethreading", "is_abi3", "numpy", "perl", "r_base",
    "target_platform", "build_platform", "host_platform", "channel_targets", "channel_sources", "c_compiler",
    "c_compiler_version", "cxx_compiler", "cxx_compiler_version", "fortran_compiler", "fortran_compiler_version",
    "cuda_compiler", "cuda_compiler_version", "rust_compiler", "go_compiler", "c_stdlib", "c_stdlib_version",
    "docker_image", "blas_impl", "unix", "linux", "linux64", "aarch64", "x86_64", "arm64", "ppc64le", "none",
))
MOST = 1_000_000  # characters that are put into one text


def without_jinja(text: str, context: dict[str, str]) -> str:
    """v0's text with its Jinja turned into plain YAML; every line keeps its number."""

    def blank(place: re.Match[str]) -> str:
        if found := SET.fullmatch(place[0]):
            context[found[1]] = found[3] if found[3] is not None else context.get(found[4], found[4])
        elif found := ASSIGNED.match(place[0]):
            context.pop(found[1], None)  # an expression: nothing here evaluates it
        return "\n" * place[0].count("\n")

    lines = []
    for line in JINJA.sub(blank, text).splitlines():
        # A value that begins with {{ would be a mapping to YAML.
        if match := BRACES.match(line):
            value = re.split(r"\s#", line[match.end():], maxsplit=1)[0].rstrip()
            quoted = value.replace("'", '"')
            line = f"{match[0]}'{quoted}'{line[match.end() + len(value):]}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def fill(text: str, variables: Mapping[str, str]) -> str:
    """A text with the variables put in; anything else, such as a function, stays as it is."""
    added = 0

    def put_in(place: re.Match[str]) -> str:
        nonlocal added
        value = _value(place[1].strip(), variables, place[0]) if added < MOST else place[0]
        added += len(value)
        return value

    return PLACE.sub(put_in, text)


def _value(expression: str, variables: Mapping[str, str], otherwise: str) -> str:
    """`name`, `name[0]`, and either with `lower`, `upper` or `replace("a", "b")` behind bars."""
    match = EXPRESSION.fullmatch(expression) if len(expression) <= LONGEST_VALUE else None
    value = variables.get(match[1]) if match else None
    if match is None or value is None or len(value) > LONGEST_VALUE:
        return otherwise
    if match[2]:
        value = value[int(match[2])] if int(match[2]) < len(value) else ""
    for word in filter(None, (part.strip() for part in match[3].split("|"))):
        if word in ("lower", "upper"):
            value = getattr(value, word)()
        elif found := REPLACE.fullmatch(word):
            value = value.replace(found[2], found[4])
        elif word != "string":
            return otherwise
        if len(value) > LONGEST_VALUE:
            return otherwise
    return str(value)


def misspelt(text: str, context: Iterable[str], others: Collection[str]) -> Iterator[tuple[int, str, str]]:
    """Names that nothing defines and that are a slip away from a variable of the recipe: line, name, what is meant.

    Other names are left alone, because conda-forge's settings define hundreds. In v0 every word of a statement counts
    as defined. A recipe with more than `MOST_NAMES` variables or strange names is not read to its end.
    """
    own = list(dict.fromkeys([*context, *ASSIGNED.findall(text)]))[:MOST_NAMES]
    known = {*own, *others, *GIVEN, *(word for place in JINJA.findall(text) for word in re.findall(r"\w+", place))}
    meant: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for place in PLACE.finditer(COMMENT.sub("", line)):
            asks = re.search("defined|default", place[1])  # whether the name is defined at all
            for name in () if asks else NAME.findall(STRING.sub("''", place[1])):
                if name not in known and name not in meant and len(meant) < MOST_NAMES:
                    meant[name] = next((each for each in own if _slip(name, each)), "")
                if meant.get(name):
                    yield number, name, meant[name]


def _slip(word: str, name: str) -> bool:
    """Whether one letter too much, too few or wrong, or two that changed places, make one of the other."""
    start = _alike(word, name)
    word, name = word[start:], name[start:]
    end = _alike(word[::-1], name[::-1])
    word, name = word[:len(word) - end], name[:len(name) - end]
    return not re.search(r"\d", word + name) and (
        max(len(word), len(name)) == 1 or (len(word) == 2 and word == name[::-1]))


def _alike(one: str, two: str) -> int:
    """How many letters two words have in common at their beginning."""
    return next((place for place, (first, second) in enumerate(zip(one, two, strict=False)) if first != second),
                min(len(one), len(two)))
