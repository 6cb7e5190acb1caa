"""Integers and bits."""

from __future__ import annotations

import re

from tests.cuda.emulator.ptx.operands import C, Names, width
from tests.cuda.emulator.ptx.table import Operands, function, instruction

INT = r"([us](?:16|32|64))"
BITS = r"([bus](?:16|32|64))"


@instruction(rf"(add|sub|mul\.lo)\.{INT}")
def _sum(names: Names, operands: Operands, match: re.Match[str]) -> str:
    kind = match[2].replace("s", "u")  # wraps
    sign = {"add": "+", "sub": "-", "mul.lo": "*"}[match[1]]
    d, a, b = operands
    # 16 bits would become a signed int.
    one = "1u * " if kind == "u16" else ""
    value = f"({C[kind]})({one}{names.read(a, kind)} {sign} {names.read(b, kind)})"
    return names.write(d, kind, value)


@instruction(r"(mul|mad)\.wide\.([us])(16|32)")
def _wide(names: Names, operands: Operands, match: re.Match[str]) -> str:
    kind, wide = f"{match[2]}{match[3]}", f"{match[2]}{2 * int(match[3])}"
    value = f"({C[wide]}){names.read(operands[1], kind)} * {names.read(operands[2], kind)}"
    if match[1] == "mad":
        unsigned = wide.replace("s", "u")
        value = f"({C[unsigned]})({value}) + {names.read(operands[3], unsigned)}"
        return names.write(operands[0], unsigned, value)
    return names.write(operands[0], wide, f"({value})")


@instruction(rf"mad\.lo\.{INT}")
def _mad(names: Names, operands: Operands, match: re.Match[str]) -> str:
    kind = match[1].replace("s", "u")
    a, b, c = (names.read(o, kind) for o in operands[1:])
    return names.write(operands[0], kind, f"({C[kind]})(1u * {a} * {b} + {c})")


@instruction(r"(mul|mad)\.hi\.([us](?:32|64))")
def _high(names: Names, operands: Operands, match: re.Match[str]) -> str:
    kind = match[2]
    value = f"high_{kind}({names.read(operands[1], kind)}, {names.read(operands[2], kind)})"
    if match[1] == "mad":
        value = f"({C[kind]})({value} + {names.read(operands[3], kind)})"
    return names.write(operands[0], kind, value)


@instruction(rf"(div|rem)\.{INT}")
def _quotient(names: Names, operands: Operands, match: re.Match[str]) -> str:
    return function(f"{match[1]}_integers<{C[match[2]]}>", names, operands, [match[2]] * 3)


@instruction(rf"(min|max)\.{INT}")
def _extreme(names: Names, operands: Operands, match: re.Match[str]) -> str:
    a, b = (names.read(o, match[2]) for o in operands[1:])
    sign = "<" if match[1] == "min" else ">"
    return names.write(operands[0], match[2], f"({a} {sign} {b} ? {a} : {b})")


@instruction(r"(abs|neg)\.s(16|32|64)")
def _sign(names: Names, operands: Operands, match: re.Match[str]) -> str:
    kind = f"u{match[2]}"
    a = names.read(operands[1], kind)
    negative = f"({C[kind]})(0u - {a})"
    if match[1] == "abs":
        negative = f"({names.read(operands[1], f's{match[2]}')} < 0 ? {negative} : {a})"
    return names.write(operands[0], kind, negative)


@instruction(r"(and|or|xor)\.(b16|b32|b64|pred)")
def _logic(names: Names, operands: Operands, match: re.Match[str]) -> str:
    sign = {"and": "&", "or": "|", "xor": "^"}[match[1]]
    a, b = (names.read(o, match[2]) for o in operands[1:])
    return names.write(operands[0], match[2], f"({C[match[2]]})({a} {sign} {b})")


@instruction(r"not\.(b16|b32|b64|pred)")
def _not(names: Names, operands: Operands, match: re.Match[str]) -> str:
    sign = "!" if match[1] == "pred" else "~"
    value = f"({C[match[1]]})({sign}{names.read(operands[1], match[1])})"
    return names.write(operands[0], match[1], value)


@instruction(rf"(shl|shr)\.{BITS}")
def _shift(names: Names, operands: Operands, match: re.Match[str]) -> str:
    kind, bits = match[2], width(match[2])
    a, n = names.read(operands[1], kind), names.read(operands[2], "u32")
    sign = "<<" if match[1] == "shl" else ">>"
    if re.fullmatch(r"\d+", operands[2]) and int(operands[2]) < bits:
        value = f"{a} {sign} {operands[2]}"
    elif match[1] == "shr" and kind[0] == "s":
        value = f"{a} >> ({n} < {bits} ? {n} : {bits - 1})"
    else:
        value = f"({n} < {bits} ? {a} {sign} {n} : 0)"
    return names.write(operands[0], kind, f"({C[kind]})({value})")


@instruction(r"shf\.([lr])\.(wrap|clamp)\.b32")
def _funnel(names: Names, operands: Operands, match: re.Match[str]) -> str:
    low, high, n = (names.read(o, "u32") for o in operands[1:])
    n = f"({n} & 31)" if match[2] == "wrap" else f"({n} < 32 ? {n} : 32)"
    both = f"((uint64_t){high} << 32 | {low})"
    value = f"{both} << {n} >> 32" if match[1] == "l" else f"{both} >> {n}"
    return names.write(operands[0], "b32", f"(uint32_t)({value})")


@instruction(r"lop3\.b32")
def _lop3(names: Names, operands: Operands, _: re.Match[str]) -> str:
    return function("lop3", names, operands, ["b32"] * 4 + ["u32"])


@instruction(r"(bfe)\.([us](?:32|64))")
def _extract(names: Names, operands: Operands, match: re.Match[str]) -> str:
    kind = match[2]
    return function(f"bfe_{kind}", names, operands, [kind, kind, "u32", "u32"])


@instruction(r"bfi\.(b32|b64)")
def _insert(names: Names, operands: Operands, match: re.Match[str]) -> str:
    kind = match[1]
    return function(f"bfi_{kind}", names, operands, [kind, kind, kind, "u32", "u32"])


@instruction(r"prmt\.b32")
def _permute(names: Names, operands: Operands, _: re.Match[str]) -> str:
    return function("prmt", names, operands, ["b32"] * 4)


@instruction(r"(popc|clz)\.(b32|b64)")
def _count(names: Names, operands: Operands, match: re.Match[str]) -> str:
    return function(f"{match[1]}_{match[2]}", names, operands, ["u32", match[2]])


@instruction(r"brev\.b32")
def _reverse(names: Names, operands: Operands, _: re.Match[str]) -> str:
    return function("brev", names, operands, ["b32", "b32"])


@instruction(r"dp4a\.s32\.s32")
def _dot(names: Names, operands: Operands, _: re.Match[str]) -> str:
    return function("dp4a", names, operands, ["s32", "b32", "b32", "s32"])
