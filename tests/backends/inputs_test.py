"""Graphs with further inputs: each image gets its own values, and others are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.support.gated import expected, gated, values
from tests.support.stranger import ReferenceBackend

from sakedge.backends import registry
from sakedge.backends.base import Backend, CompileOptions, Session
from sakedge.backends.foreign import ForeignBackend
from sakedge.errors import BackendError
from sakedge.format import StudentFile


@pytest.fixture(params=[*registry.BACKENDS, "reference"])
def backend(request: pytest.FixtureRequest) -> Backend:
    if request.param == "reference":
        return ForeignBackend("reference", ReferenceBackend())
    return registry.get(request.param)


@pytest.fixture
def session(backend: Backend) -> Session:
    return backend.compile(gated(), CompileOptions(threads=1))


@pytest.mark.parametrize("batch", [1, 3])
def test_each_image_gets_its_own_values(session: Session, batch: int) -> None:
    given = values(batch)
    (output,) = session.run(*given)
    np.testing.assert_allclose(output, expected(*given), atol=1e-5)


def test_an_empty_batch_gives_empty_outputs(session: Session) -> None:
    assert session.run(*values(0))[0].shape == (0, 3, 8, 12)


def test_read_only_and_strided_values_are_taken(session: Session) -> None:
    images, gate, offset = values(2)
    gate.flags.writeable = False
    strided = np.ascontiguousarray(offset[:, ::-1])[:, ::-1]
    (output,) = session.run(images, gate, strided)
    np.testing.assert_allclose(output, expected(images, gate, offset), atol=1e-5)


def test_the_compiled_graph_comes_back_from_the_cache_with_its_inputs(tmp_path: Any) -> None:
    options = CompileOptions(threads=1, cache_dir=tmp_path)
    stored, hit = (registry.get("openvino").compile(gated(), options) for _ in range(2))
    assert (stored.details["cache"], hit.details["cache"]) == ("stored", "hit")
    given = values(2)
    np.testing.assert_array_equal(hit.run(*given)[0], stored.run(*given)[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda given: given[:1], "expected image, gate, offset; got 1 arrays"),
        (lambda given: [*given, given[0]], "expected image, gate, offset; got 4 arrays"),
        (lambda given: [given[0], given[2], given[1]], r"input gate .* float32 \[2, 3, 1, 1\]"),
        (lambda given: [*given[:2], given[2][:1]], r"input offset .* \[2, 12\]; got .* \[1, 12\]"),
        (lambda given: [*given[:2], given[2].astype(np.float64)], "input offset .* got float64"),
        (lambda given: [*given[:2], None], "input offset .* got NoneType"),
        (lambda given: [None, *given[1:]], r"input image .* \[batch, 3, 8, 12\]; got NoneType"),
        (lambda given: [given[0][0, 0, 0, 0], *given[1:]], r"input image .* got .*float32"),
    ],
    ids=["fewer", "more", "order", "another batch", "float64", "None", "no image", "scalar"],
)
def test_other_values_are_refused(session: Session, change: Any, message: str) -> None:
    with pytest.raises(BackendError, match=message):
        session.run(*change(values(2)))


class OneInput(ReferenceBackend):
    """Compiles sessions as they were before graphs had further inputs."""

    def compile(self, subgraph: Any, options: CompileOptions) -> Any:
        session = super().compile(subgraph, options)

        class Plain:
            details = session.details

            def run(self, images: Any) -> Any:
                return session.run(images)

        return Plain()


def test_a_backend_that_takes_images_only_is_refused_when_it_compiles() -> None:
    backend = ForeignBackend("plain", OneInput())
    with pytest.raises(BackendError, match=r"plain takes no graph with further inputs; .*run\(im"):
        backend.compile(gated(), CompileOptions(threads=1))


def test_a_backend_that_takes_images_only_runs_what_has_no_further_inputs(
    tiny_student: Any,
) -> None:
    with StudentFile.open(tiny_student) as file:
        stem = file.stem()
    session = ForeignBackend("plain", OneInput()).compile(stem, CompileOptions(threads=1))
    images = np.zeros((1, 3, *stem.input_size), np.float32)
    assert len(session.run(images)) == len(stem.outputs)
    with pytest.raises(BackendError, match="expected image; got 2 arrays"):
        session.run(images, images)


class Particular(ReferenceBackend):
    """Has a say in the opset."""

    def opset(self, device: str | None) -> int:
        return {"CPU": 17, "NEXT": 24}[str(device)]


def test_a_backend_may_have_a_say_in_the_opset() -> None:
    assert ForeignBackend("plain", ReferenceBackend()).opset("CPU") == 23
    particular = ForeignBackend("particular", Particular())
    assert particular.opset("CPU") == 17
    with pytest.raises(BackendError, match="particular failed to choose an opset"):
        particular.opset("NONE")
    with pytest.raises(BackendError, match="expected 17 to 23; got 24"):
        particular.opset("NEXT")
