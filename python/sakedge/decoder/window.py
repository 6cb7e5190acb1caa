"""A window as the compiled module takes it."""

from __future__ import annotations

import math

from sakedge.errors import OptionError
from sakedge.images.window import Window


def window_arguments(window: Window) -> tuple[int, int, float, float, float, float]:
    """The window's numbers.

    Raises:
        OptionError: It has no pixel, or a coordinate that is not finite.
    """
    numbers = (window.top, window.left, window.scale_y, window.scale_x)
    if window.height < 1 or window.width < 1 or not all(math.isfinite(x) for x in numbers):
        raise OptionError(
            "a window is out of range",
            expected="at least one pixel and finite coordinates",
            got=str(window),
        )
    return (window.height, window.width, *numbers)
