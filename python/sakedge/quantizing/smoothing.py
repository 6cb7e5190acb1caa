"""SmoothQuant: outliers are moved from a layer's input, which has one scale, into its weights.

Channel j of the input is divided by s_j and row j of the weight multiplied by it, which changes
nothing in floats: s_j = max|x_j|^a / max|w_j|^(1 - a), a being the strength. The division costs
nothing where the input comes from something linear: from a LayerNorm, whose weight and bias are
divided (before qkv and fc1), or from the values of attention, which each output channel of the
layer is a mean of (before proj: qkv's columns are divided). GELU, before fc2, is not linear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sakedge.format.student.int8 import STEM_MOST, as_floats, quantised
from sakedge.quantizing.observing import Observer
from sakedge.quantizing.ranges import RANGES, Scaling

Floats = NDArray[np.float32]

ALPHAS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Strengths that are tried for each layer: how much of the difficulty the weights are given."""
_WORTH = 0.98
"""Smoothing is taken where it leaves less than this part of the error."""


@dataclass(frozen=True)
class Fitted:
    """How one layer is quantised.

    Attributes:
        scaling: Of its input.
        smoothing: What each channel of its input is divided by, float32 [channels]; None where that
            does not help, or cannot be done.
        alpha: The strength that was chosen, None without smoothing.
        error: Root mean square error of the layer's output on the calibration images, relative to
            the output's.
        plain_error: The same without smoothing.
    """

    scaling: Scaling
    smoothing: Floats | None
    alpha: float | None
    error: float
    plain_error: float


def can_be_smoothed(layer: str) -> bool:
    """Whether the input of a layer of the stem comes from something linear."""
    return layer.endswith((".attn.qkv", ".attn.proj", ".mlp.fc1"))


def fit(weight: Floats, seen: Observer, ranges: str, *, smooth: bool) -> Fitted:
    """Chooses how a layer is quantised, by the error of its output.

    Args:
        weight: Its weight, float32 [inputs, outputs].
        seen: What its input was like.
        ranges: How the range of its input is chosen, one of `RANGES`.
        smooth: Whether smoothing may be taken.
    """
    rows, counts = seen.sample
    exact = rows @ weight

    def tried(smoothing: Floats | None) -> tuple[float, Scaling]:
        x, w, low, high = rows, weight, seen.low, seen.high
        if smoothing is not None:
            x, w = x / smoothing, w * smoothing[:, np.newaxis]
            low, high = low / smoothing, high / smoothing
        whole = min(float(low.min()), 0.0), max(float(high.max()), 1e-30)
        scaling = Scaling.over(*RANGES[ranges](x, counts, whole))
        cells = as_floats(quantised("w.weight", w, STEM_MOST))["w.weight"]
        return _error(scaling.rounded(x) @ cells, exact, counts), scaling

    plain, scaling = tried(None)
    best = Fitted(scaling, None, None, plain, plain)
    for alpha in ALPHAS if smooth else ():
        smoothing = strength(seen.largest, weight, alpha)
        error, scaling = tried(smoothing)
        if error < best.error and error < _WORTH * plain:
            best = Fitted(scaling, smoothing, alpha, error, plain)
    return best


def strength(largest: Floats, weight: Floats, alpha: float) -> Floats:
    """What each channel of an input is divided by, float32 [channels].

    Args:
        largest: Each channel's largest magnitude, float32 [channels].
        weight: The layer's weight, float32 [channels, outputs].
        alpha: From 0 to 1.
    """
    rows = np.abs(weight).max(axis=1)
    has_both = (largest > 0) & (rows > 0)
    quotient = np.maximum(largest, 1e-30) ** alpha / np.maximum(rows, 1e-30) ** (1 - alpha)
    # Within what a weight may become: `format/values.py`.
    return np.asarray(np.where(has_both, np.clip(quotient, 1e-4, 1e4), 1), np.float32)


def fold(stem: Mapping[str, Floats], fitted: Mapping[str, Fitted]) -> dict[str, Floats]:
    """The stem's tensors with all smoothing folded in: the same outputs, up to rounding."""
    tensors = dict(stem)
    for layer, how in fitted.items():
        if how.smoothing is None:
            continue
        block, _, product = layer.rpartition(".")
        block = block.rpartition(".")[0]
        tensors[f"{layer}.weight"] = tensors[f"{layer}.weight"] * how.smoothing[:, np.newaxis]
        for part in ("weight", "bias"):
            if product == "proj":
                name = f"{block}.attn.qkv.{part}"
                tensors[name] = _values_divided(tensors[name], how.smoothing)
            else:
                name = f"{block}.{'norm1' if product == 'qkv' else 'norm2'}.{part}"
                tensors[name] = tensors[name] / how.smoothing
    return tensors


def _values_divided(qkv: Floats, smoothing: Floats) -> Floats:
    """Divides the columns of qkv, weight or bias, that make the values: the last third."""
    before = qkv.shape[-1] - len(smoothing)
    return np.concatenate((qkv[..., :before], qkv[..., before:] / smoothing), axis=-1)


def _error(found: Floats, exact: Floats, counts: NDArray[np.float64]) -> float:
    missed = np.square(found - exact, dtype=np.float64).sum(axis=1) @ counts
    size = np.square(exact, dtype=np.float64).sum(axis=1) @ counts
    return float(np.sqrt(missed / max(size, 1e-30)))
