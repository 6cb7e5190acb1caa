"""Writes the measured parts of docs/performance.md between their markers."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.bench_kernels.tables import others, products
from tools.bench_peers import tables, work
from tools.bench_peers.machines import leads, machines
from tools.bench_peers.stages import STUDENT, Rows, stages
from tools.bench_peers.store import Store

from sakedge.errors import OptionError
from sakedge.files.atomic import atomic_write

_BLOCK = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def write_report(stores: Sequence[Store], page: Path) -> None:
    """Fills every block of the page that is named here; the text between is unchanged.

    Args:
        stores: The measurements, machine by machine. Plots go where they are, and `kernels.json` is
            there if kernels were measured.
        page: The Markdown file, above all of them.

    Raises:
        OptionError: The page has a block that nothing here fills.
    """
    text = filled(page.read_text(), blocks(stores) | {"plots": _plots(stores, page)})
    with atomic_write(page) as file:
        file.write(text.encode())


def blocks(stores: Sequence[Store]) -> dict[str, str]:
    """Every table by the name of its block."""
    by_machine: dict[str, Callable[[Store], str]] = {
        "headline": tables.headline,
        "sizes": lambda store: tables.cases(store, tables.SIZES),
        "memory": tables.memory,
        "adapters": tables.adapters,
        "adapter_cases": lambda store: tables.cases(store, ("adapters-1", "adapters-6")),
        "tasks": lambda store: tables.cases(store, ("tasks-1", "tasks-3", "tasks-8")),
        "tokens": tables.tokens,
        "batch": tables.batch,
        "peak": work.peak,
        "stages": lambda store: stages(store, _kernels(store)),
        "kernels": _products,
        "kernels_alone": _others,
    }
    return {
        "machine": machines(stores),
        "lead": leads(stores),
        "operations": work.operations(stores),
        **{name: _each(stores, build) for name, build in by_machine.items()},
    }


def _each(stores: Sequence[Store], build: Callable[[Store], str]) -> str:
    """A block with what there is of each machine, under its name."""
    found = ((store.title, build(store)) for store in stores)
    return "\n\n".join(f"**{title}**\n\n{text}" for title, text in found if text)


def _plots(stores: Sequence[Store], page: Path) -> str:
    from tools.bench_peers import plots

    found = []
    for store in stores:
        below = store.folder.relative_to(page.parent)
        found += [
            f"![{store.title}: {caption}]({(below / name).as_posix()})"
            for name, caption in plots.draw(store)
        ]
    return "\n\n".join(found)


def _kernels(store: Store) -> Rows:
    path = store.folder / "kernels.json"
    rows: Rows = json.loads(path.read_text())["rows"] if path.exists() else []
    return rows


def _products(store: Store) -> str:
    rows = [row for row in _kernels(store) if row.get("student") == STUDENT]
    return products(rows) if rows else ""


def _others(store: Store) -> str:
    rows = _kernels(store)
    return others(rows) if rows else ""


def filled(page: str, found: dict[str, str]) -> str:
    """The page with each block's content replaced."""

    def fill(match: re.Match[str]) -> str:
        start, name, end = match.groups()
        if name not in found:
            raise OptionError(
                "the page has a block that no table fills",
                expected=f"one of {', '.join(found)}",
                got=name,
            )
        return f"{start}{found[name]}\n{end}"

    return _BLOCK.sub(fill, page)
