"""Transposed matrices in the cache: same outputs, stored once, then found, rewritten if damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sakedge.backends import registry
from sakedge.backends.arrays import input_shapes
from sakedge.backends.base import CompileOptions
from sakedge.backends.openvino import blobs
from sakedge.backends.openvino.core import core
from sakedge.backends.openvino.model import read_model, transpose
from sakedge.backends.openvino.session import OpenVinoSession
from sakedge.backends.openvino.settings import settings
from sakedge.backends.openvino.transposed import transposed
from sakedge.format import GraphForm, StudentFile, Subgraph

BF16 = registry.probe("openvino", "CPU", "bf16")
needs_bf16 = pytest.mark.skipif(not BF16.ok, reason=f"no bf16 here: {BF16.reason}")


@pytest.fixture(scope="module")
def stem(tiny_student: Path) -> Iterator[Subgraph]:
    with StudentFile.open(tiny_student) as file:
        yield file.stem()


@pytest.fixture
def any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "CPU_LIMIT", 0)


def matrices(stem: Subgraph) -> list[str]:
    return [name for name, weight in stem.weights.items() if weight.ndim == 2]


def ran(stem: Subgraph, folder: Path | None) -> tuple[str, list[NDArray[np.float32]]]:
    options = CompileOptions(threads=1, precision="bf16", cache_dir=folder)
    session = registry.get("openvino").compile(stem, options)
    images = np.random.default_rng(0).standard_normal((1, 3, *stem.input_size), np.float32)
    return session.details["weights"], list(session.run(images))


@needs_bf16
@pytest.mark.usefixtures("any_size")
def test_a_stem_gives_the_same_bits_with_its_matrices_transposed(
    stem: Subgraph, tmp_path: Path
) -> None:
    plain, expected = ran(stem, None)
    first, stored = ran(stem, tmp_path)
    second, found = ran(stem, tmp_path)
    assert plain.startswith("as in the file")
    assert (first, second) == ("transposed, stored in the cache", "transposed, from the cache")
    for outputs in (stored, found):
        for ours, theirs in zip(outputs, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("part", ["stem", "whole"])
def test_a_graph_computes_the_same_with_its_matrices_transposed(
    part: str, tiny_student: Path, tmp_path: Path
) -> None:
    """In fp32, so that it is tested where the CPU has no bf16 as well."""
    with StudentFile.open(tiny_student) as file:
        whole = GraphForm(("edge",), file.manifest.adapter_names, outputs="maps")
        graph = file.stem() if part == "stem" else file.exported(whole)
    images = np.random.default_rng(0).standard_normal((1, 3, *graph.input_size), np.float32)
    config = settings("CPU", "fp32", threads=1)
    outputs = []
    for folder in (None, tmp_path):
        model = read_model(graph)
        options = CompileOptions(precision="bf16", cache_dir=folder)
        found = transpose(model, graph, "CPU", options)
        compiled = core().compile_model(model, "CPU", config)
        outputs.append(OpenVinoSession(compiled, input_shapes(graph), {}, found).run(images))
    left = {name for name in graph.weights if name.startswith("interpolate.")}
    assert set(found.matrices) == set(matrices(graph)) - left
    for ours, theirs in zip(*outputs, strict=True):
        assert np.abs(ours - theirs).max() <= 1e-5 * np.ptp(theirs)


@needs_bf16
@pytest.mark.usefixtures("any_size")
def test_a_cache_that_cannot_be_written_is_done_without(stem: Subgraph, tmp_path: Path) -> None:
    (tmp_path / "openvino-transposed").write_text("no folder")
    state, outputs = ran(stem, tmp_path)
    assert state.startswith("as in the file: ")
    for ours, theirs in zip(outputs, ran(stem, None)[1], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_matrices_are_aligned_transposes(stem: Subgraph, tmp_path: Path) -> None:
    names = matrices(stem)
    for state in ("transposed, stored in the cache", "transposed, from the cache"):
        found = transposed(stem, names, tmp_path)
        assert found.state == state
        assert list(found.matrices) == names
        for name, matrix in found.matrices.items():
            np.testing.assert_array_equal(matrix, stem.weights[name].T)
            assert matrix.ctypes.data % 64 == 0
            assert not matrix.flags.writeable


def test_pages_that_were_given_back_are_read_again(stem: Subgraph, tmp_path: Path) -> None:
    found = transposed(stem, matrices(stem), tmp_path)
    found.release()
    for name, matrix in found.matrices.items():
        np.testing.assert_array_equal(matrix, stem.weights[name].T)


@pytest.mark.parametrize("damage", ["flip", "cut"])
def test_a_damaged_file_is_written_anew(stem: Subgraph, tmp_path: Path, damage: str) -> None:
    names = matrices(stem)
    transposed(stem, names, tmp_path)
    (entry,) = tmp_path.iterdir()
    data = bytearray(entry.read_bytes())
    data[-1] ^= 1
    entry.write_bytes(data if damage == "flip" else data[:-64])
    found = transposed(stem, names, tmp_path)
    assert found.state == "transposed, stored in the cache"
    for name, matrix in found.matrices.items():
        np.testing.assert_array_equal(matrix, stem.weights[name].T)
