"""Measured times of the steps of a call, gathered by stage and set against the floor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tools.gpu_check import floor
from tools.gpu_check.devices import Device
from tools.gpu_check.geometry import Geometry

_OF_A_BLOCK = ("gemm qkv", "gemm proj", "gemm fc1", "gemm fc2")


def by_stage(steps: Sequence[tuple[str, float]], blocks: int) -> dict[str, tuple[int, float]]:
    """Launches and milliseconds of each stage of `counts.stages`.

    Args:
        steps: Kernel and milliseconds of each step, in the order of the plan, in which the
            products are those of the patches, of the blocks and of the taps.
        blocks: Of the stem.

    Raises:
        ValueError: A kernel belongs to no stage.
    """
    found: dict[str, list[float]] = defaultdict(list)
    products = 0
    for kernel, ms in steps:
        if kernel.startswith("gemm_"):
            stage = _product(products, blocks)
            products += 1
        else:
            stage = _stage(kernel)
        found[stage].append(ms)
    return {stage: (len(spent), sum(spent)) for stage, spent in found.items()}


def _product(index: int, blocks: int) -> str:
    if index == 0:
        return "gemm patch embedding"
    if index <= 4 * blocks:
        return _OF_A_BLOCK[(index - 1) % 4]
    return "gemm taps"


def _stage(kernel: str) -> str:
    names = (
        "patches", "layer_norm", "quantize", "attention", "adapter_path", "router", "weigh", "mix",
        "head_expand", "decode",
    )  # fmt: skip
    for name in names:
        if kernel.startswith(name):
            return name
    raise ValueError(f"no stage has the kernel {kernel!r}; there are {', '.join(names)}")


def kernels_table(
    steps: Sequence[tuple[str, float]], g: Geometry, device: Device, arithmetic: str = "f16"
) -> tuple[str, dict[str, float]]:
    """A line for each stage, and the share of its time that is its floor."""
    measured = by_stage(steps, g.blocks)
    rows, shares = [], {}
    for time in floor.of(g, device, arithmetic):
        launches, ms = measured.get(time.stage.name, (0, 0.0))
        if launches == 0:
            continue
        shares[time.stage.name] = time.floor / ms
        note = "" if launches == time.stage.launches else f" ({time.stage.launches} expected)"
        rows.append(
            (
                time.stage.name,
                f"{launches}{note}",
                f"{ms:.3f}",
                f"{time.floor:.3f}",
                f"{time.floor / ms:.0%}",
                time.bound,
            )
        )
    header = ("stage", "launches", "ms", "floor ms", "floor / time", "bound by")
    rule = ("---", *["---:"] * (len(header) - 1))
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows)), shares
