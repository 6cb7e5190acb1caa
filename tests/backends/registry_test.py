"""The choice of a backend: the stated rule, no silent fallback, every reason reported."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sakedge
from sakedge.assets import demo_student
from sakedge.backends import registry
from sakedge.backends.runtimes import is_older
from sakedge.errors import BackendError, OptionError, UnknownBackendError
from sakedge.images.examples import example

PLUGIN = """
from sakedge.backends.base import Support

class Plant:
    name = "plant"
    devices = {"FPGA": ("fp32",)}
    def probe(self, device, precision):
        return Support(device == "FPGA", "runs on FPGA only")
    def compile(self, subgraph, options):
        raise AssertionError
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A third party's package on the path, with its entry point."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{name} = {value}\n")
    (folder / "plant_backend.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(folder))


def test_auto_takes_the_first_that_works() -> None:
    backend, precision, refused = registry.choose("auto")
    assert backend.name == registry.names()[0] == "openvino"
    assert precision == "fp32"
    assert refused == {}


def test_auto_keeps_why_it_passed_over_a_backend(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """OpenVINO cannot be imported in a process whose import of it is blocked."""
    (tmp_path / "openvino.py").write_text("raise ImportError('not here')")
    code = (
        "from sakedge.backends import registry; b, _, r = registry.choose('auto'); print(b.name, r)"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert printed.stdout.startswith("onnxruntime {'openvino': "), printed.stderr
    assert "openvino cannot be imported (not here): pip install" in printed.stdout


@pytest.mark.parametrize("name", registry.BACKENDS)
def test_a_runtime_that_is_too_old_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenVINO 2026.2, for one, runs a student without complaint and computes nonsense."""
    module = importlib.import_module(f"sakedge.backends.{name}.backend")
    assert registry.probe(name).ok
    monkeypatch.setattr(module, "OLDEST", (9999, 0))
    with pytest.raises(BackendError, match=r"pip install '\w+>=9999\.0'"):
        registry.choose(name)


def test_a_runtime_that_cannot_quantise_in_our_opset_runs_stems_in_floats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last onnxruntime for Python 3.10, 1.23.2, which JetPack 6 has: an int8 student runs."""
    monkeypatch.setattr("sakedge.backends.onnxruntime.backend.OLDEST_INT8", (9999, 0))
    assert not registry.probe("onnxruntime", None, "int8").ok
    with sakedge.load(demo_student(), backend="onnxruntime", precision="int8") as student:
        assert len(student(example(student.input_size))) == 5
        assert student.explain().stem_precision == "fp32"


@pytest.mark.parametrize(
    ("version", "older"),
    [("2026.2.1", True), ("2025.4", True), ("2026.3.0", False), ("2027.0.0-rc1", False)],
)
def test_versions_are_compared_as_numbers(version: str, older: bool) -> None:
    assert is_older(version, (2026, 3)) is older
    assert is_older("1.9.0", (1, 23))


def test_a_named_backend_never_falls_back() -> None:
    with pytest.raises(
        BackendError, match="onnxruntime cannot run here: has no device GPU, only CPU, CUDA"
    ):
        registry.choose("onnxruntime", "GPU")


def test_when_nothing_is_left_every_reason_is_told() -> None:
    with pytest.raises(BackendError) as caught:
        registry.choose("auto", "FPGA", [(name, "bf16") for name in registry.names()])
    for name in registry.names():
        assert f"{name}: " in str(caught.value)
    assert "on FPGA at bf16" in str(caught.value)


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(UnknownBackendError) as caught:
        registry.choose("tensorrt")
    assert all(name in str(caught.value) for name in ("auto", "tensorrt", *registry.names()))


@pytest.mark.parametrize(
    "name", [None, 5, "", "\0", "\ud800", "x" * 10_000, ["auto"], b"auto", np.array(["auto"] * 2)]
)
def test_what_is_no_name_is_an_unknown_one_and_told_in_short(name: object) -> None:
    with pytest.raises(UnknownBackendError) as caught:
        registry.choose(name)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "device", ["", " ", "\0", "CPU\0", "\x1b[31m", "\ud800", "x" * 10_000, 5, b"CPU", ["CPU"]]
)
@pytest.mark.parametrize("name", ["auto", *registry.BACKENDS])
def test_what_is_no_device_is_refused_and_told_in_short(name: str, device: object) -> None:
    with pytest.raises(OptionError, match="device is no name of a device") as caught:
        registry.choose(name, device)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 300


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(BackendError, match=r"finds no GPU\.7 here, only CPU"):
        registry.choose("openvino", "GPU.7")


def test_auto_as_a_device_and_names_in_lower_case_work() -> None:
    assert registry.probe("openvino", "AUTO").ok
    assert registry.probe("openvino", "cpu").ok
    assert registry.probe("onnxruntime", "cpu").ok


def test_a_third_party_comes_last_and_can_be_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(tmp_path, monkeypatch, "plant", "plant_backend:Plant")
    assert registry.names() == ("openvino", "onnxruntime", "plant")
    backend, _, refused = registry.choose("auto", "FPGA")
    assert backend.name == "plant"
    assert set(refused) == {"openvino", "onnxruntime"}


def test_a_third_party_that_cannot_be_loaded_is_an_error_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(tmp_path, monkeypatch, "gone", "no_such_module:Backend")
    with pytest.raises(BackendError, match=r"no_such_module:Backend.*ModuleNotFoundError"):
        registry.get("gone")
    assert "cannot be loaded" in registry.probe("gone").reason


def test_a_third_party_that_lacks_a_member_is_an_error_that_lists_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(tmp_path, monkeypatch, "partial", "collections:OrderedDict")
    with pytest.raises(BackendError, match=r"name, devices, probe and compile.*OrderedDict"):
        registry.get("partial")
    assert "cannot be used" in registry.probe("partial").reason


@pytest.mark.parametrize(
    "text", ["[sakedge.backends]\nno equals sign\n", "\xff[[", "= = =\n"], ids=["line", "head", "="]
)
def test_a_package_with_broken_metadata_is_left_out(
    text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(tmp_path, monkeypatch, "plant", "plant_backend:Plant")
    (tmp_path / "broken-1.0.dist-info").mkdir()
    (tmp_path / "broken-1.0.dist-info" / "entry_points.txt").write_text(text)
    assert registry.names() == ("openvino", "onnxruntime", "plant")


@pytest.mark.parametrize("failure", ["raise SystemExit(3)", "raise KeyError('x')", "1/0"])
def test_a_third_party_that_fails_when_it_is_made_is_an_error(
    failure: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(tmp_path, monkeypatch, "plant", "failing_backend:Plant")
    code = f"class Plant:\n    def __init__(self):\n        {failure}\n"
    (tmp_path / "failing_backend.py").write_text(code)
    with pytest.raises(BackendError, match=r"plant .* cannot be loaded"):
        registry.get("plant")
    sys.modules.pop("failing_backend")


def test_a_third_party_cannot_take_the_name_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(tmp_path, monkeypatch, "openvino", "plant_backend:Plant")
    assert registry.get("openvino").probe(None, "fp32").ok


def test_auto_keeps_to_the_order_that_it_is_given() -> None:
    tries = [("onnxruntime", "bf16"), ("onnxruntime", "fp32"), ("openvino", "fp32")]
    backend, precision, refused = registry.choose("auto", tries=tries)
    assert (backend.name, precision) == ("onnxruntime", "fp32")
    assert [*refused] == ["onnxruntime at bf16"]
    with pytest.raises(BackendError, match="no backend can run at bf16: onnxruntime: "):
        registry.choose("auto", tries=tries[:1])


@pytest.mark.parametrize("name", registry.BACKENDS)
def test_ours_run_quantised_graphs_on_a_cpu(name: str) -> None:
    assert registry.probe(name, "CPU", "int8").ok
    assert "int8" in registry.get(name).devices["CPU"]


def test_a_provider_that_is_not_known_to_run_quantised_graphs_is_not_asked() -> None:
    assert "not at int8" in registry.probe("onnxruntime", "CUDA", "int8").reason
