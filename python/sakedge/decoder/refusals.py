"""What the compiled module refuses, as errors of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sakedge import _core
from sakedge.errors import BackendError, IsaError, OptionError, SakedgeError


@contextmanager
def refusals(what: str, error: type[SakedgeError] = OptionError) -> Iterator[None]:
    """Around calls of the compiled module alone: gives whatever they raise its type.

    Args:
        what: What is passed to the module; for the message.
        error: For arguments that it refuses.

    Raises:
        SakedgeError: `error`; or `IsaError`, for a wrong SAKEDGE_ISA; or `BackendError`, where the
            system starts no more threads.
    """
    try:
        yield
    except _core.CoreError as refused:
        code, message = refused.args
        if code.startswith("isa_"):
            raise _isa_error(code, message) from None
        if code == "exhausted":
            raise BackendError(
                message,
                remedy="Ask for fewer threads, or raise the limit on processes or memory",
            ) from None
        raise error(f"{what}: {message}") from None
    except TypeError as refused:  # of pybind11, for an object that is not what the module takes
        problem = str(refused).splitlines()[0]
        raise error(f"{what} cannot be passed to the kernels: {problem}") from None
    except MemoryError:
        raise error(
            f"{what}: there is not enough memory", remedy="Ask for fewer or smaller results"
        ) from None


def _isa_error(code: str, message: str) -> IsaError:
    if code == "isa_unknown":
        return IsaError(
            "SAKEDGE_ISA names no instruction set of this build",
            expected=message,
            remedy="Unset it to let sakedge choose",
        )
    return IsaError(
        f"SAKEDGE_ISA cannot be used: {message}",
        remedy="Unset it, or choose one that `sakedge doctor` lists as supported",
    )
