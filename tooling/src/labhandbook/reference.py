"""The rule reference: pages of the handbook written from the registry, so that the two can't differ."""

from __future__ import annotations

from labhandbook.rules import REGISTRY, Rule, Severity

WEIGHTS = {Severity.ERROR: "an error", Severity.WARNING: "a warning",
           Severity.UNVERIFIED: "a note that something could not be verified"}


def anchor(code: str) -> str:
    """The section id of a rule on its reference page: `sec-rule-rel012`."""
    return f"sec-rule-{code.lower()}"


def explain(rule: Rule) -> str:
    """A rule for the terminal: code and title, why it matters, how to mend it, the section that teaches it."""
    return f"{rule.code}  {rule.title} ({WEIGHTS[rule.severity]})\n\n{rule.why}\n{rule.mend}\n\n@{rule.section}\n"


def page(prefix: str, head: str) -> str:
    """A reference page in Quarto's Markdown: `head` (front matter, title, opening), then every rule by its code."""
    rules = [REGISTRY[code] for code in sorted(REGISTRY) if code.startswith(prefix)]
    return head.rstrip() + "\n\n" + "\n\n".join(_entry(rule) for rule in rules) + "\n"


def _entry(rule: Rule) -> str:
    return (f"## {rule.code}: {_safe(rule.title)} {{#{anchor(rule.code)} .unnumbered}}\n\n"
            f"{_safe(rule.why)} **{_safe(rule.mend)}** It is {WEIGHTS[rule.severity]}. See @{rule.section} for more.")


def _safe(text: str) -> str:
    """A sentence with what Markdown or a shortcode would take for markup turned into text."""
    for character in "\\<>*_@#$[]{}`":
        text = text.replace(character, f"\\{character}")
    return text
