"""What GitHub says of a repository and its environments."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.github_api import API, GitHub
from labhandbook.github.repository import Answer, Environment

SECONDS = 3.0


def ask(slug: str, names: Iterable[str], *, offline: bool = False) -> Answer:
    """Ask GitHub whether a repository is private, and for its environments. Never raises for the network.

    GITHUB_TOKEN or GH_TOKEN is used if it is set; the environments of a public repository can be read without.
    """
    if offline:
        return Answer("GitHub wasn't asked, because of --offline")
    if not slug:
        return Answer("the repository has no remote on GitHub")
    token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or ""
    github = GitHub(slug, os.environ.get("GITHUB_API_URL", API).rstrip("/"), token, attempts=1, seconds=SECONDS)
    try:
        told = github.get("")
        if not isinstance(told, dict):
            return Answer(f"GitHub shows no {slug}" + ("" if token else " without a token"))
        wanted = {name.lower() for name in names}
        listed = [_environment(github, each) for each in github.every("environments", key="environments")
                  if str(each.get("name", "")).lower() in wanted]
        return Answer(private=bool(told.get("private")), environments={each.name: each for each in listed})
    except HandbookError as problem:
        return Answer(problem.what)
    except (KeyError, TypeError, ValueError) as problem:
        return Answer(f"GitHub's answer can't be read: {type(problem).__name__}")


def _environment(github: GitHub, told: dict[str, Any]) -> Environment:
    """An environment with its rules. https://docs.github.com/rest/deployments/environments"""
    rules = [rule.get("type") for rule in told.get("protection_rules") or []]
    made = Environment(str(told["name"]), asks="required_reviewers" in rules)
    policy = told.get("deployment_branch_policy")
    if not policy:
        return made
    if not policy.get("custom_branch_policies"):
        return replace(made, admits=())
    listed = github.every(f"environments/{made.name}/deployment-branch-policies", key="branch_policies")
    return replace(made, admits=tuple((str(each["name"]), str(each.get("type", "branch"))) for each in listed))
