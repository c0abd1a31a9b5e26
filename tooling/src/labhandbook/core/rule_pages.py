"""The rule reference: pages of the handbook written from the registry, so that the two can't differ."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.rules import REGISTRY, Rule, Severity

# The reference page of each family of rules; the longest beginning of a code in this list decides.
# `shortcodes.lua` has the same list.
PAGES = {"BOOK": "chapters/book-rules.qmd",
         "REL00": "chapters/packaging/rules.qmd", "REL01": "chapters/packaging/rules.qmd",
         "REL0": "chapters/packaging/metadata-rules.qmd", "REL2": "chapters/packaging/files-rules.qmd",
         "REL": "chapters/packaging/upload-rules.qmd",
         "RCP": "chapters/packaging/recipe-rules.qmd",
         **dict.fromkeys(("RCP03", "RCP04", "RCP05", "RCP06"), "chapters/packaging/built-recipe-rules.qmd"),
         "GHA": "chapters/packaging/actions-rules.qmd",
         "HPC": "chapters/hpc/rules.qmd", "SEM": "chapters/seminars/rules.qmd",
         "WAT": "chapters/watching-rules.qmd"}
# The modules that register each family.
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
    "SEM": ("labhandbook.seminar.talk_rules", "labhandbook.seminar.attendance"),
    "WAT": ("labhandbook.watch.watch_rules",),
}
# The tests' inputs, each beside what must be found in it.
CASES = "tooling/tests/cases"
MARKUP = re.compile(r"[\\<>*_@#$\[\]{}`]")
WEIGHTS = {Severity.ERROR: "an error", Severity.WARNING: "a warning",
           Severity.UNVERIFIED: "a note that something could not be verified"}


def anchor(code: str) -> str:
    """The section id of a rule on its reference page: `sec-rule-rel012`."""
    return f"sec-rule-{code.lower()}"


def page(code: str) -> str:
    """The reference page of a rule, from the root of the book."""
    return PAGES[max((start for start in PAGES if code.startswith(start)), key=len)]


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
    found, examples = {}, _examples(root)
    for name in dict.fromkeys(PAGES.values()):
        path = root / name
        head = re.split(r"^## [A-Z]+\d+: ", untrusted_data.text(path, name), maxsplit=1, flags=re.MULTILINE)[0]
        rules = [REGISTRY[code] for code in sorted(REGISTRY) if code.startswith(tuple(PAGES)) and page(code) == name]
        entries = [_entry(rule, examples.get(rule.code, "")) for rule in rules]
        found[path] = "\n\n".join([head.rstrip(), *entries]) + "\n"
    return found


def _entry(rule: Rule, example: str = "") -> str:
    """A rule's section: what it weighs, what it asks, where it is taught, an example; then why it matters."""
    network = f"asks {rule.asks}" if rule.asks else "offline"
    facts = [str(rule.severity).capitalize(), f"since {rule.since}", network, f"see @{rule.section}"]
    if example:
        facts.append(f"[an example that fails]({example})")
    if rule.source:
        facts.append(f"source: {_safe(rule.source)}")
    return (f"## {rule.code}: {_safe(rule.title)} {{#{anchor(rule.code)} .unnumbered}}\n\n"
            f"::: {{.rule-facts}}\n{' · '.join(facts)}\n:::\n\n{_safe(rule.why)} **{_safe(rule.fix)}**")


def _examples(root: Path) -> dict[str, str]:
    """The address of an input that breaks a rule, by its code: the first of the tests' cases named for it."""
    match = re.search(r"^ *repo-url: (\S+)", untrusted_data.text(root / "_quarto.yml", "_quarto.yml"), re.MULTILINE)
    found: dict[str, str] = {}
    for path in sorted((root / CASES).glob("*/broken/*")):
        code = re.match(r"[a-z]+\d+", path.name)
        if code and match:
            found.setdefault(code[0].upper(), f"{match[1]}/blob/main/{path.relative_to(root).as_posix()}")
    return found


def _safe(text: str) -> str:
    """A sentence with what Markdown or a shortcode would take for markup turned into text; code stays code."""
    return "".join(part if part.startswith("`") else MARKUP.sub(r"\\\g<0>", part)
                   for part in re.split(r"(`[^`]+`)", text))
