"""Moves, selections and conversions."""

from __future__ import annotations

import re

from tests.cuda.emulator.ptx.operands import C, Names, elements, width
from tests.cuda.emulator.ptx.table import Operands, instruction

_ROUND = {"i": "rint", "z": "trunc", "m": "floor", "p": "ceil"}


@instruction(r"mov\.(pred|[busf](?:16|32|64))")
def _move(names: Names, operands: Operands, match: re.Match[str]) -> str:
    d, a = operands
    kind = match[1]
    part = f"u{width(kind) // len(elements(d if d[0] == '{' else a))}" if "{" in d + a else kind
    if d.startswith("{"):
        whole = names.read(a, f"u{width(kind)}")
        return "".join(
            names.write(e, part, f"({C[part]})({whole} >> {i * width(part)})")
            for i, e in enumerate(elements(d))
        )
    if a.startswith("{"):
        whole = C[f"u{width(kind)}"]
        parts = [
            f"({whole}){names.read(e, part)} << {i * width(part)}"
            for i, e in enumerate(elements(a))
        ]
        return names.write(d, f"u{width(kind)}", f"({' | '.join(parts)})")
    return names.write(d, kind, names.read(a, kind))


@instruction(r"selp\.([busf](?:16|32|64))")
def _select(names: Names, operands: Operands, match: re.Match[str]) -> str:
    d, a, b, p = operands
    kind = match[1]
    value = f"({names.read(p, 'pred')} ? {names.read(a, kind)} : {names.read(b, kind)})"
    return names.write(d, kind, value)


@instruction(r"cvt(\.sat)?\.([us](?:8|16|32|64))\.([us](?:8|16|32|64))")
def _integers(names: Names, operands: Operands, match: re.Match[str]) -> str:
    sat, to, of = match.groups()
    convert = "saturate" if sat else "(C)"
    value = names.read(operands[1], of)
    value = f"saturate<{C[to]}>({value})" if convert == "saturate" else f"({C[to]})({value})"
    return names.write(operands[0], to, value)


@instruction(r"cvt\.r([nzmp])i(\.ftz)?(\.sat)?\.([us](?:8|16|32|64))\.(f32|f64|f16)")
def _to_integer(names: Names, operands: Operands, match: re.Match[str]) -> str:
    mode, ftz, _, to, of = match.groups()
    value = names.read(operands[1], of)
    value = f"from_half({value})" if of == "f16" else value
    value = f"flushed({value})" if ftz else value
    rounded = f"__builtin_{_ROUND['i' if mode == 'n' else mode]}({value})"
    return names.write(operands[0], to, f"saturate<{C[to]}>({rounded})")


@instruction(r"cvt\.r([nzmp])i(\.ftz)?(\.sat)?\.(f32|f64)\.(f32|f64)")
def _to_integral(names: Names, operands: Operands, match: re.Match[str]) -> str:
    mode, ftz, sat, to, of = match.groups()
    if to != of:
        raise ValueError("unknown instruction")
    value = names.read(operands[1], of)
    value = f"flushed({value})" if ftz else value
    f = "f" if to == "f32" else ""
    value = f"__builtin_{_ROUND['i' if mode == 'n' else mode]}{f}({value})"
    return names.write(operands[0], to, f"saturated({value})" if sat else value)


@instruction(r"cvt\.rn\.(f32|f64)\.([us](?:8|16|32|64))")
def _from_integer(names: Names, operands: Operands, match: re.Match[str]) -> str:
    to, of = match.groups()
    return names.write(operands[0], to, f"({C[to]}){names.read(operands[1], of)}")


@instruction(r"cvt(\.rn)?(\.ftz)?(\.sat)?\.(f32|f64)\.(f32|f64)")
def _between_floats(names: Names, operands: Operands, match: re.Match[str]) -> str:
    rn, ftz, sat, to, of = match.groups()
    if (rn is not None) != (to < of):  # f64 to f32 alone rounds
        raise ValueError("unknown instruction")
    value = names.read(operands[1], of)
    value = f"flushed({value})" if ftz else value
    value = f"({C[to]})({value})"
    return names.write(operands[0], to, f"saturated({value})" if sat else value)


@instruction(r"cvt\.rn\.(f16|bf16)\.f32")
def _to_short(names: Names, operands: Operands, match: re.Match[str]) -> str:
    convert = {"f16": "to_half", "bf16": "to_bfloat"}[match[1]]
    return names.write(operands[0], match[1], f"{convert}({names.read(operands[1], 'f32')})")


@instruction(r"cvt\.f32\.(f16|bf16)")
def _from_short(names: Names, operands: Operands, match: re.Match[str]) -> str:
    convert = {"f16": "from_half", "bf16": "from_bfloat"}[match[1]]
    return names.write(operands[0], "f32", f"{convert}({names.read(operands[1], match[1])})")


@instruction(r"cvt\.rn\.(f16|bf16)x2\.f32")
def _to_two(names: Names, operands: Operands, match: re.Match[str]) -> str:
    d, high, low = operands
    convert = {"f16": "to_half", "bf16": "to_bfloat"}[match[1]]
    value = (
        f"((uint32_t){convert}({names.read(high, 'f32')}) << 16"
        f" | {convert}({names.read(low, 'f32')}))"
    )
    return names.write(d, "b32", value)
