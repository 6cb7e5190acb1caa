"""Converted students compute what the paper's own form does, in all its variants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from tests.reference.sak import ReferenceStudent
from tools.checkpoint import load_state, make_checkpoint, save_state

from sakedge.convert import convert
from sakedge.format import Storage, StudentFile

TINY: dict[str, Any] = {"width": 48, "blocks": 4, "attention_heads": 3}


def _agree(checkpoint: Path, student: Path, teachers: tuple[str, ...], heads: int = 3) -> None:
    session = ort.InferenceSession(student)
    names = [output.name for output in session.get_outputs()]
    height, width = session.get_inputs()[0].shape[2:]
    image = np.random.default_rng(3).standard_normal((3, height, width)).astype(np.float32)
    logits = dict(zip(names, session.run(None, {"image": image[None]}), strict=True))
    expected, _ = ReferenceStudent(load_state(checkpoint), teachers, names, heads)(image)
    for name in names:
        # float32 all the way against float64: about 4e-7 of the range was seen.
        error = np.abs(logits[name][0] - expected[name]).max() / np.ptp(expected[name])
        assert error < 5e-6, (name, error)


@pytest.mark.parametrize(
    "variant",
    [
        {"teachers": ("sam", "dino", "clip")},
        {"teachers": ("one",), "noisy": False},
        {"teachers": ()},
        {"teachers": ("b", "a"), "router": "none"},
        {"teachers": (), "router": "none"},
        {"teachers": ("b", "a"), "aligners": True},
        {"dataset": "pascalcontext", "input_size": (32, 48), "teachers": ("dino",)},
        {"dataset": "nyud", "input_size": (48, 32), "teachers": ("dino",), "tasks": ("depth",)},
    ],
    ids=str,
)
def test_every_variant_agrees_with_the_reference(tmp_path: Path, variant: dict[str, Any]) -> None:
    checkpoint, config = make_checkpoint(tmp_path, **TINY, **variant)
    report = convert(checkpoint, config, tmp_path / "student.onnx")
    assert report.manifest.adapter_names == variant["teachers"]
    _agree(checkpoint, tmp_path / "student.onnx", variant["teachers"])


def test_vit_tiny_agrees_with_the_reference(tmp_path: Path) -> None:
    checkpoint, config = make_checkpoint(tmp_path, vit="vit_tiny", teachers=("a", "b"))
    report = convert(checkpoint, config, tmp_path / "student.onnx")
    assert report.manifest.levels == (2, 5, 8, 11)
    _agree(checkpoint, tmp_path / "student.onnx", ("a", "b"))


def test_a_bare_state_dict_and_half_precision_weights_are_read(tmp_path: Path) -> None:
    import torch

    checkpoint, config = make_checkpoint(tmp_path, **TINY)
    model = torch.load(checkpoint, weights_only=True)["model"]
    half = {k: v.half() if v.is_floating_point() else v for k, v in model.items()}
    torch.save(half, tmp_path / "bare.pth")
    save_state(checkpoint, {key: value.float().numpy() for key, value in half.items()})
    convert(tmp_path / "bare.pth", config, tmp_path / "bare.onnx")
    convert(checkpoint, config, tmp_path / "whole.onnx")
    with (
        StudentFile.open(tmp_path / "bare.onnx") as bare,
        StudentFile.open(tmp_path / "whole.onnx") as whole,
    ):
        assert bare.content_digest == whole.content_digest


def test_a_checkpoint_of_an_old_torch_is_read(tmp_path: Path) -> None:
    import torch

    checkpoint, config = make_checkpoint(tmp_path, **TINY)
    whole = torch.load(checkpoint, weights_only=True)
    torch.save(whole, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    convert(tmp_path / "old.pth", config, tmp_path / "old.onnx")
    convert(checkpoint, config, tmp_path / "new.onnx")
    with (
        StudentFile.open(tmp_path / "old.onnx") as old,
        StudentFile.open(tmp_path / "new.onnx") as new,
    ):
        assert old.content_digest == new.content_digest


def test_fp16_stores_the_rounded_weights(tmp_path: Path) -> None:
    checkpoint, config = make_checkpoint(tmp_path, **TINY)
    convert(checkpoint, config, tmp_path / "full.onnx")
    report = convert(checkpoint, config, tmp_path / "half.onnx", dtype="fp16")
    assert report.manifest.storage == Storage.uniform("fp16")
    with (
        StudentFile.open(tmp_path / "full.onnx") as full,
        StudentFile.open(tmp_path / "half.onnx") as half,
    ):
        for component in full.manifest.components:
            stored = half.component(component)
            for name, tensor in full.component(component).items():
                assert np.array_equal(stored[name], tensor.astype(np.float16))


def test_the_lineage_is_the_float32_stem_whatever_the_stem_is_stored_as(tmp_path: Path) -> None:
    checkpoint, config = make_checkpoint(tmp_path, **TINY)
    full = convert(checkpoint, config, tmp_path / "full.onnx").manifest
    half = convert(checkpoint, config, tmp_path / "half.onnx", dtype="fp16").manifest
    assert half.stem_lineage == full.stem_lineage == full.digests["stem"]
    assert half.stem_lineage != half.digests["stem"]


def test_lora_factors_are_merged(tmp_path: Path) -> None:
    checkpoint, config = make_checkpoint(tmp_path, **TINY, lora=True)
    report = convert(checkpoint, config, tmp_path / "student.onnx")
    assert "LoRA factors merged into 9 weights" in report.notes
    state = load_state(checkpoint)
    merged = {key: value for key, value in state.items() if "base_model" not in key}
    prefix = "backbone.vit.base_model.model."
    for key, value in state.items():
        if not key.startswith(prefix) or ".lora_" in key:
            continue
        values = value.astype(np.float64)
        base = key.removesuffix(".base_layer.weight")
        if base != key:
            a = state[f"{base}.lora_A.default.weight"].reshape(4, -1).astype(np.float64)
            b = state[f"{base}.lora_B.default.weight"].reshape(-1, 4).astype(np.float64)
            values = values + 6 / 4 * (b @ a).reshape(values.shape)
        merged[f"backbone.vit.{key.removeprefix(prefix).replace('.base_layer', '')}"] = values
    save_state(tmp_path / "merged.pth", merged)
    _agree(tmp_path / "merged.pth", tmp_path / "student.onnx", ("dino", "sam"))


def test_the_manifest_tells_what_the_configuration_says(tiny_student: Path) -> None:
    with StudentFile.open(tiny_student) as file:
        manifest = file.manifest
    assert manifest.input_size == (64, 96) and manifest.grid == (4, 6)
    assert manifest.levels == (0, 1, 2, 3)
    assert [task.kind for task in manifest.tasks] == [
        "labels",
        "probability",
        "two_class",
        "normals",
        "scalar",
    ]
    assert manifest.tasks[0].labels == ("sound", "scratch", "dent", "stain")
    assert manifest.tasks[4].unit == "mm"
    assert [adapter.teacher for adapter in manifest.adapters] == ["dino_base", "sam_base"]
    assert manifest.provenance.source_sha256 is not None


def test_the_two_data_sets_bring_labels_and_colours(tmp_path: Path) -> None:
    for dataset, semseg, first in (("pascalcontext", 21, "background"), ("nyud", 40, "wall")):
        checkpoint, config = make_checkpoint(
            tmp_path, **TINY, dataset=dataset, input_size=(32, 32), teachers=()
        )
        tasks = convert(checkpoint, config, tmp_path / "student.onnx").manifest.tasks
        assert tasks[0].classes == semseg
        assert tasks[0].labels is not None and tasks[0].labels[0] == first
        assert tasks[0].colors is not None and len(set(tasks[0].colors)) == semseg


def test_mean_std_and_fit_reach_the_manifest(tmp_path: Path) -> None:
    checkpoint, config = make_checkpoint(tmp_path, **TINY)
    with config.open("a") as file:
        file.write("mean: [0.5, 0.4, 0.3]\nstd: [0.1, 0.2, 0.3]\n")
    report = convert(checkpoint, config, tmp_path / "student.onnx", fit="tile")
    assert report.manifest.preprocess.mean == (0.5, 0.4, 0.3)
    assert report.manifest.preprocess.std == (0.1, 0.2, 0.3)
    assert report.manifest.preprocess.fit == "tile"
