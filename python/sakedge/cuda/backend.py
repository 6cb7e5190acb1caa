"""The backend cuda, as the registry knows it."""

from __future__ import annotations

from collections.abc import Mapping

from sakedge.backends.base import Support
from sakedge.cuda.devices import NAME, find
from sakedge.cuda.library import is_built
from sakedge.errors import SakedgeError

PRECISIONS = ("fp16", "bf16", "int8")
"""What products are computed in; all sums and all else are float32."""


class CudaBackend:
    """Runs the model cuda: a whole student in our own kernels on a GPU."""

    name = "cuda"
    devices: Mapping[str, tuple[str, ...]] = {NAME: PRECISIONS}

    def is_installed(self) -> bool:
        """Whether this sakedge was built with it."""
        return is_built()

    def probe(self, device: str | None, precision: str) -> Support:
        """Says whether the device is there and can be used. Opens the driver."""
        if precision not in PRECISIONS:
            return Support(False, f"computes in {', '.join(PRECISIONS)}, not in {precision}")
        try:
            found = find(device)
        except SakedgeError as error:
            return Support(False, str(error).rstrip("."))
        return Support(True, f"{found.info}: {found.image}")
