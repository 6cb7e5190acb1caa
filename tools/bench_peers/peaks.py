"""The arithmetic peak that a time is compared with."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sakedge.decoder import ARITHMETICS, arithmetics

_ROUNDS = 50_000
"""Of the innermost loop in one measurement: some 10 to 30 ms."""
_MEASUREMENTS = 15


def peak(precision: str, threads: int) -> float:
    """What `threads` cores reach at most, in 1e9 operations per second.

    The innermost loop of the best instruction set's products, all operands in the first-level
    cache, on all threads at once; the best of several measurements.
    """
    import sakedge_kernels

    arithmetic = ARITHMETICS[precision]
    kernels = sakedge_kernels.Kernels(arithmetics()[precision].isa)
    rounds = np.array([_ROUNDS], np.float32)

    def rate(_: int) -> float:
        start = time.perf_counter()
        (multiplications,) = kernels.call(f"peak_{arithmetic}", [rounds])
        return 2e-9 * float(multiplications[0]) / (time.perf_counter() - start)

    with ThreadPoolExecutor(threads) as pool:
        return max(sum(pool.map(rate, range(threads))) for _ in range(_MEASUREMENTS))
