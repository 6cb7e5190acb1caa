"""The counts behind the section of GPUs in docs/performance.md."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from tools.bench_peers.operations import after_stem_macs, stem_macs
from tools.bench_peers.students import NYUD, PASCAL
from tools.gpu_check import floor
from tools.gpu_check.counts import Stage, launches, stages
from tools.gpu_check.devices import DEVICES, closest
from tools.gpu_check.geometry import VIT_BASE, Geometry

from sakedge.format import AdapterInfo, Architecture, Manifest, Provenance, Storage
from sakedge.tasks import TaskInfo

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def student(
    width: int = 768,
    blocks: int = 12,
    levels: tuple[int, ...] = (2, 5, 8, 11),
    size: tuple[int, int] = (512, 512),
    tasks: tuple[dict[str, object], ...] = PASCAL,
    adapters: int = 3,
    router: str = "mor",
) -> Manifest:
    hidden = width // 4
    return Manifest.without_digests(
        architecture=Architecture(
            width=width, blocks=blocks, heads=width // 64, patch=16, mlp=4 * width, router=router
        ),
        input_size=size,
        levels=levels,
        tasks=tuple(TaskInfo(**task) for task in tasks),  # type: ignore[arg-type]
        adapters=tuple(
            AdapterInfo(name=f"a{i}", teacher="t", hidden=hidden) for i in range(adapters)
        ),
        storage=Storage.uniform("fp32"),
        provenance=Provenance(tool="test"),
    )


STUDENTS = {
    "ViT-S": student(384),
    "ViT-B": student(),
    "ViT-L": student(1024, 24, (5, 11, 17, 23)),
    "NYUD": student(size=(448, 576), tasks=NYUD),
    "six adapters": student(adapters=6),
    "no adapters": student(adapters=0),
    "no routers": student(router="none"),
    "two levels": student(192, 5, (1, 4)),
}


def macs(found: list[Stage], *names: str) -> int:
    return sum(stage.macs for stage in found if stage.name in names)


@pytest.mark.parametrize("name", STUDENTS)
@pytest.mark.parametrize("images", [1, 8])
def test_products_are_those_of_the_algebra(name: str, images: int) -> None:
    """But for the expansion and the last convolution: tensor cores multiply zeros there."""
    manifest = STUDENTS[name]
    found = stages(Geometry.of(manifest, images))
    after, width = after_stem_macs(manifest), manifest.architecture.width
    stem = [s.name for s in found if s.name.startswith("gemm") and s.name != "gemm taps"]
    assert macs(found, *stem, "attention") == images * stem_macs(manifest)
    assert macs(found, "adapter_path") == images * after["adapters"]
    assert macs(found, "router") == images * after["routers"]
    assert macs(found, "mix") == images * after["linears"]
    assert macs(found, "gemm taps") == images * after["taps"]
    # Six products of 16 rows each take the place of the expansion's sparse sums.
    padded = sum(math.ceil(t.classes / 8) * 8 for t in manifest.tasks)
    wide = images * 16 * math.prod(manifest.grid) * width
    assert macs(found, "head_expand") == wide * (padded + 6 * 16 * len(manifest.tasks))


@pytest.mark.parametrize("name", STUDENTS)
def test_launches_do_not_grow_with_adapters_tasks_or_images(name: str) -> None:
    """But for taps and their expansion, of so many tasks and images at a time."""
    manifest = STUDENTS[name]
    arch, levels = manifest.architecture, len(manifest.levels)
    expected = (
        2 + 7 * arch.blocks  # patches and their embedding; norm, qkv, attention, proj, norm, fc1, 2
        + (arch.blocks + 1) * bool(manifest.adapters)
        + levels * (2 + (arch.router == "mor"))  # router, weigh, mix
        + 1  # decode
    )  # fmt: skip
    for images in (1, 8):
        g = Geometry.of(manifest, images)
        blocks = math.prod(math.ceil(side / 4) for side in manifest.grid)
        at_once = 132 * (3 if max(t.classes for t in manifest.tasks) <= 24 else 1) // blocks
        chunks = math.ceil(images * len(manifest.tasks) / at_once)
        assert launches(g) == expected + 2 * chunks
        assert launches(g, "s8") == expected + 2 * chunks + 1


def test_weights_are_those_of_the_parts() -> None:
    """Each once per launch, and each launch has its own: so the student's matrices, at 2 bytes."""
    g = VIT_BASE
    c, blocks = g.width, g.blocks
    matrices = (
        3 * 256 * c
        + blocks * 12 * c * c
        + (blocks + 1) * 3 * 2 * c * 192
        + 4 * 5 * c * (c // 2)
        + 5 * (c * c + 9 * c * c)
        + c * (24 + 8 + 8 + 8 + 8)
    )
    assert sum(stage.weights for stage in stages(g)) == 2 * matrices


def test_int8_is_for_what_reads_a_layer_norm_and_for_the_taps() -> None:
    half = {stage.name: stage for stage in stages(VIT_BASE)}
    int8 = {stage.name: stage for stage in stages(VIT_BASE, "s8")}
    assert set(int8) - set(half) == {"quantize"}
    for name in ("gemm qkv", "gemm fc1", "gemm taps"):
        assert 2 * int8[name].weights == half[name].weights
        assert int8[name].data < half[name].data
    for name in ("gemm proj", "gemm fc2", "adapter_path", "router", "mix"):
        assert int8[name] == half[name]


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_a_peak_is_its_multiprocessors_rate_times_their_clock(device: object) -> None:
    """Dense products of a multiprocessor in a cycle, fp16 with float32 sums: powers of two that the
    architecture papers state. The stated peaks are rounded, Thor's and the L4's the most."""
    assert device in DEVICES
    found = next(each for each in DEVICES if each is device)
    rates = {"sm_80": 2048, "sm_87": 2048, "sm_89": 512, "sm_90": 4096, "sm_110": 8192}
    rate = {**rates, "sm_120": 512}[found.arch]
    if found.name == "L4":
        rate *= 2  # unlike a GeForce it sums in float32 at full rate
    peak = found.multiprocessors * rate * found.gigahertz / 1000
    assert found.half == pytest.approx(peak, rel=0.02)
    assert found.int8 == pytest.approx(2 * found.half * (1 + (found.name[:3] == "RTX")), rel=0.02)


def test_a_time_within_reach_is_above_the_floor_and_batches_share_weights() -> None:
    for device in DEVICES:
        one, eight = floor.of(VIT_BASE, device), floor.of(VIT_BASE.with_images(8), device)
        for time in (*one, *eight):
            assert 0 <= time.floor < time.reachable
            assert time.bound in ("products", "memory", "pointwise")
        assert sum(t.floor for t in eight) < 8 * sum(t.floor for t in one)


def test_whole_waves_cost_a_short_last_one() -> None:
    """1025 rows are 8 tiles of 128 and a row: with 64-row tiles the row costs half as much."""
    small = DEVICES[-1]
    stage = Stage("gemm", 1, macs=1, product=(1025, 768, 1))
    full = Stage("gemm", 1, macs=1, product=(1024, 768, 1))
    assert floor._filled(stage, small.multiprocessors) < floor._filled(full, small.multiprocessors)


def test_a_device_is_known_by_its_name_or_its_size() -> None:
    h200 = closest("NVIDIA H200", "sm_90", 132)
    assert h200 and h200.name == "H200 SXM"
    orin = closest("Orin", "sm_87", 8)
    assert orin and orin.multiprocessors == 8
    assert closest("NVIDIA GeForce RTX 4060", "sm_89", 24) is None


def test_the_page_shows_what_the_command_prints() -> None:
    page = PAGE.read_text()
    shown = [device for device in DEVICES if device.name in floor.PAGE_DEVICES]
    assert floor.counts_table(VIT_BASE) in page
    assert floor.stages_table(VIT_BASE, shown) in page
    assert floor.devices_table(VIT_BASE) in page
