"""Whether a recipe's maintainers exist on GitHub, asked as conda-forge's linter asks (CF-001, CF-008)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from labhandbook.core.http_client import HttpClient, NoAnswer
from labhandbook.core.rules import REGISTRY, UNVERIFIED, Finding
from labhandbook.recipe.recipe_reader import Reading
from labhandbook.recipe.recipe_rules.about import MAINTAINERS

SECONDS = 10


@dataclass
class GitHubNames:
    """What GitHub says of names; `problem` says why it isn't asked, or is no longer asked."""

    problem: str = ""
    server: str = field(default_factory=lambda: os.environ.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/"))
    known: dict[str, bool] = field(default_factory=dict)

    def check(self, reading: Reading) -> Iterator[Finding]:
        """Maintainers who are no users of GitHub, and one line for those whom nobody could ask about.

        Teams are left out: GitHub shows them to members of conda-forge only.
        """
        rule = REGISTRY[MAINTAINERS]
        values = [value for value in reading.values("extra.recipe-maintainers") if "/" not in value.text]
        new = {value.text for value in values} - self.known.keys()
        if new and not self.problem:
            with ThreadPoolExecutor(8) as pool:
                answers = dict(zip(sorted(new), pool.map(self._exists, sorted(new)), strict=True))
            self.known.update({name: answer for name, answer in answers.items() if isinstance(answer, bool)})
            self.problem = next((answer for answer in answers.values() if isinstance(answer, str)), "")
        for value in values:
            if not self.known.get(value.text, True):
                yield Finding(reading.file, value.line, rule, f"{value.text} is no user of GitHub")
        if unasked := [value.text for value in values if value.text not in self.known]:
            yield Finding(reading.file, values[0].line, rule, "nobody checked that GitHub has the "
                          f"maintainer{'s' * (len(unasked) > 1)} {', '.join(unasked)}: {self.problem}", UNVERIFIED)

    def _exists(self, name: str) -> bool | str:
        """Whether a user has this name, or why nobody knows. A page that leads elsewhere belongs to another name."""
        client = HttpClient(attempts=2, seconds=SECONDS, follow=False)
        try:
            if client.ask("HEAD", f"{self.server}/{name}").status != 200:
                return False
            return not client.ask("HEAD", f"{self.server}/orgs/{name}/teams").ok  # only organisations have that page
        except NoAnswer as problem:
            return str(problem)
