"""From what was asked for to a compiled graph: precision, backend, session."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sakedge.backends import registry
from sakedge.backends.base import CompileOptions, Session
from sakedge.backends.cache_dir import CacheDir
from sakedge.decoder import arithmetics
from sakedge.format import Subgraph
from sakedge.runtime.explain import ModelExplanation
from sakedge.runtime.options import Options
from sakedge.runtime.precision import choose_precision, choose_stem, native


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
    """

    backend: str
    device: str | None
    precision: str
    threads: int
    cache: CacheDir
    options: Options
    recorded: Collection[str] = ()


def open_session(
    subgraph: Subgraph, request: Request, model: str, model_does: str
) -> tuple[Session, ModelExplanation]:
    """Compiles a part of a student's graph on the backend that was asked for or suits best.

    Raises:
        OptionError: There is no such precision.
        UnknownBackendError: There is no such backend.
        BackendError: The backend cannot run here, or none can; with the reasons.
    """
    decided = choose_precision(request.precision, native(), request.recorded)
    backend, refused, precision = choose_stem(decided.stems, request.backend, request.device)
    options = CompileOptions(
        device=request.device,
        precision=precision,
        threads=request.threads,
        cache_dir=request.cache.folder,
        cache_off=request.cache.off,
        config=request.options.runtime.get(backend.name, {}),
    )
    session = backend.compile(subgraph, options)
    return session, ModelExplanation(
        model=model,
        model_does=model_does,
        backend=backend.name,
        backend_reason=registry.AUTO_RULE if request.backend == "auto" else "asked for",
        session=dict(session.details),
        refused=dict(refused),
        device=request.device,
        precision=decided.precision,
        precision_reason=decided.reason,
        stem_precision=precision,
        decoder_precision=decided.decoder,
        isas={name: each.isa for name, each in arithmetics().items()},
        native=native(),
        threads=request.threads,
    )
