"""The short form of the fuzzers; `python -m tools.fuzz` and `make qualify` run them for longer."""

from __future__ import annotations

import pytest
from tools.fuzz.harness import fuzz
from tools.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_hostile_inputs_raise_nothing_but_our_errors(target: str) -> None:
    outcome = fuzz(target, attempts=150)
    assert outcome.failures == {}
    assert outcome.attempts == 150
    assert sum(outcome.refused.values()) > 15, "the inputs are not hostile enough"
