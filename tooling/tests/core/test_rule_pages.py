"""The rule reference, the registry and the chapters name the same rules."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from functools import partial

import pytest

from labhandbook.core import rule_pages
from labhandbook.core.rules import REGISTRY, Rule, register
from labhandbook.github.repository import WORKFLOWS
from labhandbook.hpc.job_rules import JOBS
from labhandbook.recipe.recipe_rules.about import MAINTAINERS
from labhandbook.recipe.recipe_rules.recipe_rule import RECIPE
from labhandbook.release.project_facts import PROJECT
from tooling.tests.conftest import ROOT, run
from tooling.tests.release.packaging_chapter import printed_words

rule_pages.load()
CODES = sorted(code for code in REGISTRY if code.startswith(tuple(rule_pages.PAGES)))
FETCHED = re.compile(r"facts\.index\b|\bremote_tags\b|repository\.github\b|[ =,]names\(\)")
PRINTED = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "chapters").rglob("*.qmd")
                 if "\nhandbook rules " in path.read_text(encoding="utf-8"))
BADGES = re.compile(r"\{\{< rules ([A-Z0-9 ]+) >\}\}")


def sections() -> dict[str, str]:
    """The text of every section of the book by its id, up to the next heading."""
    found: dict[str, str] = {}
    for path in (ROOT / "chapters").rglob("*.qmd"):
        text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        parts = re.split(r"^#{1,4} .*\{#([\w-]+).*\}$", text, flags=re.MULTILINE)
        found |= dict(zip(parts[1::2], parts[2::2], strict=True))
    return found


@pytest.mark.parametrize("name", sorted(set(rule_pages.PAGES.values())))
def test_page_is_written_from_the_registry(name: str) -> None:
    path = ROOT / name
    assert path.read_text(encoding="utf-8") == rule_pages.pages(ROOT)[path], "run: handbook rules --write"


@pytest.mark.parametrize("code", CODES)
def test_section_carries_the_code_of_its_rule(code: str) -> None:
    text = sections()[REGISTRY[code].section]
    named = {name for match in BADGES.finditer(text) for name in match[1].split()}
    assert code in named, f"@{REGISTRY[code].section} lacks its badge"


def test_chapters_name_no_other_rules() -> None:
    named = {name for text in sections().values() for match in BADGES.finditer(text) for name in match[1].split()}
    assert named <= set(CODES) and {code[:3] for code in named} == {prefix[:3] for prefix in rule_pages.PAGES}


def test_badges_are_paragraphs_of_their_own() -> None:
    for path in (ROOT / "chapters").rglob("*.qmd"):
        for match in BADGES.finditer(text := path.read_text(encoding="utf-8")):
            before, after = text[:match.start()].rstrip(" "), text[match.end():]
            assert before.endswith("\n\n") and (after.startswith("\n\n") or after == "\n"), f"{path}: {match[0]}"


def test_rule_opens_with_its_facts() -> None:
    entry = rule_pages.pages(ROOT)[ROOT / rule_pages.PAGES["HPC"]].partition("{#sec-rule-hpc001 ")[2]
    *opening, example, source = entry.split("\n")[3].split(" · ")
    rule = REGISTRY["HPC001"]
    assert opening == ["Error", f"since {rule.since}", "offline", f"see @{rule.section}"]
    assert source == f"source: {rule.source}"
    path = re.fullmatch(r"\[an example that fails\]\(https://\S+/blob/main/(\S+)\)", example)
    assert path and (ROOT / path[1]).is_file() and "/broken/hpc001-" in path[1]


def test_a_rule_says_what_it_asks() -> None:
    """A check that reads what was fetched belongs to a rule with `asks`, and only such a one."""
    checks = {code: check for family in (PROJECT, WORKFLOWS, RECIPE, JOBS) for code, check in family.checks.items()}
    reads = {code for code, check in checks.items()
             if FETCHED.search(inspect.getsource(check.func if isinstance(check, partial) else check))}
    # Whether GitHub has the maintainers is checked beside the recipe's own rules.
    assert reads == {code for code in checks if REGISTRY[code].asks} - {MAINTAINERS}
    assert {"REL081", "GHA006", "RCP075"} <= reads
    assert " · asks GitHub · " in rule_pages._entry(REGISTRY["GHA006"])


def test_rule_is_explained_by_its_code() -> None:
    done = run("rules", "book005")
    rule = REGISTRY["BOOK005"]
    assert done.returncode == 0 and rule.title in done.stdout and rule.fix in done.stdout
    unknown = run("rules", "BOOK999")
    assert unknown.returncode == 2 and "no rule has the code BOOK999" in unknown.stderr


@pytest.mark.parametrize("page", PRINTED)
def test_the_command_of_a_page_explains_its_rule(page: str) -> None:
    words = printed_words(page, "handbook rules")
    done = run(*words)
    assert done.returncode == 0 and REGISTRY[words[1]].title in done.stdout


def test_code_belongs_to_one_rule() -> None:
    with pytest.raises(ValueError, match="BOOK001"):
        register(Rule("BOOK001", "A", "B", "C", "sec-a"))


def test_markup_in_a_rule_stays_text() -> None:
    entry = rule_pages._entry(Rule("BOOK999", "A `x_y`", "Because of <y> and {{< z >}}.", "Write *w*.", "sec-a"))
    assert "A `x_y`" in entry and "\\<y\\>" in entry and "{{<" not in entry and "\\*w\\*" in entry


CORE = '''
import sys

class Core:
    """Finds no module but those of a core install."""
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in {*sys.stdlib_module_names, "click", "packaging", "yaml", "labhandbook"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Core())
from labhandbook.cli.main import main
main()
'''


@pytest.mark.parametrize("code", [next(code for code in CODES if code.startswith(prefix))
                                  for prefix in rule_pages.PAGES] + [""])
def test_rules_are_explained_on_a_core_install(code: str) -> None:
    words = [sys.executable, "-c", CORE, "rules", *filter(None, [code])]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (REGISTRY[code].title if code else f"{CODES[-1]}  ") in done.stdout
