"""The doctor's rules, one module a theme; importing them registers them."""

from labhandbook.release.doctor.base import CHECKS
from labhandbook.release.doctor.rules import artifacts, builds, identity, permissions, triggers, uploads

__all__ = ["CHECKS", "artifacts", "builds", "identity", "permissions", "triggers", "uploads"]
