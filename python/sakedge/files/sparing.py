"""Releases mapped pages soon after they were read, while other code reads them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_BETWEEN_RELEASES = 0.03
"""Seconds. In that time a core reads some 100 MB, less than a run later takes besides the weights.
Shorter intervals cost time: pages released while in use are mapped again."""


@contextmanager
def sparing(release: Callable[[], None]) -> Iterator[None]:
    """Calls `release` again and again for as long as the block runs, and once more at its end.

    A runtime packs all weights of a stem in one call, from views of a file. Without this the whole
    stem would be resident twice at the end of it: its pages and the packed copy.

    Args:
        release: Drops a file's pages from this process; what is touched again is read again.
    """
    done = threading.Event()

    def keep_releasing() -> None:
        while not done.wait(_BETWEEN_RELEASES):
            release()

    helper = threading.Thread(target=keep_releasing, name="sakedge-release", daemon=True)
    with suppress(RuntimeError):  # where no thread is to be had, the end must do
        helper.start()
    try:
        yield
    finally:
        done.set()
        if helper.ident is not None:
            helper.join()
        release()
