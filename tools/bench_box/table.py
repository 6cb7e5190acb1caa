"""The table of docs/hardware.md, from the records below docs/hardware."""

from __future__ import annotations

import re
from pathlib import Path

from tools.bench_peers.markdown import table

from sakedge.benchmarking import Record, read_record
from sakedge.benchmarking.plan import pause_text
from sakedge.benchmarking.report.glance import disturbance, duration, mode
from sakedge.errors import OptionError
from sakedge.files.atomic import atomic_write

_BLOCK = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_PRECISIONS = ("fp32", "bf16", "fp16", "int8")
_WIDE = 60


def write_table(records: Path, page: Path) -> int:
    """Fills the page's tables; the text between them stays.

    Args:
        records: A folder of folders, one a machine, of records.
        page: The page.

    Returns:
        How many records there were.
    """
    found = {path: read_record(path) for path in sorted(records.glob("*/*.json"), key=_place)}
    blocks = {"speed": speed(found), "machines": machines(found), "pauses": pauses(found)}

    def fill(match: re.Match[str]) -> str:
        start, name, end = match.groups()
        if name not in blocks:
            raise OptionError(f"no table is called {name}", expected=", ".join(blocks))
        return f"{start}{blocks[name]}\n{end}"

    text = _BLOCK.sub(fill, page.read_text())
    with atomic_write(page) as file:
        file.write(text.encode())
    return len(found)


def speed(found: dict[Path, Record]) -> str:
    """A row a record: what a buyer asks."""
    header = (
        *("machine", "student", "precision", "images a minute", "with more callers"),
        *("median", "99 of 100 within", "start to first result", "peak memory", "J an image"),
        "others' share",
    )
    return table(header, [_speed(path, each) for path, each in found.items() if each.results])


def _speed(path: Path, record: Record) -> tuple[str, ...]:
    results = record.results
    assert results is not None
    best = max(results.streams, key=lambda each: each.throughput)
    more = f"{60 * best.throughput:.0f} ({best.streams})" if best.streams > 1 else ""
    start = results.read_model_ms + results.compile_model_ms + results.decoder_ms
    peak = results.memory.peak
    energy = results.energy
    share = disturbance(record)
    return (
        path.parent.name,
        _student(path),
        str(record.student["precision"]),
        f"{60 * results.throughput:.0f}",
        more,
        f"{results.latency_ms.median:.1f} ms",
        f"{results.latency_ms.p99:.1f} ms" if results.latency_ms.samples >= 100 else "",
        duration(start + results.first_inference_ms),
        "" if peak is None else f"{peak / 2**20:.0f} MiB",
        "no counter" if energy is None else f"{energy.joules_per_image:.2f}",
        "" if share is None else f"up to {100 * share:.0f} %",
    )


def pauses(found: dict[Path, Record]) -> str:
    """A row a record: latency after a pause over that without, of the medians of the rounds."""
    every = sorted({pause for each in found.values() for pause in each.options.intervals_s})
    header = ("machine", "student", "precision", *(f"after {pause_text(pause)}" for pause in every))
    rows = []
    for path, record in found.items():
        if record.results is None or not record.results.pauses:
            continue
        ratios = {each.pause_s: each.ratio for each in record.results.pauses}
        cells = []
        for pause in every:
            ratio = ratios.get(pause)
            shown = ""
            if ratio is not None:
                shown = f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
            cells.append(shown)
        rows.append((path.parent.name, _student(path), str(record.student["precision"]), *cells))
    return table(header, rows)


def machines(found: dict[Path, Record]) -> str:
    """A row a machine: what it was."""
    rows = {}
    for path, record in found.items():
        device, soft = record.device, record.software.versions
        shown = ("sakedge", "openvino", "onnxruntime")
        rows[path.parent.name] = (
            path.parent.name,
            f"{device.board + ', ' if device.board else ''}{device.cpu}"
            f"{', virtual machine' if device.virtual else ''}",
            str(device.processors.usable),
            "" if device.memory_bytes is None else f"{device.memory_bytes / 2**30:.0f} GiB",
            mode(record)[:_WIDE],
            ", ".join(f"{name} {soft[name]}" for name in shown if name in soft),
            record.taken[:10],
        )
    header = ("machine", "what", "processors", "memory", "power mode", "versions", "measured")
    return table(header, list(rows.values())).replace("---:", "---")


def _place(path: Path) -> tuple[str, str, int]:
    precision = path.stem.rpartition("-")[2]
    place = _PRECISIONS.index(precision) if precision in _PRECISIONS else len(_PRECISIONS)
    return path.parent.name, _student(path), place


def _student(path: Path) -> str:
    return path.stem.rpartition("-")[0]
