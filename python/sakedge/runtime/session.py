"""What was asked for, what was chosen for it, and the compiled graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sakedge.backends.base import Backend, CompileOptions, Session
from sakedge.backends.cache_dir import CacheDir
from sakedge.decoder import arithmetics
from sakedge.format import Subgraph
from sakedge.runtime.explain import ModelExplanation
from sakedge.runtime.options import Options
from sakedge.runtime.precision import PrecisionChoice, native


@dataclass(frozen=True)
class Chosen:
    """What was chosen for a request, and why.

    Attributes:
        model: Name of the model.
        model_reason: Why that one.
        backend: The backend.
        backend_reason: Why that one.
        refused: Backends that were tried before it, and why they could not be used.
        ignored: Why a choice that was measured here is not taken; empty if there is none.
        precision: The precision, and why.
        stem_precision: The backend's.
    """

    model: str
    model_reason: str
    backend: Backend
    backend_reason: str
    refused: Mapping[str, str]
    ignored: str
    precision: PrecisionChoice
    stem_precision: str


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
        recorded: Precisions at which the student's file records a quality that passes.
        chosen: What was chosen for it; None until `load_model` has.
    """

    backend: str
    device: str | None
    precision: str
    threads: int
    cache: CacheDir
    options: Options
    recorded: Collection[str] = ()
    chosen: Chosen | None = None


def open_session(
    subgraph: Subgraph, request: Request, model: str, model_does: str
) -> tuple[Session, ModelExplanation]:
    """Compiles a part of a student's graph on the backend that was chosen.

    Raises:
        BackendError: The backend refused the graph or an option.
    """
    chosen = request.chosen
    assert chosen is not None
    backend, decided = chosen.backend, chosen.precision
    options = CompileOptions(
        device=request.device,
        precision=chosen.stem_precision,
        threads=request.threads,
        cache_dir=request.cache.folder,
        cache_off=request.cache.off,
        config=request.options.runtime.get(backend.name, {}),
    )
    session = backend.compile(subgraph, options)
    return session, ModelExplanation(
        model=model,
        model_reason=chosen.model_reason,
        model_does=model_does,
        backend=backend.name,
        backend_reason=chosen.backend_reason,
        choice_ignored=chosen.ignored,
        session=dict(session.details),
        refused=dict(chosen.refused),
        device=request.device,
        precision=decided.precision,
        precision_reason=decided.reason,
        stem_precision=chosen.stem_precision,
        decoder_precision=decided.decoder,
        isas={name: each.isa for name, each in arithmetics().items()},
        native=native(),
        threads=request.threads,
    )
