"""The arrays of a call's results: whose memory they are, and how long."""

from __future__ import annotations

import gc
import os
import threading

import numpy as np
import pytest
from tests.cuda.student.calls import Found, arrays_of, assert_same, copied, picture, run
from tests.cuda.student.machine import PATH, device, emulated, on_device
from tests.cuda.student.model import Packer, tiny


@pytest.fixture(scope="module", autouse=True)
def _kernels(request: pytest.FixtureRequest) -> None:
    """The process that has the device is told which kernels it runs."""
    os.environ[PATH] = request.config.getoption("--cuda-path")


@on_device
def test_results_that_are_kept_never_change() -> None:
    packer = Packer(device(), tiny(), "f16")
    model, snapshot = packer.model(), packer.snapshot(tasks=("edge",))
    want = [copied(run(model, [snapshot], [(picture(i), 0, 0)])) for i in range(3)]
    kept: list[tuple[int, list[Found]]] = []

    def call(i: int) -> None:
        for turn in range(4):
            found = run(model, [snapshot], [(picture(i), 0, 0)])
            if turn % 2 == 0:  # the memory of the others is used again
                kept.append((i, found))

    threads = [threading.Thread(target=call, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) == 6
    for i, found in kept:
        assert_same(found, want[i])


@on_device
def test_results_are_ordinary_arrays_in_memory_that_is_used_again() -> None:
    packer = Packer(device(), tiny(), "f16")
    model, snapshot = packer.model(), packer.snapshot()
    found = run(model, [snapshot])
    want = copied(found)
    for array in arrays_of(found):
        assert array.flags.c_contiguous and array.flags.aligned and array.flags.writeable
        assert array.ctypes.data % 128 == 0
    used = model.memory()
    del found, array
    for _ in range(2):
        run(model, [snapshot])
    assert model.memory() == used
    first, second = run(model, [snapshot]), run(model, [snapshot])
    assert model.memory() > used
    for array in arrays_of(first):
        array.fill(7)
    assert_same(second, want)
    one = arrays_of(second)[0]
    del first, second, array  # one array holds the memory of its call
    run(model, [snapshot])
    del packer, model, snapshot  # and outlives all that made it
    gc.collect()
    np.testing.assert_array_equal(one, arrays_of(want)[0])


@pytest.mark.parametrize("integrated", [0, 1])
@on_device
def test_results_lie_in_ordinary_memory_where_no_more_can_be_pinned(integrated: int) -> None:
    packer = Packer(device(integrated=integrated), tiny(), "f16")
    model, snapshot = packer.model(), packer.snapshot()
    first = run(model, [snapshot])
    emulated().set(memory=8 << 20)  # what is pinned for other copies
    second = run(model, [snapshot])
    emulated().set(memory=None, integrated=0)
    assert_same(second, first)
