"""How latencies are distributed, in measured values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

_SHARES = (500, 900, 950, 990, 999)
"""Of a thousand."""


class Latency(BaseModel):
    """A distribution of milliseconds; a percentile is a measured value, never interpolated.

    Attributes:
        samples: How many there were. A percentile p says little unless there are many more than
            100 / (100 - p): of fewer than 1000, `p99_9` is the maximum.
        average: Their mean.
        median: Half took no longer; `p50` in other tools.
        min: The least.
        max: The most.
        p90: 90 % took no longer, and so on.
        p95: See `p90`.
        p99: See `p90`.
        p99_9: See `p90`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    samples: int
    average: float
    median: float
    min: float
    max: float
    p90: float
    p95: float
    p99: float
    p99_9: float

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> Latency:
        """Summarises measured values; at least one."""
        values = np.sort(np.asarray(milliseconds, np.float64))
        ranks = [-(-values.size * share // 1000) - 1 for share in _SHARES]
        median, p90, p95, p99, p99_9 = (round(float(values[rank]), 4) for rank in ranks)
        return cls(
            samples=values.size,
            average=round(float(values.mean()), 4),
            median=median,
            min=round(float(values[0]), 4),
            max=round(float(values[-1]), 4),
            p90=p90,
            p95=p95,
            p99=p99,
            p99_9=p99_9,
        )
