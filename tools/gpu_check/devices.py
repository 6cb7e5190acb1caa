"""What GPUs could do at most, by their makers' figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """A GPU.

    Attributes:
        name: As people call it.
        arch: Its architecture.
        multiprocessors: How many.
        gigahertz: The clock that its peaks are stated at.
        half: 1e12 operations per second of dense fp16 or bf16 products with float32 sums.
        int8: The same of int8 products.
        bandwidth: 1e9 bytes per second of its memory.
        lanes: float32 instructions of a multiprocessor per cycle.
        reached: Share of `half` and `int8` that a good product by `mma.sync` reaches.
        node_us: Microseconds that a node of a graph costs beside its work. An estimate.
        source: Of the peaks.
    """

    name: str
    arch: str
    multiprocessors: int
    gigahertz: float
    half: float
    int8: float
    bandwidth: float
    lanes: int
    reached: float
    node_us: float
    source: str

    @property
    def pointwise(self) -> float:
        """1e12 instructions per second of one thread each, beside the tensor cores."""
        return self.multiprocessors * self.lanes * self.gigahertz / 1000


# A multiprocessor's dense products per cycle times its clock give the stated peak in each row,
# which a test checks. `mma.sync` reaches some 62 % of the peak of Hopper, whose full rate takes its
# own instructions (Luo et al., Benchmarking and Dissecting the Nvidia Hopper GPU Architecture via
# Microbenchmarking, arXiv 2402.13499); for the others 0.7 is what large products commonly reach.
# Thor's rate by `mma.sync` is not published: its row is the least certain.
_ORIN = "NVIDIA Jetson AGX Orin technical brief: GPU 170 TOP/s int8 with sparsity, half of it dense"
_NANO = "NVIDIA Jetson Orin Nano Super: 67 TOP/s int8 with sparsity, half of it dense"
_THOR = "NVIDIA Jetson Thor data sheet: 2070 TFLOP/s fp4 with sparsity; an eighth of it dense fp16"
_ADA = "NVIDIA Ada GPU architecture paper: fp16 with float32 sums, dense"
_BLACKWELL = "NVIDIA RTX Blackwell GPU architecture paper: fp16 with float32 sums, dense"
_HOPPER = "NVIDIA H100 data sheet, without sparsity"
DEVICES: tuple[Device, ...] = (
    Device("H100 SXM", "sm_90", 132, 1.83, 989, 1979, 3350, 128, 0.62, 1.2, _HOPPER),
    Device("H200 SXM", "sm_90", 132, 1.83, 989, 1979, 4800, 128, 0.62, 1.2, _HOPPER),
    Device("A100 SXM 80 GB", "sm_80", 108, 1.41, 312, 624, 2039, 64, 0.7, 1.5, "data sheet"),
    Device("RTX 4090", "sm_89", 128, 2.52, 165.2, 660.6, 1008, 128, 0.7, 1.2, _ADA),
    Device("L4", "sm_89", 58, 2.04, 121, 242, 300, 128, 0.7, 1.5, "NVIDIA L4 data sheet"),
    Device("RTX 5090", "sm_120", 170, 2.41, 209.5, 838, 1792, 128, 0.7, 1.2, _BLACKWELL),
    Device("Thor T5000", "sm_110", 20, 1.575, 258, 517, 273, 128, 0.5, 3, _THOR),
    Device("AGX Orin 64 GB", "sm_87", 16, 1.3, 42.6, 85.2, 204.8, 128, 0.7, 4, _ORIN),
    Device("Orin Nano Super", "sm_87", 8, 1.02, 16.7, 33.4, 102, 128, 0.7, 5, _NANO),
    Device("Orin Nano 15 W", "sm_87", 8, 0.625, 10.2, 20.5, 68, 128, 0.7, 6, "20 TOP/s dense int8"),
)


def closest(name: str, arch: str, multiprocessors: int) -> Device | None:
    """The row of a device: of its architecture and size, by name where there are several.

    None where there is none: a device that was cut down has other peaks.
    """
    fitting = [d for d in DEVICES if (d.arch, d.multiprocessors) == (arch, multiprocessors)]
    named = [d for d in fitting if d.name.split()[0].upper() in name.upper().split()]
    return next(iter([*named, *fitting]), None)
