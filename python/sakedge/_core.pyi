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
        arithmetic: str,
        blocks: Sequence[tuple[_Pair, _Pair]],
        norms: Sequence[_Pair],
    ) -> None: ...

class Router:
    def __init__(
        self,
        geometry: Geometry,
        arithmetic: str,
        levels: Sequence[tuple[_Pair, _Pair, _Pair]],
    ) -> None: ...

class Head:
    def __init__(
        self,
        geometry: Geometry,
        arithmetic: str,
        linears: Sequence[_Pair],
        fuse: _Pair,
        last: _Pair,
    ) -> None: ...

class Decoder:
    def __init__(
        self,
        geometry: Geometry,
        arithmetic: str,
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
