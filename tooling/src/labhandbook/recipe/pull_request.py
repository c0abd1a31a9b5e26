"""The text of a pull request: its checklist, with only the checked items ticked, and comments for people and bots.

The clone's own template is the checklist of a new recipe, because it changes with conda-forge's rules. Feedstocks
have none: GitHub uses the organisation's, which is in `conda_forge.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.recipe.conda_forge_facts import facts
from labhandbook.recipe.recipe_reader import Reading
from labhandbook.recipe.source_address import LASTING

TEMPLATES = (".github/pull_request_template.md", ".github/PULL_REQUEST_TEMPLATE.md")


@dataclass(frozen=True)
class Comment:
    """A comment to write on a pull request, and its occasion."""

    occasion: str
    words: str


def ticked(items: Sequence[str], known: Mapping[str, bool]) -> str:
    """The items of a checklist, each ticked if it is known to be true; what can't be known stays open.

    `known` says it by patterns of their words.
    """
    true = [next((truth for words, truth in known.items() if re.search(words, item, re.IGNORECASE)), False)
            for item in items]
    return "".join(f"- [{'x' if truth else ' '}] {item}\n" for item, truth in zip(items, true, strict=True))


def template(root: Path) -> list[str]:
    """The items of the checklist of a clone of staged-recipes, else those among the facts."""
    for name in TEMPLATES:
        if (path := root / name).is_file():
            text = re.sub(r"<!--.*?-->", "", untrusted_data.content(path).decode(errors="replace"), flags=re.DOTALL)
            if items := re.findall(r"^[-*] \[[ x]\] (.+)$", text, re.MULTILINE):
                return items
    return list(facts()["checklists"]["staged"])


def staged(reading: Reading, root: Path, author: str) -> str:
    """The text of a new recipe's pull request; `author` is the owner of the fork, empty where it isn't known."""
    urls = [value.text for value in reading.values("source.url")]
    people = {value.text.lower() for value in reading.values("extra.recipe-maintainers")}
    known = {
        r"title of this pr": True,
        r"uses the v1": reading.form == "v1",
        r"official source": bool(urls) and all(LASTING in url for url in urls),
        r"static librar": reading.noarch,
        r"build number is 0": reading.get("build.number") == "0",
        r"a tarball": bool(urls),
        # The author's own pull request is consent enough.
        r"github users listed": people == {author.lower()},
    }
    head = f"{reading.get('about.summary')}\n\nHome page: {reading.get('about.homepage')}\n\nChecklist\n\n"
    return head + ticked(template(root), known)


def feedstock(changes: list[str], left: list[str], author: str, *, same: bool, licence: bool) -> str:
    """The text of a feedstock's pull request; `left` are differences that remain, `same` says the version stays."""
    known = {r"personal fork": author not in ("", "conda-forge"), r"bumped the build number": same,
             r"reset the build number": not same, r"license file": licence}
    remaining = ["Differences from the release that remain:", "", *(f"- {one}" for one in left), ""] if left else []
    return "\n".join(["Changes:", "", *(f"- {change}" for change in changes), "", *remaining, "Checklist", "",
                      ticked(facts()["checklists"]["feedstock"], known)])


def staged_comments(reading: Reading, author: str) -> list[Comment]:
    """The comments on a new recipe's pull request."""
    name = reading.get("package.name")
    others = [value.text for value in reading.values("extra.recipe-maintainers")
              if value.text.lower() != author.lower() and "/" not in value.text]
    asked = (f"{', '.join(f'@{one}' for one in others)}: are you willing to be listed as a maintainer of {name}? "
             "If so, please say so in a comment here.")
    team = "help-python" if reading.noarch else "help-python-c"
    return [*([Comment("to ask the other maintainers", asked)] if others else []),
            *(Comment(f"for {one} to answer" + ("" if author else ", if that isn't you"),
                      f"I am willing to be listed as a maintainer of {name}.") for one in others),
            Comment("after a network error in a check", "@conda-forge-admin, please restart ci"),
            Comment("to ask for review, if this is your first contribution",
                    f"@conda-forge-admin, please ping conda-forge/{team}"),
            Comment("to ask for review, if you have contributed before", f"@conda-forge/{team}, ready for review!")]
