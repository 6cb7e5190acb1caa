"""The parts under verify and doctor that a whole run does not show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sakedge.backends import registry
from sakedge.backends.base import Support
from sakedge.checks import doctor
from sakedge.checks.doctor import Diagnosis, Finding
from sakedge.checks.verify import Comparison, Verification, verify
from sakedge.decoder.instructions import Arithmetic
from sakedge.errors import BackendError
from sakedge.images import examples
from sakedge.runtime import machine
from sakedge.runtime.threads import Processors

OK = Support(True, "runs here")


def test_one_task_that_differs_is_a_disagreement() -> None:
    good = Comparison("openvino", "edge", 1e-6, 1.0, 1e-6, 1e-7, True)
    found = Verification("s.onnx", "0" * 64, 1, "fp32", "the file", 1e-4, (good, good), {})
    assert found.agrees
    bad = replace(good, agrees=False)
    assert not replace(found, comparisons=(good, bad)).agrees


def test_verify_tells_why_nothing_can_be_compared(tiny_student: Path) -> None:
    with pytest.raises(BackendError, match=r"openvino: .*; onnxruntime: "):
        verify(tiny_student, device="NPU", precision="bf16")


def test_verify_counts_its_steps(tiny_student: Path) -> None:
    steps: list[tuple[str, float]] = []
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (30, 50, 3), np.uint8) for _ in range(2)]
    found = verify(tiny_student, pictures, progress=lambda *step: steps.append(step))
    assert found.images == 2
    assert steps[-1] == ("done", 1.0)
    assert [share for _, share in steps] == [0, 1 / 5, 2 / 5, 3 / 5, 4 / 5, 1]


def test_an_example_has_the_asked_size_and_some_detail() -> None:
    image = examples.example((48, 80))
    assert image.shape == (48, 80, 3)
    assert image.dtype == np.uint8
    assert image.std() > 10


def test_an_image_of_any_depth_is_stretched_to_the_size(tmp_path: Path) -> None:
    Image.fromarray(np.full((10, 20), 65535, np.uint16)).save(tmp_path / "deep.png")
    image = examples.fitted(tmp_path / "deep.png", (16, 32))
    np.testing.assert_array_equal(image, np.full((16, 32, 3), 255, np.uint8))


def test_the_machine_describes_itself() -> None:
    found = machine.describe()
    assert found["cpu"]
    assert found["versions"]["numpy"] == np.__version__
    assert found["processors"]["usable"] >= 1


def test_peak_memory_is_at_least_the_present_one() -> None:
    now, peak = machine.resident(), machine.peak_resident()
    if now is None or peak is None:
        pytest.skip("this system does not say")
    assert peak >= now * 0.9 > 1e6  # the two counters are not read at the same moment


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        (("ok", "ok"), "ok"),
        (("ok", "note"), "note"),
        (("note", "warning", "ok"), "warning"),
        (("warning", "failure"), "failure"),
    ],
)
def test_the_worst_finding_counts(statuses: tuple[doctor.Status, ...], worst: str) -> None:
    findings = tuple(Finding("topic", status, "text") for status in statuses)
    assert Diagnosis(findings, {}).status == worst


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A third party's backend, installed: it runs bf16 on a device that no other backend knows."""
    info = tmp_path / "plant_tools-3.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plant-tools\nVersion: 3.2\n")
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\nplant = fpga_backend:Plant\n")
    (tmp_path / "fpga_backend.py").write_text(PLANT)
    monkeypatch.syspath_prepend(str(tmp_path))


PLANT = """
from sakedge.backends.base import Support

class Plant:
    name = "plant"
    devices = {"FPGA": ("bf16", "int4")}
    def probe(self, device, precision):
        return Support((device, precision) == ("FPGA", "bf16"), f"has no {precision}")
    def compile(self, subgraph, options):
        raise AssertionError
"""


@pytest.mark.usefixtures("plant")
def test_doctor_asks_each_backend_for_the_devices_that_it_knows() -> None:
    found = {finding.topic: finding for finding in doctor._backends()}
    assert found["device FPGA"].text == "bf16 through plant; plant: has no int4"
    assert found["device FPGA"].status == "ok"
    assert "fp32, int8 through onnxruntime" in found["device CPU"].text
    assert "plant" not in found["device CPU"].text


@pytest.mark.usefixtures("plant")
def test_versions_are_those_of_what_sakedge_and_its_backends_come_with() -> None:
    found = machine.versions()
    assert found["plant-tools"] == "3.2"
    assert list(found)[:2] == ["python", "sakedge"]
    assert {"onnxruntime", "openvino", "pydantic", "pillow"} <= set(found)


@pytest.mark.parametrize(("installed", "status"), [(False, "note"), (True, "warning")])
def test_a_runtime_that_was_left_out_is_no_fault_and_a_broken_one_is(
    monkeypatch: pytest.MonkeyPatch, installed: bool, status: str
) -> None:
    reason = Support(False, "openvino cannot be imported")
    monkeypatch.setattr(registry, "probe", lambda name, *_: reason if name == "openvino" else OK)
    if not installed:
        monkeypatch.setattr(doctor, "find_spec", lambda module: None)
    found = {finding.topic: finding.status for finding in doctor._backends()}
    assert found["backend openvino"] == status
    assert found["backend onnxruntime"] == "ok"


@pytest.mark.parametrize(
    ("native", "gains", "status", "text"),
    [
        (True, (), "ok", "natively"),
        (False, ("int8",), "ok", "emulated, and faster than fp32"),
        (False, (), "note", "not known to be faster than fp32"),
    ],
)
def test_doctor_says_whether_an_emulated_arithmetic_pays(
    monkeypatch: pytest.MonkeyPatch, native: bool, gains: tuple[str, ...], status: str, text: str
) -> None:
    served = {"int8": Arithmetic("avx2", native)}
    monkeypatch.setattr("sakedge.decoder.arithmetics", lambda: served)
    monkeypatch.setattr(doctor, "gainful", lambda: gains)
    (found,) = [each for each in doctor._decoder() if each.topic == "decoder int8"]
    assert (found.status, text in found.text) == (status, True)


def test_doctor_notes_a_quota_that_throttles_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "processors", lambda: Processors(16, 8, 2.5))
    (finding,) = doctor._threads()
    assert finding.status == "note"
    assert finding.text.startswith("3: the smaller of affinity (8 of the machine's 16")
    assert "quota of 2.5" in finding.text
