"""OpenVINO on the CPU, and on a GPU or NPU where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.backends import cache as disk
from sakedge.backends.base import (
    Features,
    StemOptions,
    Support,
    check_images,
    empty_features,
    gist,
    is_older,
)
from sakedge.backends.openvino.transposed import Transposed, transposed
from sakedge.errors import BackendError
from sakedge.files.sparing import sparing
from sakedge.format import StemModel

DEVICES = ("CPU", "GPU", "NPU", "AUTO")
OLDEST = (2026, 3)
"""2026.0 has no ONNX `Attention`, and in 2026.1 and 2026.2 its results are wrong."""
_HINTS = {"fp32": ("f32", "FP32"), "fp16": ("f16", "FP16"), "bf16": ("bf16", "BF16")}
"""Precision → OpenVINO's name for it as a hint, and as a device's capability."""
_CPU_CACHE_LIMIT = 128 << 20
"""Bytes of weights up to which reading a blob beats compiling on a CPU (`docs/backends.md`)."""
_REFUSALS = (RuntimeError, TypeError, ValueError)


@cache
def _core() -> Any:
    import openvino

    return openvino.Core()


def _version() -> str:
    import openvino

    return str(openvino.__version__).partition("-")[0]


class OpenVinoBackend:
    """Runs the stem in OpenVINO."""

    name = "openvino"

    def probe(self, device: str | None, precision: str) -> Support:
        """Says whether OpenVINO is here, sees the device, and has the precision on it."""
        try:
            core = _core()
        except ImportError as error:
            return Support(
                False, f"openvino cannot be imported ({error}): pip install 'sakedge[openvino]'"
            )
        except _REFUSALS as error:
            return Support(False, f"OpenVINO does not start: {gist(error)}")
        if is_older(_version(), OLDEST):
            needed = ".".join(map(str, OLDEST))
            problem = f"OpenVINO {_version()} computes attention wrongly or not at all"
            return Support(False, f"{problem}: pip install 'openvino>={needed}'")
        target = (device or "CPU").upper()
        if target.partition(".")[0] not in DEVICES:
            return Support(False, f"knows no device {device}, only {', '.join(DEVICES)}")
        # To ask what there is loads the plugins of all devices; a CPU there always is.
        present = ["CPU"] if target == "CPU" else core.available_devices
        if target != "AUTO" and not any(_is_on(target, name) for name in present):
            return Support(
                False, f"sees no {target} here, only {', '.join(present)} (is its driver there?)"
            )
        if precision not in _HINTS:
            return Support(False, f"knows no precision {precision}, only {', '.join(_HINTS)}")
        try:
            capabilities = core.get_property(target, "OPTIMIZATION_CAPABILITIES")
            name = target if target == "AUTO" else core.get_property(target, "FULL_DEVICE_NAME")
        except _REFUSALS as error:
            return Support(False, f"cannot ask {target}: {gist(error)}")
        if _HINTS[precision][1] not in capabilities:
            return Support(False, f"{name} has no {precision} arithmetic")
        return Support(True, f"OpenVINO {_version()} on {name}")

    def compile(self, stem: StemModel, options: StemOptions) -> OpenVinoSession:
        """Compiles the stem, or takes it from the cache.

        Raises:
            BackendError: OpenVINO refused the model or an option.
        """
        device = (options.device or "CPU").upper()
        config = settings(device, options.precision, options.threads) | dict(options.config)
        cache = _Cache(stem, device, config, options.cache_dir)
        weights = Transposed("in the compiled model")
        try:
            compiled = cache.load()
            if compiled is None:
                model = _model(stem)
                weights = _transpose(model, stem, device, options)
                with sparing(weights.release):
                    compiled = _core().compile_model(model, device, config)
                cache.store(compiled)
        except _REFUSALS as error:
            raise BackendError(f"OpenVINO refused the stem on {device}", got=gist(error)) from error
        details = {
            "runtime": "openvino",
            "version": _version(),
            "device": ", ".join(compiled.get_property("EXECUTION_DEVICES")),
            "precision": options.precision,
            "threads": str(options.threads),
            "cache": cache.state,
            "weights": weights.state,
        }
        memory = (stem.weights, weights) if cache.blob is None else cache.blob
        return OpenVinoSession(compiled, stem.input_size, details, memory)


class OpenVinoSession:
    """A stem in OpenVINO, compiled for one image.

    With static shapes and aligned buffers OpenVINO writes its outputs where the caller wants
    them. A batch runs image by image: on a CPU it is as fast, one compiled model serves every
    batch size, and an image's result does not depend on its neighbours.
    """

    def __init__(
        self,
        compiled: Any,
        input_size: tuple[int, int],
        details: Mapping[str, str],
        memory: object,
    ) -> None:
        self.details = details
        self._compiled = compiled
        self._input_size = input_size
        self._memory = memory  # where OpenVINO reads weights: the student's file, or the blob
        self._shapes = [tuple(output.shape)[1:] for output in compiled.outputs]

    def run(self, images: NDArray[np.float32]) -> Features:
        """Runs the stem on normalised images, float32 [batch, 3, H, W].

        Raises:
            BackendError: The images have another shape or type, or the runtime failed.
        """
        images = check_images(images, self._input_size)
        features = empty_features(len(images), self._shapes)
        # A request costs 0.1 ms. A kept one would need a lock and would keep its last outputs.
        request = self._compiled.create_infer_request()
        for i in range(len(images)):
            request.set_input_tensor(0, lend(images[i : i + 1]))
            for j, feature in enumerate(features):
                request.set_output_tensor(j, lend(feature[i : i + 1]))
            try:
                request.infer(share_outputs=True)  # by itself it returns a copy of each
            except _REFUSALS as error:
                raise BackendError("OpenVINO failed", got=gist(error)) from error
        return features


class StockSession:
    """A whole student file in OpenVINO as anyone would run it: what ours is compared with.

    Args:
        path: The student.
        threads: Threads of the session, at least 1.

    Raises:
        BackendError: OpenVINO refused the file.
    """

    def __init__(self, path: Path, threads: int, precision: str = "fp32") -> None:
        config = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision][0],
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
        }
        try:
            self._compiled = _core().compile_model(str(path), "CPU", config)
        except _REFUSALS as error:
            raise BackendError(f"OpenVINO refused {path}", got=gist(error)) from error

    def run(self, images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Logits by task, each float32 [batch, classes, H, W]."""
        results = self._compiled({0: images})
        return {port.get_any_name(): results[port] for port in self._compiled.outputs}


class _Cache:
    """One stem's entry in the cache, and what became of it."""

    def __init__(
        self, stem: StemModel, device: str, config: Mapping[str, Any], folder: Path | None
    ) -> None:
        self.blob: NDArray[np.uint8] | None = None
        self._device, self._config = device, dict(config)
        self._folder = folder / "openvino" if folder else None
        self.state = "off" if folder is None else self._objection(stem)
        self._use = not self.state
        if self._use:
            self._key = disk.cache_key(
                stem=stem.digest,
                version=_version(),
                device=[device, *_identity(device)],
                config=self._config,
            )

    def _objection(self, stem: StemModel) -> str:
        """Why this stem is not cached, or nothing."""
        if "EXPORT_IMPORT" not in _core().get_property(self._device, "OPTIMIZATION_CAPABILITIES"):
            return f"none: {self._device} cannot export a compiled model"
        if self._device == "CPU" and _nbytes(stem) > _CPU_CACHE_LIMIT:
            return "none: compiling this large a stem is faster than reading a cache"
        return ""

    def load(self) -> Any:
        """The compiled model of a sound entry, or None."""
        self.blob = disk.load(self._folder, self._key) if self._use and self._folder else None
        if self.blob is None:
            return None
        import openvino

        try:
            tensor = openvino.Tensor(_writable(self.blob), shared_memory=True)
            compiled = _core().import_model(tensor, self._device, self._config)
        except _REFUSALS:  # sound, yet not for this OpenVINO: it gets overwritten
            self.blob = None
            return None
        self.state = "hit"
        return compiled

    def store(self, compiled: Any) -> None:
        """Keeps a compiled model for the next start."""
        if not self._use or self._folder is None:
            return
        try:
            exported = compiled.export_model()
            blob = exported if isinstance(exported, bytes) else exported.getvalue()
        except _REFUSALS as error:
            self.state = f"none: {self._device} exported nothing ({gist(error)})"
            return
        problem = disk.store(self._folder, self._key, blob)
        self.state = f"none: {problem}" if problem else "stored"


def settings(device: str, precision: str, threads: int) -> dict[str, Any]:
    """What OpenVINO is told about a stem on a device, before the caller's own options."""
    config: dict[str, Any] = {
        # Unless pinned, OpenVINO computes in bf16 or f16 wherever the device can.
        "INFERENCE_PRECISION_HINT": _HINTS[precision][0],
        "PERFORMANCE_HINT": "LATENCY",
    }
    on_cpu = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        # The decoder's threads run on the same cores; nobody is tied to one.
        "ENABLE_CPU_PINNING": False,
    }
    if device == "CPU":
        config |= on_cpu
    elif device == "AUTO":  # which may take the CPU, also for the time that a GPU compiles
        config["DEVICE_PROPERTIES"] = {"CPU": on_cpu}
    return config


def _model(stem: StemModel) -> Any:
    """The stem for one image, with constants that are views of the student's file.

    OpenVINO reads external data from files only. So the weights enter as inputs of the graph,
    and then a constant over the view takes each one's place.
    """
    import openvino

    model = _core().read_model(stem.with_weights_as_inputs())
    for parameter in model.get_parameters():
        name = parameter.get_friendly_name()
        if name in stem.weights:
            constant = openvino.op.Constant(_writable(stem.weights[name]), shared_memory=True)
            constant.set_friendly_name(name)
            parameter.output(0).replace(constant.output(0))
            model.remove_parameter(parameter)
    model.reshape({"image": [1, 3, *stem.input_size]})
    return model


def _transpose(model: Any, stem: StemModel, device: str, options: StemOptions) -> Transposed:
    """Gives a model its matrices as [out, in] where that saves a copy (`transposed`)."""
    if (device, options.precision) != ("CPU", "bf16"):
        return Transposed("as in the file")
    if options.cache_dir is None or _nbytes(stem) <= _CPU_CACHE_LIMIT:
        return Transposed("as in the file: without a cache, or too small to gain by it")
    import openvino
    from openvino import opset13

    constants = {
        node: node.input_value(1).get_node().get_friendly_name()
        for node in model.get_ops()
        if node.get_type_name() == "MatMul"
    }
    products = {node: name for node, name in constants.items() if name in stem.weights}
    found = transposed(stem, sorted(products.values()), options.cache_dir / "openvino-transposed")
    for product, name in products.items() if found.matrices else ():
        matrix = openvino.op.Constant(_writable(found.matrices[name]), shared_memory=True)
        better = opset13.matmul(product.input_value(0), matrix, False, True)
        better.set_friendly_name(product.get_friendly_name())
        product.output(0).replace(better.output(0))
    return found


def _nbytes(stem: StemModel) -> int:
    return sum(weight.nbytes for weight in stem.weights.values())


class _Lent:
    """Claims that an array may be written, for runtimes that take no other though only reading."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.owner = array
        self.__array_interface__ = {
            **array.__array_interface__,
            "data": (array.ctypes.data, False),
        }


def _writable(array: NDArray[Any]) -> NDArray[Any]:
    """The same memory under a writable array, which keeps the owner alive."""
    return np.asarray(_Lent(np.ascontiguousarray(array)))


def lend(array: NDArray[Any]) -> Any:
    """An OpenVINO tensor over an array, which it reads, or writes where the array allows it."""
    import openvino

    return openvino.Tensor(array if array.flags.writeable else _writable(array), shared_memory=True)


def _is_on(target: str, name: str) -> bool:
    """Whether a device's name, e.g. `GPU.0`, is what was asked for, e.g. `GPU`."""
    return name == target or name.partition(".")[0] == target


def _identity(device: str) -> list[str]:
    """What distinguishes this device from another that would need another blob."""
    core = _core()
    devices = core.available_devices if device == "AUTO" else [device]
    names = ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")
    return [str(core.get_property(each, name)) for each in devices for name in names]
