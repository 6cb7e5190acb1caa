"""The matrix that upsamples and takes three taps along one axis (docs/algebra.md, section 1)."""

import torch
from torch import Tensor


def interpolation_matrix(size: int, factor: int) -> Tensor:
    """Bilinear upsampling along one axis, `align_corners=False`, edges clamped.

    Args:
        size: samples in.
        factor: how many times as many samples out.

    Returns:
        float64 [factor * size, size]; each row sums to one.
    """
    position = ((torch.arange(factor * size, dtype=torch.float64) + 0.5) / factor - 0.5).clamp(0)
    low = position.floor().long().clamp(max=size - 1)
    high = (low + 1).clamp(max=size - 1)
    share = position - low
    matrix = torch.zeros(factor * size, size, dtype=torch.float64)
    rows = torch.arange(factor * size)
    matrix[rows, low] += 1 - share
    matrix[rows, high] += share
    return matrix


def tap_matrix(size: int, factor: int) -> Tensor:
    """Interpolation, shifted once for each of a 3-wide convolution's taps, zero outside.

    With g_d the map of tap d at low resolution, `concat(g_-1, g_0, g_1) @ tap_matrix` is
    `sum_d up(g_d)(u + d)` with positions u + d outside contributing nothing, as zero padding does.

    Returns:
        float32 [3 * size, factor * size].
    """
    up = interpolation_matrix(size, factor)
    zero = torch.zeros(1, size, dtype=torch.float64)
    before = torch.cat([zero, up[:-1]])  # tap -1 reads position u - 1
    after = torch.cat([up[1:], zero])
    return torch.cat([before.t(), up.t(), after.t()]).float()
