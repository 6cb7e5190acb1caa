"""Students of any size agree with float64."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.kernels import reference
from tests.kernels.loaded import Loaded
from tests.kernels.students import FIVE_KINDS, Spec, make_student

from sakedge.images.window import Window

TOLERANCE = 200 * 2.0**-24  # as in decoder_test.py, for the largest sizes drawn here


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    blocks = draw(st.integers(1, 4))
    levels = draw(st.sets(st.integers(0, blocks - 1), min_size=1))
    names = draw(st.integers(0, 3))
    return Spec(
        width=4 * draw(st.integers(1, 10)),
        blocks=blocks,
        levels=tuple(sorted(levels)),
        grid=(draw(st.integers(1, 9)), draw(st.integers(1, 9))),
        patch=4 * draw(st.integers(1, 5)),
        adapters={f"a{i}": draw(st.integers(1, 20)) for i in range(names)},
        tasks=tuple(draw(st.permutations(FIVE_KINDS)))[: draw(st.integers(1, 3))],
        router=draw(st.sampled_from(["mor", "none"])),
        hidden=draw(st.integers(1, 20)),
        reduced=draw(st.integers(1, 9)),
        fused=draw(st.integers(1, 140)),
        seed=draw(st.integers(0, 2**16)),
    )


@given(spec=specs(), present=st.sets(st.integers(0, 2)), threads=st.integers(1, 3))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_logits_agree(spec: Spec, present: set[int], threads: int) -> None:
    student = make_student(spec)
    names = [n for i, n in enumerate(student.manifest.adapter_names) if i in present]
    features = student.features()
    (out,) = Loaded(student, threads=threads).run(
        features,
        tasks=student.manifest.task_names,
        adapters=[names],
        windows=[Window(3, 3)],
        logits=True,
    )
    exact = reference.Student(student.manifest, student.routers, student.heads, student.adapters)
    xs = [x[0].astype(np.float64) for x in features]
    for task in student.manifest.task_names:
        plane = exact.map(task, xs, names)
        want = reference.resize(plane, *student.manifest.input_size).transpose(2, 0, 1)
        atol = TOLERANCE * max(np.abs(want).max(), 1)
        np.testing.assert_allclose(out.logits[task], want, rtol=0, atol=atol)
