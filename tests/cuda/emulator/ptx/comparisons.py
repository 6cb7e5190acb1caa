"""Comparisons."""

from __future__ import annotations

import re

from tests.cuda.emulator.ptx.operands import Names
from tests.cuda.emulator.ptx.table import Operands, instruction

_INTEGERS = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "lo": "<",
    "ls": "<=",
    "hi": ">",
    "hs": ">=",
}
# False, and with a "u" behind true, where either is NaN.
_FLOATS = {
    "eq": "{a} == {b}",
    "ne": "({a} < {b} || {a} > {b})",
    "lt": "{a} < {b}",
    "le": "{a} <= {b}",
    "gt": "{a} > {b}",
    "ge": "{a} >= {b}",
    "equ": "!({a} < {b} || {a} > {b})",
    "neu": "{a} != {b}",
    "ltu": "!({a} >= {b})",
    "leu": "!({a} > {b})",
    "gtu": "!({a} <= {b})",
    "geu": "!({a} < {b})",
    "num": "({a} == {a} && {b} == {b})",
    "nan": "({a} != {a} || {b} != {b})",
}


def _predicates(names: Names, operands: Operands, combine: str | None, value: str) -> str:
    """Writes p and q of `p|q`, combined with the predicate that comes last."""
    p, _, q = operands[0].partition("|")
    found = []
    for register, result in ((p, f"({value})"), (q, f"!({value})")):
        if not register:
            continue
        if combine:
            sign = {"and": "&", "or": "|", "xor": "^"}[combine]
            result = f"(bool)({result} {sign} {names.read(operands[3], 'pred')})"
        found.append(result)
    # Both are taken before either is written: the predicate they combine with may be one of them.
    if len(found) == 1:
        return names.write(p, "pred", found[0])
    return f"{{ const bool both[2] = {{{', '.join(found)}}}; " + (
        names.write(p, "pred", "both[0]") + names.write(q, "pred", "both[1]") + " }"
    )


@instruction(r"setp\.(eq|ne|lt|le|gt|ge|lo|ls|hi|hs)(?:\.(and|or|xor))?\.([bus](?:16|32|64))")
def _integers(names: Names, operands: Operands, match: re.Match[str]) -> str:
    compare, combine, kind = match.groups()
    a, b = (names.read(o, kind) for o in operands[1:3])
    return _predicates(names, operands, combine, f"{a} {_INTEGERS[compare]} {b}")


@instruction(rf"setp\.({'|'.join(_FLOATS)})(?:\.(and|or|xor))?(\.ftz)?\.(f32|f64)")
def _floats(names: Names, operands: Operands, match: re.Match[str]) -> str:
    compare, combine, ftz, kind = match.groups()
    a, b = (names.read(o, kind) for o in operands[1:3])
    if ftz:
        a, b = f"flushed({a})", f"flushed({b})"
    return _predicates(names, operands, combine, _FLOATS[compare].format(a=a, b=b))
