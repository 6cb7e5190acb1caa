"""Tables of docs/performance.md with every machine side by side."""

from collections.abc import Sequence

from tools.bench_peers.markdown import ms, plain, share, table, times
from tools.bench_peers.matrix import HEADLINE, PRECISIONS
from tools.bench_peers.store import Entry, Store
from tools.bench_peers.tables import NOT_MEASURED, SIZES, title

from sakedge.peers import lead

_VERSIONS = ("sakedge", "onnxruntime", "openvino", "torch", "nncf", "numpy", "python")


def machines(stores: Sequence[Store]) -> str:
    """What everything was measured on, a column for each."""
    measured = [store for store in stores if list(store)]
    columns = [_machine(list(store)) for store in measured]
    rows = [(what, *(column[what] for column in columns)) for what in columns[0]] if columns else []
    return table(("what", *(store.title for store in measured)), rows).replace("---:", "---")


def _machine(entries: Sequence[Entry]) -> dict[str, str]:
    newest = max(entries, key=lambda entry: entry.taken)
    about, race = newest.race.machine, newest.race
    ran = [s for each in entries for s in each.race.ran(each.race.ours.label)]
    isas = sorted({str(s.details["isa"]) for s in ran if "isa" in s.details})
    versions = about["versions"]
    return {
        "CPU": f"{about['cpu']} ({about['system']})",
        "instruction sets": ", ".join(about["features"]),
        "decoder": ", ".join(isas),
        "threads": f"{race.plan.threads} of each contestant",
        "versions": ", ".join(f"{name} {versions[name]}" for name in _VERSIONS if name in versions),
        "measured": _span([entry.taken for entry in entries]),
        "load average before a row": f"{plain(max(entry.load for entry in entries))} at most",
    }


def _span(dates: Sequence[str]) -> str:
    first, last = min(dates)[:10], max(dates)[:10]
    return first if first == last else f"{first} to {last}"


def leads(stores: Sequence[Store]) -> str:
    """Of our lead over stock runtimes, the factor that is algebra and the one that is kernels.

    Where the exported graph was not measured, the headline's row says so.
    """
    entries = [
        (store, entry)
        for store in stores
        for name in SIZES
        for precision in PRECISIONS
        if (entry := store.get(name, precision))
        and (name == HEADLINE or any(each.exported for each in entry.race.contestants))
    ]
    rows = [row for store, entry in entries if (row := _lead(store, entry))]
    spent = ("file as it is ms", "exported ms", "ours ms")
    factors = ("both", "algebra", "kernels")
    return table(("student", *spent, *factors, "our peak, of the exported's"), rows)


def _lead(store: Store, entry: Entry) -> tuple[str, ...] | None:
    found = lead(entry.race)
    if found is None:
        return None
    shown = [NOT_MEASURED, ms(found.ours.decoded_ms), times(found.both), "", "", ""]
    if found.exported is not None:
        shown = [
            f"{found.exported.name} {ms(found.exported.logits_ms)}",
            ms(found.ours.decoded_ms),
            times(found.both),
            times(found.algebra),
            times(found.kernels),
            share(found.exported.peak_ratio),
        ]
    named = f"{store.title}, {title(entry)}, {entry.precision}"
    return named, f"{found.file.name} {ms(found.file.logits_ms)}", *shown
