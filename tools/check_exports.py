"""Exported graphs against the student's own file: `python -m tools.check_exports`.

Students have random weights and the paper's sizes. For each set of adapters, of tasks, and form,
the graph is exported, checked by ONNX, and run in stock runtimes on one image. Prints the largest
difference of a logit or a decoded value, as a share of its task's range, and fails where one is
above the tolerance.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from tools.bench_peers.students import NYUD, PASCAL, Spec, student

import sakedge
from sakedge.backends.openvino.library import openvino
from sakedge.backends.openvino.settings import settings
from sakedge.exporting.targets import TARGETS
from sakedge.format import StudentFile
from sakedge.images.examples import example
from sakedge.images.fit import Normalizer
from sakedge.peers.stock import open_stock
from sakedge.runtime.threads import resolve_threads

TOLERANCE = 1e-5
"""Of a task's range."""
UNSURE = 1e-3
"""Share of labels that may differ: where two logits are equal up to rounding, either is right."""
SIZES = ("vit_small", "vit_base", "vit_large")
Outputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Form:
    """One way to export a student."""

    target: str = "onnxruntime"
    adapters: tuple[str, ...] | None = None
    tasks: tuple[str, ...] | None = None
    decode: bool = False

    def __str__(self) -> str:
        adapters = "all" if self.adapters is None else "+".join(self.adapters) or "none"
        tasks = "all" if self.tasks is None else "+".join(self.tasks)
        kind = "decoded" if self.decode else "logits"
        return f"opset {TARGETS[self.target].opset}, adapters {adapters}, tasks {tasks}, {kind}"


def forms(adapters: tuple[str, ...], tasks: tuple[str, ...]) -> Iterator[Form]:
    """What is tried of one student: every number of adapters, both opsets, decoded and not."""
    yield Form()
    yield Form("tensorrt")
    yield Form(decode=True)
    yield Form("tensorrt", decode=True)
    for kept in range(len(adapters)):
        yield Form(adapters=adapters[len(adapters) - kept :])
    yield Form(adapters=adapters[:1], tasks=tasks[::-2], decode=True)


def run(runtime: str, path: Path, images: NDArray[np.float32]) -> Outputs:
    """A graph's outputs by name, in a stock runtime."""
    if runtime == "onnxruntime":
        return open_stock(runtime, path, resolve_threads(None)).run(images)
    graph = onnx.load(path, load_external_data=False).graph
    names = [output.name for output in graph.output]
    if runtime == "openvino":
        compiled = (
            openvino()
            .Core()
            .compile_model(str(path), "CPU", settings("CPU", "fp32", resolve_threads(None)))
        )
        found = compiled(images)
        # A port may have further names, of values that are the same.
        return {name: found[compiled.output(name)] for name in names}
    network = cv2.dnn.readNetFromONNX(str(path))
    network.setInput(images, "image")
    return dict(zip(names, network.forward(names), strict=True))


def expected(path: Path, form: Form, images: NDArray[np.float32]) -> Outputs:
    """The student's own outputs: of all adapters from stock ONNX Runtime on its own file."""
    if form.adapters is None and not form.decode:
        found = open_stock("onnxruntime", path, resolve_threads(None)).run(images)
        return {task: found[task] for task in form.tasks or found}
    some = None if form.adapters is None else list(form.adapters)
    options: dict[str, Any] = {"backend": "onnxruntime", "precision": "fp32"}
    with sakedge.load(path, adapters=some, tasks=form.tasks, **options) as ours:
        result = ours.infer(images, logits=not form.decode).images[0]
    outputs = {
        task: output.values if form.decode else output.logits for task, output in result.items()
    }
    return {task: output[np.newaxis] for task, output in outputs.items() if output is not None}


def error(found: NDArray[Any], wanted: NDArray[Any], vectors: NDArray[np.float32] | None) -> float:
    """The largest difference as a share of the range; of labels, above `UNSURE`, their share.

    Args:
        found: A task's output.
        wanted: What it should be.
        vectors: The logits of unit vectors. The direction of a short one is uncertain: a difference
            of logits as large as its length can turn it round. So differences count by length.
    """
    if found.shape != wanted.shape:
        return float("inf")
    if np.issubdtype(found.dtype, np.integer):
        differing = float((found != wanted).mean())
        return differing if differing > UNSURE else 0.0
    difference, span = np.abs(found - wanted), np.ptp(wanted)
    if vectors is not None:
        difference *= np.linalg.norm(vectors, axis=1)[..., np.newaxis]
        span = np.ptp(vectors)
    return float(difference.max() / (span or 1.0))


def check(spec: Spec) -> bool:
    """Tries one student in all forms; prints a line per form and runtime."""
    path = student(spec)
    with StudentFile.open(path) as file:
        manifest = file.manifest
    images = np.ascontiguousarray(
        Normalizer(manifest.preprocess)(example(manifest.input_size))[np.newaxis], np.float32
    )
    unit = {task.name for task in manifest.tasks if task.kind == "normals"}
    fine = True
    for form in forms(manifest.adapter_names, manifest.task_names):
        wanted = expected(path, form, images)
        logits = expected(path, replace(form, decode=False), images) if form.decode else {}
        vectors = {task: logits[task] for task in unit & logits.keys()}
        with tempfile.TemporaryDirectory(prefix="sakedge-") as folder:
            fast = Path(folder) / "fast.onnx"
            sakedge.export(
                path,
                fast,
                form.target,
                adapters=form.adapters,
                tasks=form.tasks,
                decode=form.decode,
            )
            onnx.checker.check_model(str(fast), full_check=True)
            for runtime in ("onnxruntime", "openvino", "opencv"):
                begun = time.monotonic()
                found = run(runtime, fast, images)
                worst = max(error(found[t], wanted[t], vectors.get(t)) for t in wanted)
                passed = list(found) == list(wanted) and worst <= TOLERANCE
                fine &= passed
                print(
                    f"{'' if passed else 'FAILED '}{spec.name}, {form}, {runtime}: {worst:.1e} "
                    f"({time.monotonic() - begun:.0f} s)",
                    flush=True,
                )
    return fine


def main() -> int:
    """1 if one graph differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.check_exports", description=__doc__)
    parser.add_argument("sizes", nargs="*", help=f"of {', '.join(SIZES)}; all by default")
    sizes = parser.parse_args().sizes or list(SIZES)
    specs = [
        Spec(size, pixels, tasks=tasks)
        for size in sizes
        for pixels, tasks in (((512, 512), PASCAL), ((448, 576), NYUD))
    ]
    passed = [check(spec) for spec in specs]
    print(f"{sum(passed)} of {len(passed)} students within {TOLERANCE:.0e} of each task's range")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
