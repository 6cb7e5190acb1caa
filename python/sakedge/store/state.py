"""What is active, and what was before: one file is the truth, and its renaming commits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated

from pydantic import Field

from sakedge.errors import SakedgeError, StoreError
from sakedge.format.schema import Digest, Text
from sakedge.store.layout import SUFFIX, Layout
from sakedge.store.schema import (
    LAST,
    MOST_NAMES,
    ActiveName,
    Generation,
    Moment,
    Record,
    Strict,
    find_record,
    names_in,
    read_record,
    remove,
    write_record,
)

Reason = Annotated[str, Field(max_length=1024)]
KEPT = 64
"""Earlier states that are kept: so many steps lead back."""


class Active(Strict):
    """What is active under a name.

    Attributes:
        version: The version; empty where there is none.
        digest: SHA-256 of its pack; None where the store has no say any more.
        generation: Of the state that made it so; the one before that has what was there earlier.
    """

    version: Text = ""
    digest: Digest | None = None
    generation: Generation


class State(Record):
    """What is active in a store.

    Attributes:
        generation: Number of the state; each change makes the next one.
        origin: Generation of the state that this one is a copy of, after going back; its own else.
        since: When it was made, by the device's clock, in UTC.
        by: Who made it.
        reason: Why, as far as somebody said.
        adapters: What is active, by name: a slot, or `slot@label`.
    """

    generation: Generation = 0
    origin: Generation = 0
    since: Moment
    by: Text
    reason: Reason = ""
    adapters: Annotated[Mapping[ActiveName, Active], Field(max_length=MOST_NAMES)] = Field(
        default_factory=dict
    )

    @property
    def active(self) -> Mapping[str, str]:
        """Digests of the packs that are active, by name."""
        return {name: at.digest for name, at in self.adapters.items() if at.digest is not None}


def after(state: State) -> int:
    """The generation of the state after one.

    Raises:
        StoreError: There is none: no store comes that far, somebody has written the number.
    """
    if state.generation >= LAST:
        raise StoreError(
            "the store counts no further",
            expected=f"a generation below {LAST}",
            got=str(state.generation),
            remedy=State.remedy,
        )
    return state.generation + 1


def read_state(layout: Layout) -> State:
    """The state that holds.

    Raises:
        StorageError, StoreError, NewerFormatError: It is missing, cannot be read, or is damaged.
    """
    return read_record(layout.active, State)


def commit(layout: Layout, old: State, new: State) -> None:
    """Makes `new` the state that holds, and `old` the last one before it.

    Raises:
        StorageError: It cannot be written; `old` holds.
    """
    write_record(layout.state(old.generation), old)
    write_record(layout.active, new)
    with suppress(SakedgeError):  # it is done; the next writer forgets what this one could not
        forget(layout, new, KEPT)


def forget(layout: Layout, state: State, keep: int) -> None:
    """Removes all but the last `keep` states before this one, and what a dead writer left.

    Raises:
        StorageError: They cannot be removed.
    """
    kept = range(state.generation - keep, state.generation)
    remove(layout.state(each) for each in generations(layout) if each not in kept)


def generations(layout: Layout) -> Iterator[int]:
    """Generations in the history, whether they can be read or not."""
    for name in names_in(layout.history):
        stem = name.removesuffix(SUFFIX)
        if stem.isascii() and stem.isdigit() and layout.state(int(stem)).name == name:
            yield int(stem)


def earlier(layout: Layout, state: State) -> Iterator[State]:
    """The states before this one that are kept, the latest first.

    Raises:
        StoreError, NewerFormatError: One is damaged.
    """
    for generation in sorted(generations(layout), reverse=True):
        if generation < state.generation:
            yield read_record(layout.state(generation), State)


def before(layout: Layout, state: State) -> State:
    """What to go back to from a state.

    Raises:
        StoreError: There is none, or it is damaged.
    """
    return _earlier(layout, state.origin - 1, "there is no state to go back to")


def before_at(layout: Layout, state: State, name: str) -> Active:
    """What was active under a name before that which is.

    Raises:
        StoreError: There is none, or it is damaged.
    """
    problem = f"there is nothing to go back to for {name}"
    now = state.adapters.get(name)
    if now is None:
        raise StoreError(problem, expected=f"one of {', '.join(state.adapters) or 'none'}")
    there = _earlier(layout, now.generation - 1, problem).adapters.get(name)
    return Active(generation=0) if there is None else there


def _earlier(layout: Layout, generation: int, problem: str) -> State:
    found = find_record(layout.state(generation), State) if generation >= 0 else None
    if found is None:
        remedy = f"Activate a version by its name; {KEPT} states are kept, fewer after `gc`"
        raise StoreError(problem, remedy=remedy)
    return found
