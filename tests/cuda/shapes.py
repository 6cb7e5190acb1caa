"""What `csrc/cuda/kernels/tiles.h` says of launches, as tests ask for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

KERNELS = Path(__file__).parents[2] / "csrc" / "cuda" / "kernels"
TOKEN_TILE = 64


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


@dataclass(frozen=True)
class GemmTile:
    m: int
    n: int
    warp_m: int
    warp_n: int
    chunks: int
    stages: int
    blocks: int

    @property
    def shared(self) -> int:
        tiles = self.stages * (self.m + self.n) * self.chunks * 16
        warps = self.m // self.warp_m * (self.n // self.warp_n)
        return max(tiles, warps * min(self.warp_m, 32) * (self.warp_n + 8) * 4)

    def blocks_for(self, rows: int, columns: int) -> int:
        return ceil_div(rows, self.m) * ceil_div(columns, self.n)


def gemm_tiles() -> dict[str, GemmTile]:
    rows = re.findall(r"^SAK_GEMM_TILE\((\w+), (.*)\)$", (KERNELS / "tiles.def").read_text(), re.M)
    return {name: GemmTile(*map(int, numbers.split(","))) for name, numbers in rows}


def adapter_shared(width: int) -> int:
    columns = ceil_div(width, 64) * 64
    return 128 * (2 * columns + TOKEN_TILE * max(columns // 64, 2))


def router_shared(width: int) -> int:
    return 128 * (width + TOKEN_TILE)
