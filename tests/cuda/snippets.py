"""Runs single PTX instructions, each on values of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.cuda.emulator import Emulator, shipped
from tests.cuda.emulator.ptx.operands import width

ARGS = Path(__file__).with_name("snippets.cu")
_DTYPES = {
    "b": "uint",
    "u": "uint",
    "s": "int",
    "f": "float",
}


def dtype(kind: str) -> np.dtype[Any]:
    """Of NumPy, for a PTX type. bf16 and pairs are their bits."""
    if kind.startswith("bf") or kind.endswith("x2"):
        return np.dtype(f"uint{width(kind)}")
    return np.dtype(f"{_DTYPES[kind[0]]}{width(kind)}")


@dataclass(frozen=True)
class Snippet:
    """An instruction on registers %d, %a, %b, %c, and their types."""

    text: str
    result: str
    operands: tuple[str, ...]


def _register(kind: str) -> str:
    """The type that a register of a PTX type has, as compilers declare it."""
    if kind in ("f32", "f64"):
        return kind
    return f"b{max(width(kind), 16)}"


def kernel(snippets: Sequence[Snippet], entry: str = "snippets") -> str:
    """A kernel that reads operand `o` of snippet `s` at 8 * ((4 s + o) n + i) and writes o = 3."""
    lines = [
        ".version 8.5\n.target sm_80\n.address_size 64",
        f".visible .entry {entry}(.param .align 8 .b8 {entry}_param_0[16])",
        ".maxntid 1024, 1, 1 {",
        ".reg .pred %p<4>; .reg .b16 %lo, %hi; .reg .b32 %r<4>; .reg .b64 %rd<8>;",
    ]
    lines += [
        f".reg .{_register(kind)} %{name}{s};"
        for s, snippet in enumerate(snippets)
        for name, kind in zip("dabc", (snippet.result, *snippet.operands), strict=False)
    ]
    lines += [
        f"ld.param.u64 %rd1, [{entry}_param_0]; ld.param.u32 %r3, [{entry}_param_0+8];",
        "mov.u32 %r1, %ctaid.x; mov.u32 %r2, %tid.x; mad.lo.s32 %r1, %r1, 1024, %r2;",
        "mul.wide.u32 %rd2, %r3, 8; mad.wide.u32 %rd3, %r1, 8, %rd1;",
        "setp.ge.u32 %p1, %r1, %r3; @%p1 bra $END;",
    ]
    for s, snippet in enumerate(snippets):
        for o, kind in enumerate(snippet.operands):
            lines.append(f"ld.global.b{width(kind)} %{'abc'[o]}{s}, [%rd3];")
            lines.append("add.s64 %rd3, %rd3, %rd2;")
        lines.append(re.sub(r"%([dabc])\b", rf"%\g<1>{s}", snippet.text))
        lines += ["add.s64 %rd3, %rd3, %rd2;"] * (3 - len(snippet.operands))
        lines.append(f"st.global.b{width(snippet.result)} [%rd3], %d{s};")
        lines.append("add.s64 %rd3, %rd3, %rd2;")
    return "\n".join([*lines, "$END: ret;", "}"])


class Snippets:
    """Snippets, ready to run."""

    def __init__(self, snippets: Sequence[Snippet]) -> None:
        self._snippets = list(snippets)
        self._emulator = Emulator("host", [ARGS])
        self._emulator.load(shipped.build_texts([kernel(self._snippets)]))

    def run(self, values: Sequence[Sequence[NDArray[Any]]]) -> list[NDArray[Any]]:
        """Results of every snippet; `values` are arrays of its operands, all of one length."""
        count = len(values[0][0])
        slots = np.zeros((len(self._snippets), 4, count), np.uint64)
        for s, (snippet, operands) in enumerate(zip(self._snippets, values, strict=True)):
            for o, (kind, value) in enumerate(zip(snippet.operands, operands, strict=True)):
                bits = np.asarray(value, dtype(kind)).view(f"uint{width(kind)}")
                slots[s, o] = bits
        args = {"slots": slots, "count": count}
        self._emulator.launch("snippets", grid=(-(-count // 1024), 1, 1), args=args, races=False)
        return [
            slots[s, 3].astype(f"uint{width(snippet.result)}").view(dtype(snippet.result))
            for s, snippet in enumerate(self._snippets)
        ]
