# The compiled module of the CUDA backend; see csrc/cuda/bindings. Private: sakedge.cuda is its only
# importer. Many wheels lack it.
from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

_F32 = NDArray[np.float32]
_Pair = tuple[_F32, _F32]
_Layer = tuple[_F32 | tuple[NDArray[np.int8], _F32], _F32]
_Block = tuple[_Pair, _Layer, _Layer, _Pair, _Layer, _Layer]
_Window = tuple[int, int, float, float, float, float]
_Size = tuple[int, int]
_Values = NDArray[np.uint8] | NDArray[np.uint16] | _F32
# Pixels [h, w, 3], or a capsule of DLPack with such on the device, top, left; or normalised planes.
_Picture = tuple[Any, int, int] | _F32
_Three = tuple[float, float, float]

class CudaError(Exception):
    args: tuple[str, str]

class DeviceInfo(TypedDict):
    name: str
    ordinal: int
    major: int
    minor: int
    multiprocessors: int
    memory: int
    shared: int
    integrated: bool
    driver: int

def devices() -> list[DeviceInfo]: ...

class Device:
    def __init__(self, ordinal: int, image: bytes, tiles: dict[str, str]) -> None: ...
    @property
    def info(self) -> DeviceInfo: ...
    @property
    def stream(self) -> int: ...
    def memory(self) -> tuple[int, int]: ...
    def download(self, picture: object) -> NDArray[np.uint8]: ...

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
        mean: _Three,
        std: _Three,
        graphs: int,
    ) -> None: ...
    @property
    def stream(self) -> int: ...
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
        batch: int,
        snapshots: Sequence[Snapshot],
        *,
        values: bool,
        logits: bool,
        maps: bool,
        min_weight: float,
    ) -> None: ...
    def times(self) -> dict[str, float]: ...
    def graphs(self) -> tuple[int, int]: ...
    def graph_nodes(self) -> int: ...
    def memory(self) -> int: ...
