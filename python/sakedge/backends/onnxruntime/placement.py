"""What really runs where: ONNX Runtime puts on the CPU, without a word, whatever it cannot place.

Measured: `onnxruntime-gpu` without CUDA, and `onnxruntime-openvino` for a GPU that there is not,
make sessions on the CPU; for an unknown device it keeps its provider and gives it nothing to do.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from onnx import TensorProto, helper

from sakedge.backends.onnxruntime.library import onnxruntime, preload
from sakedge.backends.onnxruntime.providers import Device
from sakedge.backends.runtimes import refusals
from sakedge.errors import BackendError


def create(model: bytes, settings: Any, device: Device, options: dict[str, dict[str, str]]) -> Any:
    """A session on the device, or none: one whose provider was dropped is no session.

    Args:
        model: The ONNX model.
        settings: Its SessionOptions.
        device: The device.
        options: The options of each provider, by its name.

    Raises:
        BackendError: The device's provider does not start; a runtime's own exception where it
            refuses the model.
    """
    if device.provider.preload:
        preload()
    session = onnxruntime().InferenceSession(
        model, settings, providers=list(options.items()), enable_fallback=0
    )
    if device.provider.name not in session.get_providers():
        raise BackendError(
            _does_not_start(device), remedy="ONNX Runtime wrote the reason to the standard error"
        )
    return session


def start(device: Device, options: dict[str, dict[str, str]]) -> None:
    """Starts the device's provider, with nothing to run on it: strings, which only the CPU takes.

    Raises:
        BackendError: It does not start.
    """
    given, taken = (helper.make_tensor_value_info(name, TensorProto.STRING, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "x", [given], [taken])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    with refusals(_does_not_start(device)):
        settings = onnxruntime().SessionOptions()
        settings.intra_op_num_threads = 1
        settings.enable_mem_pattern = False
        create(model.SerializeToString(), settings, device, options)


def operators(session: Any, device: Device) -> str:
    """How many operators run on the device, and where the others do.

    Raises:
        BackendError: None runs on the device.
    """
    if not hasattr(session, "get_provider_graph_assignment_info"):  # before 1.24
        return "this version of ONNX Runtime does not tell"
    found: dict[str, Counter[str]] = {}
    for part in session.get_provider_graph_assignment_info():
        types = (node.op_type for node in part.get_nodes())
        found.setdefault(part.ep_name, Counter()).update(types)
    here = found.pop(device.provider.name, Counter())
    others = "; ".join(
        f"{name}: {', '.join(f'{count} {kind}' for kind, count in each.most_common())}"
        for name, each in found.items()
    )
    if not here:
        raise BackendError(
            f"{device.provider.name} runs nothing on {device.name}",
            got=others,
            remedy="Leave the device out, which is the CPU, or choose another backend",
        )
    return f"{here.total()} on the device; {others}" if others else f"all {here.total()}"


def _does_not_start(device: Device) -> str:
    return (
        f"{device.provider.name} does not start on {device.name}; it needs {device.provider.needs}"
    )
