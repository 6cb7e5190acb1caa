"""Operands of PTX as C++ expressions of the type that an instruction gives them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.cuda.emulator.ptx.parse import Entry, Module

C = {
    **{f"{k}{n}": f"uint{n}_t" for k in "ub" for n in (8, 16, 32, 64)},
    **{f"s{n}": f"int{n}_t" for n in (8, 16, 32, 64)},
    "f16": "uint16_t",
    "bf16": "uint16_t",
    "f16x2": "uint32_t",
    "bf16x2": "uint32_t",
    "f32": "float",
    "f64": "double",
    "pred": "bool",
}
_BITS = {"float": "uint32_t", "double": "uint64_t"}
_SPECIAL = {
    "%tid.x": "here.thread",
    "%tid.y": "0",
    "%tid.z": "0",
    "%ntid.x": "here.threads",
    "%ntid.y": "1",
    "%ntid.z": "1",
    "%ctaid.x": "here.x",
    "%ctaid.y": "here.y",
    "%ctaid.z": "here.z",
    "%nctaid.x": "here.grid_x",
    "%nctaid.y": "here.grid_y",
    "%nctaid.z": "here.grid_z",
    "%laneid": "(here.thread % 32)",
    "WARP_SZ": "32",
}


def width(kind: str) -> int:
    """Bits of a PTX type."""
    if kind == "pred":
        return 1
    return 32 if kind.endswith("x2") else int(re.sub(r"\D+", "", kind))


def identifier(name: str) -> str:
    """A C++ name for a register, label or variable."""
    return re.sub(r"\W", "_", name)


def converted(expression: str, of: str, to: str) -> str:
    """An expression of one C++ type as another: bits stay, integers take the width."""
    if of == to:
        return expression
    if of in _BITS:
        return converted(f"__builtin_bit_cast({_BITS[of]}, {expression})", _BITS[of], to)
    if to in _BITS:
        return f"__builtin_bit_cast({to}, {converted(expression, of, _BITS[to])})"
    return f"({to})({expression})"


@dataclass
class Names:
    """What the names in an entry stand for."""

    module: Module
    entry: Entry

    def read(self, operand: str, kind: str) -> str:
        """The value of an operand as a PTX type.

        Raises:
            ValueError: There is no such register or variable.
        """
        to = C[kind]
        if operand.startswith("!"):
            return f"!{self.read(operand[1:], kind)}"
        if operand in self.entry.registers and self.entry.registers[operand] != "param":
            return converted(identifier(operand), C[self.entry.registers[operand]], to)
        if operand in _SPECIAL:
            return f"({to}){_SPECIAL[operand]}"
        if match := re.fullmatch(r"0[fF]([0-9a-fA-F]{8})", operand):
            return (
                converted(f"0x{match[1]}u", "uint32_t", to) if to == "float" else f"0x{match[1]}u"
            )
        if match := re.fullmatch(r"0[dD]([0-9a-fA-F]{16})", operand):
            return converted(f"0x{match[1]}ull", "uint64_t", to)
        if re.fullmatch(r"-?(0x[0-9a-fA-F]+|\d+)[uU]?", operand):
            value = int(operand.rstrip("uU"), 0)
            literal = f"0x{value % 2**64:x}ull" if abs(value) >= 2**31 else str(value)
            return converted(literal, "uint64_t" if to in _BITS else "int", to)
        if operand in self.entry.registers or operand in self.entry.locals:
            return f"({to})(uint64_t){identifier(operand)}"
        if operand in self.module.variables:
            return f"({to})(uint64_t){identifier(operand)}"
        if operand in self.module.shared:
            return f"({to})0"  # an offset in shared memory
        raise ValueError(f"unknown operand {operand}")

    def write(self, operand: str, kind: str, expression: str) -> str:
        """Assigns an expression, of the C++ type of a PTX type, to a register."""
        if operand == "_":
            return f"(void)({expression});"
        of = C[self.entry.registers[operand]]
        return f"{identifier(operand)} = {converted(expression, C[kind], of)};"

    def address(self, operand: str) -> str:
        """Of a memory operand `[base + offset]`: 64 bits, in the instruction's space."""
        match = re.fullmatch(r"\[\s*([%$\w.]+)\s*(?:\+\s*(-?\w+))?\s*\]", operand)
        if match is None:
            raise ValueError(f"unknown address {operand}")
        base = self.read(match[1], "u64")
        return f"{base} + {match[2]}" if match[2] else base


def elements(operand: str) -> list[str]:
    """The registers of a vector operand; one that is none stands for itself."""
    if operand.startswith("{"):
        return [e.strip() for e in operand[1:-1].split(",")]
    return [operand]
