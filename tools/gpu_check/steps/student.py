"""The student on the GPU against the one on the CPU, task by task."""

from __future__ import annotations

import time

import numpy as np
from tools.gpu_check import ours
from tools.gpu_check.emulated import emulate
from tools.gpu_check.step import Given

import sakedge

_ROUNDOFF = {"fp16": 2.0**-11, "bf16": 2.0**-8}


def run(given: Given) -> None:
    """Logits and decoded values of a few pictures in every precision."""
    path = ours.student_file(given)
    if given.rehearse:
        emulate()
    with sakedge.load(path, backend="onnxruntime", precision="fp32") as host:
        pictures = ours.images(host.input_size, 1 if given.rehearse else 3)
        expected = [host(picture, logits=True) for picture in pictures]
        blocks = host.manifest.architecture.blocks
    for precision in ours.PRECISIONS:
        begun = time.monotonic()
        with ours.load(path, precision) as student:
            loaded = time.monotonic() - begun
            found = [student(picture, logits=True) for picture in pictures]
            given.findings.measured(
                f"{precision}, load", f"{loaded:.2f} s", **{f"load_s_{precision}": loaded}
            )
        # Each of some six products in a row per block rounds its operands: errors of that many
        # independent roundings add up as a random walk. Twelve times its step: four deviations,
        # and an error of a task's range is up to three times that of its standard deviation.
        bound = 12 * _ROUNDOFF[precision] * (6 * blocks + 10) ** 0.5
        for task in expected[0]:
            error = max(
                float(np.abs(one[task].logits - other[task].logits).max())
                / float(np.ptp(other[task].logits))
                for one, other in zip(found, expected, strict=True)
            )
            given.findings.judged(
                f"{precision}, {task}",
                error <= bound,
                f"largest error {error:.2e} of the range, at most {bound:.2e}",
            )
            given.findings.values[f"error_{precision}_{task}"] = error
        weights = max(
            float(np.abs(one.routing[task].weights - other.routing[task].weights).max())
            for one, other in zip(found, expected, strict=True)
            for task in other
        )
        given.findings.judged(
            f"{precision}, routing", weights <= bound, f"largest difference {weights:.2e}"
        )
