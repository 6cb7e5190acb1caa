"""PTX as C++ on the emulator: what the compiler wrote is what runs."""

from __future__ import annotations

import re

from tests.cuda.emulator.ptx import (  # noqa: F401 (each adds its instructions to the table)
    comparisons,
    conversions,
    floats,
    integers,
    spaces,
    warps,
)
from tests.cuda.emulator.ptx.operands import C, Names, identifier
from tests.cuda.emulator.ptx.parse import Entry, Module, Statement
from tests.cuda.emulator.ptx.table import translate


def source_of(module: Module, entry: Entry) -> str:
    """A C++ file with one kernel.

    Raises:
        ValueError: An instruction or operand is unknown; names it.
    """
    names = Names(module, entry)
    lines = ['#include "emulator/ptx.h"', "using namespace sakedge::emulator;"]
    used = {
        word for s in entry.statements for o in s.operands for word in re.findall(r"[$%\w.]+", o)
    }
    for name in sorted(module.variables.keys() & used):
        lines += _constant(names, name)
    lines.append(f"static void {entry.name}(const void* args) {{")
    lines += _declarations(entry, used)
    lines += [_line(names, s) for s in entry.statements]
    lines.append("}")
    lines.append(
        f'[[maybe_unused]] static const bool {entry.name}_is_known = enter({{"{entry.name}", '
        f"{entry.threads}, {entry.param_bytes}, {entry.name}}});"
    )
    return "\n".join(lines) + "\n"


def _constant(names: Names, name: str) -> list[str]:
    variable, c = names.module.variables[name], identifier(name)
    values = ", ".join(names.read(v, variable.type) for v in variable.values)
    return [
        f"alignas(16) static const {C[variable.type]} {c}[] = {{{values}}};",
        f'static const bool {c}_is_allocated = (allocate({c}, sizeof {c}, "{c}", false), true);',
    ]


def _declarations(entry: Entry, used: set[str]) -> list[str]:
    by_type: dict[str, list[str]] = {}
    parameter = ""
    guards = {s.guard.lstrip("!") for s in entry.statements}
    for name, kind in entry.registers.items():
        if kind == "param":
            parameter = f"const void* const {identifier(name)} = args;"
        elif name in used or name in guards:
            by_type.setdefault(C[kind], []).append(identifier(name))
    lines = [parameter]
    lines += [f"{kind} {', '.join(names)};" for kind, names in by_type.items()]
    for name, size in entry.locals.items():
        lines.append(f"alignas(16) unsigned char {identifier(name)}[{size}];")
        lines.append(f"poison({identifier(name)}, {size});")
    return lines


def _line(names: Names, statement: Statement) -> str:
    if not statement.opcode:
        return f"{identifier(statement.label)}:;"
    try:
        text = translate(names, statement.opcode, statement.operands)
        guard = f"if ({names.read(statement.guard, 'pred')}) " if statement.guard else ""
    except (KeyError, ValueError) as error:
        instruction = f"{statement.opcode} {', '.join(statement.operands)}"
        raise ValueError(f"{names.entry.name}: {error}: {instruction}") from error
    return f"{guard}{{ {text} }}" if guard else text
