"""Where the time after the stem goes: each kernel's time alone, times how often it runs.

What `bench_kernels` measured is the prediction, what `bench_peers` measured is the outcome.
"""

from collections.abc import Sequence

from tools.bench_kernels.tables import Row
from tools.bench_peers.markdown import ms, plain, table
from tools.bench_peers.matrix import HEADLINE, PRECISIONS
from tools.bench_peers.operations import HEAD_STRIDE, after_stem_macs
from tools.bench_peers.store import Entry, Store

from sakedge.decoder import ARITHMETICS
from sakedge.format import Manifest
from sakedge.peers import summary

STUDENT = "ViT-B"
"""The headline's student, by its name in the kernels' rows."""

Rows = Sequence[Row]


def stages(store: Store, kernels: Rows) -> str:
    """A line for each part, a column for each precision, and what was measured of the whole."""
    entries = [entry for p in PRECISIONS if (entry := store.get(HEADLINE, p))]
    if not entries or not kernels:
        return ""
    columns = [predicted(entry, kernels) for entry in entries]
    after = [summary(entry.race)[0].decoder_ms or 0.0 for entry in entries]
    stem = [summary(entry.race)[0].stem_ms for entry in entries]
    sums = [sum(column.values()) for column in columns]
    lines = [(part, *(ms(column[part]) for column in columns)) for part in columns[0]]
    lines.append(("**predicted after the stem**", *(ms(each) for each in sums)))
    lines.append(("**measured after the stem**", *(ms(each) for each in after)))
    shares = (plain(a / s) for a, s in zip(after, sums, strict=True))
    lines.append(("measured / predicted", *shares))
    lines.append(("the stem, in its runtime", *(ms(each) for each in stem)))
    return table(("ms of an image", *(entry.precision for entry in entries)), lines)


def predicted(entry: Entry, kernels: Rows) -> dict[str, float]:
    """Milliseconds of each part on all threads, if each kernel were as fast as it is alone."""
    manifest, threads = entry.manifest, entry.race.plan.threads
    products = _Products(kernels, ARITHMETICS[entry.precision])
    alone = _Alone(kernels)
    macs = after_stem_macs(manifest)
    rows, columns = manifest.grid
    tokens, width = rows * columns, manifest.architecture.width
    levels, tasks, adapters = len(manifest.levels), len(manifest.tasks), len(manifest.adapters)
    wide = tokens * (manifest.architecture.patch // HEAD_STRIDE) ** 2 * width
    pixels = manifest.input_size[0] * manifest.input_size[1]
    # A level's input once for all routers; each mixture; each task's joined levels.
    prepared = tokens * (levels + tasks * levels + tasks)
    one_thread = {
        "adapter paths": products.ms("adapter_path", macs["adapters"]),
        "routers": products.ms("router", macs["routers"]),
        "level linears": products.ms("head_project", macs["linears"]),
        "rounding of their inputs": products.prepare_ms(prepared),
        "norms": alone.ms("layer_norm", tokens * width * adapters * levels),
        "mixtures": alone.ms("mix", tokens * width * tasks * levels),
        "taps": products.ms("head_taps", macs["taps"]),
        "expansion, GELU, classes": sum(
            alone.ms(f"head_expand {classes} classes", wide) for classes in _classes(manifest)
        ),
        "decoding": sum(
            alone.ms(f"decode {classes} classes", pixels) for classes in _classes(manifest)
        ),
    }
    return {part: time / threads for part, time in one_thread.items()}


def _classes(manifest: Manifest) -> list[int]:
    return [task.classes for task in manifest.tasks]


class _Products:
    """Kernels of one arithmetic in the fastest instruction set."""

    def __init__(self, kernels: Rows, arithmetic: str) -> None:
        self._rows = [
            row
            for row in kernels
            if row["arithmetic"] == arithmetic and row.get("student") == STUDENT
        ]

    def ms(self, kernel: str, macs: int) -> float:
        rate = max(row["gflops"] for row in self._rows if row["kernel"] == kernel)
        return float(2e-6 * macs / rate)

    def prepare_ms(self, rows: int) -> float:
        found = [row for row in self._rows if row["kernel"] == "prepare"]
        return float(min(rows * row["microseconds"] / row["m"] for row in found) / 1000)


class _Alone:
    """Kernels that work value by value, in the fastest instruction set."""

    def __init__(self, kernels: Rows) -> None:
        self._rows = [row for row in kernels if "nanoseconds_per_item" in row]

    def ms(self, kernel: str, items: int) -> float:
        found = [row for row in self._rows if row["kernel"] == kernel]
        return float(min(row["nanoseconds_per_item"] for row in found) * items * 1e-6)
