"""Arithmetic of floats."""

from __future__ import annotations

import re

from tests.cuda.emulator.ptx.operands import Names
from tests.cuda.emulator.ptx.table import Operands, instruction

# `.ftz` flushes subnormal operands and results to zero, `.sat` clamps results to 0 … 1.
ENDS = r"(\.ftz)?(\.sat)?\.(f32|f64)"
NEAREST = rf"(?:\.rn)?{ENDS}"


def _result(names: Names, operands: Operands, match: re.Match[str], value: str) -> str:
    """`value`, in which {0}, {1}, … stand for the operands, as the opcode's ends say."""
    ftz, sat, kind = match.groups()[-3:]
    values = [names.read(o, kind) for o in operands[1:]]
    if ftz:
        values = [f"flushed({v})" for v in values]
    value = value.format(*values)
    if ftz:
        value = f"flushed({value})"
    return names.write(operands[0], kind, f"saturated({value})" if sat else f"({value})")


@instruction(rf"(add|sub|mul){NEAREST}")
def _sum(names: Names, operands: Operands, match: re.Match[str]) -> str:
    sign = {"add": "+", "sub": "-", "mul": "*"}[match[1]]
    return _result(names, operands, match, f"{{0}} {sign} {{1}}")


@instruction(r"(add|sub|mul)\.(r[zmp])(\.ftz)?(\.sat)?\.(f32)")
def _directed_sum(names: Names, operands: Operands, match: re.Match[str]) -> str:
    value = {
        "add": "fma_{0}(1.0f, {{0}}, {{1}})",
        "sub": "fma_{0}(-1.0f, {{1}}, {{0}})",
        "mul": "fma_{0}({{0}}, {{1}}, -0.0f)",
    }[match[1]]
    return _result(names, operands, match, value.format(match[2]))


@instruction(rf"(fma|mad)\.rn{ENDS}")
def _fma(names: Names, operands: Operands, match: re.Match[str]) -> str:
    f = "f" if match.groups()[-1] == "f32" else ""
    return _result(names, operands, match, f"__builtin_fma{f}({{0}}, {{1}}, {{2}})")


@instruction(r"fma\.(r[zmp])(\.ftz)?(\.sat)?\.(f32)")
def _directed_fma(names: Names, operands: Operands, match: re.Match[str]) -> str:
    return _result(names, operands, match, f"fma_{match[1]}({{0}}, {{1}}, {{2}})")


@instruction(r"div\.rn(\.ftz)?()\.(f32|f64)")
def _div(names: Names, operands: Operands, match: re.Match[str]) -> str:
    return _result(names, operands, match, "{0} / {1}")


@instruction(r"div\.(?:approx|full)(\.ftz)?()\.(f32)")
def _div_approx(names: Names, operands: Operands, match: re.Match[str]) -> str:
    return _result(names, operands, match, "approximate((double){0} / {1}, {0})")


@instruction(r"(rcp|sqrt)\.rn(\.ftz)?()\.(f32|f64)")
def _root(names: Names, operands: Operands, match: re.Match[str]) -> str:
    f = "f" if match.groups()[-1] == "f32" else ""
    value = "1 / {0}" if match[1] == "rcp" else f"__builtin_sqrt{f}({{0}})"
    return _result(names, operands, match, value)


@instruction(r"(ex2|rsqrt|rcp|sqrt|lg2)\.approx(\.ftz)?()\.(f32)")
def _approximate(names: Names, operands: Operands, match: re.Match[str]) -> str:
    # Without .ftz ex2, too, takes subnormals as they are.
    return _result(names, operands, match, f"approximate_{match[1]}({{0}})")


@instruction(r"(min|max)(\.ftz)?(\.NaN)?\.(f32|f64)")
def _extreme(names: Names, operands: Operands, match: re.Match[str]) -> str:
    which, ftz, nan, kind = match.groups()
    a, b = (names.read(o, kind) for o in operands[1:])
    if ftz:
        a, b = f"flushed({a})", f"flushed({b})"
    keep = "true" if nan else "false"
    return names.write(operands[0], kind, f"{which}_floats({a}, {b}, {keep})")


@instruction(r"(abs|neg)(\.ftz)?()\.(f32|f64)")
def _sign(names: Names, operands: Operands, match: re.Match[str]) -> str:
    f = "f" if match.groups()[-1] == "f32" else ""
    value = "-{0}" if match[1] == "neg" else f"__builtin_fabs{f}({{0}})"
    return _result(names, operands, match, value)


@instruction(r"copysign\.(f32|f64)")
def _copysign(names: Names, operands: Operands, match: re.Match[str]) -> str:
    sign, value = (names.read(o, match[1]) for o in operands[1:])
    f = "f" if match[1] == "f32" else ""
    return names.write(operands[0], match[1], f"__builtin_copysign{f}({value}, {sign})")
