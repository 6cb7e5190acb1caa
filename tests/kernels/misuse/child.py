"""Runs cases by name, one after the other, and says how each went: a line before, a line after."""

from __future__ import annotations

import faulthandler
import sys

from tests.kernels.misuse import kernels
from tests.kernels.misuse.cases import WITH_CRASH

from sakedge import _core

LONGEST = 30
"""Seconds of a case; what takes longer hangs."""
REFUSALS = (_core.CoreError, TypeError, MemoryError)
OF_KERNELS = (*REFUSALS, ValueError, RuntimeError)
"""The development module's, which is no part of the product, are the language's own."""


def main(names: list[str]) -> None:
    for name in names:
        print(name, end="\t", flush=True)
        faulthandler.dump_traceback_later(LONGEST, exit=True)
        try:
            WITH_CRASH[name].run()
        except OF_KERNELS as error:
            assert name in kernels.CASES or isinstance(error, REFUSALS), repr(error)
            print("refused", type(error).__name__, repr(str(error))[:300], flush=True)
        else:
            print("done", flush=True)
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main(sys.stdin.read().split("\n"))
