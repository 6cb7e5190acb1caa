"""A student through `sakedge.load` and the whole CUDA path, on the emulated device.

That each kernel and the student computes what it should is held against float64 elsewhere; here
it is held against the host model, as closely as `sakedge verify` holds it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cuda.student.archive import start
from tests.cuda.student.capsules import DeviceArray, Exported
from tests.cuda.student.machine import PATH, emulated, on_device
from tests.support.int8 import quantised_student
from tests.support.pictures import picture

import sakedge
from sakedge.checks.doctor_cuda import examine_cuda
from sakedge.checks.tolerances import TOLERANCES
from sakedge.errors import BackendError, DeviceError, DeviceLostError, DeviceMemoryError


@pytest.fixture(scope="module", autouse=True)
def _kernels(request: pytest.FixtureRequest) -> None:
    """The process that has the device is told which kernels it runs."""
    os.environ[PATH] = request.config.getoption("--cuda-path")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A student that the kernels are written for: four blocks, one head of 64 channels, 64 x 96."""
    from tools.checkpoint import make_checkpoint

    from sakedge.convert import convert

    folder = tmp_path_factory.mktemp("checkpoint")
    checkpoint = make_checkpoint(folder, width=64, blocks=4, attention_heads=1)
    convert(*checkpoint, folder / "student.onnx")
    return str(folder / "student.onnx")


def load(path: str, **options: Any) -> sakedge.Student:
    return sakedge.load(path, backend="cuda", threads=1, **options)


def host(path: str, **options: Any) -> sakedge.Student:
    return sakedge.load(path, backend="onnxruntime", threads=1, **options)


def assert_near(ours: sakedge.Result, theirs: sakedge.Result, precision: str) -> None:
    """Values of the same shape and type; logits no further apart than the precision allows."""
    for task, expected in theirs.outputs.items():
        found = ours[task]
        assert found.values.shape == expected.values.shape
        assert found.values.dtype == expected.values.dtype
        if found.logits is None or expected.logits is None:
            continue
        error = np.abs(found.logits - expected.logits).max() / np.ptp(expected.logits)
        assert error <= TOLERANCES[precision], f"{task}: {error}"


@pytest.mark.parametrize("precision", ["fp16", "bf16", "int8"])
@on_device
def test_logits_are_those_of_the_host_model(precision: str, path: str) -> None:
    start()
    image = picture(64, 96)
    with host(path) as cpu, load(path, precision=precision) as student:
        told = student.explain()
        found, expected = student(image, logits=True), cpu(image, logits=True)
        assert_near(found, expected, precision)
        for task, routing in expected.routing.items():
            np.testing.assert_allclose(
                found.routing[task].weights, routing.weights, atol=TOLERANCES[precision], rtol=0
            )
    assert (told.model, told.backend, told.device) == ("cuda", "cuda", "CUDA")
    assert (told.precision, told.decoder_precision) == (precision, precision)
    assert told.stem_precision == ("fp16" if precision == "int8" else precision)
    assert told.quality == found.quality == "unverified"
    assert found.backend == "cuda"
    assert [*found.speed] == ["preprocess", "upload", "device", "download", "postprocess"]
    assert all(ms >= 0 for ms in found.speed.values())


@on_device
def test_a_quantised_student_keeps_its_integers(path: str) -> None:
    start()
    quantised = Path(path).with_name("int8.onnx")
    quantised_student(Path(path), quantised)
    image = picture(64, 96)
    with host(path) as cpu:
        expected = cpu(image, logits=True)
    for stem in ("int8", "fp16"):
        config = {"stem": stem}
        with load(str(quantised), precision="int8", config=config) as student:
            assert student.explain().stem_precision == stem
            assert_near(student(image, logits=True), expected, "int8")


@on_device
def test_every_fit_gives_what_the_host_model_gives(path: str) -> None:
    start()
    with host(path) as cpu, load(path) as student:
        for size, fit in [((31, 50), "pad"), ((80, 130), "letterbox"), ((20, 90), "letterbox")]:
            ours = student(picture(*size), fit=fit, logits=True)
            assert_near(ours, cpu(picture(*size), fit=fit, logits=True), "fp16")
        ours = student(picture(64, 130), fit="tile")
        expected = cpu(picture(64, 130), fit="tile")
        assert_near(ours, expected, "fp16")
        for task, output in expected.outputs.items():
            if output.info.kind == "labels":
                assert np.mean(ours[task].values == output.values) > 0.95
            elif output.info.kind == "probability":
                # A sigmoid is at most a quarter as steep as its logit, of which the largest is 1.
                assert np.abs(ours[task].values - output.values).max() < 0.02
        for dtype, white in ((np.uint16, 65535), (np.float32, 1)):
            pixels = (picture(64, 96) / 255 * white).astype(dtype)
            assert_near(student(pixels, logits=True), cpu(pixels, logits=True), "fp16")


@on_device
def test_images_of_a_batch_have_their_own_adapters_and_the_bits_of_single_ones(path: str) -> None:
    start()
    images = [picture(64, 96, 1), picture(50, 60, 2), picture(50, 60, 2)]
    choices: list[Any] = [None, ["sam"], []]
    with load(path) as student:
        together = student(images, adapters=choices)
        single = [student(i, adapters=a) for i, a in zip(images, choices, strict=True)]
        assert [each.adapters for each in together] == [("dino", "sam"), ("sam",), ()]
        assert [t.values_digest for t in together] == [s.values_digest for s in single]
        inputs = np.zeros((2, 3, 64, 96), np.float32)
        (first, second) = student.infer(inputs).images
        for task in student.tasks:
            np.testing.assert_array_equal(first[task].values, second[task].values)


@on_device
def test_an_adapter_is_exchanged_and_graphs_stay(path: str) -> None:
    start()
    with load(path, config={"cuda": {"capture": [1, 2]}}) as student:
        assert student.explain().session["graphs"] == "2 of at most 16"
        before = student(picture(64, 96)).values_digest
        assert student.explain().session["graphs"] == "2 of at most 16"
        student.adapters.remove("sam")
        assert student(picture(64, 96)).adapters == ("dino",)
        student.adapters.restore("sam")
        assert student(picture(64, 96)).values_digest == before
        told = student.explain()
    assert told.session["device"].startswith("Emulated device, compute capability 8.7")
    assert told.session["kernels"] == "compute_80 (PTX, compiled by the driver)"
    assert told.session["version"] == "12.6"


@on_device
def test_an_image_on_the_device_stays_there(path: str) -> None:
    start()
    pixels = picture(64, 96)

    class Tensor:
        """As a library of GPU arrays lends one."""

        shape, dtype = pixels.shape, "torch.uint8"

        def __init__(self, there: DeviceArray) -> None:
            self.streams: list[object] = []
            self.exported = [Exported(there.address, pixels) for _ in range(2)]

        def __dlpack_device__(self) -> tuple[int, int]:
            return 2, 0

        def __dlpack__(self, *, stream: object) -> object:
            self.streams.append(stream)
            return self.exported[len(self.streams) - 1].capsule()

    with load(path) as student:
        expected = student(pixels)
        there = DeviceArray(pixels)
        tensor = Tensor(there)
        found = student(tensor)  # type: ignore[call-overload]
        there.free()
    assert found.values_digest == expected.values_digest
    np.testing.assert_array_equal(found.image, pixels)
    assert all(isinstance(stream, int) for stream in tensor.streams)
    assert [each.released for each in tensor.exported] == [1, 1]


@on_device
def test_values_are_lent_to_other_libraries_and_outlive_their_result(path: str) -> None:
    start()
    with load(path) as student:
        result = student(picture(64, 96))
        values = next(iter(result.outputs.values())).values
        lent, expected = np.from_dlpack(values), values.copy()
        assert np.shares_memory(lent, values)
        del result, values
        for i in range(4):
            student(picture(64, 96, seed=i + 1))
    np.testing.assert_array_equal(lent, expected)


@on_device
def test_a_device_that_is_lost_ends_the_student_or_gives_way_to_the_cpu(path: str) -> None:
    image = picture(64, 96)
    with sakedge.load(path, threads=1) as cpu:  # what `auto` takes on this CPU
        expected = cpu(image)
    start(lose_at=200)  # in one of the first calls, of which each launches some fifty kernels
    with load(path) as student:
        with pytest.raises(DeviceLostError, match="CUDA_ERROR"):
            for _ in range(20):
                student(image)
        with pytest.raises(DeviceLostError, match="CUDA_ERROR"):
            student(image)
        assert "lost" in student.explain().session
    del student
    start(lose_at=200)
    with load(path, config={"fallback": "cpu"}) as student:
        found = [student(image) for _ in range(20)]
        assert (found[0].model, found[0].quality) == ("cuda", "unverified")
        last = found[-1]
        for field in ("model", "backend", "quality"):
            assert getattr(last, field) == getattr(expected, field)
        assert last.values_digest == expected.values_digest
        told = student.explain()
        assert "CUDA_ERROR" in told.refused["cuda"]
        assert told.model_reason == "config['fallback'] is cpu, and cuda cannot be used"
        student.adapters.remove("sam")
        assert student(image).adapters == ("dino",)


@on_device
def test_too_little_memory_leaves_what_runs_as_it_was(path: str) -> None:
    start()
    with load(path) as student:
        expected = student(picture(64, 96)).values_digest
        emulated().set(memory=1)
        with pytest.raises(DeviceMemoryError, match="free device memory"):
            load(path)
        emulated().set(memory=None)
        assert student(picture(64, 96)).values_digest == expected


@on_device
def test_what_is_missing_is_said_precisely(path: str) -> None:
    start(version=12040)
    with pytest.raises(DeviceError, match=r"driver is too old.* 12\.6 or newer; got .* 12\.4"):
        load(path)
    start(version=12060, minor=0, major=7)
    with pytest.raises(DeviceError, match=r"compute capability 7\.0"):
        load(path)
    (first, second) = examine_cuda()
    assert (first.topic, first.status) == ("backend cuda", "ok")
    assert (second.topic, second.status) == ("device CUDA.0", "warning")
    start(major=8)
    with pytest.raises(DeviceError, match=r"no device CUDA.3"):
        load(path, device="CUDA.3")
    (_, second) = examine_cuda()
    assert second.status == "ok"
    with sakedge.load(path, device="CUDA", threads=1) as student:
        assert student.explain().backend_reason == "auto: CUDA is its device"


@on_device
def test_a_student_that_the_kernels_are_not_written_for_is_refused(path: str) -> None:
    from tools.checkpoint import make_checkpoint

    from sakedge.convert import convert

    start()
    folder = Path(path).parent / "narrow"
    folder.mkdir(exist_ok=True)
    convert(
        *make_checkpoint(folder, width=48, blocks=4, attention_heads=3), folder / "student.onnx"
    )
    with pytest.raises(BackendError, match=r"heads of 64 channels; got .*heads of 16"):
        load(str(folder / "student.onnx"))
