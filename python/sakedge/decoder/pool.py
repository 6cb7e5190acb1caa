"""The threads that the kernels run on."""

from __future__ import annotations

from sakedge import _core
from sakedge.arguments import in_range

_MOST = 1024


def thread_pool(threads: int) -> _core.ThreadPool:
    """Starts threads to compute with; the calling thread is one of them.

    Raises:
        OptionError: `threads` is out of range.
    """
    in_range("threads", threads, low=1, high=_MOST, whole=True)
    return _core.ThreadPool(threads)
