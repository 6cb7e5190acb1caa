"""`load`: from a file to a student, in the order in which the data flows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sakedge import logs
from sakedge.adapters.preparer import prepared_part, require
from sakedge.adapters.snapshot import PartSource, Snapshot, sources
from sakedge.adapters.versions import Change
from sakedge.arguments import pick
from sakedge.backends import registry
from sakedge.backends.cache_dir import resolve_cache_dir
from sakedge.errors import DigestError, OptionError, UnknownAdapterError, UnknownTaskError
from sakedge.files.paths import absolute_path, file_path
from sakedge.format import Manifest, StudentFile
from sakedge.runtime.clock import Clock
from sakedge.runtime.exits import native
from sakedge.runtime.models import MODELS, load_model
from sakedge.runtime.options import Options
from sakedge.runtime.origin import Origin
from sakedge.runtime.precision import FASTEST_FIRST
from sakedge.runtime.quality import Quality, Record
from sakedge.runtime.session import Request
from sakedge.runtime.threads import resolve_threads
from sakedge.site import Site
from sakedge.student import Student
from sakedge.tasks.results import result_class


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
            refused; `auto` chooses by evidence, see `student.explain()`.
        device: The backend's device, e.g. `CPU`, `GPU`, `NPU` or `AUTO`; None is its default.
        precision: `fp32`, `bf16`, `fp16`, `int8`, or `auto`: the fastest by which the CPU gains and
            whose quality the file records, else fp32. At fp16 the decoder computes in fp32; at int8
            the stem runs at what is the fastest here, int8 if the file's is quantised, bf16 or
            fp32. `student.explain()` reports both.
        threads: Threads of the stem and of the decoder; None is what the affinity and the
            cgroup's quota allow.
        cache_dir: Where compiled stems are kept; None is SAKEDGE_CACHE or the user's cache folder,
            `""` for no cache.
        config: Advanced options: `model`, `choice`, `stem`, `unverified`, `min_weight`,
            `max_batch`, `max_pixels`, `tile_overlap`, `site`, `fallback`, `warm_up`, and per
            backend a dict of the runtime's own options.

    Raises:
        FileFormatError: The file is not a student, or is damaged; the subclass names the cause.
        StorageError: The file cannot be read.
        UnknownAdapterError, UnknownTaskError, UnknownBackendError: The message lists the valid
            names.
        OptionError: Another argument is invalid.
        BackendError: The backend cannot run here, or no backend can; with the reasons.
        AbilityError: The model has no `min_weight`, and one was given.
        UnverifiedError: The file records no quality of what would run, and that is refused.
        TrustError, PolicyError: The site does not admit the file, its licence or the user.
    """
    logs.configure()
    path = file_path("the student", path)
    options = Options.parse(config, registry.all_names(), tuple(MODELS))
    site = Site.open(options.site)
    site.allow("infer")
    arguments: dict[str, Any] = {
        "path": str(absolute_path("the student", path)),
        "adapters": adapters,
        "tasks": tasks,
        "backend": backend,
        "device": device,
        "precision": precision,
        "threads": threads,
        "cache_dir": cache_dir,
        "config": None if config is None else {**config, **options.paths},
    }
    thread_count = resolve_threads(threads)
    clock = Clock("read", "compile", "decoder")
    # What is on a machine starts again also when the repository's word has expired meanwhile.
    admitted = site.admit(path, "student", installed=True)
    with native(), StudentFile(path, admitted.file) as file, file.sparing():
        manifest = file.manifest
        adapters = pick("adapter", adapters, manifest.adapter_names, UnknownAdapterError)
        tasks = pick("task", tasks, manifest.task_names, UnknownTaskError)
        if not tasks:
            names = ", ".join(manifest.task_names)
            raise OptionError("no task was asked for", expected=f"some of {names}")
        _check_licenses(site, manifest, adapters)
        record = Record.of(manifest, file.content_digest)
        digests = {name: manifest.digests[f"adapters.{name}"] for name in adapters}
        request = Request(
            backend=backend,
            device=device,
            precision=precision,
            threads=thread_count,
            cache=resolve_cache_dir(cache_dir),
            options=options,
            quantised=manifest.storage.stem == "int8",
            recorded={each: record.backends(each, digests, tasks) for each in FASTEST_FIRST},
        )
        model = load_model(file, tasks, request, clock)
        if options.min_weight > 0:
            require(model, "min_weight")
        snapshot = Snapshot(file.content_digest, manifest.adapter_names)
        for task in manifest.tasks:
            if task.name in tasks:
                result_class(task.kind)  # imported now, not in the first call
        for source in sources(file, adapters, tasks):
            snapshot = snapshot.having(prepared_part(model, source))
        clock.lap("decoder")
        snapshot = replace(snapshot, assembled=model.assemble(snapshot))
        clock.lap("compile")
    quality = Quality.of(record, model.explain(snapshot), options.unverified)
    quality.admit(snapshot)
    origin = Origin(
        str(path),
        file.content_digest,
        file.file_digest,
        clock.share(),
        partial(_reload, arguments, file.file_digest),
        partial(_original, path, file.file_digest, site),
    )
    site.record("load", subject=str(path), new=origin.file_digest)
    student = Student(manifest, model, snapshot, origin, options, quality, site)
    if options.warm_up:
        student.warm_up()
    return student


def _check_licenses(site: Site, manifest: Manifest, adapters: Sequence[str]) -> None:
    """Checks the licences of the adapters that are loaded, and of the rest where one is stated."""
    if manifest.provenance.license is not None:
        site.check_license(manifest.provenance.license, "the student")
    for adapter in manifest.adapters:
        if adapter.name in adapters:
            site.check_license(adapter.license, f"adapter {adapter.name}")


def _reload(arguments: Mapping[str, Any], digest: str, changes: Mapping[str, Change]) -> Student:
    """Loads a pickled student again, if its file is still the same."""
    student = load(**arguments)
    _check_file(Path(arguments["path"]), student.explain().file_digest, digest)
    student.adapters.replay(changes)
    return student


def _original(path: Path, digest: str, site: Site, adapter: str) -> PartSource:
    """Reads an adapter of the student's own file again, if that is still the same."""
    admitted = site.admit(path, "student", installed=True)
    with native(), StudentFile(path, admitted.file) as file:
        _check_file(path, file.file_digest, digest)
        (source,) = sources(file, (adapter,), ())
        tensors = source.tensors()
    return replace(source, tensors=lambda: tensors)


def _check_file(path: Path, found: str, digest: str) -> None:
    if found != digest:
        raise DigestError(
            f"{path} is not the file that the student was loaded from",
            expected=f"SHA-256 {digest}",
            got=found,
            remedy="Load it again",
        )
