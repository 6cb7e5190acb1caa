"""The backend cuda where there is no CUDA: what it says, and that nothing else notices it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sakedge
from sakedge.backends import registry
from sakedge.checks.doctor import examine
from sakedge.cuda import tuning
from sakedge.cuda.devices import find
from sakedge.cuda.images import Image, choose
from sakedge.cuda.library import is_built
from sakedge.cuda.options import CudaOptions
from sakedge.errors import AbilityError, BackendError, DeviceError, ImageError, OptionError

IMAGES = tuple(
    Image(name, driver)
    for name, driver in {
        "sm_80.cubin": 12000,
        "sm_87.cubin": 12000,
        "sm_89.cubin": 12000,
        "sm_90.cubin": 12000,
        "sm_110.cubin": 13000,
        "sm_120.cubin": 13000,
        "compute_80.ptx": 12060,
    }.items()
)


@pytest.fixture(autouse=True)
def _without_cuda() -> None:
    """These tests are of machines on which there is no device that can be used."""
    if registry.probe("cuda", None, "fp16").ok:
        pytest.skip("this machine has a CUDA device")


@pytest.mark.parametrize(
    ("capability", "expected"),
    [
        ((8, 0), "sm_80.cubin"),
        ((8, 6), "sm_80.cubin"),  # same major, greater minor
        ((8, 7), "sm_87.cubin"),  # Orin
        ((8, 8), "sm_80.cubin"),  # not that of an integrated device
        ((8, 9), "sm_89.cubin"),
        ((9, 0), "sm_90.cubin"),
        ((10, 0), "compute_80.ptx"),
        ((11, 0), "sm_110.cubin"),  # Thor
        ((12, 0), "sm_120.cubin"),
        ((12, 1), "sm_120.cubin"),
        ((13, 0), "compute_80.ptx"),
    ],
)
def test_a_device_gets_the_machine_code_that_runs_on_it(
    capability: tuple[int, int], expected: str
) -> None:
    assert choose(IMAGES, capability, 13000).name == expected


def test_an_older_driver_gets_what_it_takes() -> None:
    assert choose(IMAGES, (8, 7), 12000).name == "sm_87.cubin"
    assert choose(IMAGES, (12, 0), 12080).name == "compute_80.ptx"
    with pytest.raises(DeviceError, match=r"driver is too old.*CUDA 12\.6 or newer; got .*12\.4"):
        choose(IMAGES, (10, 0), 12040)
    with pytest.raises(DeviceError, match=r"too old.*CUDA 12\.0 or newer; got .*CUDA 11\.8"):
        choose(IMAGES, (8, 0), 11080)


def test_an_older_device_is_refused_by_its_compute_capability() -> None:
    with pytest.raises(DeviceError, match=r"no kernels for devices of compute capability 7\.5"):
        choose(IMAGES, (7, 5), 13000)


def test_a_named_backend_says_what_is_missing(tiny_student: Path) -> None:
    missing = "libcuda|nvcuda|CUDA_ERROR|driver" if is_built() else "was built without CUDA"
    for options in ({"backend": "cuda"}, {"config": {"model": "cuda"}}):
        with pytest.raises(DeviceError, match=missing):
            sakedge.load(tiny_student, **options)  # type: ignore[arg-type]


def test_the_cpu_takes_over_if_asked_and_says_so(
    tiny_student: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image = np.full((64, 96, 3), 99, np.uint8)
    with sakedge.load(tiny_student) as cpu:
        expected, backend = cpu(image), cpu.explain().backend
    with sakedge.load(tiny_student, backend="cuda", config={"fallback": "cpu"}) as student:
        assert "cuda cannot be used, and the CPU computes from now on" in caplog.text
        told, found = student.explain(), student(image)
    assert (told.model, told.backend, told.device) == ("host", backend, None)
    assert told.model_reason == "config['fallback'] is cpu, and cuda cannot be used"
    assert "cuda" in told.refused
    assert (found.model, found.backend, found.quality) == ("host", backend, "reference")
    assert found.values_digest == expected.values_digest


def test_adapters_are_exchanged_after_the_cpu_took_over(tiny_student: Path) -> None:
    image = np.full((64, 96, 3), 99, np.uint8)
    with sakedge.load(tiny_student, backend="cuda", config={"fallback": "cpu"}) as student:
        before = student(image).values_digest
        student.adapters.remove("sam")
        without = student(image)
        student.adapters.restore("sam")
        assert without.values_digest != before
        assert without.adapters == ("dino",)
        assert student(image).values_digest == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"precision": "fp32"}, "auto, fp16, bf16, int8"),
        ({"config": {"model": "host"}}, "runs the model cuda"),
        ({"config": {"model": "graph"}}, "runs the model cuda"),
        ({"backend": "openvino", "config": {"model": "cuda"}}, "runs the model cuda"),
        ({"config": {"stem": "fp32"}}, "config\\['stem'\\] at fp16"),
        ({"config": {"fallback": "gpu"}}, "none, cpu"),
        ({"config": {"cuda": {"graph": 1}}}, "graphs, capture"),
    ],
)
def test_what_contradicts_it_is_refused(
    options: dict[str, Any], words: str, tiny_student: Path
) -> None:
    with pytest.raises(OptionError, match=words):
        sakedge.load(tiny_student, **{"backend": "cuda", **options})


def test_auto_takes_no_gpu_by_itself_and_says_so(tiny_student: Path) -> None:
    with sakedge.load(tiny_student) as student:
        told = student.explain()
    assert told.model == "host"
    assert ("cuda" in told.refused) == is_built()
    with pytest.raises(BackendError, match=r"no backend can run on CUDA.1"):
        sakedge.load(tiny_student, device="CUDA.1", precision="fp16")


def test_what_is_no_cuda_device_is_named() -> None:
    with pytest.raises(DeviceError, match=r"expected CUDA, CUDA\.1"):
        find("GPU")


def test_the_kernels_refuse_what_they_are_not_written_for(tiny_student: Path) -> None:
    if not is_built():
        pytest.skip("built without CUDA")
    from sakedge.cuda.student import check_sizes
    from sakedge.format import StudentFile

    with StudentFile.open(tiny_student) as file, pytest.raises(BackendError) as caught:
        check_sizes(file.manifest)
    assert "expected patches of 16 x 16 pixels, attention heads of 64 channels" in str(caught.value)
    assert "got patches of 16 x 16, heads of 16" in str(caught.value)


def test_declared_batches_are_no_larger_than_a_run() -> None:
    assert CudaOptions.parse({"capture": [1, 8]}, 8).capture == (1, 8)
    for wrong in ([9], [0], ["1"], 8, [True]):
        with pytest.raises(OptionError, match="capture"):
            CudaOptions.parse({"capture": wrong}, 8)


def test_the_tuning_that_ships_is_whole() -> None:
    found = tuning.Tuning.model_validate_json(tuning.FILE.read_bytes())
    for architecture, tiles in found.tiles.items():
        assert tuning.tiles(architecture) == tiles
    assert tuning.tiles("sm_999") == {}


def test_a_tuning_that_is_wrong_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "FILE", tmp_path / "tuning.json")
    for text in ("", "[]", '{"format": 2, "tiles": {}}', '{"tiles": {"sm_80": {"gemm": "64"}}}'):
        tuning.FILE.write_text(text)
        with pytest.raises(DeviceError, match=r"tuning\.json cannot be used"):
            tuning.tiles("sm_80")


def test_the_doctor_says_what_is_missing() -> None:
    (found,) = [each for each in examine().findings if each.topic == "backend cuda"]
    assert found.status == "note"
    assert ("was built without CUDA" in found.text) != is_built()


IMPORT = """
import sys
from pathlib import Path
import numpy as np
import sakedge
with sakedge.load(sys.argv[1], threads=1) as student:
    student(np.zeros((64, 96, 3), np.uint8))
    student.explain()
assert "sakedge._cuda" not in sys.modules
maps = Path("/proc/self/maps")
assert not maps.exists() or "libcuda" not in maps.read_text()
"""


def test_who_does_not_ask_for_it_loads_nothing_of_cuda(tiny_student: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", IMPORT, tiny_student], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


WITHOUT = """
import sys
sys.modules["sakedge._cuda"] = None
import sakedge
from sakedge.checks.doctor import examine
try:
    sakedge.load(sys.argv[1], backend="cuda")
except sakedge.errors.DeviceError as error:
    print(error)
print(*[each.text for each in examine().findings if each.topic == "backend cuda"])
"""


def test_a_wheel_without_the_module_says_so(tiny_student: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT, tiny_student], capture_output=True, text=True
    )
    told, found = ran.stdout.splitlines()
    assert told.startswith("this sakedge was built without CUDA. Install a wheel")
    assert found == "this sakedge was built without CUDA"


class OnDevice:
    """What a library of GPU arrays shows of an image: nobody here may look at its memory."""

    dtype = "torch.uint8"

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, **options: object) -> object:
        raise AssertionError("nothing asks for the memory")


@pytest.mark.parametrize("config", [{"model": "host"}, {"model": "graph"}])
def test_an_image_on_a_device_is_refused_by_models_on_the_cpu(
    config: dict[str, Any], tiny_student: Path
) -> None:
    with (
        sakedge.load(tiny_student, config=config) as student,
        pytest.raises(AbilityError, match=r"Copy the image to the host, or load .*'cuda'"),
    ):
        student(OnDevice(64, 96, 3))  # type: ignore[call-overload]


@pytest.mark.parametrize("shape", [(3, 64, 96), (64, 96), (64, 96, 4), ()])
def test_an_image_on_a_device_is_rgb(shape: tuple[int, ...], tiny_student: Path) -> None:
    with (
        sakedge.load(tiny_student) as student,
        pytest.raises(ImageError, match="expected RGB uint8 of height x width x 3"),
    ):
        student(OnDevice(*shape))  # type: ignore[call-overload]
