"""Faults planted in the pipeline of the matrix products: the emulator finds each."""

from __future__ import annotations

import numpy as np
import pytest
from tests.cuda.emulator import Emulator, Failure
from tests.cuda.shapes import KERNELS, gemm_tiles

BARRIER = "dev::copy_wait<kStages - 2>();\n          dev::barrier();\n"
FAULTS = {
    "none": ("", ""),
    "no_barrier": (BARRIER, "dev::copy_wait<kStages - 2>();\n"),
    "no_wait": (BARRIER, "dev::barrier();\n"),
    "one_wait_late": (BARRIER, BARRIER.replace("- 2", "- 1")),
    "slot_in_use_filled": ("fetch(filled, t + kStages - 1);", "fetch(slot, t + kStages - 1);"),
    "sums_over_k_tiles": ("dev::copy_wait<0>();\n    dev::barrier();\n", "dev::copy_wait<0>();\n"),
    "rows_not_waited_for": ("dev::warp_barrier();\n      finish", "finish"),
    "rows_refilled_early": ("first);\n      dev::warp_barrier();\n", "first);\n"),
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Emulator:
    """gemm_<fault>: the kernel of 128 x 128 tiles with a fault."""
    text = (KERNELS / "gemm.h").read_text()
    kernel = text[text.index("template <class T, GemmTileId kId>") : text.rindex("}  // namespace")]
    copies, entries = "", ""
    for name, (old, new) in FAULTS.items():
        assert kernel.count(old) == 1 or not old, f"{name}: not once in gemm.h: {old}"
        copy = kernel.replace(old, new).replace("Gemm(const", f"Gemm_{name}(const")
        copies += copy.replace("class Gemm {", f"class Gemm_{name} {{")
        entries += f"""
SAK_ENTRY(gemm_{name}, 128, 1, GemmArgs) {{
  sakedge::cuda::Gemm_{name}<sakedge::cuda::Half, sakedge::cuda::kGemm_128x128>(args).run();
}}"""
    folder = tmp_path_factory.mktemp("faults")
    (folder / "copies.h").write_text(
        f'#include "cuda/kernels/gemm.h"\nnamespace sakedge::cuda {{\n{copies}}}\n'
    )
    (folder / "faults.cu").write_text(f'#include "copies.h"\n{entries}\n')
    return Emulator("host", [folder / "faults.cu"])


def launch(emulator: Emulator, fault: str) -> None:
    ones = np.ones((128, 224), np.float16)  # more k-tiles than stages
    out = np.zeros((128, 128), np.float32)
    emulator.launch(
        f"gemm_{fault}",
        grid=(1, 1, 1),
        shared=gemm_tiles()["128x128"].shared,
        args={
            "a": ones,
            "linear": {"weight": ones, "out": 128, "in": 224},
            "out": out,
            "m": 128,
            "float_out": 1,
            "a_width": 224,
            "out_width": 128,
        },
    )
    assert (out == 224).all()


def test_the_copy_without_a_fault_is_right(faulty: Emulator) -> None:
    launch(faulty, "none")


@pytest.mark.parametrize("fault", [f for f in FAULTS if f != "none"])
def test_each_fault_is_found(faulty: Emulator, fault: str) -> None:
    with pytest.raises(Failure, match="race"):
        launch(faulty, fault)
