"""The rule reference: pages of the handbook written from the registry, so that the two can't differ."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.rules import REGISTRY, Rule, Severity

# The reference page of each family of rules, and the modules that register them.
PAGES = {"BOOK": "chapters/book-rules.qmd", "REL": "chapters/packaging/rules.qmd",
         "RCP": "chapters/packaging/recipe-rules.qmd", "GHA": "chapters/packaging/actions-rules.qmd",
         "HPC": "chapters/hpc/rules.qmd"}
RULE_MODULES: dict[str, tuple[str, ...]] = {
    "BOOK": ("labhandbook.book.checks",),
    "HPC": ("labhandbook.hpc.check_job",),
    "RCP": ("labhandbook.recipe.recipe_rules",),
    "REL": ("labhandbook.release.check_project",
            "labhandbook.github.admit",
            "labhandbook.release.adopted_files",
            "labhandbook.release.release_rules.archive_form",
            "labhandbook.release.release_rules.broken_contents",
            "labhandbook.release.release_rules.build_agreement",
            "labhandbook.release.release_rules.unwanted_files",
            "labhandbook.release.release_rules.upload_metadata",
            "labhandbook.release.release_rules.missing_files",
            "labhandbook.release.release_rules.installed_tests"),
    "GHA": ("labhandbook.github.workflow_rules",),
}
MARKUP = re.compile(r"[\\<>*_@#$\[\]{}`]")
WEIGHTS = {Severity.ERROR: "an error", Severity.WARNING: "a warning",
           Severity.UNVERIFIED: "a note that something could not be verified"}


def anchor(code: str) -> str:
    """The section id of a rule on its reference page: `sec-rule-rel012`."""
    return f"sec-rule-{code.lower()}"


def explain(rule: Rule) -> str:
    """A rule for the terminal: code and title, why it matters, how to fix it, the section that teaches it."""
    source = f"Source: {rule.source}\n" if rule.source else ""
    return (f"{rule.code}  {rule.title} ({WEIGHTS[rule.severity]})\n\n{rule.why}\n{rule.fix}\n{source}\n"
            f"@{rule.section}\n")


def load(family: str = "") -> None:
    """Import every module that registers rules, or those of the rules whose codes begin so."""
    for prefix, modules in RULE_MODULES.items():
        if family in ("", prefix):
            for module in modules:
                import_module(module)


def pages(root: Path) -> dict[Path, str]:
    """What each reference page of the book at `root` should hold, by its path.

    A page's head, up to its first rule, is its author's; the rules below it are the registry's.
    """
    load()
    found = {}
    for prefix, name in PAGES.items():
        path = root / name
        head = re.split(rf"^## {prefix}\d", untrusted_data.text(path, name), maxsplit=1, flags=re.MULTILINE)[0]
        rules = [REGISTRY[code] for code in sorted(REGISTRY) if code.startswith(prefix)]
        found[path] = head.rstrip() + "\n\n" + "\n\n".join(_entry(rule) for rule in rules) + "\n"
    return found


def _entry(rule: Rule) -> str:
    return (f"## {rule.code}: {_safe(rule.title)} {{#{anchor(rule.code)} .unnumbered}}\n\n"
            f"{_safe(rule.why)} **{_safe(rule.fix)}** A finding is {WEIGHTS[rule.severity]}. "
            + (f"Source: {_safe(rule.source)}. " if rule.source else "") + f"See @{rule.section} for more.")


def _safe(text: str) -> str:
    """A sentence with what Markdown or a shortcode would take for markup turned into text; code stays code."""
    return "".join(part if part.startswith("`") else MARKUP.sub(r"\\\g<0>", part)
                   for part in re.split(r"(`[^`]+`)", text))
