"""Figures as SVG and pictures as JPEG, to be written into a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from sakedge.drawing.colors import palette

INK, FAINT = "#202226", "#6e727a"
GOOD, BAD = "#2f6f9f", "#b4533c"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": "#c9ccd1",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": FAINT,
    "ytick.color": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
}

BLUES = LinearSegmentedColormap.from_list("blues", ["#ffffff", GOOD])
SIGNED = LinearSegmentedColormap.from_list("signed", [BAD, "#ffffff", GOOD])


class Canvas:
    """A figure that is being drawn.

    Attributes:
        axes: Where to draw, [rows, columns].
        svg: The figure, once the block ended.
    """

    def __init__(self, figure: Figure, axes: NDArray[np.object_]) -> None:
        self._figure = figure
        self.axes = axes
        self.svg = ""

    def __getitem__(self, index: int) -> Axes:
        found: Axes = self.axes.flat[index]
        return found


@contextmanager
def canvas(
    width: float, height: float, rows: int = 1, columns: int = 1, *, sharey: bool = False
) -> Iterator[Canvas]:
    """A figure of so many inches and axes; its `svg` is there after the block."""
    # The salt makes the names of a figure's parts repeatable; sizes keep them apart on a page.
    with rc_context({**_STYLE, "svg.hashsalt": f"{width}x{height}"}):
        figure = Figure(figsize=(width, height), layout="constrained")
        drawn = Canvas(figure, figure.subplots(rows, columns, squeeze=False, sharey=sharey))
        yield drawn
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
        text = buffer.getvalue()
        drawn.svg = text[text.index("<svg") :]


def colour(number: int, count: int) -> tuple[float, float, float]:
    """Colour of one of some things, as everywhere in sakedge's drawings."""
    red, green, blue = palette(count + 1)[number + 1] / 255
    return float(red), float(green), float(blue)


def jpeg(picture: NDArray[np.uint8]) -> str:
    """A picture, RGB [h, w, 3], as the address of an image in a page."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
