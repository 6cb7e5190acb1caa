"""ONNX Runtime's devices: what is not here is refused with the reason, and nothing runs elsewhere.

Devices other than the CPU run wherever these tests do with the package and the hardware for them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from tests.support.gated import expected, gated, values

from sakedge.backends import registry
from sakedge.backends.base import CompileOptions, OpsetPreference
from sakedge.backends.onnxruntime.placement import create
from sakedge.backends.onnxruntime.providers import PROVIDERS, Device, find
from sakedge.errors import BackendError, OptionError
from sakedge.format import GraphForm, StudentFile, Subgraph, exported_graph

BACKEND = registry.get("onnxruntime")
ABSENT = [
    name
    for name, provider in PROVIDERS.items()
    if provider.name not in onnxruntime.get_available_providers()
]


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_device_computes_what_the_graph_says(name: str) -> None:
    support = BACKEND.probe(name, "fp32")
    if not support.ok:
        pytest.skip(support.reason)
    session = BACKEND.compile(gated(), CompileOptions(device=name, threads=1))
    given = values(3)
    np.testing.assert_allclose(session.run(*given)[0], expected(*given), atol=1e-5)
    assert session.details["device"] == name
    if hasattr(onnxruntime.InferenceSession, "get_provider_graph_assignment_info"):  # from 1.24 on
        assert session.details["operators"].startswith("all ")


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_student_runs_whole_in_the_opset_of_the_device(name: str, tiny_student: Path) -> None:
    """Against the CPU in another opset, whose attention is written otherwise."""
    support = BACKEND.probe(name, "fp32")
    if not support.ok:
        pytest.skip(support.reason)
    own = opset(name)
    with StudentFile.open(tiny_student) as file:
        graph, other = (exported(file, each) for each in (own, 17 if own == 23 else 23))
    images = np.random.default_rng(0).standard_normal((2, 3, *graph.input_size), np.float32)
    active = np.array([[1, 1, 1], [1, 0, 1]], np.float32)
    session = BACKEND.compile(graph, CompileOptions(device=name, threads=2))
    reference = BACKEND.compile(other, CompileOptions(threads=2))
    outputs = session.run(images, active)
    for ours, theirs in zip(outputs, reference.run(images, active), strict=True):
        assert np.abs(ours - theirs).max() <= 1e-5 * (np.ptp(theirs) or 1)
    for both, alone in zip(outputs, session.run(images[1:], active[1:]), strict=True):
        np.testing.assert_array_equal(both[1:], alone)


def exported(file: StudentFile, opset: int) -> Subgraph:
    manifest = file.manifest
    form = GraphForm(
        tasks=manifest.task_names,
        adapters=manifest.adapter_names,
        outputs="maps",
        routing=True,
        mask=True,
        opset=opset,
    )
    components = {name: file.component(name) for name in form.components(manifest)}
    return exported_graph(manifest, components, form)


def opset(name: str | None) -> int:
    assert isinstance(BACKEND, OpsetPreference)
    return BACKEND.opset(name)


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_not_installed_is_refused_with_what_brings_it(name: str) -> None:
    provider = PROVIDERS[name]
    for precision in provider.precisions:
        support = BACKEND.probe(name, precision)
        assert not support.ok
        assert provider.name in support.reason
        assert provider.package in support.reason
    with pytest.raises(BackendError, match=f"without {provider.name}: {name} needs"):
        BACKEND.compile(gated(), CompileOptions(device=name, threads=1))


@pytest.mark.parametrize("name", ABSENT)
def test_a_session_that_onnx_runtime_moved_to_the_cpu_is_refused(name: str) -> None:
    """It only warns, and makes one there."""
    device = Device(name, PROVIDERS[name])
    settings = onnxruntime.SessionOptions()
    with (
        pytest.warns(UserWarning, match="not in available provider names"),
        pytest.raises(BackendError, match=f"{device.provider.name} does not start on {name}"),
    ):
        create(gated().to_bytes(), settings, device, {device.provider.name: {}})


@pytest.mark.parametrize("device", ["GPU", "CPU.0", "CUDA.", "CUDA.x", "CUDA.1.2", "OPENVINO.TPU"])
def test_an_unknown_device_is_refused_with_those_that_there_are(device: str) -> None:
    reason = BACKEND.probe(device, "fp32").reason
    assert reason == f"has no device {device}, only {', '.join(PROVIDERS)}"
    with pytest.raises(BackendError, match=f"ONNX Runtime has no device {device}, only CPU, CUDA"):
        BACKEND.compile(gated(), CompileOptions(device=device, threads=1))


@pytest.mark.parametrize(
    ("device", "precision", "able"),
    [("CPU", "bf16", "fp32 and int8"), ("CUDA", "fp16", "fp32"), ("CUDA", "int8", "fp32")],
)
def test_a_precision_that_a_device_lacks_is_refused(device: str, precision: str, able: str) -> None:
    reason = f"runs at {able} only on {device}, not at {precision}"
    assert BACKEND.probe(device, precision).reason == reason
    with pytest.raises(BackendError, match=reason):
        options = CompileOptions(device=device, precision=precision, threads=1)
        BACKEND.compile(gated(), options)


@pytest.mark.parametrize(
    ("device", "place", "asked"),
    [
        ("cuda", "device_id", None),
        ("CUDA.1", "device_id", "1"),
        ("tensorrt.2", "device_id", "2"),
        ("OPENVINO", "device_type", "CPU"),
        ("openvino.gpu.1", "device_type", "GPU.1"),
    ],
)
def test_what_follows_the_dot_is_the_providers_own_device(
    device: str, place: str, asked: str | None
) -> None:
    found = find(device)
    assert found is not None
    for name, options in found.options("fp32", threads=2).items():
        assert options.get(place) == asked, name
    assert found.name == device.upper()


def test_fp32_is_never_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CUDA", "TENSORRT"):
        device = find(name)
        assert device is not None
        assert device.options("fp32", threads=1)["CUDAExecutionProvider"]["use_tf32"] == "0"
    # TensorRT has a variable for it instead of an option.
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["TensorrtExecutionProvider"]
    )
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    assert "set NVIDIA_TF32_OVERRIDE=0" in BACKEND.probe("TENSORRT", "fp32").reason


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_row_is_complete(name: str) -> None:
    provider = PROVIDERS[name]
    assert "fp32" in provider.precisions
    assert bool(provider.place) == bool(provider.places)
    assert provider.rest in ("", *PROVIDERS)
    assert set(provider.environment) <= set(provider.precisions)
    assert BACKEND.devices[name] == provider.able


def test_graphs_are_written_in_the_opset_that_a_device_takes() -> None:
    found = {name: opset(name) for name in (None, "cpu", "CUDA.1", "DML")}
    assert found == {None: 23, "cpu": 23, "CUDA.1": 17, "DML": 17}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"CUDAExecutionProvider": {}}, "CPU does not use this provider .* CPUExecutionProvider"),
        ({"CPUExecutionProvider": 5}, "options of CPUExecutionProvider are no mapping"),
        ({"cpuexecutionprovider": {}}, "has no such option"),
    ],
)
def test_options_of_another_provider_are_refused(config: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        BACKEND.compile(gated(), CompileOptions(threads=1, config=config))


def test_options_of_the_provider_in_use_are_passed_on(tmp_path: Path) -> None:
    config = {"CPUExecutionProvider": {"use_arena": "0"}}
    session = BACKEND.compile(gated(), CompileOptions(threads=1, config=config))
    assert session.run(*values(1))
