# The compiled module; see csrc/bindings. Private: sakedge.decoder is its only importer.
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_F32 = NDArray[np.float32]
_Pair = tuple[_F32, _F32]
_Window = tuple[int, int, float, float, float, float]
_Size = tuple[int, int]

class CoreError(Exception):
    args: tuple[str, str]

def isa() -> str: ...
def isas() -> list[tuple[str, bool, str]]: ...
def arithmetics() -> dict[str, tuple[str, bool]]: ...

class Geometry:
    def __init__(
        self,
        *,
        channels: int,
        blocks: int,
        levels: Sequence[int],
        grid: _Size,
        input_size: _Size,
        adapters: int,
    ) -> None: ...

class AdapterPath:
    def __init__(
        self,
        geometry: Geometry,
        precision: str,
        blocks: Sequence[tuple[_Pair, _Pair]],
        norms: Sequence[_Pair],
    ) -> None: ...

class Router:
    def __init__(
        self,
        geometry: Geometry,
        precision: str,
        levels: Sequence[tuple[_Pair, _Pair, _Pair]],
    ) -> None: ...

class Head:
    def __init__(
        self,
        geometry: Geometry,
        precision: str,
        linears: Sequence[_Pair],
        fuse: _Pair,
        last: _Pair,
    ) -> None: ...

class Decoder:
    def __init__(
        self,
        geometry: Geometry,
        precision: str,
        tasks: Sequence[tuple[str, Head, Router | None]],
        threads: int,
    ) -> None: ...
    def exchange(self, adapter: int, path: AdapterPath | None) -> None: ...
    def present(self) -> list[bool]: ...
    def run(
        self,
        *,
        features: Sequence[_F32],
        tasks: Sequence[int],
        wanted: NDArray[np.uint8],
        windows: Sequence[_Window],
        decode: bool,
        logits: bool,
        min_weight: float,
    ) -> tuple[
        list[NDArray[np.uint8] | NDArray[np.uint16] | _F32 | None], list[_F32 | None], _F32
    ]: ...

class Kernels:
    def __init__(self, isa: str) -> None: ...
    @staticmethod
    def names() -> list[str]: ...
    def packed_size_f32(self, rows: int, columns: int, /) -> int: ...
    def pack_f32(self, weight: _F32, /) -> _F32: ...
    def linear_f32(self, x: _F32, weight: _F32, bias: _F32 | None, y: _F32 | None, /) -> _F32: ...
    def adapter_f32(self, x: _F32, r: _F32, down: _Pair, up: _Pair, /) -> _F32: ...
    def router_f32(self, x: _F32, hidden: _Pair, norm: _Pair, epsilon: float, /) -> _F32: ...
    def head_expand_f32(
        self,
        taps: _F32,
        width: int,
        out_size: _Size,
        bias: _F32,
        last: _Pair,
        logits: _F32 | None,
        /,
    ) -> _F32: ...
    def gelu_f32(self, x: _F32, /) -> _F32: ...
    def layer_norm_f32(self, x: _F32, affine: _Pair, epsilon: float, /) -> _F32: ...
    def mix_f32(self, inputs: Sequence[_F32], weights: _F32, /) -> _F32: ...
    def decode_labels_u8_f32(
        self, map: _F32, extent: _Size, window: _Window, /
    ) -> NDArray[np.uint8]: ...
    def decode_labels_u16_f32(
        self, map: _F32, extent: _Size, window: _Window, /
    ) -> NDArray[np.uint16]: ...
    def decode_probability_f32(self, map: _F32, extent: _Size, window: _Window, /) -> _F32: ...
    def decode_two_class_f32(self, map: _F32, extent: _Size, window: _Window, /) -> _F32: ...
    def decode_normals_f32(self, map: _F32, extent: _Size, window: _Window, /) -> _F32: ...
    def decode_scalar_f32(self, map: _F32, extent: _Size, window: _Window, /) -> _F32: ...
    def upsample_f32(self, map: _F32, extent: _Size, window: _Window, /) -> _F32: ...
