"""Plans of kernels, without a device and on the emulated driver: see the programs of `driver/`."""

from __future__ import annotations

import pytest
from tests.cuda.driver.programs import names_of, run

PLAN = "sakedge_cuda_plan_test"
GRAPH = "sakedge_cuda_graph_test"
# What each test needs of the device.
ON_A_DEVICE: dict[str, dict[str, object]] = {
    "a_graph_computes_the_same_in_any_order": {},
    "a_read_that_is_not_declared_shows": {},
    "an_arena_that_is_too_small_is_refused": {},
    "a_graph_on_a_lost_device_says_so": {"lose_at": 7},
}


def test_every_test_of_the_program_is_run() -> None:
    assert names_of(GRAPH) == ON_A_DEVICE.keys()


def test_plans_without_a_device() -> None:
    tests = sorted(names_of(PLAN))
    assert len(tests) >= 6
    failed = {test: done.errors for test in tests if (done := run(PLAN, test)).status}
    assert not failed


@pytest.mark.parametrize("test", ON_A_DEVICE)
def test_plans_on_a_device(test: str) -> None:
    done = run(GRAPH, test, **ON_A_DEVICE[test])
    assert done.status == 0, done.errors
    assert not done.findings
