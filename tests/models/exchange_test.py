"""Adapters are exchanged: every model shows the one that is there, and graphs come and go."""

from __future__ import annotations

import gc
import itertools
import pickle
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.pictures import picture, same
from tools.checkpoint import make_checkpoint

import sakedge
from sakedge.backends import registry
from sakedge.backends.base import CompileOptions
from sakedge.backends.onnxruntime.backend import OnnxRuntimeBackend
from sakedge.convert import convert
from sakedge.errors import BackendError, ClosedError, DigestError, FileFormatError
from sakedge.format import StudentFile, Subgraph, extract_part, write_pack

Load = Callable[..., sakedge.Student]
IMAGE = picture(64, 96)
EDGE: dict[str, Any] = {"tasks": ["edge"]}
SWAPS_UNDER_LOAD = {"onnxruntime": 100, "openvino": 20}
"""OpenVINO takes four times as long to compile."""


class Hindered(OnnxRuntimeBackend):
    """ONNX Runtime, and whatever `before` says before each graph is compiled."""

    name = "hindered"
    before: Callable[[], object] = staticmethod(lambda: None)
    compiled: list[Subgraph] = []  # noqa: RUF012 - emptied by the fixture

    def compile(self, subgraph: Subgraph, options: CompileOptions) -> Any:
        type(self).before()
        type(self).compiled.append(subgraph)
        return super().compile(subgraph, options)


@pytest.fixture(params=SWAPS_UNDER_LOAD)
def graph_on(request: pytest.FixtureRequest, tiny_student: Path) -> Load:
    """Loads the graph model on a backend, with one task and on one thread."""
    return partial(
        sakedge.load,
        tiny_student,
        threads=1,
        backend=request.param,
        config={"model": "graph"},
        **EDGE,
    )


@pytest.fixture
def hindered(tiny_student: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sakedge.Student]:
    """The graph model on a backend that can be hindered."""
    monkeypatch.setitem(registry.BACKENDS, "hindered", f"{__name__}:Hindered")
    monkeypatch.setattr(Hindered, "before", staticmethod(lambda: None))
    monkeypatch.setattr(Hindered, "compiled", [])
    with sakedge.load(tiny_student, backend="hindered", config={"model": "graph"}) as student:
        yield student


def test_every_model_shows_the_adapter_that_is_there(
    load: Load, host: sakedge.Student, tiny_student: Path, packs: list[Path]
) -> None:
    with (
        load(**EDGE) as student,
        sakedge.load(
            tiny_student, backend="onnxruntime", config={"model": "host"}, **EDGE
        ) as other,
    ):
        first = student(IMAGE)
        for pack in packs:
            for each in (student, other):
                each.adapters.swap("sam", pack)
            assert same(student(IMAGE), other(IMAGE))
            assert not same(student(IMAGE), host(IMAGE, **EDGE))
        student.adapters.remove("sam")
        assert same(student(IMAGE), host(IMAGE, adapters=["dino"], **EDGE))
        student.adapters.remove("dino")
        assert same(student(IMAGE), host(IMAGE, adapters=[], **EDGE))
        student.adapters.swap("sam", packs[1])
        assert same(student(IMAGE), other(IMAGE, adapters=["sam"]))
        assert first.adapters == ("dino", "sam")


def test_a_pack_goes_to_a_slot_that_was_not_loaded(load: Load, packs: list[Path]) -> None:
    with load(adapters=["dino"], **EDGE) as student, load(**EDGE) as other:
        student.adapters.swap("sam", packs[0])
        other.adapters.swap("sam", packs[0])
        assert student.adapters.active == ("dino", "sam")
        assert same(student(IMAGE), other(IMAGE), 0)


def test_a_pack_may_have_a_bottleneck_of_another_width(
    load: Load, host: sakedge.Student, tmp_path: Path, tiny_student: Path
) -> None:
    with StudentFile.open(tiny_student) as file:
        pack = extract_part(file, "adapters.sam")
    half = pack.manifest.hidden // 2  # type: ignore[operator]
    tensors = dict(pack.tensors)
    for key, tensor in pack.tensors.items():
        if key.endswith(("down.weight", "down.bias")):
            tensors[key] = np.ascontiguousarray(tensor[..., :half])
        elif key.endswith("up.weight"):
            tensors[key] = np.ascontiguousarray(tensor[:half])
    narrow = tmp_path / "narrow.safetensors"
    write_pack(narrow, pack.manifest.model_copy(update={"hidden": half}), tensors)
    with (
        load(**EDGE) as student,
        sakedge.load(tiny_student, backend="onnxruntime", **EDGE) as other,
    ):
        for each in (student, other):
            each.adapters.swap("sam", narrow)
        assert same(student(IMAGE), other(IMAGE))
        assert not same(student(IMAGE), host(IMAGE, **EDGE))


@pytest.mark.parametrize(
    ("form", "options"), [("unrouted", {"router": "none"}), ("fp16", {"dtype": "fp16"})]
)
def test_students_of_other_forms(
    load: Load, form: str, options: dict[str, Any], tmp_path: Path, packs: list[Path]
) -> None:
    stored = {"dtype": options.pop("dtype", "fp32")}
    sizes = {"width": 48, "blocks": 4, "attention_heads": 3}
    path = tmp_path / "student.onnx"
    convert(*make_checkpoint(tmp_path, **sizes, **options), path, **stored)
    with (
        load(path, **EDGE) as student,
        sakedge.load(path, backend="onnxruntime", **EDGE) as other,
    ):
        for adapters in (None, ["sam"], []):
            ours, theirs = (each(IMAGE, adapters=adapters) for each in (student, other))
            assert same(ours, theirs)
            for task, routing in theirs.routing.items():
                np.testing.assert_allclose(ours.routing[task].weights, routing.weights, atol=1e-5)
        for each in (student, other):
            each.adapters.swap("sam", packs[0], any_stem=True)
        assert same(student(IMAGE), other(IMAGE))


def test_a_pack_that_is_written_to_later_changes_nothing(
    load: Load, tmp_path: Path, packs: list[Path]
) -> None:
    with load(**EDGE) as student:
        student.adapters.swap("sam", packs[0])
        expected = student(IMAGE, adapters=["sam"])
        content = bytearray(packs[0].read_bytes())
        content[-400:] = bytes(400)
        packs[0].write_bytes(content)
        student.adapters.remove("dino")
        assert same(student(IMAGE), expected)


def test_no_result_under_swaps_fails_or_is_mixed(
    graph_on: Load, packs: list[Path], request: pytest.FixtureRequest
) -> None:
    swaps = SWAPS_UNDER_LOAD[request.node.callspec.params["graph_on"]]
    results: list[sakedge.Result] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def exchange(student: sakedge.Student, times: int) -> Iterator[None]:
        """Goes through three sets of adapters again and again."""
        for pack in itertools.islice(itertools.cycle([*packs, None]), times):
            if pack is None:
                student.adapters.remove("sam")
            else:
                student.adapters.swap("sam", pack)
            yield

    with graph_on() as student, graph_on() as serial:

        def call() -> None:
            try:
                while not done.is_set():
                    results.append(student(IMAGE))
            except BaseException as error:
                failures.append(error)

        callers = [threading.Thread(target=call) for _ in range(3)]
        for caller in callers:
            caller.start()
        for _ in exchange(student, swaps):
            pass
        done.set()
        for caller in callers:
            caller.join()
        expected = [serial(IMAGE), *(serial(IMAGE) for _ in exchange(serial, 3))]
    assert failures == []
    seen = set()
    for result in results:
        (alone,) = (each for each in expected if each.digests == result.digests)
        assert same(result, alone, 0)
        seen.add(result.digests.get("adapters.sam"))
    assert len(seen) >= 3


def test_what_was_exchanged_is_freed(graph_on: Load, packs: list[Path]) -> None:
    def in_use(student: sakedge.Student) -> weakref.ref[object]:
        return weakref.ref(student.adapters.snapshot().assembled)

    with graph_on() as student:
        graphs = []
        for pack in [*packs, *packs]:
            graphs.append(in_use(student))
            student.adapters.swap("sam", pack)
        gc.collect()
        assert [graph() for graph in graphs] == [None] * 4
        last = in_use(student)
    gc.collect()
    assert last() is None


def test_what_fails_leaves_what_runs_untouched(
    hindered: sakedge.Student, packs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, told = hindered(IMAGE), hindered.explain()
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(packs[0].read_bytes()[:-1])
    with pytest.raises(FileFormatError):
        hindered.adapters.swap("sam", broken)

    def refuse() -> None:
        raise BackendError("the runtime refused the graph")

    monkeypatch.setattr(Hindered, "before", staticmethod(refuse))
    for change in (
        lambda: hindered.adapters.swap("sam", packs[0]),
        lambda: hindered.adapters.remove("sam"),
    ):
        with pytest.raises(BackendError, match="refused the graph"):
            change()
    assert hindered.explain() == told
    assert hindered.adapters.changes == {}
    after = hindered(IMAGE)
    assert after.digests == before.digests
    assert same(after, before, 0)
    monkeypatch.setattr(Hindered, "before", staticmethod(lambda: None))
    hindered.adapters.swap("sam", packs[0])
    assert not same(hindered(IMAGE), before)


def test_calls_go_on_while_a_graph_is_compiled(
    hindered: sakedge.Student, packs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, compiling, go_on = hindered(IMAGE), threading.Event(), threading.Event()

    def wait() -> None:
        compiling.set()
        assert go_on.wait(60)

    monkeypatch.setattr(Hindered, "before", staticmethod(wait))
    swap = threading.Thread(target=lambda: hindered.adapters.swap("sam", packs[0]))
    swap.start()
    assert compiling.wait(60)
    assert same(hindered(IMAGE), before, 0)
    assert hindered(IMAGE, adapters=["dino"]).adapters == ("dino",)
    go_on.set()
    swap.join()
    assert not same(hindered(IMAGE), before)


def test_a_student_that_is_closed_while_a_graph_is_compiled_stays_closed(
    hindered: sakedge.Student, packs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hindered, "before", staticmethod(hindered.close))
    with pytest.raises(ClosedError):
        hindered.adapters.swap("sam", packs[0])
    with pytest.raises(ClosedError):
        hindered(IMAGE)
    assert hindered.adapters._exchanger.state.snapshot.assembled is None


def test_only_what_is_loaded_is_in_the_graph(
    hindered: sakedge.Student, tiny_student: Path, packs: list[Path]
) -> None:
    with sakedge.load(
        tiny_student, ["dino"], ["edge"], backend="hindered", config={"model": "graph"}
    ) as student:
        student.adapters.swap("sam", packs[0])
    whole, some, both = ("\n".join(graph.weights) for graph in Hindered.compiled)
    assert "tsap.sam" in whole
    assert "heads.normals" in whole
    assert "tsap.sam" not in some
    assert "heads.normals" not in some
    assert "tsap.sam" in both


def test_a_graph_is_written_in_the_opset_that_its_backend_wants(
    hindered: sakedge.Student, tiny_student: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hindered, "opset", lambda backend, device: 17)
    with sakedge.load(
        tiny_student, backend="hindered", config={"model": "graph"}, **EDGE
    ) as student:
        assert same(student(IMAGE), hindered(IMAGE, **EDGE))
    assert [graph.plain.opset for graph in Hindered.compiled] == [23, 17]


def test_the_changes_of_a_pickled_student_are_one_compilation(
    hindered: sakedge.Student, packs: list[Path]
) -> None:
    hindered.adapters.swap("sam", packs[0])
    hindered.adapters.remove("dino")
    expected, frozen = hindered(IMAGE), pickle.dumps(hindered)
    Hindered.compiled.clear()
    with pickle.loads(frozen) as again:
        assert same(again(IMAGE), expected, 0)
    assert len(Hindered.compiled) == 2  # the file's own adapters, then the changes
    packs[0].write_bytes(packs[1].read_bytes())
    with pytest.raises(DigestError, match="swapped in"):
        pickle.loads(frozen)


def test_the_explanation_is_of_the_graph_in_use(
    hindered: sakedge.Student, packs: list[Path]
) -> None:
    told = hindered.explain()
    assert "masks the others" in str(told)
    assert "exported and compiled in" in told.session
    hindered.adapters.swap("sam", packs[0])
    assert hindered.explain().session == hindered.adapters.snapshot().assembled.details  # type: ignore[attr-defined]
