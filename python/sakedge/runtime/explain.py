"""What a student runs on, and why: for a person and for a script."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ModelExplanation:
    """How a model runs, and why.

    Attributes:
        model: Its name, e.g. `host`.
        model_reason: Why that one: `asked for`, `auto` and its rule, a choice that was measured
            here, or the file that pins it.
        model_does: What it runs where.
        backend: The runtime.
        backend_reason: Why that one: likewise, with the evidence of `auto`.
        choice_ignored: Why a choice that was measured here (`sakedge benchmark --choose`) is not
            taken; empty where none was found.
        session: What the runtime reports about the compiled graph.
        refused: What was tried before it, backends and their precisions, and why it could not be
            used.
        device: The device asked for; None is the backend's default.
        precision: What was asked for, or what `auto` chose.
        precision_reason: Why.
        stem_precision: The stem's: `int8` where it runs quantised, which only that of an int8
            student does, and not where floats are the faster.
        stem_reason: Why that one.
        decoder_precision: Of the decoder's matrix products: fp32 at fp16.
        isas: For every precision that the decoder has, the instruction set that computes it.
        native: Those for which this CPU has instructions; others are emulated.
        gainful: Those below fp32 by which this CPU gains, emulated ones among them.
        threads: Threads of the runtime and of the decoder.
    """

    model: str
    model_reason: str
    model_does: str
    backend: str
    backend_reason: str
    choice_ignored: str
    session: Mapping[str, str]
    refused: Mapping[str, str]
    device: str | None
    precision: str
    precision_reason: str
    stem_precision: str
    stem_reason: str
    decoder_precision: str
    isas: Mapping[str, str]
    native: tuple[str, ...]
    gainful: tuple[str, ...]
    threads: int


@dataclass(frozen=True)
class Explanation(ModelExplanation):
    """How a student runs. `print` it, or read its fields; those of its model are among them.

    Attributes:
        path: The student's file.
        digest: Content digest of the file.
        file_digest: SHA-256 over everything in the file.
        input_size: Height and width.
        tasks: Tasks that were loaded.
        adapters: Adapters that are active now.
        teachers: What each active adapter was distilled from, as its file or pack states it.
        versions: Version of each active adapter that came in a pack that states one.
        not_loaded: Adapters of the file that are not.
        digests: SHA-256 of the stem and of each part; for a swapped adapter that of its pack.
        quality: `reference` (floats in fp32), `verified` (the file records that the quality of
            just this passed) or `unverified`.
        quality_reason: Why.
        load_ms: Milliseconds that loading took: to `read` and check the graph, to `compile` it
            (the import of the runtime included), and to read and prepare the parts for the
            `decoder`.
    """

    path: str
    digest: str
    file_digest: str
    input_size: tuple[int, int]
    tasks: tuple[str, ...]
    adapters: tuple[str, ...]
    teachers: Mapping[str, str]
    versions: Mapping[str, str]
    not_loaded: tuple[str, ...]
    digests: Mapping[str, str]
    quality: str
    quality_reason: str
    load_ms: Mapping[str, float]

    @property
    def isa(self) -> str:
        """The decoder's instruction set."""
        return self.isas[self.decoder_precision]

    def to_dict(self) -> dict[str, Any]:
        """All fields, and `isa`, ready for JSON."""
        fields = ((f.name, getattr(self, f.name)) for f in dataclasses.fields(self))
        plain = {key: dict(value) if isinstance(value, Mapping) else value for key, value in fields}
        return {**plain, "isa": self.isa}

    def _emulated(self) -> str:
        if self.decoder_precision in self.native:
            return ""
        gains = self.decoder_precision in self.gainful
        return f", emulated, {'and' if gains else 'not known to be'} faster than fp32"

    def __str__(self) -> str:
        height, width = self.input_size
        rows = [
            ("student", f"{self.path}  (SHA-256 {self.digest[:16]}…)"),
            ("input", f"{height} x {width} (height x width)"),
            ("model", f"{self.model}: {self.model_does}"),
            ("  chosen", self.model_reason),
            ("backend", self.backend),
            ("  chosen", self.backend_reason),
            *([("  not as measured", self.choice_ignored)] if self.choice_ignored else []),
            *((f"  {key}", value) for key, value in self.session.items()),
            *((f"  refused {name}", reason) for name, reason in self.refused.items()),
            ("device", self.device or "the backend's default"),
            ("precision", f"{self.precision} ({self.precision_reason})"),
            ("  stem", f"{self.stem_precision} ({self.stem_reason})"),
            ("  decoder", f"{self.decoder_precision} on {self.isa}{self._emulated()}"),
            ("quality", f"{self.quality}: {self.quality_reason}"),
            ("threads", str(self.threads)),
            ("tasks", ", ".join(self.tasks)),
            ("adapters", ", ".join(map(self._described, self.adapters)) or "none: stem only"),
            *([("not loaded", ", ".join(self.not_loaded))] if self.not_loaded else []),
            *((f"  {name}", f"SHA-256 {digest[:16]}…") for name, digest in self.digests.items()),
            ("loaded in", ", ".join(f"{stage} {ms:.0f} ms" for stage, ms in self.load_ms.items())),
        ]
        width = max(len(key) for key, _ in rows)
        return "\n".join(f"{key:<{width}}  {value}" for key, value in rows)

    def _described(self, adapter: str) -> str:
        version = self.versions.get(adapter)
        known = f", version {version}" if version else ""
        return f"{adapter} (teacher {self.teachers[adapter]}{known})"
