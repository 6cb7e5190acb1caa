# The compiled module; see csrc/cuda/bindings. Private: sakedge.cuda is its only importer.
from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

_F32 = NDArray[np.float32]
_U8 = NDArray[np.uint8]
_Pair = tuple[_F32, _F32]
_Layer = tuple[_F32 | tuple[NDArray[np.int8], _F32], _F32]
_Block = tuple[_Pair, _Layer, _Layer, _Pair, _Layer, _Layer]
_Window = tuple[int, int, float, float, float, float]
_Size = tuple[int, int]
# Pixels [h, w, 3], or a capsule of DLPack with such on the device, top, left; or normalised planes.
_Picture = tuple[_U8 | NDArray[np.uint16] | _F32 | Any, int, int] | _F32
_Values = _U8 | NDArray[np.uint16] | _F32

class CudaError(Exception):
    args: tuple[str, str]

class _Info(TypedDict):
    name: str
    ordinal: int
    major: int
    minor: int
    multiprocessors: int
    memory: int
    shared: int
    integrated: bool
    driver: int

class _Times(TypedDict):
    upload: float
    device: float
    download: float

def devices() -> list[_Info]: ...

class Device:
    def __init__(self, ordinal: int, image: bytes, tiles: dict[str, str]) -> None: ...
    @property
    def info(self) -> _Info: ...
    @property
    def stream(self) -> int: ...
    def memory(self) -> tuple[int, int]: ...
    def download(self, picture: Any) -> _U8: ...

class Geometry:
    def __init__(
        self,
        *,
        channels: int,
        blocks: int,
        heads: int,
        levels: Sequence[int],
        grid: _Size,
        input_size: _Size,
    ) -> None: ...

class Stem:
    def __init__(
        self,
        device: Device,
        geometry: Geometry,
        arithmetic: str,
        patch: _Pair,
        class_token: _F32,
        position: _F32,
        blocks: Sequence[_Block],
    ) -> None: ...

class AdapterPath:
    def __init__(
        self,
        device: Device,
        geometry: Geometry,
        arithmetic: str,
        blocks: Sequence[tuple[_Layer, _Layer]],
        norms: Sequence[_Pair],
    ) -> None: ...

class Router:
    def __init__(
        self,
        device: Device,
        geometry: Geometry,
        arithmetic: str,
        levels: Sequence[tuple[_Layer, _Pair, _Pair]],
    ) -> None: ...
    def regated(self, gates: Sequence[_Pair]) -> Router: ...

class Head:
    def __init__(
        self,
        device: Device,
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

class Student:
    def __init__(
        self,
        device: Device,
        geometry: Geometry,
        stem: Stem,
        mean: Sequence[float],
        std: Sequence[float],
        graphs: int,
    ) -> None: ...
    def run(
        self,
        *,
        pictures: Sequence[_Picture],
        rows: Sequence[int],
        snapshots: Sequence[Snapshot],
        windows: Sequence[_Window],
        values: bool,
        logits: bool,
        maps: bool,
        min_weight: float,
    ) -> list[tuple[list[_Values], list[_F32], list[_F32], _F32, bool]]: ...
    def profile(
        self,
        *,
        pictures: Sequence[_Picture],
        rows: Sequence[int],
        snapshots: Sequence[Snapshot],
        windows: Sequence[_Window],
        values: bool,
        logits: bool,
        maps: bool,
        min_weight: float,
    ) -> list[tuple[str, float]]: ...
    def capture(
        self,
        *,
        snapshots: Sequence[Snapshot],
        values: bool,
        logits: bool,
        maps: bool,
        min_weight: float,
    ) -> None: ...
    def times(self) -> _Times: ...
    def memory(self) -> int: ...
    def graphs(self) -> tuple[int, int]: ...
    def graph_nodes(self) -> int: ...
    @property
    def stream(self) -> int: ...
