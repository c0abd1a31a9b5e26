"""Findings for people and machines: terminal text, a Markdown summary, JSON, SARIF 2.1.0."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from labhandbook.core import section_addresses
from labhandbook.core.escapes import one_line, visible
from labhandbook.core.rules import Finding, Rule, Severity

MARKS = {Severity.ERROR: ("✗", "red"), Severity.WARNING: ("!", "yellow"), Severity.UNVERIFIED: ("?", "cyan"),
         Severity.IGNORED: ("-", "white")}
WORDS = {Severity.ERROR: ("error", "errors"), Severity.WARNING: ("warning", "warnings"),
         Severity.UNVERIFIED: ("could not be verified", "could not be verified"),
         Severity.IGNORED: ("ignored", "ignored")}
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.UNVERIFIED: "note", Severity.IGNORED: "none"}
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
Paint = Callable[[str, str], str]


def report(findings: Sequence[Finding], form: str, addresses: Mapping[str, str] | None = None,
           title: str = "Handbook check") -> str:
    """Findings as text, json, markdown or sarif; `addresses` gives the pages of the sections that rules name, by id.

    Without it they are those of the lab's handbook. `title` heads a Markdown summary. Control characters of names and
    messages are written as their codes, because reports are also read on terminals.
    """
    if form in ("markdown", "sarif") and addresses is None:
        addresses = section_addresses.addresses(finding.rule.section for finding in findings)
    if form == "json":
        text = as_json(findings)
    elif form == "markdown":
        text = as_markdown(findings, addresses or {}, title)
    elif form == "sarif":
        text = as_sarif(findings, addresses or {})
    else:
        text = as_text(findings)
    return visible(text)


def counts(findings: Iterable[Finding]) -> str:
    """`2 errors, 1 warning`, or `no findings`."""
    count = Counter(finding.weight for finding in findings)
    found = [f"{count[weight]} {WORDS[weight][count[weight] > 1]}" for weight in Severity if count[weight]]
    return ", ".join(found) or "no findings"


def as_text(findings: Iterable[Finding], paint: Paint = lambda text, colour: text, verbose: bool = True) -> str:
    """`file:line: CODE message` for each finding; with `verbose` the remedy and the section under it."""
    lines: list[str] = []
    open_codes: list[str] = []
    for finding in findings:
        mark, colour = MARKS[finding.weight]
        rule = finding.rule
        message = visible(finding.message).replace("\n", "\n    ")
        lines.append(f"{paint(mark, colour)} {one_line(finding.place)}: {rule.code} {message}")
        if finding.weight is Severity.IGNORED:
            continue
        open_codes.append(rule.code)
        if verbose:
            lines += [f"    {finding.fix}", f"    {section_addresses.readable(rule.section)}"]
    if open_codes and not verbose:
        lines.append(f"    -v says how to fix {'them' if len(open_codes) > 1 else 'it'}; handbook rules "
                     f"{open_codes[0]} explains the rule")
    return "".join(f"{line}\n" for line in lines)


def as_json(findings: Sequence[Finding]) -> str:
    """The findings and how many there are of each weight."""
    count = Counter(finding.weight for finding in findings)
    weights = [weight for weight in Severity if weight is not Severity.IGNORED or count[weight]]
    return json.dumps({"counts": {str(weight): count[weight] for weight in weights},
                       "findings": [finding.as_json() for finding in findings]}, indent=2, ensure_ascii=False) + "\n"


def as_markdown(findings: Sequence[Finding], addresses: Mapping[str, str], title: str = "Handbook check") -> str:
    """A summary for a pull request or a workflow run."""
    lines = [f"## {plain(title)}: {counts(findings)}", ""]
    if findings:
        lines += ["| | Where | Rule | What | How to fix it |", "|-|-------|------|------|----------------|"]
    for finding in findings:
        rule = finding.rule
        address = addresses.get(rule.section)
        linked = f"[{rule.code}]({address})" if address else rule.code
        lines.append(f"| {MARKS[finding.weight][0]} | {code(finding.place)} | {linked} "
                     f"| {plain(finding.message)} | {plain(finding.fix)} |")
    return "\n".join(lines).rstrip() + "\n"


def code(text: str) -> str:
    """A name as code, on one line, in a table cell too."""
    text = one_line(text)
    return f"`{text.replace('|', chr(92) + '|')}`" if "`" not in text else plain(text)


def plain(text: str) -> str:
    """Words in a table cell, none of them markup."""
    for character in "\\`*_[]<>|#@~":
        text = text.replace(character, f"\\{character}")
    return text.replace("\n", " ")


def as_sarif(findings: Sequence[Finding], addresses: Mapping[str, str]) -> str:
    """SARIF 2.1.0, as code scanning reads it: every rule with its words, every finding with file and line."""
    rules = sorted({finding.rule for finding in findings}, key=lambda rule: rule.code)
    place = {rule.code: number for number, rule in enumerate(rules)}
    seen: Counter[str] = Counter()
    results: list[dict[str, Any]] = []
    for finding in findings:
        identity = f"{finding.rule.code}\0{finding.file}\0{finding.message}".encode("utf-8", "surrogateescape")
        print_ = hashlib.sha256(identity).hexdigest()[:20]
        seen[print_] += 1
        results.append({
            "ruleId": finding.rule.code, "ruleIndex": place[finding.rule.code], "level": LEVELS[finding.weight],
            "message": {"text": f"{finding.message}. {finding.fix}"},
            "locations": [{"physicalLocation": _location(finding)}],
            "partialFingerprints": {"handbook/v1": f"{print_}:{seen[print_]}"},
        })
        if finding.weight is Severity.IGNORED:
            results[-1]["suppressions"] = [{"kind": "inSource", "justification": finding.message}]
    from importlib.metadata import version

    driver: dict[str, Any] = {"name": "handbook", "version": version("labhandbook"),
                              "rules": [_sarif_rule(rule, addresses.get(rule.section)) for rule in rules]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results,
           "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The folder that was checked."}}}}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2,
                      ensure_ascii=False) + "\n"


def _location(finding: Finding) -> dict[str, Any]:
    where: dict[str, Any] = {"artifactLocation": {"uri": quote(os.fsencode(finding.file))}}
    if not finding.file.startswith("/"):
        where["artifactLocation"]["uriBaseId"] = "%SRCROOT%"
    if finding.line:
        where["region"] = {"startLine": finding.line}
    return where


def _sarif_rule(rule: Rule, address: str | None) -> dict[str, Any]:
    described = {
        "id": rule.code, "name": rule.code, "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why}, "help": {"text": f"{rule.why} {rule.fix}"},
        "defaultConfiguration": {"level": LEVELS[rule.severity]}, "properties": {"section": rule.section},
    }
    return {**described, "helpUri": address} if address else described
