"""Faults planted in the pipelines of the matrix products: the emulator finds each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from tests.cuda.emulator import Emulator, Failure
from tests.cuda.shapes import KERNELS, gemm_tiles, warpgroup_tiles

WAIT = "dev::copy_wait<kStages - 2>();\n"
BARRIER = "dev::barrier();\n"
GROUP_WAIT, GROUP_FENCE = "dev::copy_wait<kAhead - 1>();\n", "dev::warpgroup_sees_copies();\n"
GROUP_BARRIER = "dev::barrier();  // k-tile t"
END = "dev::copy_wait<0>();\n    "


@dataclass(frozen=True)
class Family:
    """Products by one class of kernels."""

    file: str
    of: str  # the class
    tile: str
    faults: dict[str, tuple[str, str]]  # what is replaced by what

    @property
    def threads(self) -> int:
        tile = {**gemm_tiles(), **warpgroup_tiles()}[self.tile]
        return 32 * (tile.m // tile.warp_m) * (tile.n // tile.warp_n)

    @property
    def text(self) -> str:
        """The class, and what it inherits."""
        return classes("gemm_block.h") + classes(self.file)


def classes(file: str) -> str:
    text = (KERNELS / file).read_text()
    return text[text.index("template <class T, class Shape>") : text.rindex("}  // namespace")]


STAGED = {
    "rows_not_waited_for": ("dev::warp_barrier();\n        finish", "finish"),
    "rows_refilled_early": ("left);\n        dev::warp_barrier();\n", "left);\n"),
}
FAMILIES = {
    "warp": Family(
        "gemm.h",
        "Gemm",
        "128x128",
        {
            "no_barrier": (WAIT + 10 * " " + BARRIER, WAIT),
            "no_wait": (WAIT + 10 * " " + BARRIER, BARRIER),
            "one_wait_late": (
                WAIT + 10 * " " + BARRIER,
                WAIT.replace("- 2", "- 1") + 10 * " " + BARRIER,
            ),
            "slot_in_use_filled": (
                "fetch(filled, t + kStages - 1);",
                "fetch(slot, t + kStages - 1);",
            ),
            "sums_over_k_tiles": (END + BARRIER, END),
            **STAGED,
        },
    ),
    "warpgroup": Family(
        "warpgroup_gemm.h",
        "WarpgroupGemm",
        "w192x256",
        {
            "no_barrier": (GROUP_BARRIER, "//"),
            "no_wait": (GROUP_WAIT, ""),
            "one_wait_late": (GROUP_WAIT, GROUP_WAIT.replace("kAhead - 1", "kAhead")),
            "no_fence": (GROUP_FENCE, ""),
            "no_begin": ("dev::warpgroup_begin();\n", ""),
            "slot_in_use_filled": ("fetch(filled, t + kAhead);", "fetch(slot, t + kAhead);"),
            "products_in_use": ("dev::warpgroup_wait<1>();", "dev::warpgroup_wait<2>();"),
            "products_not_waited_for": ("dev::warpgroup_wait<0>();\n", ""),
            "sums_over_k_tiles": (END + BARRIER, END),
            **STAGED,
        },
    ),
}


def cases() -> Iterator[tuple[str, str]]:
    for family, of in FAMILIES.items():
        yield from ((family, fault) for fault in of.faults)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Emulator:
    """gemm_<family>_<fault>: a kernel with a fault, and with `none`."""
    copies, entries = "", ""
    for name, family in FAMILIES.items():
        for fault, (old, new) in {"none": ("", ""), **family.faults}.items():
            assert family.text.count(old) == 1 or not old, f"{name}, {fault}: not once: {old}"
            own = f"_{name}_{fault}"
            renamed = rf"\b({family.of}|GemmBlock)\b"
            copies += re.sub(renamed, rf"\1{own}", family.text.replace(old, new))
            entries += f"""
SAK_ENTRY(gemm{own}, {family.threads}, 1, GemmArgs) {{
  using namespace sakedge::cuda;
  {family.of}{own}<Half, GemmTile_{family.tile}>(args).run();
}}"""
    folder = tmp_path_factory.mktemp("faults")
    includes = "".join(f'#include "cuda/kernels/{family.file}"\n' for family in FAMILIES.values())
    (folder / "copies.h").write_text(f"{includes}namespace sakedge::cuda {{\n{copies}}}\n")
    (folder / "faults.cu").write_text(f'#include "copies.h"\n{entries}\n')
    return Emulator("host", [folder / "faults.cu"])


def launch(emulator: Emulator, family: str, fault: str) -> None:
    ones = np.ones((128, 352), np.float16)  # more k-tiles than stages
    out = np.zeros((128, 128), np.float32)
    tile = {**gemm_tiles(), **warpgroup_tiles()}[FAMILIES[family].tile]
    emulator.launch(
        f"gemm_{family}_{fault}",
        grid=(tile.blocks_for(128, 128), 1, 1),
        shared=tile.shared,
        args={
            "a": ones,
            "linear": {"weight": ones, "out": 128, "in": 352},
            "out": out,
            "m": 128,
            "float_out": 1,
            "a_width": 352,
            "out_width": 128,
        },
    )
    assert (out == 352).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_copy_without_a_fault_is_right(faulty: Emulator, family: str) -> None:
    launch(faulty, family, "none")


@pytest.mark.parametrize(("family", "fault"), list(cases()))
def test_each_fault_is_found(faulty: Emulator, family: str, fault: str) -> None:
    with pytest.raises(Failure, match=r"race|product|operand"):
        launch(faulty, family, fault)
