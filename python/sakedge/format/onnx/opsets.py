"""The versions of ONNX that graphs are written in."""

from __future__ import annotations

OPSET = 23
"""Of a student: the first with `Attention`, which runtimes compute as one kernel."""
OPSETS = range(17, OPSET + 1)
"""Of an exported graph; 17 is the first with `LayerNormalization`."""

_IR_VERSIONS = {17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11}


def ir_version(opset: int) -> int:
    """The oldest version of the format that has an opset, which the most readers know."""
    return _IR_VERSIONS[opset]
