"""The pass after the stem. The only importer of the compiled module."""

from sakedge.decoder.decoder import Decoded, Decoder
from sakedge.decoder.instructions import ARITHMETICS, Arithmetic, arithmetics, isa, isas
from sakedge.decoder.maps import Mosaic, decode_map, upsample_map
from sakedge.decoder.pool import thread_pool

__all__ = [
    "ARITHMETICS",
    "Arithmetic",
    "Decoded",
    "Decoder",
    "Mosaic",
    "arithmetics",
    "decode_map",
    "isa",
    "isas",
    "thread_pool",
    "upsample_map",
]
