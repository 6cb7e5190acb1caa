"""Puts together what a student runs on, and why: its model's part, its file's, its parts'."""

from __future__ import annotations

from collections.abc import Sequence

from sakedge.adapters.snapshot import Snapshot
from sakedge.format import Manifest
from sakedge.runtime.explain import Explanation, ModelExplanation
from sakedge.runtime.origin import Origin
from sakedge.runtime.quality import Quality


def explained(
    told: ModelExplanation,
    snapshot: Snapshot,
    origin: Origin,
    manifest: Manifest,
    tasks: Sequence[str],
    quality: Quality,
) -> Explanation:
    """What runs a snapshot of a student's parts where, and why.

    Args:
        told: What its model says.
        snapshot: The parts that are active now.
        origin: Where the student is from.
        manifest: Of its file.
        tasks: The tasks that were loaded.
        quality: What its file records.
    """
    adapters = [part for part in snapshot.ids if part.kind == "adapter"]
    verdict, reason = quality.at(told).judge(snapshot)
    return Explanation(
        **vars(told),
        path=origin.path,
        digest=origin.content_digest,
        file_digest=origin.file_digest,
        input_size=manifest.input_size,
        tasks=tuple(tasks),
        adapters=snapshot.active,
        teachers={part.name: part.teacher for part in adapters},
        versions={part.name: part.version for part in adapters if part.version},
        not_loaded=tuple(name for name in snapshot.slots if name not in snapshot.adapters),
        digests={
            "stem": manifest.digests["stem"],
            **{part.component: part.digest for part in snapshot.ids},
        },
        quality=verdict,
        quality_reason=reason,
        load_ms=origin.load_ms,
    )
