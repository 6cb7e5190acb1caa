"""The decoder as a whole against float64, and what must not change its bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.kernels import reference
from tests.kernels.loaded import Loaded
from tests.kernels.students import RandomStudent, Spec, make_student

from sakedge.decoder import Decoded, decode_map, upsample_map
from sakedge.images.window import Window

# A value goes through some 160 additions (C, h and the like along the longest path, at these
# sizes); each rounds by 2^-24 of at most the largest magnitude.
TOLERANCE = 160 * 2.0**-24

SPECS = {
    "three adapters, five kinds": Spec(),
    "no adapter": Spec(adapters={}),
    "no router": Spec(router="none"),
    "odd sizes": Spec(width=36, grid=(9, 15), hidden=1, reduced=3, fused=65),
    "no upsampling in the head": Spec(patch=4, grid=(4, 6)),
    "patch 32": Spec(patch=32, grid=(2, 3)),
    "one token": Spec(grid=(1, 1)),
    "one level": Spec(blocks=1, levels=(0,)),
    "blocks after the last level": Spec(blocks=5, levels=(1, 2)),
    "more than 256 classes": Spec(tasks=(("many", "labels", 300),)),
    "more than one tile": Spec(grid=(10, 13)),
}


@pytest.fixture(scope="module", params=list(SPECS))
def student(request: pytest.FixtureRequest) -> RandomStudent:
    return make_student(SPECS[request.param])


def whole(student: RandomStudent) -> Window:
    height, width = student.manifest.input_size
    return Window(height, width)


def windows(student: RandomStudent) -> list[Window]:
    return [whole(student), Window(13, 9, 2.5, -1.0, 1.75, 2.25), whole(student)]


def subsets(student: RandomStudent) -> list[tuple[str, ...]]:
    names = student.manifest.adapter_names
    return [names, names[::2], ()]


def run_all(
    student: RandomStudent,
    threads: int = 2,
    precision: str = "fp32",
    loaded: Loaded | None = None,
    **options: Any,
) -> list[Decoded]:
    """Three images, each with other adapters and another window."""
    loaded = loaded or Loaded(student, threads=threads, precision=precision)
    arguments: dict[str, Any] = {
        "tasks": student.manifest.task_names,
        "adapters": subsets(student),
        "windows": windows(student),
        "logits": True,
    }
    return loaded.run(student.features(3), **(arguments | options))


def run_one(student: RandomStudent, loaded: Loaded | None = None) -> list[Decoded]:
    """One image with all adapters."""
    return (loaded or Loaded(student)).run(
        student.features(1),
        tasks=student.manifest.task_names,
        adapters=[student.manifest.adapter_names],
        windows=[whole(student)],
        logits=True,
    )


def assert_same(a: list[Decoded], b: list[Decoded]) -> None:
    """Bit by bit."""
    for image_a, image_b in zip(a, b, strict=True):
        assert image_a.routing.keys() == image_b.routing.keys()
        for field in ("values", "logits", "maps", "routing"):
            ours, theirs = getattr(image_a, field), getattr(image_b, field)
            assert ours.keys() == theirs.keys()
            for task in ours:
                np.testing.assert_array_equal(ours[task], theirs[task])


def assert_close(got: NDArray[Any], want: NDArray[np.float64], slack: float = 1.0) -> None:
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=0, atol=slack * TOLERANCE * np.abs(want).max())


def test_a_batch_of_adapter_subsets_agrees_with_float64(student: RandomStudent) -> None:
    exact = reference.Student(student.manifest, student.routers, student.heads, student.adapters)
    features = student.features(3)
    size = student.manifest.input_size
    out = run_all(student, maps=True)
    for i, (present, window) in enumerate(zip(subsets(student), windows(student), strict=True)):
        xs = [x[i].astype(np.float64) for x in features]
        for task in student.manifest.tasks:
            routing = exact.routing(task.name, xs, present)
            np.testing.assert_allclose(out[i].routing[task.name], routing, atol=TOLERANCE)
            plane = exact.map(task.name, xs, present)
            assert out[i].maps[task.name].dtype == np.float32
            assert_close(out[i].maps[task.name], plane)
            logits = out[i].logits[task.name]
            assert logits.dtype == np.float32
            assert_close(logits, reference.resize(plane, *size).transpose(2, 0, 1))
            samples = reference.windowed(plane, size, window)
            values = out[i].values[task.name]
            if task.kind == "labels":
                assert values.dtype == (np.uint8 if task.classes <= 256 else np.uint16)
                index = values[..., None].astype(np.int64)
                chosen = np.take_along_axis(samples, index, -1)[..., 0]
                assert_close(chosen, samples.max(-1), slack=2)
            elif task.kind == "normals":
                # Relative to the vector's length, which is arbitrary.
                length = np.linalg.norm(samples, axis=-1, keepdims=True)
                off = np.abs(values - reference.decode("normals", samples)) * length
                assert off.max() <= 3 * TOLERANCE * np.abs(samples).max()
            else:
                want = reference.decode(task.kind, samples)
                atol = 2 * TOLERANCE * max(np.abs(samples).max(), 1)
                np.testing.assert_allclose(values, want, rtol=0, atol=atol)


def test_values_and_logits_are_what_the_maps_give(student: RandomStudent) -> None:
    loaded = Loaded(student)
    size = student.manifest.input_size
    out = run_all(student, loaded=loaded, maps=True)
    for image, window in zip(out, windows(student), strict=True):
        for task in student.manifest.tasks:
            map_, pool = image.maps[task.name], loaded.decoder.pool
            decoded = decode_map(pool, task, map_, size, window)
            np.testing.assert_array_equal(decoded, image.values[task.name])
            np.testing.assert_array_equal(upsample_map(pool, map_, size), image.logits[task.name])


def test_the_number_of_threads_changes_no_bit(student: RandomStudent) -> None:
    one = run_all(student, threads=1)
    for threads in (2, 3, 5):
        assert_same(one, run_all(student, threads=threads))


def test_an_image_alone_gives_the_bits_it_gives_in_a_batch(student: RandomStudent) -> None:
    batch = run_all(student)
    loaded = Loaded(student)
    for i, (present, window) in enumerate(zip(subsets(student), windows(student), strict=True)):
        alone = loaded.run(
            [x[i : i + 1] for x in student.features(3)],
            tasks=student.manifest.task_names,
            adapters=[present],
            windows=[window],
            logits=True,
        )
        assert_same(alone, [batch[i]])


def test_other_tasks_change_no_bit() -> None:
    student = make_student(Spec())
    together = run_all(student)
    for task in student.manifest.task_names:
        for image, other in zip(run_all(student, tasks=[task]), together, strict=True):
            np.testing.assert_array_equal(image.logits[task], other.logits[task])


def test_the_class_token_is_not_read(student: RandomStudent) -> None:
    features = student.features(1)
    for x in features:
        x[:, 0] = np.nan
    (out,) = Loaded(student).run(
        features,
        tasks=student.manifest.task_names,
        adapters=[student.manifest.adapter_names],
        windows=[whole(student)],
        logits=True,
    )
    assert list(out.logits) == list(student.manifest.task_names)
    assert all(np.isfinite(logits).all() for logits in out.logits.values())


def test_float16_weights_are_taken_at_their_value() -> None:
    student = make_student(Spec())
    halves: list[dict[str, dict[str, NDArray[Any]]]] = []
    for parts in (student.routers, student.heads, student.adapters):
        halves.append(
            {k: {n: t.astype(np.float16) for n, t in part.items()} for k, part in parts.items()}
        )
    half = RandomStudent(student.manifest, *halves, student.spec)
    floats = [
        {k: {n: t.astype(np.float32) for n, t in part.items()} for k, part in parts.items()}
        for parts in halves
    ]
    full = RandomStudent(student.manifest, *floats, student.spec)
    assert_same(run_all(half), run_all(full))


def test_no_view_of_the_weights_is_kept() -> None:
    student = make_student(Spec())
    loaded = Loaded(student)
    before = run_one(student, loaded)
    for parts in (student.routers, student.heads, student.adapters):
        for part in parts.values():
            for tensor in part.values():
                tensor[...] = np.nan
    assert_same(before, run_one(student, loaded))


def test_with_nothing_else_wanted_there_is_the_routing_alone() -> None:
    student = make_student(Spec())
    full = run_all(student)
    out = run_all(student, tasks=["edge"], values=False, logits=False)
    for image, expected in zip(out, full, strict=True):
        assert image.values == image.logits == image.maps == {}
        assert list(image.routing) == ["edge"]
        np.testing.assert_array_equal(image.routing["edge"], expected.routing["edge"])


def test_what_else_is_wanted_changes_no_bit() -> None:
    student = make_student(Spec())
    everything = run_all(student, maps=True)
    for wanted in ("values", "logits", "maps"):
        options = {"values": False, "logits": False, wanted: True}
        for image, expected in zip(run_all(student, **options), everything, strict=True):
            given = [name for name in ("values", "logits", "maps") if getattr(image, name)]
            assert given == [wanted]
            for task, array in getattr(image, wanted).items():
                np.testing.assert_array_equal(array, getattr(expected, wanted)[task])


def test_no_images_give_no_results() -> None:
    student = make_student(Spec())
    assert Loaded(student).run(student.features(0), tasks=["edge"], adapters=[], windows=[]) == []
