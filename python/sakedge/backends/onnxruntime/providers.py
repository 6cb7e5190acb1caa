"""ONNX Runtime's execution providers as devices: a row each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sakedge.format.onnx.opsets import OPSET


@dataclass(frozen=True)
class Provider:
    """An execution provider.

    Attributes:
        name: ONNX Runtime's name for it.
        package: The package that brings it.
        needs: What else must be there, for messages.
        precisions: Precision → the options that make it compute so.
        int8: Whether it runs quantised graphs in integers, and the rest of them in fp32.
        options: Its options at every precision.
        place: The option that takes what follows the dot of a device's name, e.g. `1` of `CUDA.1`.
        places: Pattern of what may follow; empty where nothing may.
        threads: The option that takes the number of threads, if it has one.
        environment: Precision → a variable and the value that it must have.
        rest: The device that takes the operators that this one does not, before the CPU does.
        opset: The ONNX opset in which graphs are written for it.
        static: Whether it gets the graph for one image, and not for any number.
        views: Whether it takes weights as views of the file, and not inside the graph.
        preload: Whether it needs NVIDIA's libraries, which may be Python packages.
        cache: Options that make it keep compiled graphs in a `{folder}`; none where we keep none.
        uncached: Why we keep none.
    """

    name: str
    package: str
    needs: str
    precisions: Mapping[str, Mapping[str, str]]
    int8: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    places: str = ""
    threads: str = ""
    environment: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    rest: str = ""
    opset: int = 17
    static: bool = True
    views: bool = False
    preload: bool = False
    cache: Mapping[str, str] = field(default_factory=dict)
    uncached: str = "not kept for this device"

    @property
    def able(self) -> tuple[str, ...]:
        """All precisions that a probe may find."""
        return (*self.precisions, *(("int8",) if self.int8 else ()))


_NVIDIA = (
    "an NVIDIA GPU, its driver, CUDA and cuDNN of the versions that onnxruntime-gpu was built for"
)

PROVIDERS: dict[str, Provider] = {
    "CPU": Provider(
        name="CPUExecutionProvider",
        package="onnxruntime",
        needs="nothing",
        precisions={"fp32": {}},
        int8=True,
        opset=OPSET,
        # Its operators are as fast with any number of images: measured, three stems.
        static=False,
        views=True,
        uncached="compiling is as fast as reading a cache",
    ),
    "CUDA": Provider(
        name="CUDAExecutionProvider",
        package="onnxruntime-gpu",
        needs=_NVIDIA,
        # Matrix products would be rounded to TF32, with 10 bits of fraction.
        precisions={"fp32": {"use_tf32": "0"}},
        # The default tries every algorithm for a convolution: slow, and bits would vary.
        options={"cudnn_conv_algo_search": "HEURISTIC"},
        place="device_id",
        places=r"\d+",
        views=True,
        preload=True,
    ),
    "TENSORRT": Provider(
        name="TensorrtExecutionProvider",
        package="onnxruntime-gpu",
        needs=f"TensorRT and {_NVIDIA}",
        precisions={
            "fp32": {},
            "fp16": {"trt_fp16_enable": "True"},
            "bf16": {"trt_bf16_enable": "True"},
        },
        place="device_id",
        places=r"\d+",
        # It has no option for TF32; NVIDIA's libraries read this once per process.
        environment={"fp32": ("NVIDIA_TF32_OVERRIDE", "0")},
        rest="CUDA",
        preload=True,
        cache={"trt_engine_cache_enable": "True", "trt_engine_cache_path": "{folder}"},
    ),
    "DML": Provider(
        name="DmlExecutionProvider",
        package="onnxruntime-directml",
        needs="Windows and a GPU with DirectX 12",
        precisions={"fp32": {}},
        place="device_id",
        places=r"\d+",
    ),
    "OPENVINO": Provider(
        name="OpenVINOExecutionProvider",
        package="onnxruntime-openvino",
        needs="an Intel device and its driver (a CPU computes in fp32 only)",
        precisions={"fp32": {"precision": "FP32"}, "fp16": {"precision": "FP16"}},
        options={"num_streams": "1", "device_type": "CPU"},
        place="device_type",
        places=r"CPU|(GPU|NPU)(\.\d+)?",
        threads="num_of_threads",
    ),
    "COREML": Provider(
        name="CoreMLExecutionProvider",
        package="onnxruntime",
        needs="macOS",
        precisions={"fp32": {}},
        # The neural engine computes in fp16, and so does the older format everywhere.
        options={"ModelFormat": "MLProgram", "MLComputeUnits": "CPUAndGPU"},
    ),
    "MIGRAPHX": Provider(
        name="MIGraphXExecutionProvider",
        package="onnxruntime-migraphx",
        needs="an AMD GPU, its driver and ROCm",
        precisions={
            "fp32": {},
            "fp16": {"migraphx_fp16_enable": "True"},
            "bf16": {"migraphx_bf16_enable": "True"},
        },
        place="device_id",
        places=r"\d+",
    ),
}
"""Device → its provider. Options and their values are ONNX Runtime's, as its Python API takes them:
https://onnxruntime.ai/docs/execution-providers."""


@dataclass(frozen=True)
class Device:
    """A device of this backend.

    Attributes:
        kind: Its row, e.g. `CUDA`.
        provider: Its provider.
        place: What follows the dot, e.g. `1`, or nothing.
    """

    kind: str
    provider: Provider
    place: str = ""

    @property
    def name(self) -> str:
        """In capitals, e.g. `CUDA.1`."""
        return f"{self.kind}.{self.place}" if self.place else self.kind

    def options(self, precision: str, threads: int) -> dict[str, dict[str, str]]:
        """The options of each provider in use, by its name, in the order in which they are asked.

        Args:
            precision: One of its provider's.
            threads: Threads on the CPU.
        """
        own = self.provider
        options = {**own.options, **own.precisions[precision]}
        if own.place and self.place:
            options[own.place] = self.place
        if own.threads:
            options[own.threads] = str(threads)
        found = {own.name: options}
        if own.rest:
            rest = PROVIDERS[own.rest]
            found |= Device(own.rest, rest, self.place).options("fp32", threads)
        return found


def find(device: str | None) -> Device | None:
    """A device by name, in any case, or None if there is none of that name; None is the CPU."""
    name = (device or "CPU").upper()
    kind, dot, place = name.partition(".")
    provider = PROVIDERS.get(kind)
    if provider is None or (dot and not (place and re.fullmatch(provider.places, place, re.ASCII))):
        return None
    return Device(kind, provider, place)
