"""A third party's backend may fail in any way, and what it returns is checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.stranger import ReferenceBackend

from sakedge.backends.base import CompileOptions, Support
from sakedge.backends.foreign import ForeignBackend
from sakedge.errors import BackendError
from sakedge.format import StudentFile, Subgraph


@pytest.fixture(scope="module")
def stem(tiny_student: Path) -> Iterator[Subgraph]:
    with StudentFile.open(tiny_student) as file:
        yield file.stem()


class Failing(ReferenceBackend):
    """Fails at one step, or returns something else than outputs."""

    def __init__(self, step: str = "", outputs: Any = None) -> None:
        self.step, self.outputs = step, outputs
        self.details = {"runtime": 5}

    def probe(self, device: str | None, precision: str) -> Support:
        if self.step == "probe":
            raise OSError("no driver")
        return super().probe(device, precision)

    def compile(self, subgraph: Subgraph, options: CompileOptions) -> Any:
        if self.step == "compile":
            raise MemoryError
        return self

    def run(self, images: object) -> Any:
        if self.step == "run":
            raise KeyError("x")
        return self.outputs


def images(stem: Subgraph) -> Any:
    return np.zeros((1, 3, *stem.input_size), np.float32)


def test_what_works_is_passed_on(stem: Subgraph) -> None:
    backend = ForeignBackend("stranger", ReferenceBackend())
    assert backend.devices == {"CPU": ("fp32",)}
    assert backend.probe("CPU", "fp32").ok
    assert not backend.probe("GPU", "fp32").ok
    session = backend.compile(stem, CompileOptions())
    assert session.details["runtime"] == "onnx.reference"
    assert len(session.run(images(stem))) == len(stem.outputs)


def test_a_probe_that_fails_is_a_reason() -> None:
    support = ForeignBackend("stranger", Failing("probe")).probe(None, "fp32")
    assert support == Support(False, "its probe failed (OSError: no driver)")


@pytest.mark.parametrize("step", ["compile", "run"])
def test_a_step_that_fails_is_a_backend_error(step: str, stem: Subgraph) -> None:
    backend = ForeignBackend("stranger", Failing(step))
    with pytest.raises(BackendError, match="the backend stranger failed"):
        backend.compile(stem, CompileOptions()).run(images(stem))


@pytest.mark.parametrize(
    "change",
    [
        lambda outputs: None,
        lambda outputs: outputs[:-1],
        lambda outputs: [*outputs, outputs[0]],
        lambda outputs: [each.astype(np.float64) for each in outputs],
        lambda outputs: [np.asfortranarray(each) for each in outputs],
        lambda outputs: [each[0] for each in outputs],
        lambda outputs: [each.tolist() for each in outputs],
        lambda outputs: [np.concatenate([each, each]) for each in outputs],
    ],
    ids=["None", "fewer", "more", "float64", "strided", "no batch", "lists", "another batch"],
)
def test_what_are_no_outputs_are_refused(change: Any, stem: Subgraph) -> None:
    sound = ReferenceBackend().compile(stem, CompileOptions()).run(images(stem))
    backend = ForeignBackend("stranger", Failing(outputs=change(sound)))
    with pytest.raises(BackendError, match="the backend stranger"):
        backend.compile(stem, CompileOptions()).run(images(stem))
