"""A student that follows a store: what is active there runs here."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from types import MappingProxyType

from sakedge.adapters.slots import AdapterSlots
from sakedge.adapters.versions import split_name
from sakedge.arguments import in_range
from sakedge.errors import ClosedError, SakedgeError, UnknownAdapterError
from sakedge.logs import LOG
from sakedge.store import Running, State, Store
from sakedge.store.schema import now


class Following:
    """Exchanges a student's adapters as a store says, until it is closed.

    The first look is made before this returns; from then on a thread looks at one small file. A
    pack that is refused stays refused until the store changes; what ran before goes on running,
    and so does everything while the store cannot be read.

    Args:
        slots: The student's adapters.
        store: The store.
        every: Seconds between two looks.
        golden: Golden images for every exchange, see `AdapterSlots.swap`; None are those that were
            named when the pack was added.
        watch: As for `AdapterSlots.swap`.

    Raises:
        OptionError: An argument is of another type.
        StorageError, StoreError, NewerFormatError: The store cannot be read.
    """

    def __init__(
        self,
        slots: AdapterSlots,
        store: Store,
        *,
        every: float = 1.0,
        golden: object = None,
        watch: object = None,
    ) -> None:
        in_range("every", every, above=0, high=86400)
        self._slots, self._store = slots, store
        self._golden, self._watch = golden, watch
        self._every = every
        self._seen: object = None
        self._state: State = store.state()
        self._applied: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._problem = ""
        self._said: Running | None = None
        self._notice = store.notice(secrets.token_hex(4))
        self._since = now()
        self._looking = threading.Lock()
        self._closing = threading.Event()
        self._look()
        self._thread = threading.Thread(target=self._follow, name="sakedge-follow", daemon=True)
        self._thread.start()

    @property
    def store(self) -> Store:
        """What is followed."""
        return self._store

    @property
    def generation(self) -> int:
        """The state of the store that was seen last."""
        return self._state.generation

    @property
    def refused(self) -> Mapping[str, str]:
        """What the store says and the student does not run, by name, and why."""
        return MappingProxyType(dict(self._refused))

    @property
    def problem(self) -> str:
        """Why the store cannot be read at the moment; empty if it can."""
        return self._problem

    def look(self) -> None:
        """Looks now, and not only when it is time to.

        Raises:
            ClosedError: The student was closed.
        """
        with self._looking:
            if not self._closing.is_set():
                self._look_or_say_why()

    def close(self) -> None:
        """Ends it. The student keeps what it runs."""
        self._closing.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        with self._looking:
            self._notice.withdraw()

    def _follow(self) -> None:
        while not self._closing.wait(self._every):
            try:
                self.look()
            except ClosedError:
                break
        self._notice.withdraw()

    def _look_or_say_why(self) -> None:
        try:
            self._look()
            problem = ""
        except ClosedError:
            raise
        except SakedgeError as error:
            problem = str(error)
        except (
            Exception
        ) as error:  # a thread that ended would follow no more, and nobody would know
            LOG.exception("following %s failed", self._store.folder)
            problem = repr(error)
        if problem and problem != self._problem:
            LOG.warning("cannot follow %s: %s", self._store.folder, problem)
        self._problem = problem

    def _look(self) -> None:
        seen = self._store.stamp()
        if seen != self._seen:
            self._state = self._store.state()
            self._apply(self._state)
            self._seen = seen
        self._say()

    def _apply(self, state: State) -> None:
        """Makes the student run what a state says, each name by itself."""
        refused = {}
        for name in sorted({*self._applied, *state.active}):
            wanted = state.active.get(name)
            if wanted == self._applied.get(name):
                continue
            try:
                self._put(name, wanted)
            except ClosedError:
                raise
            except SakedgeError as error:
                refused[name] = str(error)
                LOG.warning("adapter %s of the store was refused: %s", name, error)
        self._refused = refused

    def _put(self, name: str, digest: str | None) -> None:
        """Runs a pack under a name, or what the student itself has there."""
        if digest is None:
            try:
                self._slots.restore(name)
            except UnknownAdapterError:  # somebody has removed it here already
                LOG.info("adapter %s is no longer there", name)
            del self._applied[name]
            return
        path = self._store.path(digest)
        golden = self._golden if self._golden is not None else self._store.golden(digest)
        slot, label = split_name(name)
        watch = None if label else self._watch  # what lies beside, no live image runs
        if slot in self._slots.names:
            self._slots.swap(name, path, golden=golden, watch=watch)
        else:
            self._slots.add(path, name, golden=golden, watch=watch)
        self._applied[name] = digest

    def _say(self) -> None:
        """Tells who looks at the store what this process runs; also of exchanges by others."""
        said = Running(
            pid=self._notice.pid,
            student=self._slots.snapshot().student,
            generation=self._state.generation,
            since=self._since,
            adapters={each.name: each.digest for each in self._slots.list()},
            refused={name: why[:1000] for name, why in self._refused.items()},
        )
        if said != self._said:
            self._notice.say(said)
            self._said = said
