"""Whether what runs is what the student's file records the quality of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sakedge.adapters.snapshot import Snapshot
from sakedge.errors import UnverifiedError
from sakedge.format import Manifest, QualityEntry
from sakedge.runtime.evidence import is_cpu
from sakedge.runtime.explain import ModelExplanation

UNVERIFIED = ("allow", "refuse")
"""What may become of what is not recorded."""

_INT8 = "int8"


@dataclass(frozen=True)
class Record:
    """What a student's file records of its own content, on CPUs.

    An entry at int8 also holds where a part of it, or all, is computed in floats from the same int8
    weights: that rounds less than what was measured. It holds for every version of its runtime.

    Attributes:
        entries: Those of this content.
        int8: Whether any weight is stored as int8.
    """

    entries: tuple[QualityEntry, ...]
    int8: bool

    @classmethod
    def of(cls, manifest: Manifest, content: str) -> Record:
        """That of a file with this content digest."""
        entries = tuple(entry for entry in manifest.quality if entry.content == content)
        return cls(entries, manifest.storage.has_int8)

    def passing(
        self, precision: str, adapters: Mapping[str, str], tasks: Collection[str]
    ) -> tuple[str, ...]:
        """The runtimes, each with its version, in which these tasks passed with these adapters.

        Args:
            precision: As for `sakedge.load`, and not `auto`.
            adapters: Digest of each active adapter, by name.
            tasks: Names of the tasks.
        """
        return tuple(
            entry.runtime
            for entry in self.entries
            if entry.precision == precision
            and entry.adapters == dict(adapters)
            and entry.passes(tasks)
        )

    def backends(
        self, precision: str, adapters: Mapping[str, str], tasks: Collection[str]
    ) -> frozenset[str]:
        """The backends of `passing`."""
        return frozenset(map(_backend, self.passing(precision, adapters, tasks)))


@dataclass(frozen=True)
class Quality:
    """What is known of the quality of what a student runs.

    Attributes:
        record: What its file records.
        precision: The precision at which it runs.
        backend: The runtime.
        version: The runtime's version.
        device: Its device; None is the CPU.
        policy: One of `UNVERIFIED`.
    """

    record: Record
    precision: str
    backend: str
    version: str
    device: str | None
    policy: str

    @classmethod
    def of(cls, record: Record, told: ModelExplanation, policy: str) -> Quality:
        """Of a model as it explains itself."""
        version = told.session.get("version", "")
        return cls(record, told.precision, told.backend, version, told.device, policy)

    def at(self, told: ModelExplanation) -> Quality:
        """The same record and policy, of a model that now explains itself otherwise."""
        return self.of(self.record, told, self.policy)

    def judge(self, snapshot: Snapshot) -> tuple[str, str]:
        """Whether a snapshot is recorded as good, and the reason.

        Returns:
            `reference` (floats computed in fp32: what others are compared with), `verified` (the
            file records that the quality of just this passed) or `unverified`; and why.
        """
        in_floats = self.precision == "fp32"
        if in_floats and not self.record.int8:
            return "reference", "computed in fp32"
        if not is_cpu(self.device):
            return "unverified", f"what the file records is of CPUs, and this is {self.device}"
        precision = _INT8 if in_floats else self.precision
        adapters = {name: part.id.digest for name, part in snapshot.adapters.items()}
        passing = self.record.passing(precision, adapters, snapshot.heads)
        # In fp32 all runtimes compute the same.
        known = [each for each in passing if in_floats or _backend(each) == self.backend]
        here = f"{self.backend} {self.version}"
        if here in known:
            return "verified", f"recorded at {precision} with {here}"
        if known:
            return "verified", f"recorded at {precision} with {known[-1]}, and this is {here}"
        return (
            "unverified",
            f"the file records no quality that passes at {precision} in {self.backend} with these "
            "adapters and tasks",
        )

    def admit(self, snapshot: Snapshot) -> None:
        """Refuses a snapshot that must not run.

        Raises:
            UnverifiedError: The policy is to refuse it.
        """
        if self.policy == "allow":
            return
        verdict, reason = self.judge(snapshot)
        if verdict == "unverified":
            raise UnverifiedError(
                f"the quality of what would run is not known, and config['unverified'] is "
                f"'{self.policy}'",
                expected="a quality that the file records, or precision='fp32' of a file in floats",
                got=reason,
                remedy="Record it with `sakedge quantize`, or allow it",
            )


def _backend(runtime: str) -> str:
    return runtime.partition(" ")[0]
