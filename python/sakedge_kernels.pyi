# Single kernels by name, for tests and tools; see csrc/calls. Part of development builds alone: the
# package sakedge may not import it.
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_F32 = NDArray[np.float32]

def names() -> list[str]: ...
def isas() -> list[tuple[str, str]]:
    """Those of `sakedge.decoder.isas` and variants for tests: name, and what is missing to run."""

class Kernels:
    def __init__(self, isa: str) -> None: ...
    def call(self, name: str, inputs: Sequence[_F32], /) -> list[_F32]: ...
