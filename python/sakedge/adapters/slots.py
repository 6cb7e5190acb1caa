"""The adapters of a loaded student: which there are, which are active, exchanging them."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray

from sakedge.arguments import pick
from sakedge.decoder import Decoder
from sakedge.errors import (
    AdapterMismatchError,
    ClosedError,
    DigestError,
    OptionError,
    UnknownAdapterError,
)
from sakedge.format import Manifest, PartPack, read_pack
from sakedge.logs import LOG
from sakedge.runtime.explain import Explanation
from sakedge.runtime.forks import ForkGuard

Names: TypeAlias = "str | Sequence[str] | None"


@dataclass(frozen=True)
class Change:
    """What was put in an adapter's place after loading.

    Attributes:
        pack: Path of the pack; None if the adapter was removed.
        digest: SHA-256 of the pack's tensors.
        any_stem: Whether a pack of another stem was allowed.
    """

    pack: str | None = None
    digest: str = ""
    any_stem: bool = False


class AdapterSlots:
    """The adapters of one student. Iterates over the names of those that are active.

    Changes are atomic: a run of the model keeps the adapters that it began with, and the stem is
    not touched.
    """

    def __init__(self, manifest: Manifest, decoder: Decoder) -> None:
        self._manifest = manifest
        self._decoder: Decoder | None = decoder
        self._guard = ForkGuard(decoder)
        self._lock = threading.Lock()
        self._changes: dict[str, Change] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """All adapters that the student has a place for, in expert order."""
        return self._manifest.adapter_names

    @property
    def active(self) -> tuple[str, ...]:
        """The adapters that are loaded now, in expert order."""
        return self._running().adapters

    @property
    def changes(self) -> dict[str, Change]:
        """What was exchanged or removed since the student was loaded, by name."""
        return dict(self._changes)

    def __iter__(self) -> Iterator[str]:
        return iter(self.active)

    def __len__(self) -> int:
        return len(self.active)

    def __contains__(self, name: object) -> bool:
        return name in self.active

    def __repr__(self) -> str:
        return f"AdapterSlots({', '.join(self.names)})"

    def swap(self, name: str, pack: str | os.PathLike[str], *, any_stem: bool = False) -> PartPack:
        """Puts the adapter of a pack in the place of `name`, whether that is loaded or not.

        Args:
            name: One of `names`. The pack's own name may be another.
            pack: Path of an adapter pack.
            any_stem: Also take a pack that was trained on another stem of the same sizes.

        Returns:
            The pack.

        Raises:
            UnknownAdapterError: The student has no place of that name.
            FileFormatError, StorageError: The pack cannot be used; the subclass says why. What
                is running stays untouched.
        """
        decoder = self._running()
        self._known(name)
        path = str(Path(pack).absolute())
        found = read_pack(path)
        found.check_fits(self._manifest, any_stem=any_stem)
        if found.manifest.routed_tasks:
            raise AdapterMismatchError(
                f"adapter {found.manifest.name} brings router rows for a new teacher",
                expected="a pack for one of the teachers that the student's routers know",
                got=f"rows for {', '.join(found.manifest.routed_tasks)}",
            )
        tensors = _renamed(found, name)
        with self._lock:
            decoder.exchange(name, tensors)
            self._changes[name] = Change(path, found.manifest.digest, any_stem)
        LOG.info("adapter %s is now %s (%s)", name, path, found.manifest.digest[:16])
        return found

    def remove(self, name: str) -> None:
        """Takes an adapter away and frees its weights; one that is not active stays so.

        Raises:
            UnknownAdapterError: The student has no place of that name.
        """
        decoder = self._running()
        self._known(name)
        with self._lock:
            decoder.exchange(name, None)
            self._changes[name] = Change()
        LOG.info("adapter %s was removed", name)

    def replay(self, changes: Mapping[str, Change]) -> None:
        """Makes the changes of another student of the same file.

        Raises:
            DigestError: A pack is no longer the one that was swapped in there.
        """
        for name, change in changes.items():
            if change.pack is None:
                self.remove(name)
                continue
            found = self.swap(name, change.pack, any_stem=change.any_stem)
            if found.manifest.digest != change.digest:
                raise DigestError(
                    f"the pack {change.pack} is not the one that was swapped in",
                    expected=f"SHA-256 {change.digest}",
                    got=found.manifest.digest,
                )

    def choose(self, adapters: Names | Sequence[Names], images: int) -> list[tuple[str, ...]]:
        """Per image the adapters that take part, in expert order.

        Args:
            adapters: None for all that are active, names for all images, or per image either.
            images: How many images there are.

        Raises:
            UnknownAdapterError: An adapter that is not active.
            OptionError: Choices per image whose number is not that of the images.
        """
        active = self.active
        if (
            adapters is None
            or isinstance(adapters, str)
            or not isinstance(adapters, Sequence)
            or all(isinstance(name, str) for name in adapters)
        ):
            return [self._pick(adapters, active)] * images  # type: ignore[arg-type]
        if len(adapters) != images:
            raise OptionError(
                "adapters do not fit the images",
                expected=f"names for all images, or {images} choices, one per image",
                got=f"{len(adapters)} choices",
            )
        return [self._pick(one, active) for one in adapters]

    def explain(self, explanation: Explanation) -> Explanation:
        """An explanation of the student as it is now."""
        active = self.active
        digests = {
            key: digest
            for key, digest in explanation.digests.items()
            if not key.startswith("adapters.")
        }
        for name in active:
            change = self._changes.get(name)
            own = self._manifest.digests[f"adapters.{name}"]
            digests[f"adapters.{name}"] = change.digest if change else own
        idle = tuple(name for name in self.names if name not in active)
        return dataclasses.replace(explanation, adapters=active, not_loaded=idle, digests=digests)

    def _pick(self, wanted: Names, active: tuple[str, ...]) -> tuple[str, ...]:
        some = pick(
            "adapter",
            wanted,
            active,
            UnknownAdapterError,
            "Choose from the adapters listed, load the student with the adapter, or swap it in",
        )
        return tuple(name for name in active if name in some)

    def close(self) -> None:
        """Lets go of the weights."""
        self._decoder = None

    def _running(self) -> Decoder:
        self._guard.check()
        decoder = self._decoder
        if decoder is None:
            raise ClosedError("the student is closed", remedy="Load it again")
        return decoder

    def _known(self, name: str) -> None:
        pick("adapter", name, self.names, UnknownAdapterError)


def _renamed(pack: PartPack, name: str) -> dict[str, NDArray[Any]]:
    """The pack's tensors under the name of the place that they go to."""
    own = pack.manifest.name
    renamed = {}
    for key, tensor in pack.tensors.items():
        parts = key.split(".")
        at = 1 if parts[0] == "tsap" else 2
        assert parts[at] == own
        parts[at] = name
        renamed[".".join(parts)] = tensor
    return renamed
