"""The decoder as a whole against float64, and what must not change its bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.kernels import reference
from tests.kernels.students import RandomStudent, Spec, make_student

from sakedge.decoder import Decoded, Decoder, Window

# A value goes through some 160 additions (C, h and their like along the longest way, at these
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


def subsets(student: RandomStudent) -> list[tuple[str, ...]]:
    names = student.manifest.adapter_names
    return [names, names[::2], ()]


def run_all(
    student: RandomStudent,
    threads: int = 2,
    precision: str = "fp32",
    decoder: Decoder | None = None,
    **options: Any,
) -> Decoded:
    wanted = subsets(student)
    return (decoder or student.decoder(threads, precision=precision)).run(
        student.features(len(wanted)),
        tasks=student.manifest.task_names,
        adapters=wanted,
        windows=[whole(student), Window(13, 9, 2.5, -1.0, 1.75, 2.25), whole(student)],
        logits=True,
        **options,
    )


def assert_same(a: Decoded, b: Decoded) -> None:
    """Bit by bit."""
    for image_a, image_b in zip(a.images, b.images, strict=True):
        assert image_a.keys() == image_b.keys()
        for task in image_a:
            np.testing.assert_array_equal(image_a[task].values, image_b[task].values)
            np.testing.assert_array_equal(image_a[task].logits, image_b[task].logits)
    for routing_a, routing_b in zip(a.routing, b.routing, strict=True):
        for task in routing_a:
            np.testing.assert_array_equal(routing_a[task], routing_b[task])


def assert_close(got: NDArray[Any], want: NDArray[np.float64], slack: float = 1.0) -> None:
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=0, atol=slack * TOLERANCE * np.abs(want).max())


def test_a_batch_of_adapter_subsets_agrees_with_float64(student: RandomStudent) -> None:
    exact = reference.Student(student.manifest, student.routers, student.heads, student.adapters)
    features = student.features(3)
    size = student.manifest.input_size
    windows = [whole(student), Window(13, 9, 2.5, -1.0, 1.75, 2.25), whole(student)]
    out = run_all(student)
    for i, present in enumerate(subsets(student)):
        xs = [x[i].astype(np.float64) for x in features]
        for task in student.manifest.tasks:
            routing = exact.routing(task.name, xs, present)
            np.testing.assert_allclose(out.routing[i][task.name], routing, atol=TOLERANCE)
            plane = exact.map(task.name, xs, present)
            logits = out.images[i][task.name].logits
            assert logits is not None and logits.dtype == np.float32
            assert_close(logits, reference.resize(plane, *size).transpose(2, 0, 1))
            samples = reference.windowed(plane, size, windows[i])
            values = out.images[i][task.name].values
            assert values is not None
            if task.kind == "labels":
                assert values.dtype == (np.uint8 if task.classes <= 256 else np.uint16)
                index = values[..., None].astype(np.int64)
                chosen = np.take_along_axis(samples, index, -1)[..., 0]
                assert_close(chosen, samples.max(-1), slack=2)
            elif task.kind == "normals":
                # Relative to the vector's length, which may be anything.
                length = np.linalg.norm(samples, axis=-1, keepdims=True)
                off = np.abs(values - reference.decode("normals", samples)) * length
                assert off.max() <= 3 * TOLERANCE * np.abs(samples).max()
            else:
                want = reference.decode(task.kind, samples)
                atol = 2 * TOLERANCE * max(np.abs(samples).max(), 1)
                np.testing.assert_allclose(values, want, rtol=0, atol=atol)


def test_the_number_of_threads_changes_no_bit(student: RandomStudent) -> None:
    one = run_all(student, threads=1)
    for threads in (2, 3, 5):
        assert_same(one, run_all(student, threads=threads))


def test_an_image_alone_gives_the_bits_it_gives_in_a_batch(student: RandomStudent) -> None:
    batch = run_all(student)
    decoder = student.decoder()
    for i, present in enumerate(subsets(student)):
        alone = decoder.run(
            [x[i : i + 1] for x in student.features(3)],
            tasks=student.manifest.task_names,
            adapters=[present],
            windows=[(whole(student), Window(13, 9, 2.5, -1.0, 1.75, 2.25), whole(student))[i]],
            logits=True,
        )
        assert_same(alone, Decoded([batch.images[i]], [batch.routing[i]]))


def test_other_tasks_change_no_bit() -> None:
    student = make_student(Spec())
    together = run_all(student)
    for task in student.manifest.task_names:
        alone = student.decoder().run(
            student.features(3)[:],
            tasks=[task],
            adapters=subsets(student),
            windows=[whole(student), Window(13, 9, 2.5, -1.0, 1.75, 2.25), whole(student)],
            logits=True,
        )
        for i, image in enumerate(alone.images):
            np.testing.assert_array_equal(image[task].logits, together.images[i][task].logits)


def test_the_class_token_is_not_read(student: RandomStudent) -> None:
    features = student.features(1)
    for x in features:
        x[:, 0] = np.nan
    out = student.decoder().run(
        features,
        tasks=student.manifest.task_names,
        adapters=[student.manifest.adapter_names],
        windows=[whole(student)],
        logits=True,
    )
    assert all(np.isfinite(task.logits).all() for task in out.images[0].values())


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
    decoder = student.decoder()

    def run() -> Decoded:
        return decoder.run(
            student.features(1),
            tasks=student.manifest.task_names,
            adapters=[student.manifest.adapter_names],
            windows=[whole(student)],
            logits=True,
        )

    before = run()
    for parts in (student.routers, student.heads, student.adapters):
        for part in parts.values():
            for tensor in part.values():
                tensor[...] = np.nan
    assert_same(before, run())


def test_without_values_and_logits_there_is_the_routing_alone() -> None:
    student = make_student(Spec())
    full = run_all(student)
    out = student.decoder().run(
        student.features(3),
        tasks=["edge"],
        adapters=subsets(student),
        windows=[whole(student)] * 3,
        decode=False,
    )
    assert all(image["edge"].values is image["edge"].logits is None for image in out.images)
    for routing, expected in zip(out.routing, full.routing, strict=True):
        np.testing.assert_array_equal(routing["edge"], expected["edge"])


def test_no_images_give_no_results() -> None:
    student = make_student(Spec())
    out = student.decoder().run(student.features(0), tasks=["edge"], adapters=[], windows=[])
    assert (out.images, out.routing) == ([], [])
