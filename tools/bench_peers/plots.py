"""The plots of docs/performance.md."""

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from tools.bench_peers.matrix import HEADLINE, PRECISIONS
from tools.bench_peers.store import Entry, Store
from tools.bench_peers.tables import SIZES, rivals, title

from sakedge.peers import Ratio, summary

_COLORS = {"fp32": "#3b6fb6", "bf16": "#d9822b", "int8": "#3c9a5f"}
_DARK = "#22303f"
_TASKS = ("tasks-1", "tasks-3", HEADLINE, "tasks-8")


def draw(store: Store) -> list[tuple[str, str]]:
    """Draws what there is data for, into the machine's folder.

    Returns:
        File name and caption of each plot.
    """
    plots = (
        ("ratios.png", "how many times as long the fastest stock runtime takes", _ratios),
        ("tasks.png", "time of an image of ViT-B 512x512 against the number of tasks", _tasks),
    )
    drawn = []
    for name, caption, plot in plots:
        figure, axes = plt.subplots(figsize=(7, 3.2), dpi=110, layout="constrained")
        if plot(axes, store):
            figure.savefig(store.folder / name, metadata={"Software": None})
            drawn.append((name, caption))
        plt.close(figure)
    return drawn


def _ratios(axes: Axes, store: Store) -> bool:
    """On the file as it is; on the exported graph in front of it, darker."""
    names = [name for name in SIZES if any(store.get(name, p) for p in PRECISIONS)]
    found: set[str] = set()
    exported = False
    labels = []
    for x, name in enumerate(names):
        there = [(p, entry) for p in PRECISIONS if (entry := store.get(name, p)) is not None]
        labels.append(_student(there[0][1]))
        for i, (precision, entry) in enumerate(there):
            for peer in rivals(entry):
                if peer.ratio is None:
                    continue
                found.add(precision)
                exported = exported or peer.exported
                at = x + 0.27 * (i - (len(there) - 1) / 2)
                _bar(axes, at, peer.ratio, _COLORS[precision], peer.exported)
    axes.set_xticks(range(len(names)), labels, fontsize=8)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.axhline(1, color="0.5", linewidth=0.8)
    axes.annotate("as fast\nas ours", (1.01, 1), xycoords=("axes fraction", "data"), fontsize=7)
    axes.set_title("Above 1 sakedge is the faster. Lines: lowest and highest round", fontsize=8)
    axes.set_xlabel("student, its input in pixels (height x width)", fontsize=8)
    axes.set_ylabel("fastest stock runtime's time,\nin times ours", fontsize=8)
    axes.tick_params(labelsize=8)
    shown = [precision for precision in PRECISIONS if precision in found]
    handles = [Rectangle((0, 0), 1, 1, color=_COLORS[p]) for p in shown]
    labels = [f"{precision}, student.onnx" for precision in shown]
    if exported:
        labels.append("the same, what `sakedge export` makes of it")
        handles.append(Rectangle((0, 0), 1, 1, color=_DARK))
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.16 * (high - low))  # room for the legend
    axes.legend(handles, labels, fontsize=7, frameon=False, ncols=4, loc="upper center")
    return bool(found)


def _student(entry: Entry) -> str:
    """Its name as the tables have it, in two lines."""
    return title(entry).split(",")[0].replace(" ", "\n")


def _bar(axes: Axes, at: float, ratio: Ratio, color: str, exported: bool) -> None:
    whiskers = [[ratio.median - ratio.low], [ratio.high - ratio.median]]
    width = 0.15 if exported else 0.25
    color = _DARK if exported else color
    axes.bar(at, ratio.median, width, color=color, yerr=whiskers, ecolor="0.4")
    low, alignment = (0.05, "bottom") if exported else (ratio.low - 0.05, "top")
    text = f"{ratio.median:.2f}" if exported else f"{ratio.median:.1f}"
    axes.text(at, low, text, ha="center", va=alignment, color="white", fontsize=8)


def _unmeasured(store: Store) -> str:
    """At which precisions no stock runtime was run with more and fewer tasks."""
    alone = []
    for precision in PRECISIONS:
        there = [entry for name in _TASKS if (entry := store.get(name, precision)) is not None]
        if len(there) > 1 and sum(any(rivals(entry)) for entry in there) < 2:
            alone.append(precision)
    return (
        f"No stock runtime in {' and '.join(alone)}: measured at five tasks only" if alone else ""
    )


def _tasks(axes: Axes, store: Store) -> bool:
    found = False
    for precision in PRECISIONS:
        ours: list[tuple[int, float]] = []
        file: list[tuple[int, float]] = []
        exported: list[tuple[int, float]] = []
        for name in _TASKS:
            entry = store.get(name, precision)
            if entry is None:
                continue
            count, own = len(entry.manifest.tasks), summary(entry.race)[0].decoded_ms
            if own is not None:
                ours.append((count, own / 1000))
            for peer in rivals(entry):
                if peer.logits_ms is not None:
                    points = exported if peer.exported else file
                    points.append((count, peer.logits_ms / 1000))
        color = _COLORS[precision]
        for points, style, who in (
            (ours, "o-", "ours"),
            (exported, "^:", "fastest stock, exported"),
            (file, "s--", "fastest stock"),
        ):
            if len(points) > 1:
                found = True
                axes.plot(
                    *zip(*points, strict=True), style, color=color, label=f"{who} {precision}"
                )
    axes.set_title(_unmeasured(store), fontsize=8)
    axes.set_xlabel("tasks that the student has", fontsize=8)
    axes.set_ylabel("seconds per image, lower is better", fontsize=8)
    axes.set_xticks([1, 3, 5, 8])
    axes.tick_params(labelsize=8)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    if found:
        axes.legend(fontsize=8, frameon=False)
    return found
