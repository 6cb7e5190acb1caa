"""Checks of arguments: names against the valid ones, numbers against their range.

Whatever is given, also objects that raise when they are looked at, ends in one of our errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from sakedge.errors import OptionError, UnknownNameError, shown


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
        wanted: Names; a single string is one name; None means all.
        there: All valid names.
        error: Raised for an unknown name.
        remedy: What the user can do about it.

    Raises:
        UnknownNameError: The given subclass, for an unknown name.
        OptionError: `wanted` is not a collection of strings.
    """
    if wanted is None:
        return tuple(there)
    names = (wanted,) if isinstance(wanted, str) else _as_tuple(what, wanted)
    for name in names:
        if name not in there:
            raise error(
                f"no {what} is named {shown(name)}",
                expected=f"{'one of ' if len(there) > 1 else ''}{', '.join(there) or 'none'}",
                got=shown(name),
                remedy=remedy or f"Choose from the {what}s listed",
            )
    return tuple(dict.fromkeys(names))


def in_range(
    name: str,
    value: Any,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    whole: bool = False,
) -> None:
    """Checks that an argument is a number within a range.

    Args:
        name: Name of the argument, for the message.
        value: What was given.
        low: The smallest value allowed.
        high: The largest value allowed.
        above: An exclusive lower bound, in place of `low`.
        whole: Whether it must be a whole number.

    Raises:
        OptionError: It is not such a number, or is NaN.
    """
    is_number = not isinstance(value, bool) and isinstance(value, Integral if whole else Real)
    fits = (
        is_number
        and value == value  # no NaN
        and (not whole or abs(value) < 1 << 63)
        and (low is None or value >= low)
        and (high is None or value <= high)
        and (above is None or value > above)
    )
    if not fits:
        expected = f"a {'whole ' if whole else ''}number{_bounds(low, high, above)}"
        raise OptionError(f"{name} is out of range", expected=expected, got=shown(value))


def one_of(what: str, value: Any, choices: Sequence[str]) -> None:
    """Checks that an argument is one of some words.

    Raises:
        OptionError: It is not.
    """
    if not isinstance(value, str) or value not in choices:
        raise OptionError(
            f"unknown {what}", expected=f"one of {', '.join(choices)}", got=shown(value)
        )


def flag(name: str, value: Any) -> bool:
    """Returns an argument that is True or False, NumPy's included.

    Raises:
        OptionError: It is neither.
    """
    if not isinstance(value, (bool, np.bool_)):
        problem = f"{name} is neither true nor false"
        raise OptionError(problem, expected="True or False", got=shown(value))
    return bool(value)


def several(what: str, value: Any, choices: Sequence[str] | None = None) -> tuple[str, ...]:
    """Returns an argument that is a list of words, and not a single one or none.

    Args:
        what: What each of them is, e.g. `precision`; for the message.
        value: The argument.
        choices: Those that there are; None where whoever takes them checks.

    Raises:
        OptionError: It is none.
    """
    words = () if isinstance(value, str) else _as_tuple(what, value)
    if not words:
        raise OptionError(f"no list of {what}s", expected=f"names of {what}s", got=shown(value))
    for word in words if choices is not None else ():
        one_of(what, word, choices or ())
    return words


def by_name(what: str, value: Any) -> Mapping[str, Any]:
    """Returns an argument that maps names to values; None is none of them.

    Raises:
        OptionError: It is no mapping.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise OptionError(f"{what} is not a mapping", expected="values by name", got=shown(value))
    return value


def callback(name: str, value: Any) -> None:
    """Checks that an argument can be called, or is None.

    Raises:
        OptionError: It cannot.
    """
    if value is not None and not callable(value):
        raise OptionError(f"{name} cannot be called", expected="a function", got=shown(value))


def _bounds(low: float | None, high: float | None, above: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low} to {high}"
    bounds = {"of at least": low, "greater than": above, "of at most": high}
    given = [f" {words} {bound}" for words, bound in bounds.items() if bound is not None]
    return " and".join(given)


def _as_tuple(what: str, wanted: Iterable[str]) -> tuple[str, ...]:
    names: tuple[Any, ...]
    try:
        names = tuple(wanted) if isinstance(wanted, Iterable) else (wanted,)
    except Exception:  # an iterable that cannot be iterated
        names = (wanted,)
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise OptionError(
            f"{what}s are given by name",
            expected=f"a name or a list of names of {what}s",
            got=f"{shown(wrong[0])} ({type(wrong[0]).__name__})",
        )
    return names
