"""Where an output lies on the student's input."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Maps an output's pixels to the student's input.

    Coordinates are pixel-edge coordinates: pixel 0 reaches from 0 to 1 and its centre is 0.5.
    The centre of output pixel (y, x) lies on the input at
    `((y + 0.5) * scale_y + top, (x + 0.5) * scale_x + left)`.

    Attributes:
        height: Rows of the output.
        width: Columns of the output.
        top: Input coordinate of the output's upper edge, in input pixels.
        left: Input coordinate of the output's left edge, in input pixels.
        scale_y: Input pixels per output row.
        scale_x: Input pixels per output column.
    """

    height: int
    width: int
    top: float = 0.0
    left: float = 0.0
    scale_y: float = 1.0
    scale_x: float = 1.0
