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
        return max(tiles, warps * min(self.warp_m, 32) * (min(self.warp_n, 128) + 8) * 4)

    def blocks_for(self, rows: int, columns: int) -> int:
        return ceil_div(rows, self.m) * ceil_div(columns, self.n)


def gemm_tiles() -> dict[str, GemmTile]:
    return _tiles("tiles.def")


def warpgroup_tiles() -> dict[str, GemmTile]:
    """Of Hopper."""
    return _tiles("warpgroup_tiles.def")


def _tiles(file: str) -> dict[str, GemmTile]:
    rows = re.findall(r"^SAK_\w+_TILE\((\w+), (.*)\)$", (KERNELS / file).read_text(), re.M)
    return {name: GemmTile(*map(int, numbers.split(","))) for name, numbers in rows}


SHARED_LIMIT = 99 * 1024


def token_stages(stage: int, other: int) -> int:
    return min(4, (SHARED_LIMIT - other) // stage)


def adapter_shared(tokens: int, width: int) -> int:
    columns = ceil_div(width, 64) * 64
    channels = 8 * (256 // tokens)
    stage = 2 * columns * channels
    other = max(2 * tokens * max(columns, 2 * channels), 4 * 16 * 256) + 4 * columns
    return token_stages(stage, other) * stage + other


def router_shared(width: int) -> int:
    other = 2 * 64 * TOKEN_TILE + 3 * 4 * width
    return token_stages(64 * width, other) * 64 * width + other
