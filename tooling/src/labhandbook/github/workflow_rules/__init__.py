"""The doctor's rules, one module a theme; importing them registers them."""

from labhandbook.github.workflow_rule import WORKFLOWS
from labhandbook.github.workflow_rules import (
    artifacts,
    build_jobs,
    permissions,
    publisher_identity,
    triggers,
    uploads,
)

__all__ = ["WORKFLOWS", "artifacts", "build_jobs", "permissions", "publisher_identity", "triggers", "uploads"]
