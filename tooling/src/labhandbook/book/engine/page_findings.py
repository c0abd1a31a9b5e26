"""What is wrong with a page that the engine has written, with the lines of its source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from labhandbook.book.book_rules import CALLOUT, CITATION, DUPLICATE, INCLUDE, LINK, READABLE, REFERENCE, SUPPORTED
from labhandbook.book.boundary import own_file
from labhandbook.book.model import Book
from labhandbook.book.source_lines import Line, Source
from labhandbook.book.source_positions import Places
from labhandbook.core.rules import Finding, Findings, Rule, Severity

# What ends a render of any book; the rest Quarto passes, and so a book that does not ask for house style is rendered.
FATAL = (READABLE, INCLUDE)
PROBLEMS: dict[str, Rule] = {"reference": REFERENCE, "citation": CITATION, "link": LINK, "supported": SUPPORTED,
                            "callout": CALLOUT}


def page_findings(book: Book, source: Source, parsed: dict[str, Any], answer: dict[str, Any],
                  labels: Mapping[str, dict[str, str]]) -> tuple[list[Finding], list[str]]:
    """The findings of a page that was `parsed` and written, and the files it names that the book does not have."""
    places = Places(source)
    find = {"supported": places.attribute, "callout": places.attribute}
    findings = [*source.findings, *(
        _place(find.get(problem["kind"], places.best)(problem["needle"]), PROBLEMS[problem["kind"]],
               problem["message"]) for problem in [*parsed["problems"], *answer["problems"]])]
    missing = []
    for resource in answer["resources"]:
        if not own_file(book.root, resource["path"]):
            missing.append(resource["path"])
            message = f"{resource['target']} leads to no file of the book"
            findings.append(_place(places.best(resource["target"]), LINK, message))
    findings += duplicate_ids(source, parsed["ids"], labels)
    if not book.house_style:
        passed = {each for each in findings if each.weight is Severity.ERROR and each.rule not in FATAL}
        findings = [replace(each, severity=Severity.WARNING) if each in passed else each for each in findings]
    return list(Findings.of(findings)), missing


def duplicate_ids(source: Source, ids: Iterable[str], labels: Mapping[str, dict[str, str]]) -> Iterator[Finding]:
    """The ids that a page uses twice, and those of its labels that another page has too."""
    places, count = Places(source), Counter[str]()
    for name in ids:
        count[name] += 1
        owner = labels.get(name, {}).get("page", source.path)
        if count[name] == 2:
            places.id(name)
        if count[name] > 1:
            yield _place(places.id(name), DUPLICATE, f"#{name} is used twice on this page")
        elif owner != source.path and name.startswith(("sec-", "fig-", "tbl-", "eq-")):
            yield _place(Places(source).id(name), DUPLICATE, f"#{name} is used in {owner} too")


def _place(line: Line, rule: Rule, message: str) -> Finding:
    return Finding(line.file, line.number, rule, message)
