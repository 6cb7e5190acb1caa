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
        DeviceError: This sakedge was built without it.
    """
    try:
        from sakedge import _cuda  # noqa: F401
    except ImportError as error:
        raise DeviceError(
            "this sakedge has no CUDA",
            expected="the compiled module sakedge._cuda",
            got=str(error),
            remedy="Install a wheel that was built with it (docs/cuda.md)",
        ) from error
