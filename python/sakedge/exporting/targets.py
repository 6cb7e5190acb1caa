"""The runtimes that graphs are exported for, and what each wants of a graph."""

from __future__ import annotations

from dataclasses import dataclass

from sakedge.format import OPSET


@dataclass(frozen=True)
class Target:
    """A runtime.

    Attributes:
        name: As its makers write it.
        opset: The opset that suits it best.
        attention: The oldest version known to compute `Attention`, which opset 23 brings.
        batch: Images in one run unless asked for otherwise; None for any number.
        small_labels: Whether it can give labels as uint8.
    """

    name: str
    opset: int
    attention: str
    batch: int | None = None
    small_labels: bool = True

    def notes(self, opset: int) -> tuple[str, ...]:
        """What a user has to know, one sentence each."""
        if opset < 23:
            return ()
        return (f"opset {opset} needs {self.name} {self.attention}",)


TARGETS: dict[str, Target] = {
    "onnxruntime": Target("ONNX Runtime", opset=OPSET, attention="1.23 or newer"),
    "openvino": Target("OpenVINO", opset=OPSET, attention="2026.3 or newer"),
    # The parser of JetPack 6 reads opset 20 at most, an engine is built for one size, and uint8
    # is made of floats only, which labels are not.
    "tensorrt": Target(
        "TensorRT",
        opset=17,
        attention="newer than 10.3, and has not been tried",
        batch=1,
        small_labels=False,
    ),
}
"""By the name that a user gives."""
