"""What holds for all kernels, on every instruction set and machine."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import pytest
from tests.kernels import checks, machines

import sakedge_kernels
from sakedge.decoder import isas


def test_every_kernel_has_a_test() -> None:
    for module in ("maps", "matrices", "planes", "tokens"):
        importlib.import_module(f"tests.kernels.{module}_test")
    assert set(sakedge_kernels.names()) == checks.checked


def test_a_kernel_that_there_is_not_is_refused(kernels: machines.Kernels) -> None:
    with pytest.raises((RuntimeError, ValueError), match="no kernel linear_f16"):
        kernels("linear_f16")


def test_inputs_that_do_not_fit_are_refused(kernels: machines.Kernels) -> None:
    x = checks.normal(1, 2, 3)
    with pytest.raises((RuntimeError, ValueError), match="expected x"):
        kernels("linear_f32", x, x, None, None)


def test_the_dispatch_is_read_as_it_is_compiled() -> None:
    here = [name for name, _, _ in isas()]
    assert [name for name in machines.listed_isas() if name in here] == here


def test_every_instruction_set_of_aarch64_runs(
    aarch64: Callable[..., list[str]],
) -> None:
    lines = machines.output([*aarch64(), "isas"])
    names = [name for name, missing in (line.split("\t") for line in lines) if not missing]
    arm = [name for name in machines.listed_isas() if name.startswith("neon")]
    assert names == [*arm, "generic"]


@pytest.mark.parametrize(
    ("cpu", "features"),
    [
        ("cortex-a72", ["Advanced SIMD"]),
        ("cortex-a76", ["Advanced SIMD", "Arm dot product"]),
        ("neoverse-n1", ["Advanced SIMD", "Arm dot product"]),
        (
            "max",
            [
                "Advanced SIMD",
                "Arm dot product",
                "Arm int8 matrix multiply",
                "Arm bfloat16",
            ],
        ),
    ],
)
def test_features_of_aarch64_are_those_of_the_cpu(
    aarch64: Callable[..., list[str]], cpu: str, features: list[str]
) -> None:
    assert machines.output([*aarch64(cpu=cpu), "features"]) == features


def test_dispatch_passes_its_test_on_aarch64(aarch64: Callable[..., list[str]]) -> None:
    assert machines.output(aarch64("sakedge_dispatch_test")) == []
