"""What every act on a store has around it: the site's word, the lock, and the commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from sakedge.audit import whoami
from sakedge.errors import PolicyError, SakedgeError, StoreError, TrustError
from sakedge.files.locked import locked
from sakedge.site import Action, Site
from sakedge.store.entry import Version, of_digest
from sakedge.store.layout import Layout
from sakedge.store.packs import check
from sakedge.store.recovery import recover
from sakedge.store.schema import MOST_NAMES, checked, now
from sakedge.store.state import Active, Reason, State, after, commit, read_state


@contextmanager
def acting(site: Site, action: str, permission: Action, subject: str) -> Iterator[None]:
    """Asks whether the user may, and records what fails; what is refused, the site records.

    Raises:
        PermissionDeniedError: The user may not.
    """
    site.allow(permission)
    try:
        yield
    except (TrustError, PolicyError):
        raise
    except SakedgeError as error:
        detail = {"error": type(error).__name__, "reason": str(error)}
        site.record(action, subject=subject, result="failed", detail=detail)
        raise


@contextmanager
def writing(layout: Layout, wait: float) -> Iterator[State]:
    """Holds the lock; what a dead writer left is removed before, and what failed, after.

    Raises:
        StorageError: Another process has held the lock for `wait` seconds, or nobody can write.
    """
    with locked(layout.lock, timeout=wait):
        state = read_state(layout)
        recover(layout, state)
        try:
            yield state
        except BaseException:
            with suppress(SakedgeError):
                recover(layout, read_state(layout))
            raise


def admitted(layout: Layout, site: Site, version: Version) -> Path:
    """The file of a pack that is whole, and that the site admits now.

    Raises:
        StoreError, DigestError: It is gone, or was changed or damaged.
        TrustError, PolicyError: The site does not admit it, or no longer.
    """
    path = check(layout, version)
    site.admit(path, "pack", installed=True)
    site.check_license(version.license, str(version))
    return path


def change(
    layout: Layout,
    site: Site,
    action: str,
    old: State,
    changes: Mapping[str, Active],
    reason: str,
    origin: int | None = None,
) -> State:
    """Commits a state with other adapters, once each pack that becomes active was looked at.

    Args:
        layout: The store's. The caller holds its lock.
        site: The site.
        action: For the log.
        old: The state that holds.
        changes: What is to be active, by name.
        reason: Why.
        origin: Generation of the state that the new one is a copy of; None if it is of none.

    Raises:
        SakedgeError: As for `admitted`; or the state cannot be written. The old one holds.
    """
    checked(Reason, "a reason", reason)
    adapters = {**old.adapters, **changes}
    if len(adapters) > MOST_NAMES:
        raise StoreError("too many adapters are active", expected=f"at most {MOST_NAMES}")
    generation = after(old)
    new = State(
        generation=generation,
        origin=generation if origin is None else origin,
        since=now(),
        by=whoami(),
        reason=reason,
        adapters=adapters,
    )
    for digest in set(new.active.values()) - set(old.active.values()):
        admitted(layout, site, of_digest(layout, digest))
    commit(layout, old, new)
    for name in changes:
        was, now_is = old.active.get(name), new.active.get(name)
        if was != now_is:
            site.record(action, subject=name, old=was, new=now_is, detail={"reason": reason})
    return new
