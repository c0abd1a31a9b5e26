"""GitHub's expressions, evaluated as far as possible before a run; values that only a run decides stay unknown.

The grammar is that of GitHub's reference on expressions: comparisons and functions ignore case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

TOKEN = re.compile(r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?))"
                   r"|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>&&|\|\||==|!=|<=|>=|[<>!().,\[\]*]))")
WHOLE = re.compile(r"\s*\$\{\{(.*)\}\}\s*", re.DOTALL)


class Unknown:
    """A value that only a run decides."""

    def __repr__(self) -> str:
        return "UNKNOWN"


@dataclass(frozen=True)
class Begins:
    """A text of which only the beginning is known."""

    prefix: str


class Fitting:
    """A value that equals whatever it is compared with: the repository's own name, which differs between forks."""

    def __repr__(self) -> str:
        return "FITTING"


UNKNOWN, FITTING = Unknown(), Fitting()
Known = str | float | bool | None | Unknown | Fitting | Begins


def holds(condition: str, known: Mapping[str, Known]) -> bool | None:
    """Whether an `if:` holds, given what is known of contexts, such as `github.event_name`.

    None where only a run decides, or the condition can't be read. An empty condition holds.
    """
    return _truth(evaluate(condition, known)) if condition.strip() else True


def evaluate(condition: str, known: Mapping[str, Known]) -> Known:
    """The value of an expression, in `${{ }}` or bare; UNKNOWN where only a run decides."""
    match = WHOLE.fullmatch(condition)
    text = match[1] if match and "${{" not in match[1] else condition
    if "${{" in text:
        # `${{ a }} == 'b'` is a text, which is always true: actionlint reports it.
        return UNKNOWN
    try:
        reader = _Reader(_tokens(text), known)
        found = reader.either()
        return found if reader.done else UNKNOWN
    except (ValueError, IndexError, RecursionError):
        return UNKNOWN


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise ValueError(f"no expression: {text}")
        found.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


class _Reader:
    """Reads tokens from left to right and keeps count of the place."""

    def __init__(self, tokens: list[tuple[str, str]], known: Mapping[str, Known]) -> None:
        self._tokens, self._known, self._place = tokens, known, 0

    @property
    def done(self) -> bool:
        return self._place == len(self._tokens)

    def _take(self, *signs: str) -> str:
        """The next token if it is one of these signs."""
        if not self.done and self._tokens[self._place] in [("sign", sign) for sign in signs]:
            self._place += 1
            return self._tokens[self._place - 1][1]
        return ""

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise ValueError(f"{sign} is missing")

    def either(self) -> Known:
        found = self.both()
        while self._take("||"):
            other, truth = self.both(), _truth(found)
            found = other if truth is False else found if truth else (True if _truth(other) else UNKNOWN)
        return found

    def both(self) -> Known:
        found = self.comparison()
        while self._take("&&"):
            other, truth = self.comparison(), _truth(found)
            found = found if truth is False else other if truth else (False if _truth(other) is False else UNKNOWN)
        return found

    def comparison(self) -> Known:
        found = self.denial()
        while sign := self._take("==", "!=", "<=", ">=", "<", ">"):
            other = self.denial()
            same = _equal(found, other)
            found = same if sign == "==" else (UNKNOWN if same is UNKNOWN else not same) if sign == "!=" else UNKNOWN
        return found

    def denial(self) -> Known:
        if self._take("!"):
            truth = _truth(self.denial())
            return UNKNOWN if truth is None else not truth
        return self.atom()

    def atom(self) -> Known:
        if self._take("("):
            found = self.either()
            self._expect(")")
            return found
        kind, text = self._tokens[self._place]
        self._place += 1
        if kind == "string":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(int(text, 16)) if "x" in text else float(text)
        if kind != "name":
            raise ValueError(f"{text} is in the place of a value")
        if self._take("("):
            return _call(text.lower(), self._arguments())
        if text in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[text]
        return self._known.get(self._path(text.lower()), UNKNOWN)

    def _arguments(self) -> list[Known]:
        found: list[Known] = []
        while not self._take(")"):
            found.append(self.either())
            self._take(",")
        return found

    def _path(self, name: str) -> str:
        """The path of a context, such as github.event.action."""
        while sign := self._take(".", "["):
            if sign == "[":
                key = self.either()
                self._expect("]")
                name += f".{key}" if isinstance(key, str) else ".*"
                continue
            _, word = self._tokens[self._place]
            self._place += 1
            name += f".{word.lower()}"
        return name


def _truth(found: Known) -> bool | None:
    """Whether a value counts as true; None where only a run decides."""
    if isinstance(found, Unknown):
        return None
    if isinstance(found, Fitting):
        return True
    if isinstance(found, Begins):
        return True if found.prefix else None
    return bool(found)


def _equal(one: Known, other: Known) -> Known:
    if isinstance(one, Fitting) or isinstance(other, Fitting):
        return True
    if isinstance(one, Unknown) or isinstance(other, Unknown):
        return UNKNOWN
    if isinstance(one, Begins) and isinstance(other, Begins):
        first, second = one.prefix.lower(), other.prefix.lower()
        return UNKNOWN if first.startswith(second) or second.startswith(first) else False
    if isinstance(one, Begins) or isinstance(other, Begins):
        begins, whole = (one, other) if isinstance(one, Begins) else (other, one)
        assert isinstance(begins, Begins)
        return UNKNOWN if str(whole or "").lower().startswith(begins.prefix.lower()) else False
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    return one == other if type(one) is type(other) else _numbers(one, other)


def _numbers(one: str | float | bool | None, other: str | float | bool | None) -> Known:
    """Values of two types, which GitHub compares as numbers: a word is none, and equals nothing."""
    found = []
    for each in (one, other):
        text = str(each).strip() if isinstance(each, str) else ""
        if text and not re.fullmatch(r"-?\d+(\.\d+)?", text):
            return False
        found.append(float(text or 0) if isinstance(each, str) else float(each or 0))
    return found[0] == found[1]


def _call(name: str, given: list[Known]) -> Known:
    if name == "startswith" and len(given) == 2:
        return _starts(given[0], given[1])
    if name == "contains" and len(given) == 2 and isinstance(given[0], Begins) and isinstance(given[1], str):
        return True if given[1].lower() in given[0].prefix.lower() else UNKNOWN
    if name in ("contains", "endswith") and len(given) == 2 and all(isinstance(each, str) for each in given):
        whole, part = (str(each).lower() for each in given)
        return part in whole if name == "contains" else whole.endswith(part)
    # A run that is asked about went well so far.
    return {"success": True, "always": True, "failure": False, "cancelled": False}.get(name, UNKNOWN)


def _starts(whole: Known, part: Known) -> Known:
    if not isinstance(part, str) or isinstance(whole, Unknown | Fitting):
        return UNKNOWN
    if isinstance(whole, Begins):
        known, wanted = whole.prefix.lower(), part.lower()
        return True if known.startswith(wanted) else UNKNOWN if wanted.startswith(known) else False
    return str(whole or "").lower().startswith(part.lower())
