"""The arithmetic peak that a time is set against."""


def peak(precision: str, threads: int) -> float | None:
    """What `threads` cores do at most, in 1e9 operations per second.

    None as long as no kernel measures it; then the report leaves the column out.
    """
    from sakedge import _core

    measure = getattr(_core, "peak", None)
    return None if measure is None else threads * float(measure(precision))
