"""What wheels are built for."""

from __future__ import annotations

from dataclasses import dataclass

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
MACHINES = ("x86_64", "aarch64")

FLOOR = (2, 28)
"""The oldest glibc that wheels promise: that of onnxruntime's and OpenVINO's wheels for x86-64.

cmake/manylinux.cmake links with its symbols, and a wheel that needs a newer one is refused.
"""


@dataclass(frozen=True)
class Target:
    """One wheel: a Python such as 3.12, a machine, and whether it has the CUDA backend."""

    python: str
    machine: str
    cuda: bool = False

    @property
    def tag(self) -> str:
        """Of interpreter and ABI: cp312-cp312."""
        name = "cp" + self.python.replace(".", "")
        return f"{name}-{name}"

    @property
    def extension(self) -> str:
        """What the names of compiled modules end with."""
        digits = self.python.replace(".", "")
        return f".cpython-{digits}-{self.machine}-linux-gnu.so"

    @property
    def modules(self) -> tuple[str, ...]:
        """Names of the compiled modules."""
        return ("_core", "_cuda") if self.cuda else ("_core",)


def all_targets() -> list[Target]:
    """In the order that reuses most objects: by machine, then by Python."""
    return [
        Target(python, machine, cuda)
        for machine in MACHINES
        for python in PYTHONS
        for cuda in (True, False)
    ]
