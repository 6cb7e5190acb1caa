"""Loads, stores and addresses."""

from __future__ import annotations

import re

from tests.cuda.emulator.ptx.operands import C, Names, elements
from tests.cuda.emulator.ptx.table import Operands, instruction

TYPE = r"([busf](?:8|16|32|64))"


def _space(name: str | None) -> str:
    return {None: "generic", "const": "global", "param": "generic", "local": "generic"}.get(
        name, str(name)
    )


@instruction(rf"ld(?:\.(param|global|shared|local|const))?(\.nc)?(?:\.v([24]))?\.{TYPE}")
def _load(names: Names, operands: Operands, match: re.Match[str]) -> str:
    space, nc, count, kind = match.groups()
    if nc and space != "global":
        raise ValueError("unknown instruction")
    into, address = elements(operands[0]), names.address(operands[1])
    if len(into) != int(count or 1):
        raise ValueError("wrong number of registers")
    load = f"load_{_space(space)}"
    if len(into) == 1:
        return names.write(into[0], kind, f"{load}<{C[kind]}>({address})")
    writes = "".join(names.write(e, kind, f"v.x[{i}]") for i, e in enumerate(into))
    return f"{{ const auto v = {load}<Vector<{C[kind]}, {count}>>({address}); {writes} }}"


@instruction(rf"st(?:\.(global|shared|local))?(?:\.v([24]))?\.{TYPE}")
def _store(names: Names, operands: Operands, match: re.Match[str]) -> str:
    space, count, kind = match.groups()
    address, values = names.address(operands[0]), elements(operands[1])
    if len(values) != int(count or 1):
        raise ValueError("wrong number of registers")
    given = ", ".join(names.read(v, kind) for v in values)
    kind = C[kind] if len(values) == 1 else f"Vector<{C[kind]}, {count}>"
    value = given if len(values) == 1 else f"{{{{{given}}}}}"
    return f"store_{_space(space)}<{kind}>({address}, {value});"


@instruction(r"cvta(\.to)?\.(global|shared|local|param|const)\.u64")
def _address(names: Names, operands: Operands, match: re.Match[str]) -> str:
    value = names.read(operands[1], "u64")
    if match[2] == "shared":  # an offset there
        value += f" {'-' if match[1] else '+'} (uint64_t)here.shared"
    return names.write(operands[0], "u64", value)


@instruction(r"cp\.async\.c[ag]\.shared\.global(?:\.L2::128B)?")
def _copy(names: Names, operands: Operands, _: re.Match[str]) -> str:
    if operands[2] != "16":
        raise ValueError("unknown instruction")
    to, source = names.address(operands[0]), names.address(operands[1])
    valid = names.read(operands[3], "u32") if len(operands) > 3 else "16"
    return f"copy_async(here.shared + ({to}), (const void*)({source}), {valid});"


@instruction(r"cp\.async\.(commit_group|wait_group|wait_all)")
def _group(_: Names, operands: Operands, match: re.Match[str]) -> str:
    if match[1] == "commit_group":
        return "copy_commit();"
    if match[1] == "wait_all":
        return "copy_commit(); copy_wait(0);"
    return f"copy_wait({operands[0]});"
