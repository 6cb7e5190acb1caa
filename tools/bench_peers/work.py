"""Tables of the least work that a student needs, and of how near ours comes to the peak."""

from collections.abc import Sequence

from tools.bench_peers.markdown import ms, share, table
from tools.bench_peers.matrix import HEADLINE, PRECISIONS
from tools.bench_peers.operations import (
    after_stem_macs,
    exported_head_macs,
    stem_macs,
    stock_head_macs,
)
from tools.bench_peers.store import Entry, Store

from sakedge.format import Manifest
from sakedge.peers import summary


def operations(stores: Sequence[Store]) -> str:
    """The least work of the headline's student, by part, and its heads' in other forms."""
    found = [entry for store in stores for entry in _headlines(store)]
    if not found:
        return ""
    manifest = found[0].manifest
    stem, after = _macs(manifest)
    by_part = after_stem_macs(manifest)
    work = [("stem", stem), *by_part.items(), ("after the stem", after), ("whole", stem + after)]
    rows = [(name, _billions(macs), share(macs / (stem + after))) for name, macs in work]
    rows.append(
        ("the heads as `sakedge export` writes them", _billions(exported_head_macs(manifest)), "")
    )
    rows.append(("the heads as the file states them", _billions(stock_head_macs(manifest)), ""))
    return table(("part", "GMAC per image", "share"), rows)


def peak(store: Store) -> str:
    """The time that the headline's work takes at the machine's peak, beside what it took."""
    rows = [row for entry in _headlines(store) if (row := _reached(entry))]
    parts = ("stem ms", "of the peak", "after it ms", "of the peak")
    return table(("precision", "peak GFLOP/s", *parts, "whole at peak ms", "ours ms"), rows)


def _reached(entry: Entry) -> tuple[str, ...] | None:
    ours = summary(entry.race)[0]
    if entry.peak is None or ours.stem_ms is None or ours.decoder_ms is None:
        return None
    # 1e9 operations per second
    stem, after = (2e-6 * macs / entry.peak for macs in _macs(entry.manifest))
    return (
        entry.precision,
        f"{entry.peak:.0f}",
        ms(ours.stem_ms),
        share(stem / ours.stem_ms),
        ms(ours.decoder_ms),
        share(after / ours.decoder_ms),
        ms(stem + after),
        ms(ours.decoded_ms),
    )


def _macs(manifest: Manifest) -> tuple[int, int]:
    return stem_macs(manifest), sum(after_stem_macs(manifest).values())


def _headlines(store: Store) -> list[Entry]:
    return [entry for p in PRECISIONS if (entry := store.get(HEADLINE, p))]


def _billions(macs: int) -> str:
    return f"{macs / 1e9:.2f}"
