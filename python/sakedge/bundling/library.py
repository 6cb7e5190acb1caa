"""The packages that making a bundle needs, each imported when it is first needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sakedge.errors import BundleError


@contextmanager
def needed(purpose: str) -> Iterator[None]:
    """Names the remedy where an import in the block fails.

    Args:
        purpose: What the package is needed for, e.g. `choosing wheels`.

    Raises:
        BundleError: The package is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise BundleError(
            f"{purpose} needs more packages: {error}", remedy="Run: pip install 'sakedge[bundle]'"
        ) from error
