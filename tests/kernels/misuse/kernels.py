"""Single kernels by name, on inputs that do not fit."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.kernels.misuse.arrays import odd
from tests.kernels.misuse.case import INF, NAN, Case, Cases, fine

import sakedge_kernels

F32 = NDArray[np.float32]
LERP = np.array([0, 1, 0.5, 0.5], np.float32)


def z(*shape: int) -> F32:
    return np.zeros(shape, np.float32)


def of(*values: float) -> F32:
    return np.array(values, np.float32)


def lerps(*shape: int) -> F32:
    return np.broadcast_to(LERP, (*shape, 4)).copy()


def call(name: str, *inputs: Any) -> Case:
    return Case(lambda: sakedge_kernels.Kernels("generic").call(name, list(inputs)))


def works(name: str, *inputs: F32) -> Case:
    return fine(call(name, *inputs).run)


def expand(rows: F32, columns: F32, maps: F32, c: int = 4, classes: int = 3) -> tuple[F32, ...]:
    return maps, rows, columns, z(c), z(classes, c), z(classes), z(0)


def _matrices() -> Cases:
    cases: Cases = {}
    for a in ("f32", "bf16", "s8"):
        cases |= {
            f"linear_{a} of nothing summed": works(f"linear_{a}", z(3, 0), z(0, 5), z(5), z(3, 5)),
            f"linear_{a} of no column": works(f"linear_{a}", z(3, 5), z(5, 0), z(0), z(3, 0)),
            f"linear_{a} of no row": works(f"linear_{a}", z(0, 5), z(5, 4), z(4), z(0, 4)),
            f"linear_{a} of 65537 inputs": call(
                f"linear_{a}", z(1, 65537) + 1, z(65537, 2) + 1, z(2), z(1, 2)
            ),
            f"linear_{a} that takes long": call(
                f"linear_{a}", z(2**16, 2**8), z(2**8, 2**16), z(0), z(0)
            ),
            f"pack_{a} of 2**40 empty rows": call(f"pack_{a}", z(2**40, 0), z(0)),
            f"pack_{a} of 2**58 empty columns": call(f"pack_{a}", z(0, 2**58), z(0)),
            f"pack_{a} of 2**60 - 1 empty columns": call(f"pack_{a}", z(0, 2**60 - 1), z(0)),
            f"prepare_{a} of 2**60 - 1 empty columns": call(f"prepare_{a}", z(0, 2**60 - 1)),
            f"prepare_{a} of 2**58 empty rows": call(f"prepare_{a}", z(2**58, 0)),
            f"prepare_{a} of nothing": works(f"prepare_{a}", z(5, 0)),
            f"adapter_{a} of nothing hidden": works(
                f"adapter_{a}", z(3, 8), z(3, 8), z(8, 0), z(0), z(0, 8), z(8)
            ),
            f"adapter_{a} of no channel": works(
                f"adapter_{a}", z(3, 0), z(3, 0), z(0, 4), z(4), z(4, 0), z(0)
            ),
            f"adapter_{a} of 2**58 hidden": call(
                f"adapter_{a}", z(0, 0), z(0, 0), z(0, 2**58), z(0), z(2**58, 0), z(0)
            ),
            f"router_{a} of nothing hidden": call(
                f"router_{a}", z(3, 8), z(8, 0), z(0), z(0), z(0), z(1)
            ),
            f"router_{a} of no channel": works(
                f"router_{a}", z(3, 0), z(0, 4), z(4), z(4), z(4), z(1)
            ),
        }
        for size in (-5.0, 0.5, 1e15, 1e30, NAN, INF, -INF):
            cases |= {
                f"packed_size_{a} of {size}": call(f"packed_size_{a}", of(size, 3.0)),
                f"row_size_{a} of {size}": call(f"row_size_{a}", of(size)),
                f"peak_{a} of {size} rounds": call(f"peak_{a}", of(size)),
            }
        cases[f"peak_{a} of 0 rounds"] = call(f"peak_{a}", of(0.0))
    return cases


def _maps() -> Cases:
    whole = expand(lerps(4, 3), lerps(4, 3), z(9, 2, 2, 4))
    cases: Cases = {
        "head_expand": works("head_expand_f32", *whole),
        "head_expand of short rows": call("head_expand_f32", whole[0], z(1), z(1), *whole[3:]),
        "head_expand of no channel": works(
            "head_expand_f32", *expand(lerps(4, 3), lerps(4, 3), z(9, 2, 2, 0), c=0)
        ),
        "head_expand of no class": works(
            "head_expand_f32", *expand(lerps(4, 3), lerps(4, 3), z(9, 2, 2, 4), classes=0)
        ),
        "head_expand of an empty map": works(
            "head_expand_f32", *expand(z(0, 3, 4), lerps(4, 3), z(9, 0, 2, 4))
        ),
        "head_expand that takes hours": call(
            "head_expand_f32",
            *expand(lerps(4096, 3), lerps(4096, 3), z(9, 2, 2, 64), c=64, classes=64),
        ),
        "labels_u8 of 300 classes": call("decode_labels_u8_f32", z(2, 2, 300), lerps(3), lerps(3)),
        "labels_u16 of 70000 classes": call(
            "decode_labels_u16_f32", z(2, 2, 70000), lerps(3), lerps(3)
        ),
        "labels of no class": call("decode_labels_u8_f32", z(2, 2, 0), lerps(3), lerps(3)),
        "labels of NaN": works(
            "decode_labels_u8_f32", np.full((2, 2, 7), NAN, np.float32), lerps(30), lerps(37)
        ),
        "labels of no pixel": works("decode_labels_u8_f32", z(2, 2, 3), z(0, 4), z(0, 4)),
        "upsample of no class": works("upsample_f32", z(2, 2, 0), lerps(3), lerps(3)),
        "upsample of an empty map": works("upsample_f32", z(0, 0, 4), z(0, 4), z(0, 4)),
        "upsample of no column": works("upsample_f32", z(2, 0, 4), lerps(3), z(0, 4)),
        "upsample that takes hours": call("upsample_f32", z(2, 2, 64), lerps(2**20), lerps(2**12)),
        "blend of other planes": call(
            "blend_f32", z(2, 2, 3), lerps(3), lerps(3), z(3), z(3), z(3, 3, 4)
        ),
        "planes of no class": call("decode_planes_labels_u8_f32", z(0, 9)),
        "planes of no pixel": works("decode_planes_labels_u8_f32", z(3, 0)),
    }
    for place in (NAN, INF, -1.0, 2.0, 0.5 - 1, 1e30, -(2.0**40)):
        for index in (0, 1):
            wrong = lerps(3)
            wrong[1, index] = place
            tap = lerps(4, 3)
            tap[1, 1, index] = place
            cases |= {
                f"a lerp's place {index} at {place}": call(
                    "decode_labels_u8_f32", z(2, 2, 3), wrong, lerps(3)
                ),
                f"a blended lerp's place {index} at {place}": call(
                    "blend_f32", z(2, 2, 3), lerps(3), wrong, z(3), z(3), z(3, 3, 3)
                ),
                f"a tap's place {index} at {place}": call(
                    "head_expand_f32", *expand(tap, lerps(4, 3), z(9, 2, 2, 4))
                ),
            }
    return cases


def _tokens() -> Cases:
    return {
        "gelu of nothing": works("gelu_f32", z(0)),
        "gelu of a scalar": call("gelu_f32", np.float32(1)),
        "gelu of 32 axes": call("gelu_f32", z(*[1] * 32)),
        "gelu of a thousand": call("gelu_f32", *[z(1)] * 1000),
        "layer_norm of no channel": call("layer_norm_f32", z(3, 0), z(0), z(0), z(1)),
        "layer_norm of 2**58 empty rows": call("layer_norm_f32", z(2**58, 0), z(0), z(0), z(1)),
        "mix of no expert": call("mix_f32", z(0, 2, 8), z(0)),
        "mix of no row": works("mix_f32", z(2, 0, 8), z(2)),
        "mix of 300000 experts": works("mix_f32", z(300000, 0, 1), z(300000)),
        "an unknown kernel": call("nope"),
        "a kernel that is no text": call(b"\xff\xfe"),  # type: ignore[arg-type]
        "no inputs": call("linear_f32"),
        "inputs of None": Case(
            lambda: sakedge_kernels.Kernels("generic").call("gelu_f32", None)  # type: ignore[arg-type]
        ),
        "magnitude of nothing": works("magnitude_f32", z(0)),
        "magnitude of NaN": works("magnitude_f32", of(NAN, 1.0)),
    } | {
        f"gelu of {name}": call("gelu_f32", array)
        for name, array in odd((3,)).items()
        if name not in ("shorter", "longer", "no element", "misaligned", "an axis less")
    }


def _objects() -> Cases:
    type_ = sakedge_kernels.Kernels
    derived = type("Derived", (type_,), {"__init__": lambda self: None})
    return {
        "Kernels of nothing": Case(lambda: type_("nope\0x")),
        "Kernels without a value": Case(lambda: type_.__new__(type_).call("gelu_f32", [z(4)])),
        "Kernels derived from": Case(lambda: derived().call("gelu_f32", [z(4)])),  # type: ignore[attr-defined]
        "Kernels pickled": Case(lambda: pickle.dumps(type_("generic"))),
    }


CASES: Cases = _matrices() | _maps() | _tokens() | _objects()
