"""Fragments of the tensor cores lie where CuTe says, which states the PTX ISA independently."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda.emulator import Emulator, bfloat16
from tests.cuda.emulator.build import COMPILER, remembered, run

HERE = Path(__file__).parent
HEADERS = [
    "cuComplex.h",
    "cuda.h",
    "cuda_bf16.h",
    "cuda_fp16.h",
    "cuda_fp8.h",
    "cuda_runtime.h",
    "cuda_runtime_api.h",
    "vector_types.h",
    *(f"cuda/std/{n}" for n in ("cassert", "cstdint", "limits", "tuple", "type_traits", "utility")),
]
Layouts = dict[str, dict[str, list[list[int]]]]


@pytest.fixture(scope="module")
def layouts(tmp_path_factory: pytest.TempPathFactory) -> Layouts:
    found = importlib.util.find_spec("cutlass_library")
    if found is None or not found.submodule_search_locations:
        pytest.skip("no CuTe: install nvidia-cutlass==4.2.0.0")
    cutlass = Path(found.submodule_search_locations[0]) / "source" / "include"
    version = (cutlass / "cutlass" / "version.h").read_text()
    source, host_cuda = HERE / "cute" / "layouts.cpp", HERE / "cute" / "host_cuda.h"

    def print_to(target: Path) -> None:
        folder = tmp_path_factory.mktemp("cute")
        for header in HEADERS:
            path = folder / header
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f'#include "{host_cuda}"\n')
        program = folder / "layouts"
        include = [f"-I{folder}", f"-I{cutlass}"]
        run([COMPILER, "-std=c++17", "-w", *include, str(source), "-o", str(program)])
        target.write_text(run([str(program)]))

    made_of = [COMPILER, version, source.read_text(), host_cuda.read_text(), *HEADERS]
    found_layouts: Layouts = json.loads(remembered(made_of, "json", print_to).read_text())
    return found_layouts


@pytest.fixture(scope="module", params=["ptx", "host"])
def fragments(request: pytest.FixtureRequest) -> Emulator:
    return Emulator(request.param, [HERE / "fragments.cu"])


def words(values: NDArray[Any]) -> NDArray[np.uint32]:
    return np.ascontiguousarray(values).view(np.uint32)


@pytest.mark.parametrize(
    ("name", "depth"), [("multiply_half", 16), ("multiply_bfloat", 16), ("multiply_int8", 32)]
)
def test_products_are_of_the_fragments_that_cute_states(
    fragments: Emulator, layouts: Layouts, name: str, depth: int
) -> None:
    rng = np.random.default_rng(depth)
    # Small integers: every type holds them, and sums are exact in any order.
    a, b = (rng.integers(-9, 10, shape) for shape in ((16, depth), (8, depth)))
    c = rng.integers(-99, 100, (16, 8))
    places = {k: np.array(v) for k, v in layouts[name].items()}
    kind = np.int32 if name == "multiply_int8" else np.float32

    def typed(values: NDArray[Any]) -> NDArray[Any]:
        if name == "multiply_bfloat":
            return bfloat16(values)
        return values.astype(np.int8 if name == "multiply_int8" else np.float16)

    d = np.ascontiguousarray(c.T.ravel()[places["d"]].astype(kind))
    args = {
        "a": words(typed(a.T.ravel()[places["a"]])),
        "b": words(typed(b.T.ravel()[places["b"]])),
        "d": d.view(np.uint32),
    }
    fragments.launch(name, grid=(1, 1, 1), args=args)
    got = np.zeros(16 * 8, kind)
    got[places["d"]] = d
    assert np.array_equal(got.reshape(8, 16).T, a @ b.T + c)


@pytest.mark.parametrize("name", ["matrices", "matrices_transposed"])
def test_matrices_are_loaded_to_where_cute_states(
    fragments: Emulator, layouts: Layouts, name: str
) -> None:
    rows = np.random.default_rng(1).permutation(256).astype(np.uint16).reshape(32, 8)
    source, target = (np.array(layouts[name][k]) for k in ("rows", "r"))
    at_bit = np.zeros(256, np.uint16)
    at_bit[source // 16] = rows
    d = np.zeros((32, 4), np.uint32)
    fragments.launch(name, grid=(1, 1, 1), shared=512, args={"a": words(rows), "d": d})
    assert np.array_equal(d.view(np.uint16), at_bit[target // 16])
