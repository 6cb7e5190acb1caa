"""What threads do together, and branches."""

from __future__ import annotations

import re

from tests.cuda.emulator.ptx.operands import Names, elements, identifier
from tests.cuda.emulator.ptx.table import Operands, instruction

_SHUFFLES = {"idx": "kIndex", "up": "kUp", "down": "kDown", "bfly": "kXor"}


def _all_lanes(names: Names, mask: str) -> str:
    return f"check_all_lanes({names.read(mask, 'u32')}); "


@instruction(r"(?:bar|barrier)\.(?:cta\.)?sync(?:\.aligned)?")
def _barrier(_: Names, operands: Operands, __: re.Match[str]) -> str:
    if operands != ("0",):
        raise ValueError("expected barrier 0 of all threads")
    return "barrier();"


@instruction(r"bar\.warp\.sync")
def _warp_barrier(names: Names, operands: Operands, _: re.Match[str]) -> str:
    return _all_lanes(names, operands[0]) + "warp_barrier();"


@instruction(r"shfl\.sync\.(idx|up|down|bfly)\.b32")
def _shuffle(names: Names, operands: Operands, match: re.Match[str]) -> str:
    to, a, b, c, mask = operands
    d, _, p = to.partition("|")
    values = ", ".join(names.read(o, "u32") for o in (a, b, c))
    value = f"shuffle(Shuffle::{_SHUFFLES[match[1]]}, {values}, in_range)"
    writes = names.write(d, "b32", value) + (names.write(p, "pred", "in_range") if p else "")
    return f"{{ {_all_lanes(names, mask)}bool in_range; {writes} }}"


@instruction(r"vote\.sync\.(all|any|ballot)\.(pred|b32)")
def _vote(names: Names, operands: Operands, match: re.Match[str]) -> str:
    check = _all_lanes(names, operands[2])
    value = f"vote(Vote::k{match[1].capitalize()}, {names.read(operands[1], 'pred')})"
    if match[2] == "pred":
        return check + names.write(operands[0], "pred", f"({value} != 0)")
    return check + names.write(operands[0], "b32", value)


@instruction(r"ldmatrix\.sync\.aligned\.m8n8\.x4(\.trans)?\.shared\.b16")
def _matrices(names: Names, operands: Operands, match: re.Match[str]) -> str:
    transposed = "true" if match[1] else "false"
    writes = "".join(names.write(e, "b32", f"m[{i}]") for i, e in enumerate(elements(operands[0])))
    load = f"load_matrices(m, here.shared + ({names.address(operands[1])}), {transposed});"
    return f"{{ uint32_t m[4]; {load} {writes} }}"


@instruction(
    r"mma\.sync\.aligned\.(?:m16n8k16\.row\.col\.f32\.(?P<short>b?f16)\.(?P=short)\.f32"
    r"|m16n8k32\.row\.col\.s32\.s8\.s8\.s32)"
)
def _multiply(names: Names, operands: Operands, match: re.Match[str]) -> str:
    multiply = {"f16": "half", "bf16": "bfloat", None: "int8"}[match["short"]]
    kind, c_kind = ("f32", "float") if match["short"] else ("s32", "int32_t")
    d, a, b, c = (elements(o) for o in operands)
    if [len(d), len(a), len(b), len(c)] != [4, 4, 2, 4]:
        raise ValueError("wrong number of registers")
    sums = ", ".join(names.read(e, kind) for e in c)
    left, right = (", ".join(names.read(e, "b32") for e in es) for es in (a, b))
    writes = "".join(names.write(e, kind, f"s[{i}]") for i, e in enumerate(d))
    return (
        f"{{ {c_kind} s[4] = {{{sums}}}; const uint32_t a[4] = {{{left}}}, b[2] = {{{right}}}; "
        f"multiply_{multiply}(s, a, b); {writes} }}"
    )


@instruction(
    r"wgmma\.mma_async\.sync\.aligned\.m64n(\d+)"
    r"(?:k16\.f32\.(?P<short>b?f16)\.(?P=short)|k32\.s32\.s8\.s8)"
)
def _warpgroup_multiply(names: Names, operands: Operands, match: re.Match[str]) -> str:
    multiply = {"f16": "half", "bf16": "bfloat", None: "int8"}[match["short"]]
    kind, c_kind = ("f32", "float") if match["short"] else ("s32", "int32_t")
    # Both operands as they are, not negated and not transposed.
    if operands[4:] != (("1", "1", "0", "0") if match["short"] else ()):
        raise ValueError("unknown options")
    sums, columns = elements(operands[0]), int(match[1])
    if len(sums) != columns // 2:
        raise ValueError("wrong number of registers")
    reads = ", ".join(names.read(e, kind) for e in sums)
    writes = "".join(names.write(e, kind, f"s[{i}]") for i, e in enumerate(sums))
    a, b = (names.read(o, "u64") for o in operands[1:3])
    adds = f'if (!{names.read(operands[3], "pred")}) fail("a product that does not add");'
    call = f"warpgroup_multiply_{multiply}(s, {columns}, {a}, {b});"
    return f"{{ {c_kind} s[{columns // 2}] = {{{reads}}}; {adds} {call} {writes} }}"


@instruction(r"wgmma\.(fence|commit_group)\.sync\.aligned")
def _warpgroup_group(_: Names, __: Operands, match: re.Match[str]) -> str:
    return f"warpgroup_{'begin' if match[1] == 'fence' else 'commit'}();"


@instruction(r"wgmma\.wait_group\.sync\.aligned")
def _warpgroup_wait(_: Names, operands: Operands, __: re.Match[str]) -> str:
    return f"warpgroup_wait({operands[0]});"


@instruction(r"fence\.proxy\.async\.shared::cta")
def _proxy_fence(_: Names, __: Operands, ___: re.Match[str]) -> str:
    return "warpgroup_sees_copies();"


@instruction(r"bra(?:\.uni)?")
def _branch(_: Names, operands: Operands, __: re.Match[str]) -> str:
    return f"goto {identifier(operands[0])};"


@instruction(r"brx\.idx(?:\.uni)?")
def _branch_by_index(names: Names, operands: Operands, _: re.Match[str]) -> str:
    labels = names.entry.tables[operands[1]]
    cases = "".join(f" case {i}: goto {identifier(label)};" for i, label in enumerate(labels))
    past = 'fail("branch past a table");'
    return f"switch ({names.read(operands[0], 'u32')}) {{{cases} default: {past} }}"


@instruction(r"ret(?:\.uni)?|exit")
def _return(_: Names, __: Operands, ___: re.Match[str]) -> str:
    return "return;"


@instruction(r"trap")
def _trap(_: Names, __: Operands, ___: re.Match[str]) -> str:
    return 'fail("trap");'
