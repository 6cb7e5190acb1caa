"""The products of the shipped int8 student."""

from __future__ import annotations

import numpy as np
import pytest
from tests.kernels import rounded
from tests.kernels.checks import normal
from tests.kernels.machines import Kernels

from sakedge.assets import demo_student
from sakedge.format import StudentFile


@pytest.mark.parametrize("component", ["adapters.pcb", "routers.edge", "heads.edge"])
def test_the_demo_students_integers_give_the_same_bits_everywhere(
    kernels: Kernels, component: str
) -> None:
    """Exactly what NumPy's integers give, and so the same on x86-64, on Arm and on Windows."""
    with StudentFile.open(demo_student()) as file:
        tensors = file.component(component)
    weights = {n: w for n, w in tensors.items() if w.dtype == np.int8 and w.ndim == 2}
    assert weights
    for name, weight in weights.items():
        scales = np.asarray(tensors[f"{name}.scale"])
        x = normal(1, 5, len(weight))
        got = kernels("linear_s8", x, weight, None, None, scales)
        want = rounded.linear_s8(x, weight.astype(np.float32), None, None, scales)
        np.testing.assert_array_equal(got, want, err_msg=name)
