"""Observing a stem, and moving its outliers into the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.quantize.conftest import noise

from sakedge.format import StudentFile
from sakedge.format.student.int8 import stem_layers
from sakedge.peers.stock import open_stock
from sakedge.quantizing import calibration
from sakedge.quantizing.calibration import observe
from sakedge.quantizing.inputs import Images, inputs_of
from sakedge.quantizing.observing import Observer
from sakedge.quantizing.smoothing import can_be_smoothed, fit, fold
from sakedge.quantizing.student import Int8Student

RNG = np.random.default_rng(1)


def silent(step: str, share: float) -> None:
    pass


def observed(tokens: np.ndarray, images: int = 4) -> Observer:
    seen = Observer(tokens.shape[1], images)
    for part in np.array_split(tokens, images):
        seen.see(part)
    return seen


def test_an_observer_knows_each_channel_and_keeps_the_rarest_tokens() -> None:
    tokens = RNG.normal(0, 1, (8000, 2048)).astype(np.float32)
    tokens[1234, 7] = 400
    seen = observed(tokens)
    assert np.array_equal(seen.low, tokens.min(axis=0))
    assert np.array_equal(seen.high, tokens.max(axis=0))
    rows, counts = seen.sample
    assert 512 <= len(rows) <= 520  # and never the tokens themselves
    assert counts.sum() == pytest.approx(8000)
    assert counts[rows[:, 7] == 400] == [1]


def test_outliers_in_few_channels_are_moved_where_that_helps() -> None:
    tokens = RNG.normal(0, 1, (2000, 64)).astype(np.float32)
    weight = RNG.normal(0, 0.1, (64, 48)).astype(np.float32)
    tokens[::50, 3] *= 100
    weight[3] /= 100
    how = fit(weight, observed(tokens), "minmax", smooth=True)
    assert how.smoothing is not None
    assert how.smoothing.argmax() == 3
    assert how.error < 0.03 < how.plain_error
    plain = fit(weight, observed(tokens), "minmax", smooth=False)
    assert plain.smoothing is None
    assert plain.error == how.plain_error


def test_smoothing_is_not_taken_where_it_does_not_help() -> None:
    tokens = RNG.uniform(-1, 1, (2000, 64)).astype(np.float32)
    weight = RNG.choice([-0.1, 0.1], (64, 48)).astype(np.float32)
    how = fit(weight, observed(tokens), "minmax", smooth=True)
    assert how.smoothing is None
    assert how.error == how.plain_error


def test_a_dead_channel_and_an_unused_one_are_left_alone() -> None:
    tokens = RNG.normal(0, 1, (2000, 64)).astype(np.float32)
    weight = RNG.normal(0, 0.1, (64, 48)).astype(np.float32)
    tokens[:, 3] = 30 * tokens[:, 4]
    tokens[:, 5], weight[6] = 0, 0
    how = fit(weight, observed(tokens), "minmax", smooth=True)
    assert how.smoothing is not None
    assert how.smoothing[[5, 6]].tolist() == [1, 1]


@pytest.fixture
def seen(tiny_student: Path) -> dict[str, Observer]:
    with StudentFile.open(tiny_student) as file:
        return observe(file, Images(noise(3), None), threads=1, progress=silent)


def test_every_layer_is_observed_also_in_groups(
    tiny_student: Path, seen: dict[str, Observer], monkeypatch: pytest.MonkeyPatch
) -> None:
    with StudentFile.open(tiny_student) as file:
        assert tuple(seen) == stem_layers(file.manifest.architecture)
        monkeypatch.setattr(calibration, "_TOGETHER", 1 << 14)
        apart = observe(file, Images(noise(3), None), threads=1, progress=silent)
    for layer, observer in seen.items():
        assert np.allclose(apart[layer].high, observer.high, rtol=1e-4, atol=1e-5)


def test_the_first_layer_sees_what_a_plain_computation_gives(
    tiny_student: Path, seen: dict[str, Observer]
) -> None:
    with StudentFile.open(tiny_student) as file:
        stem, manifest = file.component("stem"), file.manifest
        images = Images(noise(3), None)
        (x,) = inputs_of(images[0], manifest)
    patches = x[0].reshape(3, 4, 16, 6, 16).transpose(1, 3, 0, 2, 4).reshape(24, -1)
    tokens = patches @ stem["stem.patch_embed.weight"].reshape(48, -1).T
    tokens = np.concatenate((stem["stem.cls_token"][0], tokens + stem["stem.patch_embed.bias"]))
    tokens += stem["stem.pos_embed"][0]
    normed = (tokens - tokens.mean(1, keepdims=True)) / np.sqrt(tokens.var(1, keepdims=True) + 1e-6)
    normed = normed * stem["stem.blocks.0.norm1.weight"] + stem["stem.blocks.0.norm1.bias"]
    rows, _ = seen["stem.blocks.0.attn.qkv"].sample
    distances = np.abs(rows[np.newaxis] - normed[:, np.newaxis]).max(axis=2).min(axis=1)
    assert distances.max() < 1e-4


def test_smoothing_changes_nothing_in_floats(
    tiny_student: Path, seen: dict[str, Observer], tmp_path: Path
) -> None:
    with StudentFile.open(tiny_student) as file:
        stem = dict(file.component("stem"))
        fitted = {}
        for layer, inputs in seen.items():
            weight = stem[f"{layer}.weight"]
            smooth = can_be_smoothed(layer)
            fitted[layer] = fit(weight, inputs, "minmax", smooth=smooth)
        folded = fold(stem, fitted)
        assert sum(how.smoothing is not None for how in fitted.values()) > 4
        made = Int8Student(file, fitted, "test")
        made.write(tmp_path / "floats.onnx", made.parts)
        assert made.weights(made.parts) > 100_000
    changed = [name for name in stem if not np.array_equal(stem[name], folded[name])]
    assert any("norm1" in name for name in changed)
    images = np.concatenate([next(inputs_of(p, file.manifest)) for p in Images(noise(2), None)])
    before, after = (
        open_stock("onnxruntime", path, 1).run(images)
        for path in (tiny_student, tmp_path / "floats.onnx")
    )
    for task, logits in before.items():
        assert np.abs(after[task] - logits).max() < 1e-5 * np.ptp(logits)
