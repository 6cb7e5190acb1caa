"""A call sees one snapshot, whatever is exchanged between its images, tiles and retries."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.support.pictures import picture, same

import sakedge
from sakedge.backends import registry
from sakedge.backends.base import CompileOptions, Session
from sakedge.backends.onnxruntime.backend import OnnxRuntimeBackend
from sakedge.format import Subgraph
from sakedge.runtime.models import CHOOSABLE

between: list[Callable[[], object]] = []
"""What happens before each run of a session."""


class Interrupting(OnnxRuntimeBackend):
    """ONNX Runtime, and whatever `between` holds before each run."""

    name = "interrupting"

    def compile(self, subgraph: Subgraph, options: CompileOptions) -> Any:
        return Interrupted(super().compile(subgraph, options))


class Interrupted:
    def __init__(self, session: Session) -> None:
        self.details = session.details
        self._session = session

    def run(self, *inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        for happening in between:
            happening()
        return self._session.run(*inputs)


@pytest.fixture(params=CHOOSABLE)
def load(
    request: pytest.FixtureRequest, tiny_student: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], sakedge.Student]:
    """Loads the tiny student for a model, on a backend by name."""
    monkeypatch.setitem(registry.BACKENDS, "interrupting", f"{__name__}:Interrupting")
    config = {"model": request.param}
    return lambda backend: sakedge.load(tiny_student, backend=backend, config=config)


@pytest.fixture
def student(load: Callable[[str], sakedge.Student]) -> Iterator[sakedge.Student]:
    with load("interrupting") as student:
        yield student


@pytest.fixture
def other(load: Callable[[str], sakedge.Student]) -> Iterator[sakedge.Student]:
    """The same student, not interrupted."""
    with load("onnxruntime") as student:
        yield student


@pytest.fixture
def swaps(
    student: sakedge.Student, packs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """Swaps `sam` before each run of a session; the digests that it had after each swap."""
    seen: list[str] = []
    turns = itertools.cycle(packs)

    def swap() -> None:
        seen.append(student.adapters.swap("sam", next(turns)).manifest.digest)

    between.append(swap)
    yield seen
    between.remove(swap)


def digests(student: sakedge.Student) -> dict[str, str]:
    told = student.explain()
    return {"student": told.digest, **{k: v for k, v in told.digests.items() if k != "stem"}}


def test_images_of_a_call(
    student: sakedge.Student, other: sakedge.Student, swaps: list[str]
) -> None:
    images = [picture(64, 96, seed) for seed in range(4)]
    serial = other(images)
    began_with = digests(student)
    results = student(images)
    assert len(swaps) == 4
    for result, expected in zip(results, serial, strict=True):
        assert result.digests == began_with
        assert same(result, expected, 0)
    assert student(images[0], tasks=["edge"]).digests["adapters.sam"] == swaps[3]


def test_tiles_of_an_image(
    student: sakedge.Student, other: sakedge.Student, swaps: list[str]
) -> None:
    image = picture(150, 200)
    expected = other(image, fit="tile")
    began_with = digests(student)
    result = student(image, fit="tile")
    assert len(swaps) > 5
    assert result.digests == began_with
    assert same(result, expected, 0)


def test_retries_of_a_batch(student: sakedge.Student, swaps: list[str], tmp_path: Path) -> None:
    """One picture of the batch does not fit, so the others are run again, each alone."""
    for i in range(3):
        Image.fromarray(picture(64, 96, i)).save(tmp_path / f"{i}.png")
    Image.fromarray(picture(65, 96)).save(tmp_path / "1.png")
    began_with = digests(student)
    stream = student.stream(tmp_path, batch=3, fit="pad")
    results = list(stream)
    assert stream.error_count == 1
    assert len(swaps) >= 2
    assert [result.digests for result in results] == [began_with, began_with]


def test_inputs_that_were_made_ready(
    student: sakedge.Student, other: sakedge.Student, swaps: list[str]
) -> None:
    inputs = np.random.default_rng(0).standard_normal((3, 3, 64, 96), np.float32)
    expected = other.infer(inputs).images
    found = student.infer(inputs).images
    assert len(swaps) == 3
    for ours, theirs in zip(found, expected, strict=True):
        for task, output in theirs.items():
            np.testing.assert_array_equal(ours[task].values, output.values)


def test_removal_during_a_call(student: sakedge.Student) -> None:
    """Also where the call names the adapter that is removed meanwhile."""
    images = [picture(64, 96, seed) for seed in range(3)]
    remove = lambda: student.adapters.remove("sam")  # noqa: E731
    between.append(remove)
    try:
        results = student(images, adapters=["sam"])
    finally:
        between.remove(remove)
    assert [result.adapters for result in results] == [("sam",)] * 3
    assert student.adapters.active == ("dino",)


def test_every_result_under_swaps_equals_a_serial_run_of_its_digests(
    student: sakedge.Student, packs: list[Path]
) -> None:
    images = [picture(64, 96, 1), picture(100, 150, 2)]
    serial: dict[str, list[sakedge.Result]] = {}
    for pack in packs:
        student.adapters.swap("sam", pack)
        found = student(images, fit="tile")
        serial[found[0].digests["adapters.sam"]] = found
    done = threading.Event()

    def swap() -> None:
        for pack in itertools.cycle(packs):
            if done.is_set():
                return
            student.adapters.swap("sam", pack)

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            runs = list(pool.map(lambda _: student(images, fit="tile"), range(24)))
    finally:
        done.set()
        swapper.join()
    for run in runs:
        first, second = (result.digests for result in run)
        assert first == second
        for result, expected in zip(run, serial[first["adapters.sam"]], strict=True):
            assert same(result, expected, 0)
