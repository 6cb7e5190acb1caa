"""Picking some of the names that there are, with an error that lists them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sakedge.errors import OptionError, UnknownNameError


def pick(
    what: str,
    wanted: str | Iterable[str] | None,
    there: Sequence[str],
    error: type[UnknownNameError],
    remedy: str | None = None,
) -> tuple[str, ...]:
    """Returns the wanted names, each once, in the order in which they were asked for.

    Args:
        what: What the names name, e.g. `adapter`; for the message.
        wanted: Names; a single string is one name; None means all that there are.
        there: All names that there are.
        error: Raised for a name that is not there.
        remedy: What the reader can do about such a name.

    Raises:
        UnknownNameError: The given subclass, for a name that is not there.
        OptionError: `wanted` is no collection of strings.
    """
    if wanted is None:
        return tuple(there)
    names = (wanted,) if isinstance(wanted, str) else _as_tuple(what, wanted)
    for name in names:
        if name not in there:
            raise error(
                f"no {what} is named {name!r}",
                expected=f"{'one of ' if len(there) > 1 else ''}{', '.join(there) or 'none'}",
                got=repr(name),
                remedy=remedy or f"Choose from the {what}s listed",
            )
    return tuple(dict.fromkeys(names))


def _as_tuple(what: str, wanted: Iterable[str]) -> tuple[str, ...]:
    names = tuple(wanted) if isinstance(wanted, Iterable) else (wanted,)
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise OptionError(
            f"{what}s are given by name",
            expected=f"a name or a list of names of {what}s",
            got=f"{wrong[0]!r} ({type(wrong[0]).__name__})",
        )
    return names
