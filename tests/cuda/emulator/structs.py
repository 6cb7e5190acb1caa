"""The structs of C++ headers of kernels as `ctypes` types, found by reading the headers."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

SCALARS: dict[str, type] = {
    "int": ctypes.c_int32,
    "unsigned": ctypes.c_uint32,
    "float": ctypes.c_float,
    "bool": ctypes.c_bool,
    **{f"{u}int{n}_t": getattr(ctypes, f"c_{u}int{n}") for n in (8, 16, 32, 64) for u in ("", "u")},
}


def parse(text: str, known: dict[str, type]) -> dict[str, type]:
    """The structs that a header defines, by name; `known` are those that it may use."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    found: dict[str, type] = {}
    for struct in re.finditer(r"\bstruct\s+(\w+)\s*\{(.*?)\}\s*;", text, re.DOTALL):
        fields = [f for f in re.split(r";", struct[2]) if f.strip()]
        if any("(" in f or "=" in f for f in fields):
            continue  # more than data
        found[struct[1]] = type(
            struct[1],
            (ctypes.Structure,),
            {"_fields_": [_field(f, struct[1], {**known, **found}) for f in fields]},
        )
    return found


def _field(declaration: str, struct: str, known: dict[str, type]) -> tuple[str, type]:
    match = re.fullmatch(r"\s*(.+?)\s*\b(\w+)\s*(?:\[\s*(\d+)\s*\])?\s*", declaration, re.DOTALL)
    if match is None:
        raise ValueError(f"struct {struct}: cannot read the field {declaration.strip()!r}")
    name, count = match[2], match[3]
    kind = match[1].replace("const ", "").strip()
    of: type
    if "*" in match[1]:
        of = ctypes.c_void_p
    elif kind in SCALARS:
        of = SCALARS[kind]
    elif kind in known:
        of = known[kind]
    else:
        raise ValueError(f"struct {struct}: unknown type {kind!r} of the field {name!r}")
    return name, of * int(count) if count else of


@lru_cache
def structs_of(paths: tuple[Path, ...]) -> dict[str, type]:
    """All structs of files, of which later ones may use those of earlier ones."""
    known: dict[str, type] = {}
    for path in paths:
        known |= parse(path.read_text(), known)
    return known


def fields_of(struct: type) -> Iterable[tuple[str, type]]:
    """Names and types of a struct's fields."""
    return struct._fields_  # type: ignore[attr-defined, no-any-return]
