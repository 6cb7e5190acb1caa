"""OpenVINO's properties for a graph, before the caller's own options."""

from __future__ import annotations

from typing import Any

HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}
"""Precision → OpenVINO's name for it as a hint."""


def settings(device: str, precision: str, threads: int) -> dict[str, Any]:
    """OpenVINO's properties for one session on a device.

    Args:
        device: In capitals, e.g. `CPU` or `GPU.0`.
        precision: One of `HINTS`.
        threads: Threads on the CPU.
    """
    config: dict[str, Any] = {
        # Unless pinned, OpenVINO computes in bf16 or f16 wherever the device can.
        "INFERENCE_PRECISION_HINT": HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY",
    }
    on_cpu = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        # The decoder's threads run on the same cores, so none is pinned to one.
        "ENABLE_CPU_PINNING": False,
    }
    if device == "CPU":
        config |= on_cpu
    elif device == "AUTO":  # which may use the CPU, also while a GPU compiles
        config["DEVICE_PROPERTIES"] = {"CPU": on_cpu}
    return config
