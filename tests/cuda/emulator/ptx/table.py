"""The instructions that are known: patterns of opcodes, and what each becomes in C++."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.cuda.emulator.ptx.operands import Names

Operands = tuple[str, ...]
# (names, operands, opcode's match) → C++ statements.
Meaning = Callable[[Names, Operands, re.Match[str]], str]
_table: list[tuple[re.Pattern[str], Meaning]] = []


def instruction(pattern: str) -> Callable[[Meaning], Meaning]:
    """Says what opcodes that match all of a pattern mean."""

    def add(meaning: Meaning) -> Meaning:
        _table.append((re.compile(pattern), meaning))
        return meaning

    return add


def translate(names: Names, opcode: str, operands: Operands) -> str:
    """An instruction in C++.

    Raises:
        ValueError: The instruction or an operand is unknown.
    """
    for pattern, meaning in _table:
        if match := pattern.fullmatch(opcode):
            return meaning(names, operands, match)
    raise ValueError("unknown instruction")


def function(name: str, names: Names, operands: Operands, kinds: list[str]) -> str:
    """`first = name(others …)`; kinds of all of them."""
    values = [names.read(o, k) for o, k in zip(operands[1:], kinds[1:], strict=True)]
    return names.write(operands[0], kinds[0], f"{name}({', '.join(values)})")
