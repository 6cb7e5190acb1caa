"""A tiny student through the whole CUDA path, on the emulated device, against float64."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda.student.calls import WINDOW, Found, assert_same, copied, picture, run
from tests.cuda.student.capsules import CPU, DeviceArray, Exported
from tests.cuda.student.machine import HOPPER, PATH, device, emulated, image, on_device
from tests.cuda.student.model import Packer, Student, tiny
from tests.cuda.student.reference import DEVIATIONS, Reference, Result, inputs, sampling
from tests.kernels.decoded import assert_decoded

from sakedge import _cuda

ARITHMETICS = ("f16", "bf16", "s8")


@pytest.fixture(scope="module", autouse=True)
def _kernels(request: pytest.FixtureRequest) -> None:
    """The process that has the device is told which kernels it runs."""
    os.environ[PATH] = request.config.getoption("--cuda-path")


def assert_near(
    student: Student,
    arithmetic: str,
    image: NDArray[np.float64],
    found: Found,
    adapters: tuple[str | None, ...] = ("a", "b"),
    tasks: tuple[str, ...] | None = None,
) -> None:
    """Checks a run against float64."""
    reference = Reference(student, arithmetic)

    def compute(**options: Any) -> Result:
        return reference.run(image, adapters, tasks, **options)

    exact = compute()
    deviation = reference.deviation(exact, compute)
    values, logits, maps, routing, finite = found
    assert finite
    height, width = student.input_size
    rows = sampling(exact.maps["semseg"].shape[0], height, np.arange(height) + 0.5)
    columns = sampling(exact.maps["semseg"].shape[1], width, np.arange(width) + 0.5)
    kinds = {name: kind for name, kind, _ in student.spec.tasks}
    for i, (task, want) in enumerate(exact.maps.items()):
        bound = DEVIATIONS * deviation.maps[task]
        np.testing.assert_array_less(np.abs(maps[i] - want), bound, err_msg=f"map of {task}")
        # What is read from a map is off by no more than the map, and 4 float32 roundings.
        full = np.einsum("yi,xj,ijc->yxc", rows, columns, want)
        most = float(bound.max() + 4 * 2.0**-24 * np.abs(want).max())
        np.testing.assert_array_less(np.abs(logits[i].transpose(1, 2, 0) - full), most)
        assert_decoded(kinds[task], values[i], full, most)
        np.testing.assert_array_less(
            np.abs(routing[i] - exact.routing[task]),
            DEVIATIONS * deviation.routing[task] + 1e-6,
            err_msg=f"routing of {task}",
        )


@pytest.mark.parametrize("hopper", [False, True])
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@on_device
def test_a_student_is_computed(arithmetic: str, hopper: bool) -> None:
    student = tiny()
    packer = Packer(device(**(HOPPER if hopper else {})), student, arithmetic)
    model = packer.model()
    found = run(model, [packer.snapshot()], [(picture(0, 50, 60), 7, 2)])
    image = inputs(picture(0, 50, 60), student.input_size, 7, 2)
    assert_near(student, arithmetic, image, found[0])
    times = model.times()
    assert times.keys() == {"upload", "device", "download"}


@on_device
def test_several_snapshots_run_on_one_picture_and_on_others() -> None:
    student = tiny()
    packer = Packer(device(), student, "f16")
    chosen: list[tuple[tuple[str | None, ...], tuple[str, ...] | None]] = [
        (("a", "b"), None),
        (("a", None), None),
        ((None, None), ("semseg", "depth")),
        (("a", "b"), ("semseg", "normals")),
    ]
    snapshots = [packer.snapshot(*each) for each in chosen]
    rows = [0, 1, 1, 0]
    images = [picture(3), picture(4)]
    found = run(packer.model(), snapshots, [(p, 0, 0) for p in images], rows=rows)
    for row, each, result in zip(rows, chosen, found, strict=True):
        image = inputs(images[row], student.input_size, 0, 0)
        assert_near(student, "f16", image, result, *each)


@pytest.mark.parametrize("arithmetic", ["f16", "s8"])
@on_device
def test_tasks_in_several_chunks_are_computed_as_each_alone(arithmetic: str) -> None:
    student = tiny()
    # Three pairs of a run and a task fill it, a block each.
    packer = Packer(device(multiprocessors=1), student, arithmetic)
    model = packer.model()
    on_one: dict[str, Any] = {"pictures": [(picture(), 0, 0)], "rows": [0, 0, 0]}
    adapters: list[tuple[str | None, ...]] = [("a", "b"), ("b", "a"), ("a", None)]
    found = run(model, [packer.snapshot(each) for each in adapters], **on_one)
    tasks = [task for task, _, _ in student.spec.tasks]
    pairs = len(tasks) * len(adapters)
    assert pairs > 9  # more chunks than there is memory for at a time
    expected = model.graph_nodes()
    for i, task in enumerate(tasks):
        snapshots = [packer.snapshot(each, (task,)) for each in adapters]
        for together, alone in zip(found, run(model, snapshots, **on_one), strict=True):
            assert together[4] and alone[4]
            for kind in range(3):
                np.testing.assert_array_equal(together[kind][i], alone[kind][0])
    # Of each chunk but the first a product and its expansion.
    assert expected == model.graph_nodes() + 2 * (-(-pairs // 3) - 1)
    emulated().set(multiprocessors=None)


@on_device
def test_an_adapter_is_exchanged_between_calls_without_another_graph() -> None:
    packer = Packer(device(), tiny(), "f16")
    model = packer.model()
    both = packer.snapshot()
    swapped = packer.snapshot(("b", "a"))
    first = run(model, [both])
    other = run(model, [swapped])
    assert not np.array_equal(first[0][2][0], other[0][2][0])
    assert model.graphs() == (1, 4)
    assert_same(run(model, [both]), first)
    assert_same(run(packer.model(), [swapped]), other)


@on_device
def test_results_do_not_depend_on_the_order_in_which_a_graph_runs() -> None:
    packer = Packer(device(), tiny(), "f16")
    model, snapshot = packer.model(), packer.snapshot()
    first = run(model, [snapshot])
    for seed in range(2, 6):
        emulated().set(seed=seed)
        assert_same(run(model, [snapshot]), first)


@on_device
def test_more_stages_and_levels_than_there_is_memory_for_at_a_time() -> None:
    student = tiny(blocks=6, levels=(0, 2, 3, 5))
    packer = Packer(device(), student, "f16")
    model, snapshot = packer.model(), packer.snapshot()
    first = run(model, [snapshot])
    assert_near(student, "f16", inputs(picture(0), student.input_size, 0, 0), first[0])
    for seed in range(2, 5):
        emulated().set(seed=seed)
        assert_same(run(model, [snapshot]), first)


@on_device
def test_pictures_of_every_kind_are_taken() -> None:
    student = tiny()
    packer = Packer(device(), student, "f16")
    model, snapshot = packer.model(), packer.snapshot(tasks=("edge",))
    eight = picture(5)
    image = inputs(eight, student.input_size, 0, 0)
    kinds = [
        (eight, 0, 0),
        (eight.astype(np.uint16) * 257, 0, 0),
        (eight.astype(np.float32) / np.float32(255), 0, 0),
        image.astype(np.float32),
    ]
    found = [run(model, [snapshot], [kind])[0][2][0] for kind in kinds]
    # The kinds differ in float32 roundings of their pixels, which may turn roundings to 16 bits.
    reference = Reference(student, "f16")

    def compute(**options: Any) -> Result:
        return reference.run(image, tasks=("edge",), **options)

    exact = compute()
    bound = DEVIATIONS * reference.deviation(exact, compute).maps["edge"]
    for each in found:
        np.testing.assert_array_less(np.abs(each - exact.maps["edge"]), bound)


@pytest.mark.parametrize("version", [None, 1])
@on_device
def test_a_picture_on_the_device_is_used_where_it_lies(version: int | None) -> None:
    packer = Packer(device(), tiny(), "f16")
    model, snapshot = packer.model(), packer.snapshot(tasks=("edge",))
    pixels = picture(6, 32, 48)
    want = run(model, [snapshot], [(pixels, 8, 8)])
    there = DeviceArray(pixels)
    exported = Exported(there.address, pixels, version=version)
    capsule = exported.capsule()
    assert_same(run(model, [snapshot], [(capsule, 8, 8)]), want)
    assert exported.released == 1
    with pytest.raises(_cuda.CudaError, match="not used before"):
        run(model, [snapshot], [(capsule, 8, 8)])
    np.testing.assert_array_equal(
        packer.device.download(Exported(there.address, pixels, version=version).capsule()), pixels
    )
    for words, other in {
        "on CUDA device 0": Exported(there.address, pixels, version=version, device=(CPU, 0)),
        "dense array": Exported(there.address, pixels, version=version, strides=(200, 3, 1)),
    }.items():
        with pytest.raises(_cuda.CudaError, match=words):
            run(model, [snapshot], [(other.capsule(), 0, 0)])
        assert other.released == 1
    there.free()


@on_device
def test_an_integrated_device_computes_the_same() -> None:
    student = tiny()
    apart = Packer(device(), student, "f16")
    first = copied(run(apart.model(), [apart.snapshot()]))
    del apart
    shared = Packer(device(integrated=1), student, "f16")
    model, snapshot = shared.model(), shared.snapshot()
    kept = run(model, [snapshot])
    run(model, [snapshot], [(picture(1), 0, 0)])
    assert_same(kept, first)
    emulated().set(integrated=0)


@on_device
def test_out_of_memory_leaves_a_student_usable() -> None:
    packer = Packer(device(), tiny(), "f16")
    model, snapshot = packer.model(), packer.snapshot()
    first = run(model, [snapshot])
    free, _ = packer.device.memory()
    emulated().set(memory=4294967296 - free + (256 << 10))
    with pytest.raises(_cuda.CudaError) as refused:
        run(model, [snapshot] * 8)
    assert refused.value.args[0] == "device_memory"
    emulated().set(memory=None)
    assert_same(run(model, [snapshot]), first)
    assert_same(run(model, [snapshot] * 8, [(picture(0), 0, 0)], rows=[0] * 8), first * 8)


@on_device
def test_a_lost_device_says_so_in_every_call() -> None:
    packer = Packer(device(), tiny(), "f16")
    model, snapshot = packer.model(), packer.snapshot()
    kept = run(model, [snapshot])
    before = copied(kept)
    launches = model.graph_nodes() + 2  # and decode, upsample
    emulated().set(lose_at=launches + 3)
    messages = []
    for _ in range(2):
        with pytest.raises(_cuda.CudaError) as lost:
            run(model, [snapshot])
        assert lost.value.args[0] == "device_lost"
        messages.append(lost.value.args[1])
    assert messages[0] == messages[1]
    assert_same(kept, before)
    emulated().set(lose_at=None)


@on_device
def test_graphs_are_kept_up_to_a_number_and_captured_ahead() -> None:
    packer = Packer(device(), tiny(), "f16")
    model = packer.model(graphs=2)
    snapshot = packer.snapshot(tasks=("edge",))
    wanted = {"values": True, "logits": False, "maps": False, "min_weight": 0.0}
    model.capture(1, [snapshot], **wanted)
    assert model.graphs() == (1, 2)
    first = run(model, [snapshot], **wanted)
    assert model.graphs() == (1, 2)
    run(model, [snapshot, snapshot], **wanted)
    run(model, [snapshot], **wanted | {"min_weight": 0.5})
    assert model.graphs() == (2, 2)
    assert_same(run(model, [snapshot], **wanted), first)
    assert model.memory() > 0


@on_device
def test_threads_share_a_student() -> None:
    packer = Packer(device(), tiny(), "f16")
    model, snapshot = packer.model(), packer.snapshot(tasks=("edge",))
    want = [run(model, [snapshot], [(picture(i), 0, 0)]) for i in range(3)]
    failures: list[AssertionError] = []

    def call(i: int) -> None:
        try:
            for _ in range(2):
                assert_same(run(model, [snapshot], [(picture(i), 0, 0)]), want[i])
        except AssertionError as failure:
            failures.append(failure)

    threads = [threading.Thread(target=call, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@on_device
def test_a_router_takes_another_gate() -> None:
    student = tiny()
    packer = Packer(device(), student, "f16")
    model = packer.model()
    head = packer.head("edge")
    base = packer.router("edge")
    places = [f"mor.{level}.edge.gate" for level in student.spec.levels]
    tensors = student.parts.routers["edge"]
    gates = [(-tensors[f"{p}.weight"], -tensors[f"{p}.bias"]) for p in places]
    paths = [packer.path("a"), packer.path("b")]
    regated = _cuda.Snapshot(paths, [("probability", head, base.regated(gates))])
    del base
    found = run(model, [regated])
    for place in places:
        for part in ("weight", "bias"):
            tensors[f"{place}.{part}"] = -tensors[f"{place}.{part}"]
    assert_same(run(model, [packer.snapshot(tasks=("edge",))]), found)


@pytest.mark.parametrize("arithmetic", ["f16", "s8"])
@on_device
def test_integers_are_taken_as_they_are(arithmetic: str) -> None:
    student = tiny()
    for task, head in student.parts.heads.items():
        fuse = head[f"heads.{task}.fuse.weight"]
        # Each tap has the largest weight of its channel, for floats are quantised tap by tap.
        fuse[:, 0] = np.abs(fuse).max((1, 2, 3))[:, None, None]
    on = device()
    exact = Packer(on, student, arithmetic, integers=True)
    found = run(exact.model(), [exact.snapshot()])
    # The same values as floats: quantised again, they are the same integers.
    floats = Packer(on, exact.dequantised(), arithmetic)
    assert_same(run(floats.model(), [floats.snapshot()]), found)


@on_device
def test_a_call_is_profiled_kernel_by_kernel() -> None:
    packer = Packer(device(), tiny(), "f16")
    model, snapshot = packer.model(), packer.snapshot(tasks=("edge",))
    call: dict[str, Any] = {
        "pictures": [(picture(), 0, 0)],
        "rows": [0],
        "snapshots": [snapshot],
        "windows": [WINDOW],
        "values": True,
        "logits": False,
        "maps": False,
        "min_weight": 0.0,
    }
    found = model.profile(**call)
    assert len(found) == model.graph_nodes() + 1
    names = [name for name, _ in found]
    assert names[0].startswith("patches_f16") and names[-1] == "decode"
    # A patch embedding, four products in each of two blocks, the taps.
    assert sum(name.startswith("gemm_f16") for name in names) == 1 + 2 * 4 + 1
    # The paths of a depth are one launch, routers and mixtures of a level too.
    assert sum(name.startswith("adapter_path") for name in names) == 3
    assert sum(name.startswith("router") for name in names) == 2


@on_device
def test_what_does_not_fit_is_refused() -> None:
    student = tiny()
    packer = Packer(device(), student, "f16")
    model, snapshot = packer.model(), packer.snapshot(tasks=("edge",))

    def refused(words: str, call: Any) -> None:
        with pytest.raises(_cuda.CudaError, match=words) as error:
            call()
        assert error.value.args[0] == "invalid"

    refused("a row that", lambda: run(model, [snapshot], rows=[1]))
    refused("dense array", lambda: run(model, [snapshot], [(picture()[:, ::2], 0, 0)]))
    refused("uint8, uint16 or float32", lambda: run(model, [snapshot], [(picture() * 1.0, 0, 0)]))
    refused("normalised input", lambda: run(model, [snapshot], [np.zeros((4, 64, 64), "f4")]))
    refused(
        "of 64 x 64, got 32 x 64", lambda: run(model, [snapshot], [np.zeros((3, 32, 64), "f4")])
    )
    refused("min_weight", lambda: run(model, [snapshot], min_weight=-1.0))
    other = Packer(packer.device, student, "bf16").snapshot(tasks=("edge",))
    refused("an adapter in bf16, the stem is in f16", lambda: run(model, [other]))
    refused("no tile 'large'", lambda: _cuda.Device(0, image(), {"gemm_f16 1x1x1": "large"}))
    student.stem["0.mlp.fc1.weight"][3, 5] = 70000.0
    refused("stem block 0 fc1: a weight is beyond float16 .* use bf16", packer.stem)
