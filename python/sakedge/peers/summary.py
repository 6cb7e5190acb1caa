"""A race in one row per contestant, for a table and for a script."""

from __future__ import annotations

from dataclasses import dataclass

from sakedge.peers.types import DECODED, LOGITS, Race, Ratio


@dataclass(frozen=True)
class Row:
    """One contestant.

    Attributes:
        name: The contestant's.
        precision: Its precision.
        exported: Whether it runs the exported graph.
        decoded_ms: Milliseconds from normalised images to decoded outputs; ours only.
        logits_ms: Milliseconds from the same to logits at the input size.
        ratio: Its time to logits over our time to decoded outputs, pair by pair; peers only.
        ratio_logits: Its time to logits over ours to logits: the like-for-like one.
        stem_ms: Of our time to decoded outputs, the stem's; ours only.
        decoder_ms: And the decoder's: everything after the stem; ours only.
        peak: Bytes of the whole process at most (VmHWM); ours without a map of logits.
        anonymous: Bytes of its own at most (RssAnon), likewise.
        peak_ratio: Our `peak` over its; peers only.
        anonymous_ratio: Our `anonymous` over its; peers only.
        error: Largest difference from ONNX Runtime's logits, relative to the task's range.
        refused: Why it did not run.
    """

    name: str
    precision: str
    exported: bool
    decoded_ms: float | None
    logits_ms: float | None
    ratio: Ratio | None
    ratio_logits: Ratio | None
    stem_ms: float | None
    decoder_ms: float | None
    peak: int | None
    anonymous: int | None
    peak_ratio: float | None
    anonymous_ratio: float | None
    error: float | None
    refused: str | None

    @property
    def label(self) -> str:
        """The contestant's."""
        return f"{self.name} {self.precision}"


def summary(race: Race) -> list[Row]:
    """Summarises a race, ours first."""
    own_peak = race.memory(race.ours.label, "peak", DECODED)
    own_anonymous = race.memory(race.ours.label, "anonymous", DECODED)
    rows: list[Row] = []
    for each in race.contestants:
        label, is_ours = each.label, each is race.ours
        measure = DECODED if is_ours else LOGITS
        peak = race.memory(label, "peak", measure)
        anonymous = race.memory(label, "anonymous", measure)
        rows.append(
            Row(
                name=each.name,
                precision=each.precision,
                exported=each.exported,
                decoded_ms=race.ms(label, DECODED),
                logits_ms=race.ms(label, LOGITS),
                ratio=None if is_ours else race.ratio(label, DECODED),
                ratio_logits=None if is_ours else race.ratio(label, LOGITS),
                stem_ms=race.stage_ms(label, "stem"),
                decoder_ms=race.stage_ms(label, "decoder"),
                peak=peak,
                anonymous=anonymous,
                peak_ratio=None if is_ours else _over(own_peak, peak),
                anonymous_ratio=None if is_ours else _over(own_anonymous, anonymous),
                error=race.error(label),
                refused=race.refused.get(label),
            )
        )
    return rows


def _over(ours: int | None, theirs: int | None) -> float | None:
    return ours / theirs if ours and theirs else None
