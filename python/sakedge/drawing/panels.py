"""Laying pictures out as labelled panels. Independent of tasks and students."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, log

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sakedge.drawing.colors import palette
from sakedge.drawing.legend import Legend
from sakedge.text import visible

_PAPER, _INK, _FAINT = (250, 250, 250), (32, 34, 38), (110, 114, 122)
_GAP, _LINE, _TITLE, _SHARES = 16, 20, 30, 18
SIDE = 416
"""Longer side of a panel's picture."""
_LEGEND_LINES = 4
_LANDSCAPE = 1.6


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture with its labels.

    Attributes:
        title: Printed over the picture.
        image: RGB uint8 [h, w, 3].
        note: Printed small beside the title.
        legend: Printed under the picture.
        shares: Named shares of a whole, drawn as one bar; empty for none.
        shares_title: Printed before the bar.
    """

    title: str
    image: NDArray[np.uint8]
    note: str = ""
    legend: Legend = field(default_factory=Legend)
    shares: Mapping[str, float] = field(default_factory=dict)
    shares_title: str = ""


def compose(panels: Sequence[Panel]) -> NDArray[np.uint8]:
    """Arranges panels in a grid, roughly in landscape: RGB uint8 [H, W, 3]."""
    pictures = [_scaled(panel.image) for panel in panels]
    width = max(max(picture.width for picture in pictures), SIDE * 3 // 4)
    foots = [_foot_height(panel, width) for panel in panels]
    height = _TITLE + max(picture.height for picture in pictures) + max(foots)
    columns = _columns(len(panels), width + _GAP, height + _GAP)
    rows = ceil(len(panels) / columns)
    size = (columns * (width + _GAP) + _GAP, rows * (height + _GAP) + _GAP)
    sheet = Image.new("RGB", size, _PAPER)
    for i, (panel, picture) in enumerate(zip(panels, pictures, strict=True)):
        left = _GAP + (i % columns) * (width + _GAP)
        top = _GAP + (i // columns) * (height + _GAP)
        _draw_panel(sheet, panel, picture, left, top, width)
    return np.asarray(sheet)


def _columns(count: int, width: int, height: int) -> int:
    def badness(columns: int) -> float:
        rows = ceil(count / columns)
        empty = columns * rows - count
        return abs(log(columns * width / (rows * height) / _LANDSCAPE)) + 0.25 * empty

    return min(range(1, count + 1), key=badness)


def _scaled(image: NDArray[np.uint8]) -> Image.Image:
    scale = SIDE / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    how = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    return Image.fromarray(image).resize(size, how)


def _draw_panel(
    sheet: Image.Image, panel: Panel, picture: Image.Image, left: int, top: int, width: int
) -> None:
    draw = ImageDraw.Draw(sheet)
    title = _shown(panel.title)
    draw.text((left, top), title, _INK, _font(19))
    beside = left + draw.textlength(title, _font(19)) + 8
    draw.text((beside, top + 5), panel.note, _FAINT, _font(13))
    top += _TITLE
    sheet.paste(picture, (left, top))
    top += picture.height + 8
    _draw_entries(draw, panel.legend, left, top, width)
    if panel.legend.ramp is not None:
        _draw_ramp(sheet, panel.legend, left, top, width)
    if panel.shares:
        top += _legend_lines(panel.legend, width) * _LINE + 4
        _draw_shares(draw, panel, left, top, width)
        _draw_entries(draw, _shares_legend(panel.shares), left, top + _SHARES, width)


def _draw_entries(
    draw: ImageDraw.ImageDraw, legend: Legend, left: int, top: int, width: int
) -> None:
    for color, text, x, line in _flow(legend, width):
        y = top + line * _LINE
        if color is not None:
            draw.rounded_rectangle((left + x, y + 3, left + x + 12, y + 15), 3, color)
        draw.text((left + x + 18, y), text, _INK, _font(13))


def _flow(legend: Legend, width: int) -> list[tuple[tuple[int, int, int] | None, str, int, int]]:
    """Sets legend entries like words: colour, text, x and line of each; cut after some lines."""
    placed: list[tuple[tuple[int, int, int] | None, str, int, int]] = []
    x, line = 0, 0
    for i, (color, entry) in enumerate(legend.entries):
        text = _shown(entry)
        needed = 18 + int(_font(13).getlength(text)) + 14
        if x and x + needed > width:
            x, line = 0, line + 1
        more = len(legend.entries) - i
        if line == _LEGEND_LINES - 1 and more > 1 and x + needed + 80 > width:
            placed.append((None, f"and {more} more", x, line))
            break
        placed.append((color, text, x, line))
        x += needed
    return placed


def _legend_lines(legend: Legend, width: int) -> int:
    if legend.ramp is not None:
        return 1
    return 1 + max((line for *_, line in _flow(legend, width)), default=-1)


def _foot_height(panel: Panel, width: int) -> int:
    height = 8 + _legend_lines(panel.legend, width) * _LINE
    if panel.shares:
        height += 4 + _SHARES + _legend_lines(_shares_legend(panel.shares), width) * _LINE
    return height


def _draw_ramp(sheet: Image.Image, legend: Legend, left: int, top: int, width: int) -> None:
    assert legend.ramp is not None
    draw = ImageDraw.Draw(sheet)
    low, high = map(_shown, legend.ends)
    start = left + int(draw.textlength(low, _font(13))) + 8
    end = left + width - int(draw.textlength(high, _font(13))) - 8
    strip = Image.fromarray(legend.ramp[np.newaxis]).resize((max(1, end - start), 10))
    draw.text((left, top), low, _INK, _font(13))
    sheet.paste(strip, (start, top + 4))
    draw.text((end + 8, top), high, _INK, _font(13))


def _draw_shares(draw: ImageDraw.ImageDraw, panel: Panel, left: int, top: int, width: int) -> None:
    draw.text((left, top), panel.shares_title, _FAINT, _font(13))
    x, end = left + draw.textlength(panel.shares_title, _font(13)) + 8, left + width
    step = (end - x) / (sum(panel.shares.values()) or 1.0)
    legend = _shares_legend(panel.shares)
    for (color, _), share in zip(legend.entries, panel.shares.values(), strict=True):
        draw.rectangle((x, top + 4, x + share * step, top + 13), color)
        x += share * step


def _shares_legend(shares: Mapping[str, float]) -> Legend:
    """A share's colour, its name and its percents."""
    whole = sum(shares.values()) or 1.0
    colors = ((200 + palette(len(shares)).astype(int)) // 2).tolist()
    return Legend(
        tuple(
            ((red, green, blue), f"{name}  {100 * share / whole:.0f} %")
            for (name, share), (red, green, blue) in zip(shares.items(), colors, strict=True)
        )
    )


def _shown(text: str, most: int = 32) -> str:
    """A name as it can be drawn: on one line, the middle of a long one left out."""
    text = visible(text)
    return text if len(text) <= most else f"{text[: most // 2]}…{text[1 - most // 2 :]}"


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
