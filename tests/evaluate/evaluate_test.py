"""Evaluations: configurations, comparison with the first, ablation, JSON and report."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from tests.support.datasets import write_folder

import sakedge
from sakedge.errors import DatasetError, OptionError, UnknownAdapterError
from sakedge.evaluating.ablation import gains, subsets_of
from sakedge.evaluating.evaluate import evaluate
from sakedge.evaluating.evaluation import Evaluation
from sakedge.evaluating.report import write_report
from sakedge.evaluating.run import measure
from sakedge.evaluating.worst import worst_first
from sakedge.format import Manifest
from sakedge.measuring.data import open_dataset
from sakedge.measuring.intervals import estimate, gain, relative_drop
from sakedge.measuring.metrics import MeanAngle
from sakedge.measuring.running import metrics_for
from sakedge.text import to_json

Make = Callable[..., Path]
BASELINE = {"edge": 20.0, "normals": 45.0, "of another student": 1.0}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluation") / "data"
    write_folder(folder, 5)
    return folder


@pytest.fixture(scope="module")
def found(tiny_student: Path, root: Path) -> Evaluation:
    return evaluate(
        tiny_student,
        root,
        backends=["onnxruntime"],
        precisions=["fp32", "int8"],
        adapters=[None, []],
        baseline=BASELINE,
        ablate=True,
        pictures=True,
        threads=1,
    )


def test_every_combination_is_a_run(found: Evaluation) -> None:
    configurations = [(run.told["precision"], run.adapters) for run in found.runs]
    both = ("dino", "sam")
    assert configurations == [("fp32", both), ("fp32", ()), ("int8", both), ("int8", ())]
    assert found.data["images"] == 5 and len(found.data["digest"]) == 64


def test_values_and_changes_are_of_what_was_measured(
    found: Evaluation, student: sakedge.Student, root: Path, manifest: Manifest
) -> None:
    data = open_dataset(root, manifest)
    metrics = metrics_for(data, manifest)
    every = measure(student, data, metrics)
    none = measure(student, data, metrics, adapters=[])
    for task, metric in metrics.items():
        score = found.runs[1].scores[task]
        assert score.found == estimate(metric, none.statistics[task])
        assert score.drop == relative_drop(metric, every.statistics[task], none.statistics[task])
        assert found.runs[0].scores[task].drop is None
        assert np.allclose(score.per_image, metric.value(none.statistics[task]), equal_nan=True)
    assert set(found.runs[0].scores) == set(manifest.task_names)


def test_delta_m_is_the_mean_relative_gain(found: Evaluation) -> None:
    for run in found.runs:
        edge, normals = (run.scores[task].found.value for task in ("edge", "normals"))
        expected = 100 * ((edge - 20) / 20 + (45 - normals) / 45) / 2
        assert run.delta_m == pytest.approx(expected)
    assert found.baseline == {"edge": 20.0, "normals": 45.0}


def test_an_ablation_measures_each_subset_and_compares_them(found: Evaluation) -> None:
    ablation = found.ablation
    assert ablation is not None and ablation.precision == "fp32"
    assert [each.adapters for each in ablation.subsets] == subsets_of(["dino", "sam"])
    by_name = {each.adapters: each for each in ablation.subsets}
    assert by_name[()].values["sal"] == found.runs[1].scores["sal"].found
    assert by_name["dino", "sam"].values["sal"] == found.runs[0].scores["sal"].found
    assert by_name[()].weight_bytes < by_name["sam",].weight_bytes
    assert all(each.ms > 0 for each in ablation.subsets)
    stem_only = by_name[()].routing["sal"]
    assert np.allclose(stem_only, [[1, 0, 0]] * len(stem_only))
    values = {names: each.values["height"].value for names, each in by_name.items()}
    worth, instead = ablation.worth["height"], ablation.instead["height"]
    # RMSE: lower is better, so what it falls by is gained.
    assert worth["sam",].value == pytest.approx(values["dino",] - values["dino", "sam"])
    assert instead["sam",].value == pytest.approx(values[()] - values["sam",])
    assert instead["sam", "dino"].value == pytest.approx(values["dino",] - values["sam",])
    added = ablation.added["height"]["dino", "sam"]
    assert added.value == pytest.approx(values["sam",] - values["dino", "sam"])


def test_many_adapters_are_not_measured_in_all_subsets() -> None:
    names = [f"a{i}" for i in range(6)]
    assert len(subsets_of(names[:4])) == 16
    assert subsets_of(names) == [
        (),
        *combinations(names, 1),
        *combinations(names, 5),
        tuple(names),
    ]
    metric = MeanAngle()
    rng = np.random.default_rng(1)
    statistics = {
        each: {"normals": rng.uniform(1, 9, (4, metric.size))} for each in subsets_of(names)
    }
    worth, instead, added = gains({"normals": metric}, names, statistics)
    assert len(worth["normals"]) == 6 and len(instead["normals"]) == 36 and not added["normals"]
    expected = gain(
        metric, statistics[tuple(names[1:])]["normals"], statistics[tuple(names)]["normals"]
    )
    assert worth["normals"]["a0",] == expected


def test_the_worst_images_come_first_whatever_is_better(found: Evaluation) -> None:
    scores = np.array([3.0, np.nan, 1.0, 2.0])
    assert worst_first(scores, True) == [2, 3, 0]
    assert worst_first(scores, False) == [0, 3, 2]
    for task, worst in found.worst.items():
        metric, per_image = found.runs[0].scores[task].metric, found.runs[0].scores[task].per_image
        extreme = np.nanmin(per_image) if metric.higher_is_better else np.nanmax(per_image)
        assert worst[0].score == pytest.approx(extreme)
        assert worst[0].image.shape == worst[0].found.shape == worst[0].truth.shape


def test_the_json_holds_what_the_page_shows(found: Evaluation) -> None:
    told = json.loads(to_json(found.to_dict()))
    run = told["runs"][2]
    assert run["precision"] == "int8" and run["adapters"] == ["dino", "sam"]
    task = run["tasks"]["defects"]
    assert task["metric"] == "mIoU" and task["low"] <= task["value"] <= task["high"]
    assert len(task["class_iou"]) == 4 and np.shape(task["confusion"]) == (4, 4)
    assert set(run["tasks"]["edge"]["curve"]) == {"thresholds", "precision", "recall", "f"}
    assert set(run["routing"]["sal"]["0"]) == {"stem", "dino", "sam"}
    assert told["ablation"]["subsets"][0]["adapters"] == []
    assert {each["adapter"] for each in told["ablation"]["worth"]["sal"]} == {"dino", "sam"}
    assert len(told["worst"]["sal"]) == 4


def test_the_report_is_one_page_that_needs_nothing_else(found: Evaluation, tmp_path: Path) -> None:
    named = replace(found, data={**found.data, "name": "<script>alert(1)</script>"})
    write_report(named, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    for task in found.tasks:
        assert f'id="{task}"' in page
    # values, routing, teachers; distributions, classes, confusion, curves; who adds what
    assert page.count("<svg") == 3 + (5 + 1 + 1 + 2) + 5
    assert page.count('<img src="data:image/jpeg;base64,') == 5 * 4 * 3
    assert "What the adapters are worth" in page and found.data["digest"] in page
    assert "<link" not in page and 'src="http' not in page
    assert "<script" not in page and "&lt;script&gt;" in page


def test_a_limit_takes_images_evenly(tiny_student: Path, root: Path) -> None:
    found = evaluate(tiny_student, root, tasks=["sal"], limit=2, threads=1)
    assert found.runs[0].measured.ids == ("part-0", "part-2")
    assert found.tasks == ("sal",) and found.data["images"] == 2


def test_a_store_is_emptied_when_all_is_checked(
    tiny_student: Path, root: Path, tmp_path: Path
) -> None:
    def chunks(limit: int, adapters: list[str] | None = None) -> int:
        sets = [adapters]
        evaluate(
            tiny_student,
            root,
            adapters=sets,
            tasks=["sal"],
            limit=limit,
            store=tmp_path,
            resume=False,
            threads=1,
        )
        return len(list(tmp_path.iterdir()))

    assert chunks(2) == chunks(3) == 1
    with pytest.raises(UnknownAdapterError):
        chunks(2, ["clip"])
    assert len(list(tmp_path.iterdir())) == 1


def test_wrong_arguments_are_told(tiny_student: Path, root: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownAdapterError, match="clip"):
        evaluate(tiny_student, root, adapters=[["clip"]])
    with pytest.raises(OptionError, match="limit"):
        evaluate(tiny_student, root, limit=0)
    with pytest.raises(OptionError, match="no list of precision"):
        evaluate(tiny_student, root, precisions="fp32")
    with pytest.raises(DatasetError, match="a value for none of the tasks"):
        evaluate(tiny_student, root, baseline={"semseg": 67.0})
    path = tmp_path / "baseline.json"
    for text, told in (("{", "is no baseline"), ('{"sal": "high"}', "is no baseline")):
        path.write_text(text)
        with pytest.raises(DatasetError, match=told):
            evaluate(tiny_student, root, baseline=path)
