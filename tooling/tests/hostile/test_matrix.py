"""Every command against every hostile input: it ends, says what is wrong, and touches nothing else."""

from __future__ import annotations

import pytest

from tooling.tests.hostile.inputs import CALLS, KINDS, Case, cases, sample
from tooling.tests.hostile.matrix import run_all, table, word_cases
from tooling.tests.hostile.stage import COMMANDS


def broken(chosen: list[Case]) -> str:
    """The runs that broke a promise, and the table; empty where all kept them."""
    outcomes = run_all(chosen)
    assert len(outcomes) == len(chosen)
    bad = [f"{outcome.title}: {'; '.join(outcome.problems)}" for outcome in outcomes if outcome.problems]
    return "\n".join([*bad, table(outcomes)]) if bad else ""


def test_every_command_is_in_the_table() -> None:
    assert set(COMMANDS) == set(CALLS)
    assert {call.kind for calls in CALLS.values() for call in calls} == set(KINDS)


@pytest.mark.long
def test_hostile_inputs_end_as_promised() -> None:
    assert not broken(list(sample())[::9])


@pytest.mark.long
def test_hostile_words_end_as_promised() -> None:
    assert not broken(list(word_cases())[::40])


@pytest.mark.slow
def test_the_whole_table_ends_as_promised() -> None:
    assert not broken([*cases(), *word_cases()])
