"""What the CUDA module refuses, and what devices fail with, as errors of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sakedge.cuda.library import require_module
from sakedge.errors import (
    BackendError,
    DeviceError,
    DeviceLostError,
    DeviceMemoryError,
    OptionError,
    SakedgeError,
)

ERRORS: Mapping[str, type[SakedgeError]] = {
    "driver_missing": DeviceError,
    "no_device": DeviceError,
    "driver": DeviceError,
    "device_memory": DeviceMemoryError,
    "device_lost": DeviceLostError,
    "exhausted": BackendError,
}
"""Code of what failed → its type. All other codes are of arguments that are refused."""


@contextmanager
def refusals(what: str, error: type[SakedgeError] = OptionError) -> Iterator[None]:
    """Around calls of the compiled module alone: gives whatever they raise its type.

    Args:
        what: What is passed to the module, or done; for the message.
        error: For arguments that it refuses.

    Raises:
        SakedgeError: `error`, or the type in `ERRORS` of what failed. The message names the call of
            the driver, its error and what to do.
    """
    require_module()
    from sakedge._cuda import CudaError

    try:
        yield
    except CudaError as failed:
        code, message = failed.args
        raise ERRORS.get(code, error)(f"{what}: {message}") from None
    except TypeError as refused:  # of pybind11, for an object that is not what the module takes
        problem = str(refused).splitlines()[0]
        raise error(f"{what} cannot be passed to the kernels: {problem}") from None
    except MemoryError:
        raise error(
            f"{what}: there is not enough memory", remedy="Ask for fewer or smaller results"
        ) from None
