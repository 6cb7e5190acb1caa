"""The pass after the stem. The only importer of the compiled module."""

from sakedge.decoder.decoder import Decoded, Decoder, handles
from sakedge.decoder.instructions import ARITHMETICS, Arithmetic, arithmetics, isa, isas
from sakedge.decoder.maps import Mosaic, decode_map, upsample_map
from sakedge.decoder.packing import Makers, Packer, Reader, Tensors
from sakedge.decoder.pool import thread_pool
from sakedge.decoder.window import window_arguments

__all__ = [
    "ARITHMETICS",
    "Arithmetic",
    "Decoded",
    "Decoder",
    "Makers",
    "Mosaic",
    "Packer",
    "Reader",
    "Tensors",
    "arithmetics",
    "decode_map",
    "handles",
    "isa",
    "isas",
    "thread_pool",
    "upsample_map",
    "window_arguments",
]
