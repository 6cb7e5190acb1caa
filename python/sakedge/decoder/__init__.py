"""The pass after the stem: routers, adapter paths, mixture, heads and decoding, in C++.

The only importer of the compiled module. It checks arguments and gives every failure its type; the
arithmetic and its order are in csrc/decoder.
"""

from sakedge.decoder.decoder import Decoded, Decoder, TaskOutput
from sakedge.decoder.instructions import ARITHMETICS, Arithmetic, arithmetics, isa, isas
from sakedge.images.window import Window

__all__ = [
    "ARITHMETICS",
    "Arithmetic",
    "Decoded",
    "Decoder",
    "TaskOutput",
    "Window",
    "arithmetics",
    "isa",
    "isas",
]
