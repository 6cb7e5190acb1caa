"""The packages that signatures and encryption need, each imported when it is first needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sakedge.errors import TrustError


@contextmanager
def needed(purpose: str) -> Iterator[None]:
    """Names the remedy where an import in the block fails.

    Args:
        purpose: What the package is needed for, e.g. `checking a signature`.

    Raises:
        TrustError: The package is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise TrustError(
            f"{purpose} needs more packages: {error}", remedy="Run: pip install 'sakedge[trust]'"
        ) from error
