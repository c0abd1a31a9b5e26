"""Bayesian optimisation in one screen each: two acquisition rules, the loop, and what goes wrong with it."""

from mhi_bo.acquisition import expected_improvement
from mhi_bo.functions import TARGETS, Target
from mhi_bo.loop import WAYS, Search, minimise

__all__ = ["TARGETS", "WAYS", "Search", "Target", "expected_improvement", "minimise"]
