"""The family of rules that look at the facts of a project before it is built."""

from __future__ import annotations

from labhandbook.core.rules import Rules
from labhandbook.package.project import PYPROJECT
from labhandbook.release.project_facts import Facts

PROJECT: Rules[Facts] = Rules(lambda facts: PYPROJECT)
