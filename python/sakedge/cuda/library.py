"""Whether this sakedge was built with CUDA: many wheels are not."""

from __future__ import annotations

from importlib.util import find_spec

from sakedge.errors import DeviceError


def is_built() -> bool:
    """Whether this sakedge was built with CUDA. Imports nothing."""
    return find_spec("sakedge._cuda") is not None


def require_module() -> None:
    """Imports the compiled module, which opens no driver.

    Raises:
        DeviceError: This sakedge was built without it, or it cannot be imported.
    """
    if not is_built():
        raise DeviceError(
            "this sakedge was built without CUDA",
            remedy="Install a wheel that was built with it (docs/cuda.md)",
        )
    try:
        from sakedge import _cuda  # noqa: F401
    except ImportError as error:
        raise DeviceError(
            "the CUDA module of this sakedge cannot be imported",
            got=str(error),
            remedy="Install it again, for this Python and system",
        ) from error
