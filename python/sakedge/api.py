"""`load`: from a file to a student, in the order in which the data flows."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from sakedge import logs
from sakedge.adapters.slots import AdapterSlots, Change
from sakedge.arguments import pick
from sakedge.backends import registry
from sakedge.backends.base import StemOptions
from sakedge.backends.cache import resolve_cache_dir
from sakedge.decoder import Decoder, arithmetics
from sakedge.errors import DigestError, OptionError, UnknownAdapterError, UnknownTaskError
from sakedge.format import StudentFile
from sakedge.runtime.engine import Engine
from sakedge.runtime.explain import Explanation
from sakedge.runtime.options import Options
from sakedge.runtime.precision import choose_stem, native, plan
from sakedge.runtime.threads import resolve_threads
from sakedge.student import Origin, Student


def load(
    path: str | os.PathLike[str],
    adapters: str | Sequence[str] | None = None,
    tasks: str | Sequence[str] | None = None,
    backend: str = "auto",
    device: str | None = None,
    precision: str = "auto",
    threads: int | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    config: Mapping[str, Any] | None = None,
) -> Student:
    """Loads a student. Only what is asked for is read from the file.

    Args:
        path: A `student.onnx`.
        adapters: Adapters to load; None is all, `[]` the stem alone.
        tasks: Tasks to load; None is all.
        backend: Runtime of the stem, e.g. `openvino` or `onnxruntime`. A named one is used or
            refused; `auto` takes the first that works, see `student.explain()`.
        device: The backend's device, e.g. `CPU`, `GPU`, `NPU` or `AUTO`; None is its default.
        precision: Arithmetic of stem and decoder: `fp32`, `bf16`, `fp16`, `int8`, or `auto`: the
            fastest that the CPU runs natively and the file records the quality of, else fp32. At
            fp16 the decoder computes in fp32; at int8 the stem takes what its backend has, bf16 or
            else fp32. `student.explain()` tells.
        threads: Threads of the stem and of the decoder; None is what the affinity and the
            cgroup's quota allow.
        cache_dir: Where compiled stems are kept; None is SAKEDGE_CACHE or the user's cache folder,
            `""` no cache.
        config: Advanced options: `min_weight`, `max_batch`, `tile_overlap`, and per backend a
            dict of the runtime's own.

    Raises:
        FileFormatError: The file is no student, or damaged; the subclass says how.
        StorageError: The file cannot be read.
        UnknownAdapterError, UnknownTaskError, UnknownBackendError: The message lists what there is.
        OptionError: Another argument is wrong.
        BackendError: The backend cannot run here, or no backend can; with the reasons.
    """
    logs.configure()
    options = Options.parse(config, registry.names())
    arguments: dict[str, Any] = {
        "path": str(Path(path).absolute()),
        "adapters": adapters,
        "tasks": tasks,
        "backend": backend,
        "device": device,
        "precision": precision,
        "threads": threads,
        "cache_dir": cache_dir,
        "config": None if config is None else dict(config),
    }
    decided = plan(precision, native(), recorded=())  # format 1 has no record of quality
    thread_count = resolve_threads(threads)
    laps = [time.perf_counter()]
    with StudentFile.open(os.fspath(path)) as file, file.sparing():
        manifest = file.manifest
        adapters = pick("adapter", adapters, manifest.adapter_names, UnknownAdapterError)
        tasks = pick("task", tasks, manifest.task_names, UnknownTaskError)
        if not tasks:
            names = ", ".join(manifest.task_names)
            raise OptionError("no task was asked for", expected=f"some of {names}")
        stem = file.stem()
        laps.append(time.perf_counter())
        chosen, refused, stem_precision = choose_stem(decided.stems, backend, device)
        session = chosen.compile(
            stem,
            StemOptions(
                device=device,
                precision=stem_precision,
                threads=thread_count,
                cache_dir=resolve_cache_dir(cache_dir),
                config=options.runtime.get(chosen.name, {}),
            ),
        )
        laps.append(time.perf_counter())
        routed = tasks if manifest.architecture.router == "mor" else ()
        decoder = Decoder(
            manifest,
            tasks=tasks,
            routers={task: file.component(f"routers.{task}") for task in routed},
            heads={task: file.component(f"heads.{task}") for task in tasks},
            adapters={name: file.component(f"adapters.{name}") for name in adapters},
            threads=thread_count,
            precision=decided.decoder,
        )
    laps.append(time.perf_counter())
    loaded = ("stem", *(f"routers.{t}" for t in routed), *(f"heads.{t}" for t in tasks))
    explanation = Explanation(
        path=os.fspath(path),
        digest=file.content_digest,
        file_digest=file.file_digest,
        input_size=manifest.input_size,
        backend=chosen.name,
        backend_reason=registry.AUTO_RULE if backend == "auto" else "asked for",
        session=dict(session.details),
        refused=dict(refused),
        device=device,
        precision=decided.precision,
        precision_reason=decided.reason,
        stem_precision=stem_precision,
        decoder_precision=decided.decoder,
        isas={name: each.isa for name, each in arithmetics().items()},
        native=native(),
        threads=thread_count,
        tasks=tasks,
        adapters=adapters,
        not_loaded=(),
        digests={name: manifest.digests[name] for name in loaded},
        load_ms={
            stage: 1000 * (end - start)
            for stage, (start, end) in zip(
                ("read", "compile", "decoder"), pairwise(laps), strict=True
            )
        },
    )
    return Student(
        manifest,
        Engine(manifest, session, decoder, options),
        AdapterSlots(manifest, decoder),
        tasks=tasks,
        explanation=explanation,
        origin=Origin(_restore, arguments, file.file_digest),
    )


def _restore(arguments: Mapping[str, Any], digest: str, changes: Mapping[str, Change]) -> Student:
    """Loads a pickled student again, if its file is still the same."""
    student = load(**arguments)
    found = student.explain().file_digest
    if found != digest:
        raise DigestError(
            f"{arguments['path']} is not the file that the student was loaded from",
            expected=f"SHA-256 {digest}",
            got=found,
            remedy="Load it anew",
        )
    student.adapters.replay(changes)
    return student
