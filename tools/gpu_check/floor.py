"""The least time that a student can take on a GPU, and a time that seems within reach.

The floor of a stage is what its busiest part takes: tensor cores, memory, or pointwise
instructions. *Within reach* is an estimate: products fill the device in whole waves of tiles and
reach `Device.reached` of its peak, memory 80 % and pointwise work 50 % of theirs, and every launch
costs a node of the graph.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tools.gpu_check.counts import Stage, stages
from tools.gpu_check.devices import DEVICES, Device
from tools.gpu_check.geometry import Geometry

ARITHMETICS = ("f16", "s8")
PAGE_DEVICES = ("H100 SXM", "Thor T5000", "AGX Orin 64 GB", "Orin Nano Super")
"""Those that docs/performance.md shows stage by stage."""
_TILES = ((128, 128, 1.0), (64, 128, 0.95), (64, 64, 0.85))
"""Rows, columns, and the share of the largest tile's speed: small ones load more per product."""
_MEMORY, _POINTWISE = 0.8, 0.5
_ATTENTION = 0.75
"""Of a product's speed: the exponentials take turns with the tensor cores."""


@dataclass(frozen=True)
class Time:
    """Of a stage on a device, in milliseconds."""

    stage: Stage
    floor: float
    reachable: float
    bound: str
    """What the floor is due to: `products`, `memory` or `pointwise`."""


def times(stage: Stage, device: Device) -> Time:
    """Of all launches of a stage."""
    peak = device.int8 if stage.int8 else device.half
    # 1e12 operations or instructions and 1e9 bytes per second
    parts = {
        "products": 2e-9 * stage.macs / peak,
        "memory": 1e-6 * (stage.weights + stage.data) / device.bandwidth,
        "pointwise": 1e-9 * stage.pointwise / device.pointwise,
    }
    bound = max(parts, key=lambda name: parts[name])
    speed = device.reached * _filled(stage, device.multiprocessors)
    if stage.name == "attention":
        speed *= _ATTENTION
    work = max(
        parts["products"] / speed, parts["memory"] / _MEMORY, parts["pointwise"] / _POINTWISE
    )
    reachable = work + stage.launches * device.node_us / 1000
    return Time(stage, parts[bound], reachable, bound)


def _filled(stage: Stage, multiprocessors: int) -> float:
    """The share of a device that a product keeps busy, its tiles being dealt out in whole waves."""
    if stage.product is None:
        return 1.0
    m, n, batches = stage.product

    def share(rows: int, columns: int) -> float:
        tiles = batches * math.ceil(m / rows) * math.ceil(n / columns)
        waves = math.ceil(tiles / multiprocessors)
        return batches * (m / rows) * (n / columns) / (waves * multiprocessors)

    return min(1.0, max(share(rows, columns) * speed for rows, columns, speed in _TILES))


def of(g: Geometry, device: Device, arithmetic: str = "f16") -> list[Time]:
    """Every stage of a call."""
    return [times(stage, device) for stage in stages(g, arithmetic, device.multiprocessors)]


def as_json(g: Geometry, devices: Sequence[Device] = DEVICES) -> dict[str, Any]:
    """Counts and times, in milliseconds."""
    return {
        "geometry": asdict(g),
        "stages": {a: [asdict(stage) for stage in stages(g, a)] for a in ARITHMETICS},
        "devices": {
            device.name: {
                "peaks": asdict(device),
                **{
                    a: {
                        "floor_ms": sum(each.floor for each in found),
                        "reachable_ms": sum(each.reachable for each in found),
                        "stages": {
                            each.stage.name: {
                                "floor_ms": each.floor,
                                "reachable_ms": each.reachable,
                                "bound": each.bound,
                            }
                            for each in found
                        },
                    }
                    for a in ARITHMETICS
                    for found in [of(g, device, a)]
                },
            }
            for device in devices
        },
    }


def counts_table(g: Geometry, arithmetic: str = "f16") -> str:
    """What each stage does, in Markdown."""
    found = stages(g, arithmetic)
    rows = [_counts(stage) for stage in found]
    whole = Stage(
        "whole",
        launches=sum(stage.launches for stage in found),
        macs=sum(stage.macs for stage in found),
        weights=sum(stage.weights for stage in found),
        data=sum(stage.data for stage in found),
        pointwise=sum(stage.pointwise for stage in found),
    )
    header = ("stage", "launches", "GMAC", "weights MB", "data MB", "1e9 instructions")
    return _table(header, [*rows, _counts(whole)])


def _counts(stage: Stage) -> tuple[str, ...]:
    return (
        stage.name,
        f"{stage.launches}",
        _number(stage.macs / 1e9),
        _number(stage.weights / 1e6),
        _number(stage.data / 1e6),
        _number(stage.pointwise / 1e9),
    )


def stages_table(g: Geometry, devices: Sequence[Device], arithmetic: str = "f16") -> str:
    """Each stage's floor and the time within reach per device, in Markdown, in milliseconds."""
    columns = [of(g, device, arithmetic) for device in devices]
    rows = []
    for line in zip(*columns, strict=True):
        rows.append((line[0].stage.name, *_cells(line)))
    sums = [(sum(t.floor for t in column), sum(t.reachable for t in column)) for column in columns]
    rows.append(("**whole**", *(f"**{f:.2f}** / {r:.2f}" for f, r in sums)))
    return _table(("ms: floor / within reach", *(device.name for device in devices)), rows)


def _cells(line: Sequence[Time]) -> Iterator[str]:
    for time in line:
        yield f"{time.floor:.3f} / {time.reachable:.3f} {time.bound[:2]}"


def devices_table(g: Geometry, devices: Sequence[Device] = DEVICES) -> str:
    """The whole student on each device, in Markdown."""
    rows = []
    for device in devices:
        cells = [device.name, device.arch]
        for arithmetic in ARITHMETICS:
            found = of(g, device, arithmetic)
            cells += [
                f"{sum(each.floor for each in found):.2f}",
                f"{sum(each.reachable for each in found):.2f}",
            ]
        cells.append(f"{device.half:g}, {device.int8:g}, {device.bandwidth:g}")
        rows.append(cells)
    header = (
        "device", "arch", "f16 floor ms", "within reach ms", "s8 floor ms", "within reach ms",
        "peak TFLOP/s, TOP/s, GB/s",
    )  # fmt: skip
    return _table(header, rows)


def _number(value: float) -> str:
    if value == 0:
        return ""
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))
