"""The tool behind docs/performance.md: what it counts, what it compares with, what it writes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tools.bench_peers import matrix, report, tables, work
from tools.bench_peers.exported import exported_student
from tools.bench_peers.machines import leads, machines
from tools.bench_peers.matrix import CASES, HEADLINE, TOGETHER, contestants
from tools.bench_peers.operations import (
    after_stem_macs,
    exported_head_macs,
    stem_macs,
    stock_head_macs,
)
from tools.bench_peers.quantise import (
    int8_student,
    nncf_export,
    nncf_student,
    static_export,
    static_student,
)
from tools.bench_peers.stages import predicted
from tools.bench_peers.store import Entry, Store, stores
from tools.bench_peers.students import PASCAL, Spec, student

from sakedge.errors import OptionError
from sakedge.format import AdapterInfo, Architecture, Manifest, Provenance, Storage, StudentFile
from sakedge.peers import Contestant, Plan, Race, Sample, race
from sakedge.peers.stock.onnxruntime import StockSession
from sakedge.peers.types import DECODED, Memory
from sakedge.peers.worker import inputs, largest_error
from sakedge.tasks import TaskInfo

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def vit_base(adapters: int = 3) -> Manifest:
    """The student that docs/algebra.md counts: 512 x 512, the five tasks of PASCAL-Context."""
    return Manifest.without_digests(
        architecture=Architecture(width=768, blocks=12, heads=12, patch=16, mlp=3072, router="mor"),
        input_size=(512, 512),
        levels=(2, 5, 8, 11),
        tasks=tuple(TaskInfo(**task) for task in PASCAL),
        adapters=tuple(AdapterInfo(name=f"a{i}", teacher="t", hidden=192) for i in range(adapters)),
        storage=Storage.uniform("fp32"),
        provenance=Provenance(tool="test"),
    )


def test_operations_are_those_of_the_algebra() -> None:
    """docs/algebra.md states, in GMAC: stem 107, adapters 11.8, routers 6.0, a head's taps 5.44 and
    its expansion 0.13, as exported 2.11, the heads as in the file 438.3, the whole 156.1."""
    parts = {name: macs / 1e9 for name, macs in after_stem_macs(vit_base()).items()}
    stem = stem_macs(vit_base()) / 1e9
    assert stem == pytest.approx(107.0, abs=0.05)
    assert parts["adapters"] == pytest.approx(11.8, abs=0.05)
    assert parts["routers"] == pytest.approx(6.0, abs=0.05)
    assert parts["taps"] / 5 == pytest.approx(5.44, abs=0.005)
    assert parts["expansion"] / 5 == pytest.approx(0.13, abs=0.005)
    dense = exported_head_macs(vit_base()) / 1e9 - sum(
        parts[name] for name in ("linears", "taps", "last")
    )
    assert dense / 5 == pytest.approx(2.11, abs=0.005)
    assert stock_head_macs(vit_base()) / 1e9 == pytest.approx(438.3, abs=0.05)
    assert stem + sum(parts.values()) == pytest.approx(156.1, abs=0.05)


def test_the_torch_peer_computes_what_the_file_says(tiny_student: Path) -> None:
    torch = pytest.importorskip("torch")
    from tools.bench_peers.torch_student import TorchStudent

    images = inputs(str(tiny_student), 2)
    expected = StockSession(tiny_student, threads=1).run(images)
    with StudentFile.open(tiny_student) as file, torch.no_grad():
        outputs = TorchStudent(file).eval()(torch.from_numpy(images))
    found = dict(zip(expected, (output.numpy() for output in outputs), strict=True))
    assert largest_error(found, expected) < 1e-4  # fp32 against fp32, as in `sakedge verify`


def test_students_of_one_size_share_their_stem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.bench_peers.students.FOLDER", tmp_path)
    spec = Spec("vit_base", (512, 512), adapters=1, tasks=PASCAL[:1]).as_quick()
    digests = []
    for each in (spec, replace(spec, adapters=2), replace(spec, tasks=PASCAL)):
        with StudentFile.open(student(each)) as file:
            assert len(file.manifest.adapters) == each.adapters
            assert len(file.manifest.tasks) == len(each.tasks)
            digests.append(file.stem().digest)
    assert len(set(digests)) == 1


def test_what_is_quantised_computes_the_same_thing_roughly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("nncf")
    monkeypatch.setattr("tools.bench_peers.students.FOLDER", tmp_path)
    spec = Spec("vit_base", (512, 512), adapters=1, tasks=PASCAL[:2]).as_quick()
    path, folder = student(spec), spec.folder
    runners = "tools.bench_peers.runners"
    graphs = {
        "openvino": nncf_student(path, folder),
        "openvino, exported": nncf_export(path, folder),
        "onnxruntime": static_student(path, folder),
        "onnxruntime, exported": static_export(path, folder),
        "onnxruntime, our file": int8_student(path, folder),
    }
    peers = [
        Contestant(
            name,
            "int8",
            f"{runners}:stock_int8",
            {"runtime": name.partition(",")[0], "model": str(graph), "rest": "fp32"},
        )
        for name, graph in graphs.items()
    ]
    ours = {"file": str(graphs["onnxruntime, our file"])}
    found = race(
        path,
        [Contestant("sakedge", "int8", f"{runners}:ours_int8", ours), *peers],
        Plan(threads=1, rounds=1, calls=1, seconds=0),
    )
    assert found.refused == {}
    errors = [found.error(each.label) for each in found.contestants]
    # Quantised, so not exact; a wrong graph or a wrong order of outputs would be off by a range.
    assert all(error is not None and 1e-4 < error < 0.3 for error in errors)


def test_every_row_has_its_own_name_and_the_headline_comes_first() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert names[0] == HEADLINE  # the others take the fastest peer from it
    assert set(tables.SIZES) <= set(names)


def test_side_rows_run_against_the_fastest_peers_of_the_headline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.bench_peers.students.FOLDER", tmp_path)
    case = next(case for case in CASES if case.peers == "best").as_quick()
    fastest = ("onnxruntime", "openvino, exported")
    names = [each.name for each in contestants(case, "fp32", fastest)]
    assert names == ["sakedge", *fastest]
    names = [each.name for each in contestants(case, "fp32", ())]
    exported = ["onnxruntime, exported", "openvino, exported"]
    assert names == ["sakedge", "onnxruntime", "openvino", *exported]


def test_a_graph_that_was_exported_is_not_exported_again(
    tiny_student: Path, tmp_path: Path
) -> None:
    first = exported_student(tiny_student, tmp_path)
    written = first.stat().st_mtime_ns
    assert exported_student(tiny_student, tmp_path) == first
    assert first.stat().st_mtime_ns == written


def sample(details: dict[str, object] | None = None, **ms: float) -> Sample:
    stages = {DECODED: {"stem": 1.0, "decoder": ms.get("decoded", 0.0) - 1.0}}
    memory = {measure: Memory(2**30, 2**29) for measure in ms}
    return Sample(1.0, ms, dict.fromkeys(ms, 1), stages, memory, 0.0, details or {})


def entry(case: str, decoded: float, peers: dict[str, float], batch: int = 1) -> Entry:
    contestants = [
        Contestant(name, "fp32", "", exported="exported" in name) for name in ("sakedge", *peers)
    ]
    samples = {"sakedge fp32": [sample({"isa": "avx2"}, decoded=decoded, logits=decoded)]}
    samples |= {
        f"{name} fp32": [sample(**{"decoded" if name.startswith("sakedge") else "logits": ms})]
        for name, ms in peers.items()
    }
    machine = {"cpu": "CPU", "system": "Linux", "features": ["avx2"], "versions": {"numpy": "2"}}
    found = Race(
        "/home/me/student/student.onnx",
        "0" * 64,
        Plan(threads=2, batch=batch),
        contestants,
        samples,  # type: ignore[arg-type]
        {},
        machine,
    )
    return Entry(case, "fp32", "2026-11-24T10:00:00+00:00", 0.1, 100.0, vit_base(), found)


PEERS = {"onnxruntime": 6000.0, "openvino": 4000.0}
EXPORTED = {"onnxruntime, exported": 2000.0, "openvino, exported": 3000.0}


def test_the_newest_entry_of_a_row_counts_and_comes_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "zen-4")
    store.add(entry(HEADLINE, 2000, PEERS))
    store.add(entry(HEADLINE, 1000, PEERS | EXPORTED))
    (again,) = stores(tmp_path / "new")
    assert again.title == "Zen 4"
    assert list(again) == list(store)
    (only,) = again
    assert only.race.ms("sakedge fp32", DECODED) == 1000
    assert again.rivals(HEADLINE, "fp32") == ("openvino", "onnxruntime, exported")
    assert again.rivals("adapters-1", "fp32") == ()
    assert "/home/me" not in store.path.read_text()


def test_no_machine_is_measured_into_the_folder_of_another(tmp_path: Path) -> None:
    store = Store(tmp_path / "zen-4")
    measured = entry(HEADLINE, 2000, PEERS)
    store.refuse_others({"cpu": "another", "features": []})  # nothing there yet
    store.add(measured)
    store.refuse_others(measured.race.machine)
    with pytest.raises(OptionError, match="avx512f"):
        store.refuse_others({"cpu": "CPU", "features": ["avx2", "avx512f"]})


def test_tables_hold_what_was_measured(tmp_path: Path) -> None:
    store = Store(tmp_path / "zen-3")
    store.add(entry(HEADLINE, 1000, PEERS | EXPORTED))
    store.add(entry("adapters", 1150, {"sakedge with 3": 1000, "sakedge with 1": 920}))
    store.add(entry("batch-4", 3600, {TOGETHER: 3960}, batch=4))
    assert "| 4.00 (4.00 to 4.00) |" in tables.headline(store)
    rows = tables.cases(store, [HEADLINE])
    assert "| openvino 4000 | 4.00 (4.00 to 4.00) |" in rows
    assert "| onnxruntime, exported 2000 | 2.00 (2.00 to 2.00) |" in rows
    assert "| onnxruntime, exported 1024 | 100.0 % |" in tables.memory(store)
    assert tables.adapters(store).endswith("| 919 | 999 | 1149 | 1000 | 4.0 % | 5.0 % |")
    assert tables.batch(store).endswith("| 900 | 990 | 1.10 |")
    # 49.2 GMAC after the stem in 0.999 s are 98.5e9 operations per second of 100e9.
    assert re.search(r"\| fp32 \| 100 \|.*\| 999 \| 98\.\d % \|", work.peak(store))
    assert tables.tokens(store) == ""


def test_machines_stand_side_by_side(tmp_path: Path) -> None:
    new, old = Store(tmp_path / "zen-3"), Store(tmp_path / "zen-4")
    new.add(entry(HEADLINE, 1000, PEERS | EXPORTED))
    old.add(entry(HEADLINE, 500, PEERS))
    old.add(entry("demo", 50, PEERS))
    assert "| what | Zen 3 | Zen 4 |" in machines([new, old])
    _, _, *rows = leads([new, old]).splitlines()
    assert [row.split(",")[0] for row in rows] == ["| Zen 3", "| Zen 4"]
    ratios = [f"{x:.2f} ({x:.2f} to {x:.2f})" for x in (4, 2, 2)]
    assert f"| onnxruntime, exported 2000 | 1000 | {' | '.join(ratios)} | 100.0 % |" in rows[0]
    assert "| openvino 4000 | not measured | 500 | 8.00 (8.00 to 8.00) |" in rows[1]
    assert "| fp32, exported graph | not measured |" in tables.headline(old)
    assert "not measured" not in tables.headline(new)


def test_stages_add_up_what_each_kernel_takes_alone() -> None:
    matrices = ("adapter_path", "router", "head_project", "head_taps")
    row = {"student": "ViT-B", "arithmetic": "f32"}
    kernels: list[dict[str, object]] = [{**row, "kernel": k, "gflops": 50.0} for k in matrices]
    kernels.append({**row, "kernel": "prepare", "gflops": 0.0, "m": 64, "microseconds": 64.0})
    alone = ["layer_norm", "mix"]
    alone += [f"{k} {n} classes" for k in ("head_expand", "decode") for n in (1, 2, 3, 7, 21)]
    kernels += [{"arithmetic": "f32", "kernel": k, "nanoseconds_per_item": 1.0} for k in alone]
    found = predicted(entry(HEADLINE, 1000, {}), kernels)
    tokens, tasks, levels, threads = 32 * 32, 5, 4, 2
    # Two operations a multiply-accumulate, 50 of them a nanosecond.
    assert found["taps"] == pytest.approx(tasks * tokens * 9 * 768 * 768 * 2 / 50 / threads * 1e-6)
    # A microsecond a row: each level's, each mixture's, each task's.
    prepared = tokens * (levels + tasks * levels + tasks)
    assert found["rounding of their inputs"] == pytest.approx(prepared / threads / 1000)
    assert found["norms"] == pytest.approx(tokens * 768 * 3 * levels / threads * 1e-6)
    assert found["decoding"] == pytest.approx(tasks * 512 * 512 / threads * 1e-6)


def test_the_page_keeps_its_words_and_gets_every_block(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    page = tmp_path / "performance.md"
    page.write_text(PAGE.read_text())
    measured = [Store(tmp_path / "plots" / name) for name in ("zen-3", "zen-4")]
    for store in measured:
        store.add(entry(HEADLINE, 1000, {"openvino": 4000}))
    report.write_report(measured, page)
    words = re.compile(r"(<!-- measured: \w+ -->\n).*?(<!-- end -->)", re.DOTALL)
    assert words.sub("", page.read_text()) == words.sub("", PAGE.read_text())
    assert "| 4.00 (4.00 to 4.00) |" in page.read_text()
    for store in measured:
        assert f"](plots/{store.folder.name}/ratios.png)" in page.read_text()
        assert (store.folder / "ratios.png").stat().st_size > 1000
    first = page.read_text()
    report.write_report(measured, page)
    assert page.read_text() == first


def test_every_table_has_its_place_on_the_page() -> None:
    named = set(re.findall(r"<!-- measured: (\w+) -->", PAGE.read_text()))
    assert named == {*report.blocks([]), "plots"}
    with pytest.raises(OptionError, match="nonsense"):
        report.filled("<!-- measured: nonsense -->\n<!-- end -->", {"machine": ""})


def test_a_quick_run_measures_tiny_stand_ins() -> None:
    for case in CASES:
        quick = case.as_quick()
        assert quick.rounds == 1
        assert quick.spec.vit is None or np.prod(quick.spec.size) <= 72 * 72


def test_what_is_left_in_floats_is_run_both_ways_where_the_cpu_can() -> None:
    assert matrix.rests() in (("bf16", "fp32"), ("fp32",))
