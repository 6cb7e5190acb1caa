"""The plots of docs/performance.md."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from tools.bench_peers.matrix import HEADLINE, PRECISIONS
from tools.bench_peers.store import Store
from tools.bench_peers.tables import SIZES, best

from sakedge.peers import summary

_COLORS = {"fp32": "#3b6fb6", "bf16": "#d9822b", "int8": "#3c9a5f"}
_TASKS = ("tasks-1", "tasks-3", HEADLINE, "tasks-8")


def draw(store: Store, folder: Path) -> list[tuple[str, str]]:
    """Draws what there is data for.

    Returns:
        File name and caption of each plot.
    """
    plots = (
        ("ratios.png", "How many times as long the fastest stock runtime takes", _ratios),
        ("tasks.png", "ViT-B 512x512: time of an image against the number of tasks", _tasks),
    )
    drawn = []
    for name, caption, plot in plots:
        figure, axes = plt.subplots(figsize=(7, 3.2), dpi=110, layout="constrained")
        if plot(axes, store):
            figure.savefig(folder / name, metadata={"Software": None})
            drawn.append((name, caption))
        plt.close(figure)
    return drawn


def _ratios(axes: Axes, store: Store) -> bool:
    names = [name for name in SIZES if any(store.get(name, p) for p in PRECISIONS)]
    found: set[str] = set()
    for i, precision in enumerate(PRECISIONS):
        for x, name in enumerate(names):
            entry = store.get(name, precision)
            peer = best(entry) if entry else None
            if peer is None or peer.ratio is None:
                continue
            ratio = peer.ratio
            found.add(precision)
            whiskers = [[ratio.median - ratio.low], [ratio.high - ratio.median]]
            at = x + 0.27 * (i - 1)
            axes.bar(at, ratio.median, 0.25, color=_COLORS[precision], yerr=whiskers, ecolor="0.4")
            axes.text(at, 0.05, f"{ratio.median:.1f}", ha="center", color="white", fontsize=8)
    labels = [name.replace("vit_", "ViT-").replace("headline", "ViT-base-512") for name in names]
    axes.set_xticks(range(len(names)), labels, fontsize=8)
    axes.axhline(1, color="0.5", linewidth=0.8)
    axes.set_ylabel("times ours")
    shown = [precision for precision in PRECISIONS if precision in found]
    handles = [Rectangle((0, 0), 1, 1, color=_COLORS[p]) for p in shown]
    axes.legend(handles, shown, fontsize=8, frameon=False)
    return bool(found)


def _tasks(axes: Axes, store: Store) -> bool:
    found = False
    for precision in PRECISIONS:
        ours, theirs = [], []
        for name in _TASKS:
            entry = store.get(name, precision)
            if entry is None:
                continue
            count, own = len(entry.manifest.tasks), summary(entry.race)[0].decoded_ms
            peer = best(entry)
            if own is not None:
                ours.append((count, own / 1000))
            if peer is not None and peer.logits_ms is not None:
                theirs.append((count, peer.logits_ms / 1000))
        color = _COLORS[precision]
        for points, style, who in ((ours, "o-", "ours"), (theirs, "s--", "fastest stock")):
            if len(points) > 1:
                found = True
                axes.plot(
                    *zip(*points, strict=True), style, color=color, label=f"{who} {precision}"
                )
    axes.set_xlabel("tasks")
    axes.set_ylabel("seconds per image")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    if found:
        axes.legend(fontsize=8, frameon=False)
    return found
