"""The tables of docs/performance.md for one machine, each from its stored measurements alone."""

from collections.abc import Sequence

from tools.bench_peers.markdown import mebibytes, ms, plain, share, table, times
from tools.bench_peers.matrix import FEWER, HEADLINE, PRECISIONS, TOGETHER
from tools.bench_peers.store import Entry, Store

from sakedge.format import Manifest
from sakedge.peers import Row, lead, summary
from sakedge.peers.types import DECODED

OURS = "sakedge"
NOT_MEASURED = "not measured"
SIZES = (HEADLINE, "vit_base-384", "vit_base-nyud", "vit_small-512", "vit_small-384", "demo")


def title(entry: Entry) -> str:
    """A case in words."""
    manifest = entry.manifest
    height, width = manifest.input_size
    vit = {192: "ViT-Tiny", 384: "ViT-S", 768: "ViT-B", 1024: "ViT-L"}
    name = vit.get(manifest.architecture.width, f"width {manifest.architecture.width}")
    batch = f", batch {entry.race.plan.batch}" if entry.race.plan.batch > 1 else ""
    adapters, tasks = _count(manifest.adapters, "adapter"), _count(manifest.tasks, "task")
    return f"{name} {height}x{width}, {adapters}, {tasks}{batch}"


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def rivals(entry: Entry) -> list[Row]:
    """The fastest peer on the student's file, and the fastest on the exported graph."""
    found = lead(entry.race)
    return [row for row in (found.file, found.exported) if row is not None] if found else []


def headline(store: Store) -> str:
    """Every contestant at every precision."""
    rows = []
    for precision in PRECISIONS:
        entry = store.get(HEADLINE, precision)
        for row in summary(entry.race) if entry else ():
            if row.refused:
                continue
            rows.append(
                (
                    f"{precision}, {row.name}",
                    ms(row.logits_ms),
                    ms(row.decoded_ms),
                    times(row.ratio),
                    times(row.ratio_logits),
                    mebibytes(row.peak),
                    mebibytes(row.anonymous),
                    "" if row.error is None else f"{row.error:.1e}",
                )
            )
        if entry and not any(each.exported for each in entry.race.contestants):
            rows.append((f"{precision}, exported graph", NOT_MEASURED, *[""] * 6))
    ratios = ("times ours", "times ours, logits only")
    memory = ("peak MiB", "own MiB")
    return table(("who", "logits ms", "decoded ms", *ratios, *memory, "error"), rows) + _left_out(
        [entry for precision in PRECISIONS if (entry := store.get(HEADLINE, precision))]
    )


def _left_out(entries: Sequence[Entry]) -> str:
    reasons = [
        f"{label} did not run: {reason}"
        for entry in entries
        for label, reason in entry.race.refused.items()
    ]
    return "".join(f"\n\n{reason}" for reason in reasons)


def memory(store: Store) -> str:
    """Ours beside that of the fastest peers."""
    rows = []
    for name in SIZES:
        for precision in PRECISIONS:
            entry = store.get(name, precision)
            for peer in rivals(entry) if entry else ():
                assert entry is not None
                ours = summary(entry.race)[0]
                rows.append(
                    (
                        f"{title(entry)}, {precision}",
                        mebibytes(ours.peak),
                        f"{peer.name} {mebibytes(peer.peak)}",
                        share(peer.peak_ratio),
                        mebibytes(ours.anonymous),
                        mebibytes(peer.anonymous),
                        share(peer.anonymous_ratio),
                    )
                )
    peak = ("our peak MiB", "fastest peer's", "share")
    return table(("student", *peak, "our own MiB", "its own", "share"), rows)


def cases(store: Store, names: Sequence[str]) -> str:
    """Ours beside the fastest peers, for each case and precision; alone where there are none."""
    rows = []
    for name in names:
        for precision in PRECISIONS:
            entry = store.get(name, precision)
            if entry is None or (ours := summary(entry.race)[0]).decoded_ms is None:
                continue
            for peer in rivals(entry) or [None]:
                rows.append(
                    (
                        f"{title(entry)}, {precision}",
                        ms(ours.decoded_ms),
                        ms(ours.stem_ms),
                        ms(ours.decoder_ms),
                        f"{peer.name} {ms(peer.logits_ms)}" if peer else "",
                        times(peer.ratio) if peer else "",
                        times(peer.ratio_logits) if peer else "",
                    )
                )
    own = ("ours ms", "stem", "after it")
    ratios = ("times ours", "logits only")
    return table(("student", *own, "fastest peers ms", *ratios), rows)


def adapters(store: Store) -> str:
    """What each further adapter adds after the stem, as a share of an image with three."""
    rows = []
    for precision in PRECISIONS:
        entry = store.get("adapters", precision)
        names = (*reversed(FEWER), OURS)
        after = [entry and entry.race.stage_ms(f"{n} {precision}", "decoder") for n in names]
        one, three, six = after
        whole = _decoded(entry, names[1])
        if one and three and six and whole:
            each = (share((three - one) / 2 / whole), share((six - three) / 3 / whole))
            rows.append((precision, *(ms(time) for time in after), ms(whole), *each))
    times = ("1 adapter, after the stem ms", "3", "6", "3, whole image ms")
    return table(("precision", *times, "each from 1 to 3", "each from 3 to 6"), rows)


def batch(store: Store) -> str:
    """An image's time in calls with four images, one by one as by default and together."""
    rows = []
    for case in ("batch-4", "vit_small-512-batch-4"):
        for precision in PRECISIONS:
            entry = store.get(case, precision)
            apart, together = _decoded(entry, OURS), _decoded(entry, TOGETHER)
            if entry and apart and together:
                each = (ms(apart / 4), ms(together / 4), plain(together / apart))
                rows.append((f"{title(entry)}, {precision}", *each))
    return table(("student", "each, one by one, ms", "each, together, ms", "ratio"), rows)


def tokens(store: Store) -> str:
    """Whether the time after the stem grows in proportion to the tokens."""
    rows = []
    for small, large in (("vit_base-384", HEADLINE), ("vit_small-384", "vit_small-512")):
        for precision in PRECISIONS:
            few, many = store.get(small, precision), store.get(large, precision)
            if few is None or many is None:
                continue
            spent = [summary(each.race)[0].decoder_ms for each in (few, many)]
            counts = [_patches(each.manifest) for each in (few, many)]
            per_token = [1000 * t / n for t, n in zip(spent, counts, strict=True) if t is not None]
            if len(per_token) < 2:
                continue
            rows.append(
                (
                    f"{small.split('-')[0]}, {precision}",
                    f"{ms(spent[0])} ({counts[0]} tokens)",
                    f"{ms(spent[1])} ({counts[1]} tokens)",
                    *(f"{each:.1f}" for each in per_token),
                    plain(per_token[1] / per_token[0]),
                )
            )
    header = ("student", "384x384 ms", "512x512 ms", "µs per token, 384", "512", "ratio")
    return table(header, rows)


def _decoded(entry: Entry | None, name: str) -> float | None:
    """Milliseconds to decoded outputs of a contestant of ours, if it ran."""
    return entry and entry.race.ms(f"{name} {entry.precision}", DECODED)


def _patches(manifest: Manifest) -> int:
    return manifest.grid[0] * manifest.grid[1]
