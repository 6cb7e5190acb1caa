"""Writes the measured parts of docs/performance.md between their markers."""

import json
import re
from pathlib import Path

from tools.bench_kernels.tables import others, products
from tools.bench_peers import tables
from tools.bench_peers.stages import STUDENT, Rows, stages
from tools.bench_peers.store import Store

from sakedge.errors import OptionError
from sakedge.files.atomic import atomic_write, make_folder

_BLOCK = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def write_report(store: Store, page: Path, folder: Path) -> None:
    """Fills every block of the page that is named here; the text between is unchanged.

    Args:
        store: The measurements.
        page: The Markdown file.
        folder: Where plots go, and where `kernels.json` is if kernels were measured; beside or
            under the page.

    Raises:
        OptionError: The page has a block that nothing here fills.
    """
    from tools.bench_peers import plots

    make_folder(folder)
    found = blocks(store, _kernels(folder))
    below = folder.relative_to(page.parent)
    found["plots"] = "\n\n".join(
        f"![{caption}]({(below / name).as_posix()})" for name, caption in plots.draw(store, folder)
    )
    text = filled(page.read_text(), found)
    with atomic_write(page) as file:
        file.write(text.encode())


def _kernels(folder: Path) -> Rows:
    path = folder / "kernels.json"
    rows: Rows = json.loads(path.read_text())["rows"] if path.exists() else []
    return rows


def blocks(store: Store, kernels: Rows) -> dict[str, str]:
    """Every table by the name of its block."""
    widest = [row for row in kernels if row.get("student") == STUDENT]
    return {
        "machine": tables.machine(store),
        "headline": tables.headline(store),
        "sizes": tables.cases(store, tables.SIZES),
        "memory": tables.memory(store),
        "adapters": tables.adapters(store),
        "adapter_cases": tables.cases(store, ("adapters-1", "adapters-6")),
        "tasks": tables.cases(store, ("tasks-1", "tasks-3", "tasks-8")),
        "tokens": tables.tokens(store),
        "batch": tables.batch(store),
        "operations": tables.operations(store),
        "stages": stages(store, kernels),
        "kernels": products(widest) if kernels else "",
        "kernels_alone": others(kernels) if kernels else "",
    }


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
