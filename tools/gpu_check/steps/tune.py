"""Searches the tiles of the matrix products on this device, and writes the table that ships."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from tests.cuda.device import Device
from tests.cuda.shapes import KERNELS, GemmTile, gemm_tiles, warpgroup_tiles
from tools.gpu_check.geometry import VIT_BASE, VIT_LARGE, VIT_SMALL, Geometry
from tools.gpu_check.step import ROOT, Given, SkipError

TABLE = ROOT / "python" / "sakedge" / "cuda" / "tuning.json"
_MOST_BATCHES = 5
"""More of the same product would take as much longer in every tile."""
_BATCHES = (1, 8)
_REPEATS = 15


def run(given: Given) -> None:
    """Measures every product of the official students in every tile."""
    products = list(dict.fromkeys(_products(given)))
    if given.rehearse:
        raise SkipError(f"an emulator has no times; {len(products)} products would be measured")
    device = Device([KERNELS / "gemm.cu", KERNELS / "warpgroup_gemm.cu"])
    # A product has the same bits in all tiles of a kind, and not in tiles of both: where there are
    # warpgroups, all products are theirs, so that results do not depend on the number of images.
    tiles = warpgroup_tiles() if device.arch == "sm_90" else gemm_tiles()
    # The source's, and that of the package that is installed, which the next steps measure.
    tables = [TABLE, Path(str(files("sakedge").joinpath("cuda", TABLE.name)))]
    best: dict[str, str] = {}
    for type, m, n, k, batches in products:
        times = measure(device, tiles, type, (m, n, k), min(batches, _MOST_BATCHES))
        name = min(times, key=lambda each: times[each])
        best[f"gemm_{type} {m}x{n}x{k}"] = name
        if type == "f16":  # bf16 takes the same time: its instructions differ in the type alone
            best[f"gemm_bf16 {m}x{n}x{k}"] = name
        shown = ", ".join(f"{each} {1000 * ms:.0f}" for each, ms in times.items())
        given.findings.measured(f"gemm_{type} {batches}x {m}x{n}x{k}", f"{name}; µs: {shown}")
        write(device.arch, best, tables)
    given.findings.measured("table", f"{len(best)} entries for {device.arch} in {TABLE}")


def _products(given: Given) -> Iterator[tuple[str, int, int, int, int]]:
    """Type, m, n, k and batches, as `csrc/cuda/student` launches them."""
    sizes = [VIT_BASE, VIT_SMALL, VIT_LARGE]
    if given.student is not None:
        sizes = [Geometry.read(given.student)]
    for g in sizes:
        for images in _BATCHES:
            c, tokens, rows = g.width, images * g.patches, images * (1 + g.patches)
            yield "f16", tokens, c, 3 * g.patch**2, 1
            yield "f16", rows, c, c, 1
            yield "f16", rows, c, g.mlp, 1
            for type in ("f16", "s8"):
                yield type, rows, 3 * c, c, 1
                yield type, rows, g.mlp, c, 1
                yield type, g.patches, 9 * c, g.joined, images * len(g.tasks)


def measure(
    device: Device,
    tiles: Mapping[str, GemmTile],
    type: str,
    size: tuple[int, int, int],
    batches: int,
) -> dict[str, float]:
    """Milliseconds of a product in each tile that the device has.

    With random operands: zeros would take less power, and time.
    """
    m, n, k = size
    rng = np.random.default_rng(0)
    # Repeated every 64 K numbers: to draw them all would take longer than to multiply them.
    numbers = rng.integers(-127, 128, 1 << 16).astype(np.int8)

    def operand(*shape: int) -> np.ndarray:
        values = np.resize(numbers, shape)
        return values if type == "s8" else (values / np.float16(127 * k**0.5)).astype(np.float16)

    linear: dict[str, Any] = {
        "weight": operand(n, k),
        "bias": np.zeros(n, np.float32),
        "out": n,
        "in": k,
    }
    args: dict[str, Any] = {
        "a": operand(batches * m, k),
        "out": np.zeros((batches * m, n), np.float16),
        "m": m,
        "a_stride": m * k,
        "out_stride": m * n,
        "a_width": k,
        "out_width": n,
    }
    if type == "s8":
        linear["scale"] = np.ones(n, np.float32)
        args["a_scale"] = np.full(batches * m, 1e-3, np.float32)
    kernels = {
        f"gemm_{type}_{name}": ((tile.blocks_for(m, n), 1, batches), tile.shared)
        for name, tile in tiles.items()
        if f"gemm_{type}_{name}" in device.entries
    }
    times = device.milliseconds(kernels, {**args, "linear": linear}, _REPEATS)
    return {name.removeprefix(f"gemm_{type}_"): ms for name, ms in times.items()}


def write(arch: str, best: dict[str, str], paths: Collection[Path]) -> None:
    """Puts entries into tables; those of other products and architectures stay.

    Args:
        arch: Of the device.
        best: Tiles by product.
        paths: The tables, which become alike; the first is the one that is read.
    """
    table: dict[str, Any] = {"format": 1, "tiles": {}}
    first = next(iter(paths))
    if first.exists():
        table = json.loads(first.read_text())
    known = table["tiles"].get(arch, {})
    table["tiles"][arch] = dict(sorted({**known, **best}.items()))
    for path in paths:
        path.write_text(json.dumps(table, indent=1) + "\n")
