"""Reads a mapping of a facts file by names and kinds; an error names the file and line of what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

from labhandbook.core.errors import HandbookError
from labhandbook.core.wording import hint
from labhandbook.core.yaml_reader import Value

STAMPS = {"source", "checked", "review-by", "note"}
SECTION = "sec-contributing-facts"
Kind = TypeVar("Kind")


def named(key: str, default: Any, choices: tuple[str, ...] = ()) -> Any:
    """A field of a dataclass that has another name in the facts file, or a choice of values."""
    return field(default=default, metadata={"key": key, "choices": choices})


@dataclass(frozen=True)
class Place:
    """A value of a YAML file: its name in words, its file and the value."""

    name: str
    file: str
    value: Value

    @property
    def where(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.value.line}"

    def fail(self, what: str, todo: str) -> HandbookError:
        """The error that something here is wrong."""
        return HandbookError(f"{self.name} {what}", where=self.where, todo=todo, section=SECTION,
                             why="handbook job reads its numbers from this file")

    def children(self) -> dict[str, Place]:
        """What lies below by its key, stamps left out. Raises HandbookError when this is no mapping."""
        if not isinstance(self.value.held, dict):
            raise self.fail("holds no names", "write `name: value` lines below it")
        for key, line in self.value.repeated.items():
            again = Place(f"{self.name}.{key}", self.file, Value(line=line))
            raise again.fail("is there twice", "remove one of the two")
        return {key: Place(f"{self.name}.{key}", self.file, value)
                for key, value in self.value.map.items() if key not in STAMPS}

    def leaves(self, above: str = "") -> Iterator[tuple[str, str]]:
        """Every single value below with its path, stamps left out."""
        for key, place in self.children().items():
            if isinstance(place.value.held, dict):
                yield from place.leaves(f"{above}{key}.")
            elif isinstance(place.value.held, str):
                yield above + key, place.value.held


class Table:
    """A mapping whose values are read by name and kind."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._children = place.children()

    def tables(self, *single: str) -> Iterator[tuple[str, Table]]:
        """The mappings below by their key; only the names in `single` may hold a value instead."""
        return ((key, Table(value)) for key, value in self._children.items() if key not in single)

    @property
    def names(self) -> list[str]:
        """The names below."""
        return list(self._children)

    def __contains__(self, key: str) -> bool:
        return key in self._children

    def read(self, kind: type[Kind], *, only: bool = False, also: tuple[str, ...] = (), needed: tuple[str, ...] = (),
             **given: object) -> Kind:
        """An object of a dataclass whose fields are here under their names, or those of `named`, with dashes.

        Fields without a default and the names in `needed` must be here; `given` are fields that are known already.
        With `only` a name that is neither a field's nor in `also` is an error: it is likely a misspelt one.
        """
        readers = {"bool": self.yes, "int": self.whole, "float": self.number}
        keys = {each.metadata.get("key", each.name.replace("_", "-")): each
                for each in fields(kind)  # type: ignore[arg-type]
                if each.name not in given}
        for key, value in self._children.items() if only else ():
            if key not in (*keys, *also):
                raise value.fail(f"is not a name that belongs here{hint(key, [*keys, *also])}",
                                 f"the names here are: {', '.join(sorted([*keys, *also]))}")
        found = dict(given)
        for key, each in keys.items():
            default = None if each.default is MISSING or key in needed else each.default
            choices = each.metadata.get("choices", ())
            read = readers.get(str(each.type))
            found[each.name] = read(key, default) if read else self.text(key, default, choices)
        return kind(**found)

    def _scalar(self, key: str) -> Place | None:
        value = self._children.get(key)
        if value is not None and isinstance(value.value.held, dict | list):
            raise value.fail("is not a single value", "write one value after the name")
        return value

    def _needed(self, key: str, kind: str) -> HandbookError:
        return self.place.fail(f"lacks {key}", f"add `{key}:` with {kind}, its source and its days")

    def text(self, key: str, default: str | None = None, choices: tuple[str, ...] = ()) -> str:
        """Words; one of `choices` if there are any. Without `default` they must be there."""
        value = self._scalar(key)
        if value is None:
            if default is None:
                raise self._needed(key, "words" if not choices else f"one of {', '.join(choices)}")
            return default
        text = value.value.text
        if not text or (choices and text not in choices):
            raise value.fail(f'is "{text}"' + hint(text, choices),
                             f"write one of: {', '.join(choices)}" if choices else "write something")
        return text

    def number(self, key: str, default: float | None = None) -> float:
        """A number above zero. Without `default` it must be there."""
        value = self._scalar(key)
        if value is None:
            if default is None:
                raise self._needed(key, "a number")
            return default
        try:
            number = float(value.value.text)
        except ValueError:
            number = 0.0
        if not 0 < number < float("inf"):
            raise value.fail(f'is "{value.value.text}"', "write a number above zero, without unit or quotes")
        return number

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number above zero. Without `default` it must be there."""
        number = self.number(key, default)
        if number != int(number):
            raise self._children[key].fail(f"is {number}", "write a whole number")
        return int(number)

    def yes(self, key: str, default: bool | None = None) -> bool:
        """`yes` or `no`, in quotes. Without `default` it must be there."""
        if key not in self and default is not None:
            return default
        return self.text(key, choices=("yes", "no")) == "yes"

    def table(self, key: str) -> Table | None:
        """The mapping of this name, None when there is none."""
        return Table(self._children[key]) if key in self._children else None
