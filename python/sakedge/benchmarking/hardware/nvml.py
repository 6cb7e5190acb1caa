"""Energy counters of NVIDIA GPUs, where the package `nvidia-ml-py` is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sakedge.benchmarking.hardware.sysfs import Gaps

_FIELD = "energy.gpu"


def gpu_counters(gaps: Gaps) -> Iterator[tuple[str, Callable[[], int | None]]]:
    """Each GPU's counter of microjoules, by name.

    Args:
        gaps: Gets the reason if there is none.
    """
    try:
        import pynvml
    except ImportError:
        gaps.note(_FIELD, "the package nvidia-ml-py is not installed")
        return
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError as error:
        gaps.note(_FIELD, f"NVML: {error}")
        return
    for i, handle in enumerate(handles):
        try:
            pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
        except pynvml.NVMLError as error:
            gaps.note(_FIELD, f"NVML, GPU {i}: {error}")
            continue
        yield f"gpu {i}", _reader(pynvml, handle)


def _reader(pynvml: Any, handle: Any) -> Callable[[], int | None]:
    def microjoules() -> int | None:
        try:
            return 1000 * int(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle))
        except pynvml.NVMLError:
            return None

    return microjoules
