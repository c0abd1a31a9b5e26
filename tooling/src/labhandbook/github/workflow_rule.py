"""The family of rules that look at the workflows of a repository, and the sections that teach them."""

from __future__ import annotations

from labhandbook.core.rules import Rules
from labhandbook.github.repository import Repository

DOCTOR, SETUP, WORKFLOW = "sec-actions-doctor", "sec-pypi-trusted-setup", "sec-pypi-trusted-workflow"
LIMITS = "sec-pypi-trusted-limits"

# `source` names the threads on GitHub in which users met what a rule finds.
WORKFLOWS: Rules[Repository] = Rules(lambda repository: "pyproject.toml")
