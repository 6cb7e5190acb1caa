"""The threads that the kernels run on."""

from __future__ import annotations

from sakedge import _core
from sakedge.arguments import in_range
from sakedge.decoder.refusals import refusals

_MOST = 1024


def thread_pool(threads: int) -> _core.ThreadPool:
    """Starts threads to compute with; the calling thread is one of them.

    Raises:
        OptionError: `threads` is out of range.
        BackendError: The system does not start so many.
    """
    in_range("threads", threads, low=1, high=_MOST, whole=True)
    with refusals("threads"):
        return _core.ThreadPool(threads)
