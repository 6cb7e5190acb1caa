"""`export`: from a student to a graph that other runtimes run fast, without anything of ours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onnx import helper

from sakedge.arguments import flag, in_range, one_of, pick
from sakedge.errors import OptionError, UnknownAdapterError, UnknownTaskError, shown
from sakedge.exporting.targets import TARGETS
from sakedge.files.paths import file_path
from sakedge.files.targets import refuse_inputs
from sakedge.format import OPSETS, GraphForm, StudentFile, write_graph
from sakedge.progress import Progress
from sakedge.text import to_json

DYNAMIC = "dynamic"
MOST_IMAGES = 4096
"""Of a fixed batch: more than any memory holds the features of."""


@dataclass(frozen=True)
class Export:
    """What was exported.

    Attributes:
        files: What was written: the model, and the file with its weights if they do not fit in.
        bytes: Their size.
        target: Name of the runtime it was written for.
        opset: Version of its operators.
        inputs: By name, type and shape, e.g. `float32 [batch, 3, 512, 512]`.
        outputs: The same of its outputs, in their order.
        adapters: Adapters in it.
        tasks: Tasks in it.
        notes: What a user has to know, one sentence each.
    """

    files: tuple[Path, ...]
    bytes: int
    target: str
    opset: int
    inputs: dict[str, str]
    outputs: dict[str, str]
    adapters: tuple[str, ...]
    tasks: tuple[str, ...]
    notes: tuple[str, ...]


def export(
    student: str | os.PathLike[str],
    output: str | os.PathLike[str],
    target: str = "onnxruntime",
    *,
    opset: int | None = None,
    adapters: str | Sequence[str] | None = None,
    tasks: str | Sequence[str] | None = None,
    decode: bool = False,
    uint8: bool = False,
    batch: int | str | None = None,
    progress: Progress | None = None,
) -> Export:
    """Writes a student as a plain ONNX graph.

    The graph computes what the student computes, with the heads' convolution before the upsampling
    (docs/algebra.md, section 1): for ViT-B with five tasks with 28 % of the multiplications.

    Args:
        student: A `student.onnx`.
        output: Where to write; replaced atomically. Weights that do not fit into one file (2 GB) go
            beside it.
        target: The runtime, one of `TARGETS`: it decides the opset, the batch and the type of
            labels. The file is plain ONNX all the same.
        opset: Another version of ONNX's operators, from 17 on. Below 23 attention is written in
            products and a softmax.
        adapters: Adapters to keep; None is all, `[]` the stem alone.
        tasks: Tasks to keep, in the order of the outputs; None is all.
        decode: Whether outputs are decoded values as a `Result` has them, rather than logits.
        uint8: Whether images are uint8 RGB, [batch, H, W, 3], and normalised in the graph, rather
            than normalised float32, [batch, 3, H, W].
        batch: Images in one run, or `dynamic`.
        progress: Called with the progress made.

    Raises:
        FileFormatError: The file is not a student, or is damaged; the subclass names the cause.
        UnknownAdapterError, UnknownTaskError: The message lists the valid names.
        OptionError: Another argument is invalid, or `output` is the student itself.
        StorageError: A file cannot be read or written.
    """
    one_of("target", target, tuple(TARGETS))
    wanted = TARGETS[target]
    version = wanted.opset if opset is None else _opset(opset)
    images = _batch(batch, wanted.batch)
    path, place = file_path("a student", student), file_path("the exported graph", output)
    with StudentFile.open(path) as file, file.sparing():
        refuse_inputs(place, file.files)
        manifest = file.manifest
        kept = pick("adapter", adapters, manifest.adapter_names, UnknownAdapterError)
        form = GraphForm(
            tasks=pick("task", tasks, manifest.task_names, UnknownTaskError),
            adapters=tuple(name for name in manifest.adapter_names if name in kept),
            outputs="decoded" if flag("decode", decode) else "logits",
            opset=version,
            uint8=flag("uint8", uint8),
            batch=images,
            small_labels=wanted.small_labels,
        )
        if not form.tasks:
            names = ", ".join(manifest.task_names)
            raise OptionError("no task was asked for", expected=f"some of {names}")
        if form.outputs == "decoded" and manifest.preprocess.fit == "tile":
            raise OptionError(
                "decoded tiles cannot be blended",
                expected="logits, which are averaged where tiles overlap and then decoded",
                got=f"{path.name}, which cuts images into tiles, and decoded outputs",
                remedy="Export without decoding",
            )
        graph = file.exported(form)
        files = write_graph(place, graph, _description(file, form, target), progress=progress)
    return Export(
        files=files,
        bytes=sum(each.stat().st_size for each in files),
        target=target,
        opset=version,
        inputs=_signature(graph.plain.inputs),
        outputs=_signature(graph.plain.outputs),
        adapters=form.adapters,
        tasks=form.tasks,
        notes=wanted.notes(version),
    )


def _opset(opset: Any) -> int:
    in_range("opset", opset, low=OPSETS.start, high=OPSETS.stop - 1, whole=True)
    return int(opset)


def _batch(batch: Any, usual: int | None) -> int | None:
    if batch is None:
        return usual
    if isinstance(batch, str) and batch == DYNAMIC:
        return None
    if isinstance(batch, str):
        raise OptionError(
            "batch is no number of images",
            expected=f"a whole number from 1 to {MOST_IMAGES}, or {DYNAMIC}",
            got=shown(batch),
        )
    in_range("batch", batch, low=1, high=MOST_IMAGES, whole=True)
    return int(batch)


def _description(file: StudentFile, form: GraphForm, target: str) -> str:
    """What a reader of the graph alone would want to know of it, as JSON."""
    manifest = file.manifest
    infos = {task.name: task for task in manifest.tasks}
    return to_json(
        {
            "student": file.content_digest,
            "tool": manifest.provenance.tool,
            "license": manifest.provenance.license,
            "target": target,
            "adapters": list(form.adapters),
            "tasks": [
                infos[name].model_dump(mode="json", exclude_none=True) for name in form.tasks
            ],
            "outputs": form.outputs,
            "preprocess": manifest.preprocess.model_dump(mode="json"),
        }
    )


def _signature(values: Sequence[Any]) -> dict[str, str]:
    """Type and shape of a graph's inputs or outputs, by name."""
    found = {}
    for value in values:
        tensor = value.type.tensor_type
        dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
        shape = (dim.dim_param or str(dim.dim_value) for dim in tensor.shape.dim)
        found[value.name] = f"{dtype} [{', '.join(shape)}]"
    return found
