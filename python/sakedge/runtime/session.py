"""What was asked for, what was chosen for it, and what compiles graphs for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sakedge.backends.base import (
    Backend,
    CompileOptions,
    GraphBackend,
    OpsetPreference,
    Session,
)
from sakedge.backends.cache_dir import CacheDir
from sakedge.decoder import arithmetics
from sakedge.format import OPSET, Subgraph
from sakedge.runtime.explain import ModelExplanation
from sakedge.runtime.options import Options
from sakedge.runtime.precision import PrecisionChoice, gainful, native


@dataclass(frozen=True)
class Chosen:
    """What was chosen for a request, and why.

    Attributes:
        model: Name of the model.
        model_reason: Why that one.
        backend: The backend.
        backend_reason: Why that one.
        refused: What was tried before it, and why it could not be used.
        ignored: Why a choice that was measured here is not taken; empty if there is none.
        precision: The precision, and why.
        stem: The stem's precision.
        stem_reason: Why that one.
    """

    model: str
    model_reason: str
    backend: Backend
    backend_reason: str
    refused: Mapping[str, str]
    ignored: str
    precision: PrecisionChoice
    stem: str
    stem_reason: str


@dataclass(frozen=True)
class Request:
    """What `load` was asked for, as far as it concerns the model.

    Attributes:
        backend: A backend's name, or `auto`.
        device: The backend's device; None is its default.
        precision: One of `PRECISIONS`.
        threads: Threads to compute with.
        cache: Where compiled graphs are kept, or why nowhere.
        options: Advanced options.
        quantised: Whether the stem in the student's file is.
        recorded: Precision → the backends in which the student's file records a quality that passes
            at it, with the adapters and tasks that are asked for.
        chosen: What was chosen for it; None until `load_model` has.
    """

    backend: str
    device: str | None
    precision: str
    threads: int
    cache: CacheDir
    options: Options
    quantised: bool = False
    recorded: Mapping[str, Collection[str]] = field(default_factory=dict)
    chosen: Chosen | None = None


@dataclass(frozen=True)
class Compiler:
    """A backend, and the options with which it compiles a student's graphs."""

    backend: GraphBackend
    options: CompileOptions

    @property
    def opset(self) -> int:
        """The ONNX opset in which graphs are written for it."""
        if isinstance(self.backend, OpsetPreference):
            return self.backend.opset(self.options.device)
        return OPSET

    def compile(self, subgraph: Subgraph) -> Session:
        """Compiles a part of a student's graph.

        Raises:
            BackendError: The runtime refused it.
        """
        return self.backend.compile(subgraph, self.options)


def stem_of(request: Request) -> str:
    """The precision that was chosen for the stem."""
    assert request.chosen is not None
    return request.chosen.stem


def compiler_for(
    request: Request, model: str, model_does: str
) -> tuple[Compiler, ModelExplanation]:
    """What compiles graphs on the backend that was chosen; nothing is compiled yet.

    Args:
        request: What was asked for, and what was chosen for it.
        model: Name of the model.
        model_does: What it runs where.
    """
    chosen = request.chosen
    assert chosen is not None and isinstance(chosen.backend, GraphBackend)
    backend = chosen.backend
    options = CompileOptions(
        device=request.device,
        # Of the floats of a quantised stem; its integers are in the graph.
        precision="fp32" if chosen.stem == "int8" else chosen.stem,
        threads=request.threads,
        cache_dir=request.cache.folder,
        cache_off=request.cache.off,
        config=request.options.runtime.get(backend.name, {}),
    )
    return Compiler(backend, options), explanation_of(request, model, model_does)


def explanation_of(request: Request, model: str, model_does: str) -> ModelExplanation:
    """What was chosen for a request, and why; without what a session reports.

    Args:
        request: What was asked for, and what was chosen for it.
        model: Name of the model.
        model_does: What it runs where.
    """
    chosen = request.chosen
    assert chosen is not None
    decided = chosen.precision
    return ModelExplanation(
        model=model,
        model_reason=chosen.model_reason,
        model_does=model_does,
        backend=chosen.backend.name,
        backend_reason=chosen.backend_reason,
        choice_ignored=chosen.ignored,
        session={},
        refused=dict(chosen.refused),
        device=request.device,
        precision=decided.precision,
        precision_reason=decided.reason,
        stem_precision=chosen.stem,
        stem_reason=chosen.stem_reason,
        decoder_precision=decided.decoder,
        isas={name: each.isa for name, each in arithmetics().items()},
        native=native(),
        gainful=gainful(),
        threads=request.threads,
    )
