# The compiled module; see csrc/bindings. Private: sakedge.decoder is its only importer.
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_F32 = NDArray[np.float32]
_Pair = tuple[_F32, _F32]
_Layer = tuple[_F32 | tuple[NDArray[np.int8], _F32], _F32]
_Window = tuple[int, int, float, float, float, float]
_Size = tuple[int, int]
_Axis = tuple[int, int, Sequence[int], _F32]
_Values = NDArray[np.uint8] | NDArray[np.uint16] | _F32

class CoreError(Exception):
    args: tuple[str, str]

def isa() -> str: ...
def isas() -> list[tuple[str, bool, str]]: ...
def arithmetics() -> dict[str, tuple[str, bool]]: ...

class ThreadPool:
    def __init__(self, threads: int) -> None: ...
    @property
    def threads(self) -> int: ...

class Geometry:
    def __init__(
        self,
        *,
        channels: int,
        blocks: int,
        levels: Sequence[int],
        grid: _Size,
        input_size: _Size,
    ) -> None: ...

class AdapterPath:
    def __init__(
        self,
        geometry: Geometry,
        arithmetic: str,
        blocks: Sequence[tuple[_Layer, _Layer]],
        norms: Sequence[_Pair],
    ) -> None: ...

class Router:
    def __init__(
        self,
        geometry: Geometry,
        arithmetic: str,
        levels: Sequence[tuple[_Layer, _Pair, _Pair]],
    ) -> None: ...
    def regated(self, gates: Sequence[_Pair]) -> Router: ...

class Head:
    def __init__(
        self,
        geometry: Geometry,
        arithmetic: str,
        linears: Sequence[_Layer],
        fuse: _Layer,
        last: _Pair,
    ) -> None: ...

class Snapshot:
    def __init__(
        self,
        paths: Sequence[AdapterPath | None],
        tasks: Sequence[tuple[str, Head, Router | None]],
    ) -> None: ...

class Decoder:
    def __init__(self, geometry: Geometry, pool: ThreadPool) -> None: ...
    def run(
        self,
        *,
        stem: Sequence[_F32],
        rows: Sequence[int],
        snapshots: Sequence[Snapshot],
        windows: Sequence[_Window],
        values: bool,
        logits: bool,
        maps: bool,
        min_weight: float,
    ) -> list[tuple[list[_Values], list[_F32], list[_F32], _F32, bool]]: ...

def decode_map(
    pool: ThreadPool, family: str, map: _F32, input_size: _Size, window: _Window
) -> _Values: ...
def upsample_map(pool: ThreadPool, map: _F32, input_size: _Size) -> _F32: ...

class Mosaic:
    def __init__(
        self, *, pool: ThreadPool, map_size: _Size, input_size: _Size, rows: _Axis, columns: _Axis
    ) -> None: ...
    def output(self, family: str, classes: int) -> _Values: ...
    def decode(
        self,
        *,
        family: str,
        classes: int,
        tiles: Sequence[tuple[int, int, _F32]],
        begin: int,
        end: int,
        out: _Values,
    ) -> None: ...
