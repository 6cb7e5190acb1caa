"""Arguments of a launch as they lie in memory: structs, and the allocations they point to."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.cuda.emulator.structs import fields_of


@dataclass(frozen=True)
class Allocation:
    """A piece of global memory, and what it points to."""

    name: str
    address: int
    size: int
    writable: bool
    held: object
    points_to: tuple[Allocation, ...] = ()


@dataclass
class Table:
    """Structs or pointers in global memory, one behind the other."""

    name: str
    data: ctypes.Array[Any]
    points_to: list[Allocation] = field(default_factory=list)

    def allocation(self) -> Allocation:
        """Where it lies."""
        return Allocation(
            self.name,
            ctypes.addressof(self.data),
            ctypes.sizeof(self.data),
            False,
            self.data,
            tuple(self.points_to),
        )


Pointer = NDArray[Any] | Table | None


def point(value: Pointer, name: str) -> tuple[int | None, list[Allocation]]:
    """The address that a pointer has, and what is to be allocated for it.

    Raises:
        TypeError: It is neither an array, a table nor None.
        ValueError: The array has gaps.
    """
    if value is None:
        return None, []
    if isinstance(value, Table):
        allocation = value.allocation()
        return allocation.address, [allocation]
    if not isinstance(value, np.ndarray):
        raise TypeError(
            f"{name}: expected an array, a table or None for a pointer, got {type(value).__name__}"
        )
    if not value.flags.c_contiguous:
        raise ValueError(f"{name}: the array has gaps; give np.ascontiguousarray of it")
    address = value.__array_interface__["data"][0]
    return address, [Allocation(name, address, value.nbytes, value.flags.writeable, value)]


def fill(target: Any, kind: type, value: Any, name: str) -> list[Allocation]:
    """Writes the values of a dict to a struct; those not given are zero.

    Returns:
        What its pointers point to.

    Raises:
        KeyError: The struct has no such field.
    """
    kinds = dict(fields_of(kind))
    if unknown := set(value) - set(kinds):
        raise KeyError(f"{kind.__name__} has no {sorted(unknown)}; it has {sorted(kinds)}")
    found: list[Allocation] = []
    for key, item in value.items():
        where = f"{name}.{key}" if name else key
        if kinds[key] is ctypes.c_void_p:
            address, more = point(item, where)
            setattr(target, key, address)
            found += more
        elif issubclass(kinds[key], ctypes.Structure):
            found += fill(getattr(target, key), kinds[key], item, where)
        elif issubclass(kinds[key], ctypes.Array):
            setattr(target, key, kinds[key](*item))
        else:
            setattr(target, key, item)
    return found


def table(kind: type, values: Sequence[dict[str, Any]], name: str) -> Table:
    """Structs in global memory."""
    made = Table(name, (kind * len(values))())
    for i, value in enumerate(values):
        made.points_to += fill(made.data[i], kind, value, f"{name}[{i}]")
    return made


def pointers(values: Sequence[Pointer], name: str) -> Table:
    """Pointers in global memory."""
    made = Table(name, (ctypes.c_void_p * len(values))())
    for i, value in enumerate(values):
        made.data[i], more = point(value, f"{name}[{i}]")
        made.points_to += more
    return made


def everything(allocations: Sequence[Allocation]) -> Iterator[Allocation]:
    """Allocations and all that they point to."""
    for allocation in allocations:
        yield allocation
        yield from everything(allocation.points_to)


def disjoint(allocations: Sequence[Allocation]) -> list[Allocation]:
    """The allocations once each; those that overlap, as views of one array do, become one."""
    merged: list[Allocation] = []
    for one in sorted(everything(allocations), key=lambda a: (a.address, -a.size)):
        last = merged[-1] if merged else None
        if one.size == 0:
            continue
        if last is None or one.address >= last.address + last.size:
            merged.append(one)
            continue
        size = max(last.address + last.size, one.address + one.size) - last.address
        names = last.name if one.name in last.name.split(" = ") else f"{last.name} = {one.name}"
        writable = last.writable or one.writable
        merged[-1] = Allocation(names, last.address, size, writable, (last.held, one.held))
    return merged
